//! Rendering of whole sections: every string is a template, and what comes out is read as a Python literal.

use minijinja::value::Value as Engine;
use polyaxon_spec::node::{Key, Map, Node, Value};
use polyaxon_spec::span::Span;

use super::{Budget, TemplateError, literal, render};
use crate::text;

/// How often a text may become another template before it is called endless.
const MAX_ROUNDS: usize = 50;
const MAX_DEPTH: usize = 250;

/// The types whose values are text: rendered once, never read as literals.
const TEXT_TYPES: &[&str] = &["str", "path", "image", "uuid"];

/// A string that failed, with its place in the document.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    pub error: TemplateError,
    /// The string as written.
    pub text: String,
    pub span: Span,
    /// `run.container.env[0].value`.
    pub path: String,
}

/// Renders the sections of one document; failures are collected, failed strings stay.
pub struct Expander<'a> {
    context: &'a Engine,
    budget: &'a Budget,
    path: Vec<String>,
    pub failures: Vec<Failure>,
}

/// Where a value stands, as far as rendering differs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Value,
    /// A job, a service or a replica.
    Runtime,
    Containers,
    Initializers,
    Initializer,
    Container,
    /// The list of a container's `command` or `args`.
    Words,
}

impl<'a> Expander<'a> {
    /// `path` names the section for messages: `run`.
    pub fn new(context: &'a Engine, budget: &'a Budget) -> Expander<'a> {
        Expander { context, budget, path: Vec::new(), failures: Vec::new() }
    }

    /// Any section of an operation, `name` being its key.
    pub fn section(&mut self, name: &str, node: &Node) -> Node {
        self.within(name, |this| this.value(node, Place::Value))
    }

    /// A runtime or a replica: words of commands and arguments stay text.
    pub fn runtime(&mut self, name: &str, node: &Node) -> Node {
        self.within(name, |this| this.value(node, Place::Runtime))
    }

    /// The declaration of an input or output: text types keep text, `argFormat` is not rendered.
    pub fn io(&mut self, name: &str, node: &Node) -> Node {
        self.within(name, |this| this.declaration(node))
    }

    fn within<T>(&mut self, segment: &str, work: impl FnOnce(&mut Expander<'a>) -> T) -> T {
        self.path.push(segment.to_owned());
        let result = work(self);
        self.path.pop();
        result
    }

    fn value(&mut self, node: &Node, place: Place) -> Node {
        match &node.value {
            Value::Str(text) => self.expression(text, node.span),
            Value::Map(map) => Node::new(Value::Map(self.mapping(map, place)), node.span),
            Value::List(items) => {
                let inner = match place {
                    Place::Containers => Place::Container,
                    Place::Initializers => Place::Initializer,
                    _ => Place::Value,
                };
                let items = items.iter().enumerate().map(|(index, item)| {
                    let segment = format!("[{index}]");
                    self.within(&segment, |this| match (place, &item.value) {
                        (Place::Words, Value::Str(text)) => this.word(text, item.span),
                        _ => this.value(item, inner),
                    })
                });
                Node::new(Value::List(items.collect()), node.span)
            }
            _ => node.clone(),
        }
    }

    fn mapping(&mut self, map: &Map, place: Place) -> Map {
        let mut entries = Vec::with_capacity(map.len());
        for (key, value) in map.iter() {
            let inner = match (place, key.text.as_str()) {
                (Place::Runtime | Place::Initializer, "container") => Place::Container,
                (Place::Runtime, "sidecars") => Place::Containers,
                (Place::Runtime, "init") => Place::Initializers,
                (Place::Container, "command" | "args") => Place::Words,
                _ => Place::Value,
            };
            let new_key = self.key(key);
            let value = self.within(&key.text, |this| this.value(value, inner));
            entries.push((new_key, value));
        }
        super::value::distinct(entries)
    }

    /// Keys are rendered too; what they become is a key, so it is text again.
    fn key(&mut self, key: &Key) -> Key {
        if !key.is_text || !super::is_template(&key.text) {
            return key.clone();
        }
        let node = self.within(&key.text, |this| this.expression(&key.text, key.span));
        Key { text: text::general(&node), ..key.clone() }
    }

    /// A text of a text type: rendered once.
    fn text(&mut self, text: &str, span: Span) -> Node {
        match render(text, self.context, self.budget) {
            Ok(rendered) => Node::new(Value::Str(rendered), span),
            Err(error) => self.failed(error, text, span),
        }
    }

    /// One word of a command line: text, or null when a template gives exactly `None`.
    fn word(&mut self, text: &str, span: Span) -> Node {
        match render(text, self.context, self.budget) {
            Ok(rendered) if rendered == "None" && rendered != text => Node::new(Value::Null, span),
            Ok(rendered) => Node::new(Value::Str(rendered), span),
            Err(error) => self.failed(error, text, span),
        }
    }

    fn expression(&mut self, text: &str, span: Span) -> Node {
        match expression(text, span, self.context, self.budget) {
            Ok(node) => node,
            Err(error) => self.failed(error, text, span),
        }
    }

    fn failed(&mut self, error: TemplateError, text: &str, span: Span) -> Node {
        let path = self.path.join(".").replace(".[", "[");
        self.failures.push(Failure { error, text: text.to_owned(), span, path });
        Node::new(Value::Str(text.to_owned()), span)
    }

    fn declaration(&mut self, node: &Node) -> Node {
        let Some(map) = node.as_map() else { return node.clone() };
        let ty = map.get("type").and_then(Node::as_str);
        let is_list = map.get("isList").and_then(Node::as_bool).unwrap_or(false);
        let is_text = ty.is_some_and(|ty| TEXT_TYPES.contains(&ty));
        let texts = match (is_text, is_list) {
            (true, false) => Texts::One,
            (true, true) => Texts::Many,
            (false, false) if ty == Some("List[str]") => Texts::Many,
            (false, _) => Texts::None,
        };
        let mut out = Map::new();
        for (key, value) in map.iter() {
            let new = self.within(&key.text, |this| match (key.text.as_str(), texts, &value.value) {
                ("argFormat", _, _) => value.clone(),
                ("value", Texts::One, Value::Str(text)) => this.text(text, value.span),
                ("value", Texts::Many, Value::List(items)) => this.texts(items, value.span),
                ("validation", Texts::One | Texts::Many, Value::Map(rules)) => {
                    Node::new(Value::Map(this.rules(rules)), value.span)
                }
                _ => this.value(value, Place::Value),
            });
            out.insert_key(key.clone(), new);
        }
        Node::new(Value::Map(out), node.span)
    }

    fn rules(&mut self, rules: &Map) -> Map {
        let mut out = Map::new();
        for (key, value) in rules.iter() {
            let new = self.within(&key.text, |this| match (key.text.as_str(), &value.value) {
                ("options", Value::List(items)) => this.texts(items, value.span),
                _ => this.value(value, Place::Value),
            });
            out.insert_key(key.clone(), new);
        }
        out
    }

    fn texts(&mut self, items: &[Node], span: Span) -> Node {
        let items = items.iter().map(|item| match &item.value {
            Value::Str(text) => self.text(text, item.span),
            _ => self.value(item, Place::Value),
        });
        Node::new(Value::List(items.collect()), span)
    }
}

