//! Whether the params of a composed operation satisfy its inputs and outputs (spec §9.3, §9.4).

use std::collections::{HashMap, HashSet};

use super::{Context, Param, all};
use crate::diagnostic::{Diagnostic, codes};
use crate::io::{Declaration, are_compatible};
use crate::likeness;
use crate::node::{Map, Node};
use crate::refs::{self, Entity, Reference};
use crate::template;

/// Everything that is wrong with the params of `operation` (composed), warnings included.
///
/// `context` is what the dag around the operation offers to references; empty outside a dag.
pub fn validate(operation: &Node, params: &Map, context: &Context) -> Vec<Diagnostic> {
    let params = all(params, operation);
    let by_name: HashMap<&str, &Param> = params.iter().rev().map(|param| (param.name, param)).collect();
    let inputs = Declaration::all(operation, "inputs");
    let outputs = Declaration::all(operation, "outputs");
    let matrix = operation.get("matrix").filter(|matrix| !matrix.is_null());
    let mut problems = Vec::new();
    let mut missing = Vec::new();

    for input in &inputs {
        if let Some(param) = by_name.get(input.name) {
            problems.extend(check_given(param, input, Some(context)));
            continue;
        }
        let coverage = matrix.map_or(Coverage::None, |matrix| matrix_coverage(matrix, input));
        match coverage {
            Coverage::Full => {}
            Coverage::WrongType(problem) => problems.push(*problem),
            Coverage::None if input.is_optional() || input.delay_validation() == Some(true) => {}
            Coverage::None => missing.push(*input),
        }
    }
    for output in &outputs {
        if let Some(param) = by_name.get(output.name) {
            problems.extend(check_given(param, output, None));
        } else {
            problems.extend(check_handed_out(operation, output));
        }
    }
    if params.is_empty() && matrix.is_none() {
        missing.extend(required_outputs(&outputs));
    }
    if !missing.is_empty() {
        problems.push(missing_params(&params, &missing));
    }
    let declared: Vec<&Declaration> = inputs.iter().chain(&outputs).collect();
    let is_strict = operation.get("strictParams").and_then(Node::as_bool) == Some(true);
    let declared_names: HashSet<&str> = declared.iter().map(|io| io.name).collect();
    let free: Vec<&str> = declared.iter().map(|io| io.name).filter(|name| !by_name.contains_key(name)).collect();
    for param in params.iter().filter(|param| !declared_names.contains(param.name)) {
        problems.extend(check_undeclared(param, &declared, &free, is_strict));
    }
    problems
}

/// Outputs are filled by the run itself, unless one says `delayValidation: false`; the flag of one output holds for
/// those after it that do not set their own.
fn required_outputs<'a>(outputs: &[Declaration<'a>]) -> Vec<Declaration<'a>> {
    let mut is_delayed = true;
    let mut required = Vec::new();
    for output in outputs {
        is_delayed = output.delay_validation().unwrap_or(is_delayed);
        if !output.is_optional() && !is_delayed {
            required.push(*output);
        }
    }
    required
}

/// A param for a declared input or output. `context` is `None` for outputs: nothing can be referred to from there.
fn check_given(param: &Param, io: &Declaration, context: Option<&Context>) -> Vec<Diagnostic> {
    if param.is_join {
        return check_join(param, io);
    }
    let reference = match refs::read(param.name, param.node) {
        Ok(reference) => reference,
        Err(problem) => return vec![*problem],
    };
    match reference {
        Some(reference) => check_reference(param, io, &reference, context).err().into_iter().map(|p| *p).collect(),
        None if param.is_template() => Vec::new(),
        None => {
            let null = Node::new(crate::node::Value::Null, param.node.span);
            let value = param.value().unwrap_or(&null);
            io.accept(value, &format!("params.{}", param.name)).err().unwrap_or_default()
        }
    }
}

/// Only a dag has operations whose values it can hand out.
fn check_handed_out(operation: &Node, output: &Declaration) -> Option<Diagnostic> {
    let value = output.default_value().filter(|value| refs::is_output_of_dag(value))?;
    if operation.at(&["run", "kind"]).and_then(Node::as_str) == Some("dag") {
        return None;
    }
    let message = format!("output `{}` refers to an operation, but this is no dag", output.name);
    let problem = Diagnostic::error(codes::PARAM_REF_MISSING, value.span, message).label("there are no operations");
    Some(problem.path(format!("outputs.{}", output.name)).help("remove the value; the run sets its outputs itself"))
}

