//! The outputs of a dag: each is a value of one of its operations, known when the dag has succeeded.

use super::GraphNode;
use crate::diagnostic::{Diagnostic, codes};
use crate::io::{Declaration, are_compatible};
use crate::likeness;
use crate::node::Node;
use crate::params::Context;
use crate::refs::{self, Reference};

/// The outputs of a composed dag that refer to its operations, by name.
pub fn outputs(operation: &Node) -> Vec<(&str, Reference)> {
    Declaration::all(operation, "outputs").iter().filter_map(|io| Some((io.name, reference(io)?))).collect()
}

fn reference(io: &Declaration) -> Option<Reference> {
    let value = io.default_value().filter(|value| refs::is_output_of_dag(value))?;
    refs::read(io.name, value).ok().flatten()
}

/// What is wrong with the references of the outputs.
pub(super) fn check(operation: &Node, nodes: &[GraphNode], context: &Context) -> Vec<Diagnostic> {
    let referring = Declaration::all(operation, "outputs").into_iter().enumerate().filter_map(|(index, io)| {
        let value = io.default_value().filter(|value| refs::is_output_of_dag(value))?;
        Some((index, io, value))
    });
    referring
        .filter_map(|(index, io, value)| check_one(&format!("outputs[{index}].value"), &io, value, nodes, context))
        .collect()
}

fn check_one(path: &str, io: &Declaration, value: &Node, nodes: &[GraphNode], context: &Context) -> Option<Diagnostic> {
    let reference = match refs::read(io.name, value) {
        Ok(reference) => reference?,
        Err(problem) => return Some(problem.path(path)),
    };
    let key = reference.key();
    let refs::Entity::Operation(operation) = &reference.entity else { return None };
    let names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
    if !names.contains(&operation.as_str()) {
        let message = format!("output `{}` refers to the operation `{operation}`, which is not in the dag", io.name);
        let problem =
            Diagnostic::error(codes::PARAM_REF_MISSING, value.span, message).label("no operation has this name");
        return Some(problem.path(path).help(match likeness::closest(operation, names.iter().copied(), 2) {
            Some(meant) => format!("did you mean `ops.{meant}`?"),
            None => format!("operations of the dag: {}", likeness::listed(&names)),
        }));
    }
    let Some(found) = context.get(&key) else {
        if reference.value.section() == "artifacts" {
            return None;
        }
        let message = format!("output `{}` refers to `{key}`, which does not exist", io.name);
        let problem = Diagnostic::error(codes::PARAM_REF_MISSING, value.span, message).label("nothing has this name");
        let near = likeness::closest(&key, context.keys().map(String::as_str), 3);
        return Some(problem.path(path).help(match near {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("operation `{operation}` declares no such input or output"),
        }));
    };
    if are_compatible(io.type_name(), found.type_name.as_deref()) && io.is_list() == found.is_list {
        return None;
    }
    let name = found.type_name.as_deref().unwrap_or("any");
    let found = if found.is_list { format!("List[{name}]") } else { name.to_owned() };
    let message = format!("output `{}` has type `{}`, but `{key}` has type `{found}`", io.name, io.type_text());
    let problem = Diagnostic::error(codes::PARAM_REF_TYPE, value.span, message).label(format!("gives `{found}`"));
    Some(problem.path(path).help("declare both sides with the same type"))
}
