//! Typed inputs and outputs: declarations, types (spec §7) and validation rules (spec §8).
//!
//! Pure functions on nodes; knows nothing of params, layers or runs.

mod address;
mod convert;
mod types;
mod validation;

use crate::diagnostic::{Diagnostic, codes};
use crate::node::Node;
use crate::refs;
use crate::span::Span;

pub use types::{IoType, are_compatible};

/// The types that are documented, for people to choose from.
pub fn known_types() -> &'static [&'static str] {
    types::KNOWN
}

/// Whether a value names a container image, or is a template that will.
pub fn is_image(value: &Node) -> bool {
    address::image(value).is_some()
}

/// One item of `inputs`, `outputs` or `contexts`, as read by the decoder.
#[derive(Clone, Copy, Debug)]
pub struct Declaration<'a> {
    pub node: &'a Node,
    pub name: &'a str,
}

impl<'a> Declaration<'a> {
    /// Every declaration of a list of an operation; items without a name cannot exist after decoding.
    pub fn all(operation: &'a Node, list: &str) -> Vec<Declaration<'a>> {
        let items = operation.get(list).and_then(Node::as_list).unwrap_or_default();
        items.iter().filter_map(Declaration::of).collect()
    }

    pub fn of(node: &'a Node) -> Option<Declaration<'a>> {
        Some(Declaration { node, name: node.get("name")?.as_str()? })
    }

    pub fn type_name(&self) -> Option<&'a str> {
        self.node.get("type").and_then(Node::as_str).filter(|name| !name.is_empty())
    }

    /// The type as a person writes it: `int`, `List[int]`, `any`.
    pub fn type_text(&self) -> String {
        let name = self.type_name().unwrap_or("any");
        if self.is_list() { format!("List[{name}]") } else { name.to_string() }
    }

    pub fn is_list(&self) -> bool {
        self.flag("isList") == Some(true)
    }

    pub fn is_flag(&self) -> bool {
        self.flag("isFlag") == Some(true)
    }

    pub fn is_optional(&self) -> bool {
        self.flag("isOptional") == Some(true)
    }

    pub fn delay_validation(&self) -> Option<bool> {
        self.flag("delayValidation")
    }

    /// The default; absent and null are the same.
    pub fn default_value(&self) -> Option<&'a Node> {
        self.node.get("value").filter(|value| !value.is_null())
    }

    pub fn span(&self) -> Span {
        self.node.get("name").map(|name| name.span).filter(|span| !span.is_none()).unwrap_or(self.node.span)
    }

    fn flag(&self, field: &str) -> Option<bool> {
        self.node.get(field).and_then(Node::as_bool)
    }

    /// The value as the declaration's type stores it, or every reason why it does not fit.
    ///
    /// Null is no value for a required io, and the default for an optional one.
    pub fn accept(&self, value: &Node, path: &str) -> Result<Node, Vec<Diagnostic>> {
        let Some(type_name) = self.type_name() else { return Ok(value.clone()) };
        if value.is_null() {
            if self.is_optional() {
                return Ok(self.default_value().cloned().unwrap_or_else(Node::null));
            }
            let message = format!("`{}` is required, but its value is null", self.name);
            return Err(vec![self.problem(codes::IO_VALUE, value, message, path)]);
        }
        let Some(io_type) = IoType::parse(type_name, self.is_list()) else {
            let message = format!("`{}` has the unknown type `{type_name}`", self.name);
            let span = self.node.get("type").map_or(value.span, |node| node.span);
            let problem = Diagnostic::error(codes::UNKNOWN_TYPE, span, message).label("not a known type").path(path);
            let problem = match types::suggestion(type_name) {
                Some(known) => problem.help(format!("did you mean `{known}`?")),
                None => problem.help(format!("known types: {}", types::KNOWN.join(", "))),
            };
            return Err(vec![problem]);
        };
        let converted = io_type.convert(value).map_err(|expected| {
            let message = format!(
                "`{}` has type `{}`, but its value is {}",
                self.name,
                self.type_text(),
                convert::describe(value)
            );
            vec![self.problem(codes::IO_VALUE, value, message, path).label(format!("expected {expected}"))]
        })?;
        let has_value = !(converted.is_null() && self.is_optional());
        if let Some(rules) = self.node.get("validation").and_then(Node::as_map).filter(|_| has_value) {
            let broken = if io_type.is_composite() {
                validation::unfit_rules(rules, &converted)
            } else {
                validation::broken_rules(rules, &converted)
            };
            self.report(broken, value, path)?;
        }
        Ok(converted)
    }

    fn report(&self, broken: Vec<validation::Broken>, written: &Node, path: &str) -> Result<(), Vec<Diagnostic>> {
        if broken.is_empty() {
            return Ok(());
        }
        let problems = broken.into_iter().map(|broken| {
            let message = format!("the value of `{}` {}", self.name, broken.message);
            let problem = self.problem(codes::IO_VALIDATION, written, message, path);
            problem.label(broken.label).related(broken.rule_span, "the rule")
        });
        Err(problems.collect())
    }

    fn problem(&self, code: crate::diagnostic::Code, value: &Node, message: String, path: &str) -> Diagnostic {
        let problem = Diagnostic::error(code, value.span, message).path(path);
        let place = self.span();
        if place.is_none() || place == value.span {
            problem
        } else {
            problem.related(place, format!("`{}` is declared here as `{}`", self.name, self.type_text()))
        }
    }
}

/// Whether the default of a declaration fits its type and its rules; templates included, which only text types can hold.
pub fn check_default(io: &Node, path: &str, problems: &mut Vec<Diagnostic>) {
    let Some(declaration) = Declaration::of(io) else { return };
    // What a dag hands out has no value yet.
    if let Some(value) = declaration.default_value().filter(|value| !refs::is_output_of_dag(value)) {
        problems.extend(declaration.accept(value, &format!("{path}.value")).err().into_iter().flatten());
    }
}

#[cfg(test)]
mod tests;
