//! Params written into the operation (spec §16.1 step 2): every io holds its value, the rest become contexts.

use super::{Context, Param, all, validate};
use crate::diagnostic::{Diagnostic, codes};
use crate::io::Declaration;
use crate::node::{Map, Node, Value};
use crate::refs;

/// Fields that a param hands on to its io.
const HANDED_ON: &[&str] = &["connection", "toInit", "toEnv"];

/// Applies `params`, in which references and joins are already values, to a composed operation.
pub fn apply(operation: &mut Node, params: &Map) -> Result<(), Vec<Diagnostic>> {
    let mut problems = unresolved(operation, params);
    problems.extend(validate(operation, params, &Context::new()));
    problems.retain(Diagnostic::is_error);
    if !problems.is_empty() {
        return Err(problems);
    }
    let contexts = context_values(operation, params);
    for list in ["inputs", "outputs"] {
        let Some(items) = operation.as_map_mut().and_then(|map| map.get_mut(list)) else { continue };
        let Value::List(items) = &mut items.value else { continue };
        for io in items {
            match applied(io, params, list) {
                Ok(Some(applied)) => *io = applied,
                Ok(None) => {}
                Err(more) => problems.extend(more),
            }
        }
    }
    if let Some(map) = operation.as_map_mut() {
        map.insert("contexts", Node::list(contexts));
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// References must be values by now: nothing here can look them up.
fn unresolved(operation: &Node, params: &Map) -> Vec<Diagnostic> {
    all(params, operation).iter().filter_map(unresolved_param).collect()
}

fn unresolved_param(param: &Param) -> Option<Diagnostic> {
    let what = if param.is_join {
        "is filled by a join".to_string()
    } else {
        let reference = refs::read(param.name, param.node).ok()??;
        format!("refers to `{}`", reference.key())
    };
    let message = format!("param `{}` {what}, which has no value yet", param.name);
    let problem = Diagnostic::error(codes::UNRESOLVED_PARAM, param.node.span, message);
    Some(problem.label("not resolved").path(format!("params.{}", param.name)))
}

/// The io with its value; `None` when nothing gives it one.
fn applied(io: &Node, params: &Map, list: &str) -> Result<Option<Node>, Vec<Diagnostic>> {
    let Some(declaration) = Declaration::of(io) else { return Ok(None) };
    let param = params.get(declaration.name);
    let value = match param {
        Some(param) => {
            let null = Node::new(Value::Null, param.span);
            let written = param.get("value").unwrap_or(&null);
            // Templates included: what the type cannot hold as text can never be rendered.
            declaration.accept(written, &format!("params.{}", declaration.name)).map_err(template_help)?
        }
        None if list == "outputs" && declaration.delay_validation() == Some(false) => return Ok(None),
        None if !declaration.is_optional() && list == "inputs" && declaration.delay_validation() != Some(true) => {
            // Covered by the search: its children carry the values.
            return Ok(None);
        }
        None => declaration.default_value().cloned().unwrap_or_else(Node::null),
    };
    let mut applied = io.clone();
    if let Some(map) = applied.as_map_mut() {
        map.insert("isOptional", Node::bool(true));
        map.insert("value", value);
        for field in HANDED_ON {
            if let Some(handed) = param.and_then(|param| param.get(field)).filter(|node| is_truthy(node)) {
                map.insert(*field, handed.clone());
            }
        }
    }
    Ok(Some(applied))
}

fn template_help(problems: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let add = |problem: Diagnostic| match (&problem.help, problem.code) {
        (None, codes::IO_VALUE) if problem.message.contains("{{") => {
            problem.help("a template is text: only str, path, image and any inputs (or one without type) can hold one")
        }
        _ => problem,
    };
    problems.into_iter().map(add).collect()
}

fn is_truthy(node: &Node) -> bool {
    match &node.value {
        Value::Null | Value::Bool(false) => false,
        Value::Str(text) => !text.is_empty(),
        _ => true,
    }
}

/// Params without declaration, then contexts without param, as ios.
fn context_values(operation: &Node, params: &Map) -> Vec<Node> {
    let contexts = Declaration::all(operation, "contexts");
    let declared: Vec<&str> =
        ["inputs", "outputs"].iter().flat_map(|list| Declaration::all(operation, list)).map(|io| io.name).collect();
    let mut values = Vec::new();
    for (key, param) in params.iter().filter(|(key, _)| !declared.contains(&key.text.as_str())) {
        let context = contexts.iter().find(|context| context.name == key.text).map(|context| context.node);
        values.push(context_value(&key.text, param, context));
    }
    for context in contexts {
        if !params.contains(context.name) && !declared.contains(&context.name) {
            values.push(context_value(context.name, context.node, None));
        }
    }
    values
}

fn context_value(name: &str, source: &Node, fallback: Option<&Node>) -> Node {
    let mut map = Map::new();
    map.insert("name", Node::string(name));
    map.insert("value", source.get("value").cloned().unwrap_or_else(Node::null));
    map.insert("isOptional", Node::bool(true));
    for field in HANDED_ON {
        let set = |node: Option<&Node>| node.filter(|node| !node.is_null()).cloned();
        let own = set(source.get(field)).or_else(|| set(fallback.and_then(|context| context.get(field))));
        if let Some(value) = own {
            map.insert(*field, value);
        }
    }
    Node::new(Value::Map(map), source.span)
}