fn check_join(param: &Param, io: &Declaration) -> Vec<Diagnostic> {
    if param.value().and_then(Node::as_map).is_none() {
        if let Err(problem) = refs::read_value(param.name, param.node, false) {
            return vec![*problem];
        }
    }
    if io.is_list() || io.type_name() == Some("artifacts") {
        return Vec::new();
    }
    let message = format!("the join gives a list to `{}`, which is declared as one `{}`", param.name, io.type_text());
    vec![
        Diagnostic::error(codes::JOIN_NOT_LIST, param.span, message)
            .label("a list of values")
            .related(io.span(), "declared here")
            .path(format!("joins.params.{}", param.name))
            .help("add `isList: true` to the declaration"),
    ]
}

fn check_reference(
    param: &Param,
    io: &Declaration,
    reference: &Reference,
    context: Option<&Context>,
) -> Result<(), Box<Diagnostic>> {
    if reference.value.is_template || matches!(reference.entity, Entity::Run(_)) {
        return Ok(());
    }
    let span = param.node.get("ref").map_or(param.node.span, |node| node.span);
    let path = format!("params.{}", param.name);
    let key = reference.key();
    let Some(found) = context.and_then(|context| context.get(&key)) else {
        if reference.value.section() == "artifacts" {
            return Ok(());
        }
        let message = format!("param `{}` refers to `{key}`, which does not exist", param.name);
        let problem = Diagnostic::error(codes::PARAM_REF_MISSING, span, message)
            .label("nothing has this name")
            .path(path)
            .help(missing_help(&key, reference, context));
        return Err(Box::new(problem));
    };
    if !are_compatible(io.type_name(), found.type_name.as_deref()) || io.is_list() != found.is_list {
        let name = found.type_name.as_deref().unwrap_or("any");
        let found = if found.is_list { format!("List[{name}]") } else { name.to_string() };
        let message = format!("param `{}` has type `{}`, but `{key}` has type `{found}`", param.name, io.type_text());
        let problem = Diagnostic::error(codes::PARAM_REF_TYPE, span, message)
            .label(format!("gives `{found}`"))
            .related(io.span(), format!("`{}` is declared here", io.name))
            .path(path)
            .help("declare both sides with the same type");
        return Err(Box::new(problem));
    }
    Ok(())
}

fn missing_help(key: &str, reference: &Reference, context: Option<&Context>) -> String {
    let Some(context) = context.filter(|context| !context.is_empty()) else {
        return "`ops` and `dag` refer to the dag around an operation; there is none here".into();
    };
    let below = |prefix: String| {
        let first = context.range(prefix.clone()..);
        first.map(|(key, _)| key.as_str()).take_while(move |key| key.starts_with(&prefix))
    };
    let near = |names: &mut dyn Iterator<Item = &str>| {
        likeness::closest(key, names, 3).map(|known| format!("did you mean `{known}`?"))
    };
    match &reference.entity {
        Entity::Operation(name) => {
            let mut own = below(format!("ops.{name}.")).peekable();
            if own.peek().is_none() {
                let mut all = context.keys().map(String::as_str);
                return near(&mut all).unwrap_or_else(|| format!("the dag has no operation `{name}`"));
            }
            near(&mut own).unwrap_or_else(|| format!("operation `{name}` declares no such input or output"))
        }
        _ => near(&mut below("dag.".into())).unwrap_or_else(|| "the dag declares no such input".into()),
    }
}

enum Coverage {
    None,
    Full,
    WrongType(Box<Diagnostic>),
}

/// Whether a search gives the input its value.
fn matrix_coverage(matrix: &Node, input: &Declaration) -> Coverage {
    let is_template = |node: &Node| node.as_str().is_some_and(template::is_template);
    if matrix.get("kind").and_then(Node::as_str) == Some("mapping") {
        let Some(values) = matrix.get("values") else { return Coverage::None };
        let first = values.as_list().and_then(|items| items.first());
        let has = is_template(values) || first.is_some_and(|item| item.get(input.name).is_some());
        return if has { Coverage::Full } else { Coverage::None };
    }
    let params = matrix.get("params");
    if params.is_some_and(is_template) {
        return Coverage::Full;
    }
    if let Some(space) = params.and_then(|params| params.get(input.name)) {
        return match wrong_space(space, input) {
            Some(problem) => Coverage::WrongType(Box::new(problem)),
            None => Coverage::Full,
        };
    }
    match matrix.at(&["resource", "name"]).and_then(Node::as_str) {
        Some(name) if name == input.name => Coverage::Full,
        _ => Coverage::None,
    }
}

