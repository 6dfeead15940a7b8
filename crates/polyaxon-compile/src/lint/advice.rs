//! What is valid and still rarely meant: values without effect, images without version. For `check`, not for `run`.

use std::collections::HashSet;

use polyaxon_spec::diagnostic::{Diagnostic, codes};
use polyaxon_spec::node::{Map, Node, Value};
use polyaxon_spec::shadow;

use crate::template;

/// Kinds whose inputs are read by programs of ours.
const HELPERS: &[&str] = &["notifier", "cleaner", "tuner"];

/// Advice about an operation as it would be submitted, and its composition.
pub fn advice(operation: &Node, compiled: &Node, params: &Map) -> Vec<Diagnostic> {
    let mut findings = shadow::find(operation);
    if let Some(run) = compiled.get("run") {
        images(run, "run", &mut findings);
        let kind = run.get("kind").and_then(Node::as_str).unwrap_or_default();
        if !HELPERS.contains(&kind) {
            let used = Used::of(compiled, params);
            findings.extend(unused_inputs(compiled, params, &used));
            findings.extend(unused_params(compiled, params, &used));
        }
    }
    findings
}

/// Looks into everything that holds containers: replicas, init steps, sidecars, nodes of a dag.
fn images(node: &Node, path: &str, findings: &mut Vec<Diagnostic>) {
    match &node.value {
        Value::Map(map) => {
            for (key, value) in map.iter() {
                let path = format!("{path}.{}", key.text);
                if matches!(key.text.as_str(), "container" | "dockerfile") {
                    findings.extend(value.get("image").and_then(|image| unpinned(image, &path)));
                } else if !matches!(key.text.as_str(), "params" | "inputs" | "outputs") {
                    images(value, &path, findings);
                }
            }
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                let path = format!("{path}[{index}]");
                if path.ends_with(&format!("sidecars[{index}]")) {
                    findings.extend(item.get("image").and_then(|image| unpinned(image, &path)));
                } else {
                    images(item, &path, findings);
                }
            }
        }
        _ => {}
    }
}

fn unpinned(image: &Node, path: &str) -> Option<Diagnostic> {
    let text = image.as_str().filter(|text| !text.is_empty() && !template::is_template(text))?;
    let name = text.rsplit('/').next().unwrap_or(text);
    let problem = match name.rsplit_once(':') {
        _ if text.contains('@') => return None,
        None => format!("the image `{text}` has no tag, which means `latest`"),
        Some((_, "latest")) => format!("the image `{text}` is whatever is the latest"),
        Some(_) => return None,
    };
    Some(
        Diagnostic::warning(codes::UNPINNED_IMAGE, image.span, problem)
            .label("may be another image tomorrow")
            .path(format!("{path}.image"))
            .help("write a version, like `python:3.12`, or a digest"),
    )
}

/// The names that templates, references and searches use.
struct Used {
    names: HashSet<String>,
    /// A template takes all params at once.
    everything: bool,
}

impl Used {
    fn of(compiled: &Node, params: &Map) -> Used {
        let mut used = Used { names: HashSet::new(), everything: false };
        for (key, value) in compiled.as_map().into_iter().flat_map(Map::iter) {
            if matches!(key.text.as_str(), "inputs" | "outputs" | "contexts") {
                value.as_list().unwrap_or_default().iter().for_each(|io| used.declaration(io));
            } else {
                used.collect(value);
            }
        }
        params.iter().for_each(|(_, param)| used.collect(param));
        if let Some(resource) = compiled.at(&["matrix", "resource", "name"]).and_then(Node::as_str) {
            used.names.insert(resource.to_owned());
        }
        used
    }

    /// The format of an input uses the input only to show it.
    fn declaration(&mut self, io: &Node) {
        let fields = io.as_map().into_iter().flat_map(Map::iter).filter(|(key, _)| key.text != "argFormat");
        fields.for_each(|(_, value)| self.collect(value));
    }

    fn collect(&mut self, node: &Node) {
        match &node.value {
            Value::Str(text) => self.template(text),
            Value::List(items) => items.iter().for_each(|item| self.collect(item)),
            Value::Map(map) => {
                if map.get("ref").and_then(Node::as_str) == Some("dag") {
                    self.of_dag(map.get("value").and_then(Node::as_str).unwrap_or_default());
                }
                for (key, value) in map.iter() {
                    self.template(&key.text);
                    self.collect(value);
                }
            }
            _ => {}
        }
    }

    fn of_dag(&mut self, value: &str) {
        match polyaxon_spec::template::inner(value).unwrap_or(value).trim().split_once('.') {
            Some((_, name)) => drop(self.names.insert(name.to_owned())),
            None => self.everything = true,
        }
    }

    fn template(&mut self, text: &str) {
        let Ok(names) = template::names(text) else {
            // A broken template is reported as such.
            self.everything = true;
            return;
        };
        for name in names {
            let mut parts = name.split('.');
            match (parts.next(), parts.next()) {
                (Some("params"), None | Some("as_args" | "items" | "keys" | "values" | "get")) => {
                    self.everything = true;
                }
                (Some("params"), Some(param)) => drop(self.names.insert(param.to_owned())),
                (Some(first), _) => drop(self.names.insert(first.to_owned())),
                (None, _) => {}
            }
        }
    }

    fn has(&self, name: &str) -> bool {
        self.everything || self.names.contains(name)
    }
}

/// Whether the value goes somewhere without a template.
fn is_handed_on(node: &Node) -> bool {
    let fields = ["toEnv", "toInit", "connection"];
    fields.iter().any(|field| node.get(field).is_some_and(crate::context::is_truthy))
}

fn unused_inputs(compiled: &Node, params: &Map, used: &Used) -> Vec<Diagnostic> {
    let inputs = compiled.get("inputs").and_then(Node::as_list).unwrap_or_default();
    let outputs = compiled.get("outputs").and_then(Node::as_list).unwrap_or_default();
    let name = |io: &Node| io.get("name").and_then(Node::as_str).map(str::to_owned);
    let mut findings = Vec::new();
    for input in inputs {
        let (Some(node), Some(own)) = (input.get("name"), name(input)) else { continue };
        let is_output = outputs.iter().any(|output| name(output).as_deref() == Some(own.as_str()));
        if used.has(&own) || is_output || is_handed_on(input) || params.get(&own).is_some_and(is_handed_on) {
            continue;
        }
        findings.push(
            Diagnostic::warning(codes::UNUSED_INPUT, node.span, format!("nothing uses the input `{own}`"))
                .label("declared here")
                .path(format!("inputs.{own}"))
                .help(format!("use it as `{{{{ {own} }}}}`, hand it on with `toEnv`, or remove it")),
        );
    }
    findings
}

fn unused_params(compiled: &Node, params: &Map, used: &Used) -> Vec<Diagnostic> {
    let lists = ["inputs", "outputs"].iter().filter_map(|list| compiled.get(list)?.as_list());
    let declared: Vec<&str> = lists.flatten().filter_map(|io| io.get("name")?.as_str()).collect();
    let mut findings = Vec::new();
    for (key, param) in params.iter() {
        let is_reference = param.get("ref").is_some_and(|node| !node.is_null());
        let is_known = declared.contains(&key.text.as_str()) || used.has(&key.text);
        if is_known || is_reference || is_handed_on(param) {
            continue;
        }
        let message = format!("param `{}` matches no input or output, and no template uses it", key.text);
        findings.push(
            Diagnostic::warning(codes::PARAM_UNDECLARED, key.span, message)
                .label("without effect")
                .path(format!("params.{}", key.text))
                .help("declare it under `inputs`, or remove it"),
        );
    }
    findings
}
