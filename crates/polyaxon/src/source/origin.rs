//! Where the values of a result come from, in the words of the person who wrote them: a line of a file, a preset, an
//! option, or nothing that anybody wrote.

use polyaxon_compile::template;
use polyaxon_spec::node::{Node, Value};
use polyaxon_spec::span::Sources;
use serde_json::{Value as Json, json};

/// What a request was made of.
pub(crate) struct Origins<'a> {
    pub(crate) sources: &'a Sources,
    /// The names of the files that are laid over the first.
    pub(crate) presets: Vec<String>,
    /// The inputs of the result, whose values templates show.
    pub(crate) inputs: Vec<(&'a str, &'a Node)>,
}

/// Where one value comes from.
pub(crate) struct Origin<'a> {
    kind: &'static str,
    name: &'a str,
    line: usize,
    column: usize,
    /// The template that became the value.
    template: Option<&'a str>,
}

impl<'a> Origins<'a> {
    pub(crate) fn new(sources: &'a Sources, presets: Vec<String>, result: &'a Node) -> Origins<'a> {
        let ios =
            ["contexts", "inputs", "outputs"].into_iter().filter_map(|list| result.get(list)?.as_list()).flatten();
        let inputs = ios.filter_map(|io| Some((io.get("name")?.as_str()?, io.get("value")?))).collect();
        Origins { sources, presets, inputs }
    }

    /// `None` when no text wrote it.
    fn of(&self, node: &Node) -> Option<Origin<'a>> {
        let source = self.sources.get(node.span.source)?;
        let written = source.text.get(node.span.start as usize..node.span.end as usize).map(unquoted);
        // What stands for a whole section was computed from it.
        if node.as_str().is_none() && written.is_some_and(|text| text.contains('\n')) {
            return None;
        }
        let (line, column) = self.sources.line_column(node.span)?;
        let name = source.name.as_str();
        let kind = match name {
            _ if name.starts_with("-P") => "param",
            _ if name.starts_with('-') => "option",
            _ if self.presets.iter().any(|preset| preset == name) => "preset",
            _ if name.starts_with("hub:") => "hub",
            _ if name.contains("://") => "url",
            _ => "file",
        };
        let template = written.filter(|text| template::is_template(text) && node.as_str() != Some(text));
        Some(Origin { kind, name, line, column, template })
    }

    /// One line for people.
    pub(crate) fn note(&self, node: &Node) -> String {
        let Some(origin) = self.of(node) else { return "default".to_owned() };
        let mut note = origin.place();
        if let Some(template) = origin.template.filter(|template| !template.contains('\n')) {
            note.push_str(&format!(", {template}"));
        }
        for (name, place) in self.ingredients(&origin) {
            note.push_str(&format!(", {name} from {place}"));
        }
        note
    }

    /// The inputs that the template of a value names, with their own places.
    fn ingredients(&self, origin: &Origin) -> Vec<(&'a str, String)> {
        let names = origin.template.and_then(|text| template::names(text).ok()).unwrap_or_default();
        let is_named = |input: &str| {
            names.iter().any(|name| {
                let mut parts = name.split('.');
                let first = parts.next();
                first == Some(input) || (first == Some("params") && parts.next() == Some(input))
            })
        };
        let named = self.inputs.iter().filter(|(name, _)| is_named(name));
        named
            .map(|(name, value)| (*name, self.of(value).map_or("default".to_owned(), |origin| origin.place())))
            .collect()
    }

    /// Every leaf with its path and its origin.
    pub(crate) fn list(&self, node: &Node) -> Json {
        let mut rows = Vec::new();
        self.collect(node, String::new(), &mut rows);
        rows.into()
    }

    fn collect(&self, node: &Node, path: String, rows: &mut Vec<Json>) {
        match &node.value {
            Value::Map(map) if !map.is_empty() => {
                for (key, value) in map.iter() {
                    let path = if path.is_empty() { key.text.clone() } else { format!("{path}.{}", key.text) };
                    self.collect(value, path, rows);
                }
            }
            Value::List(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    self.collect(item, format!("{path}[{index}]"), rows);
                }
            }
            _ => rows.push(json!({"path": path, "value": node.to_json(), "origin": self.json(node)})),
        }
    }

    fn json(&self, node: &Node) -> Json {
        let Some(origin) = self.of(node) else { return json!({"kind": "default"}) };
        let mut json = json!({"kind": origin.kind, "name": origin.name, "line": origin.line, "column": origin.column});
        if let Some(template) = origin.template {
            json["template"] = template.into();
            let inputs = self.ingredients(&origin).into_iter();
            json["inputs"] = inputs.map(|(name, place)| json!({"name": name, "place": place})).collect();
        }
        json
    }
}

impl Origin<'_> {
    fn place(&self) -> String {
        match self.kind {
            "param" | "option" => self.name.to_owned(),
            "preset" => format!("preset {}:{}", self.name, self.line),
            _ => format!("{}:{}", self.name, self.line),
        }
    }
}

/// The text without the quotes around it.
fn unquoted(text: &str) -> &str {
    let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}