fn wrong_space(space: &Node, input: &Declaration) -> Option<Diagnostic> {
    let kind = space.get("kind").and_then(Node::as_str)?;
    let expected: &[&str] = match kind {
        "choice" | "pchoice" => return None,
        "daterange" => &["date"],
        "datetimerange" => &["datetime"],
        _ => &["int", "float"],
    };
    if input.type_name().is_some_and(|name| expected.contains(&name)) {
        return None;
    }
    let found = input.type_name().unwrap_or("any");
    let message = format!("hyper-parameter `{}` is a `{kind}`, but its input has type `{found}`", input.name);
    Some(
        Diagnostic::error(codes::MATRIX_IO, space.span, message)
            .label(format!("gives {}", expected.join(" or ")))
            .related(input.span(), "declared here")
            .path(format!("matrix.params.{}", input.name))
            .help(format!("declare the input as `{}`, or use a `choice`", expected[0])),
    )
}

/// One finding for all inputs without a value, so that they can be given at once.
fn missing_params(params: &[Param], missing: &[Declaration]) -> Diagnostic {
    let names: Vec<String> = missing.iter().map(|io| format!("`{}` ({})", io.name, io.type_text())).collect();
    let message = match names.as_slice() {
        [name] => format!("the required input {name} has no value"),
        names => format!("{} required inputs have no value: {}", names.len(), names.join(", ")),
    };
    let options: Vec<String> = missing.iter().map(|io| format!("-P {}=VALUE", io.name)).collect();
    // The params are the place to mend; without any, the declarations say the most.
    let (primary, label, others) = match params.first() {
        Some(param) if !param.span.is_none() => (param.span, "values are given here", missing),
        _ => (missing[0].span(), "declared here, without default", &missing[1..]),
    };
    let mut problem = Diagnostic::error(codes::PARAM_REQUIRED, primary, message)
        .label(label)
        .path("params")
        .help(format!("add them to `params`, or on the command line: {}", options.join(" ")));
    for io in others {
        problem = problem.related(io.span(), format!("`{}` is declared here, without default", io.name));
    }
    problem
}

/// `free` are the names of `declared` without param.
fn check_undeclared(param: &Param, declared: &[&Declaration], free: &[&str], is_strict: bool) -> Option<Diagnostic> {
    if !param.is_join {
        if let Err(problem) = refs::read(param.name, param.node) {
            return Some(*problem);
        }
    }
    let path = format!("params.{}", param.name);
    let message = format!("param `{}` matches no input or output", param.name);
    let most_mistakes = |name: &str| 2.min(name.len().saturating_sub(1));
    let meant = likeness::closest(param.name, free.iter().copied(), 2)
        .filter(|name| strsim::damerau_levenshtein(param.name, name) <= most_mistakes(name));
    let did_you_mean = meant.map(|name| format!("did you mean `{name}`?"));
    let context_only = param.flag("contextOnly");
    if context_only == Some(false) || (is_strict && context_only != Some(true)) {
        let label = if context_only == Some(false) { "`contextOnly: false` needs a declaration" } else { "unexpected" };
        let known: Vec<&str> = declared.iter().map(|io| io.name).collect();
        let help = did_you_mean.unwrap_or_else(|| match known.as_slice() {
            [] => "the component declares no inputs or outputs; set `contextOnly: true` to use it in templates".into(),
            known => {
                format!("declared: {}; set `contextOnly: true` to use it in templates only", likeness::listed(known))
            }
        });
        let problem = Diagnostic::error(codes::PARAM_UNDECLARED, param.span, message);
        return Some(problem.label(label).path(path).help(help));
    }
    // A context value is fine, unless its name looks like a slip of the pen.
    let help = did_you_mean.filter(|_| context_only != Some(true))?;
    Some(
        Diagnostic::warning(codes::PARAM_UNDECLARED, param.span, message)
            .label("becomes a context value")
            .path(path)
            .help(help),
    )
}