/// Whether the value of a declaration is text that stays text.
#[derive(Clone, Copy)]
enum Texts {
    None,
    One,
    Many,
}

/// Renders until the text stays the same, then reads it as a literal. `argFormat` uses it directly.
pub fn expression(text: &str, span: Span, context: &Engine, budget: &Budget) -> Result<Node, TemplateError> {
    let mut current = text.to_owned();
    for _ in 0..MAX_ROUNDS {
        let rendered = render(&current, context, budget)?;
        if rendered == current {
            let literal = literal::read(&current).map(|node| with_span(node, span, 0));
            return Ok(literal.unwrap_or_else(|| Node::new(Value::Str(current), span)));
        }
        if rendered.len() > super::MAX_OUTPUT {
            return Err(TemplateError::exhausted());
        }
        current = rendered;
    }
    Err(TemplateError::recursion())
}

/// Every part of a value that one string became stands where the string stood.
fn with_span(node: Node, span: Span, depth: usize) -> Node {
    let value = match node.value {
        Value::List(items) if depth < MAX_DEPTH => {
            Value::List(items.into_iter().map(|item| with_span(item, span, depth + 1)).collect())
        }
        Value::Map(map) if depth < MAX_DEPTH => {
            let entries = map.into_iter().map(|(key, value)| (Key { span, ..key }, with_span(value, span, depth + 1)));
            Value::Map(Map::from_entries(entries.collect()))
        }
        value => value,
    };
    Node::new(value, span)
}
