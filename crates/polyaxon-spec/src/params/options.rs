//! Values given on the command line: `-P`, `-HP`, `--env`, `--ports` (spec §9.5).

use crate::diagnostic::{Diagnostic, codes};
use crate::node::{Key, Map, Node, Value};
use crate::span::{Sources, Span};
use crate::yaml;

/// `-P name=value`: params by name, values always text. Each argument becomes a source of its own.
pub fn params(arguments: &[String], sources: &mut Sources) -> Result<Map, Vec<Diagnostic>> {
    let mut params = Map::new();
    let mut problems = Vec::new();
    for argument in arguments {
        match assignment("-P", argument, "name=value", sources) {
            Ok(given) if params.contains(&given.name) => problems.push(repeated("-P", &given, "param")),
            Ok(given) => {
                let value = Node::new(Value::Str(given.value.clone()), given.value_span);
                let param = [(Key::new("value"), value)].into_iter().collect();
                params.insert_key(given.key(), Node::new(Value::Map(param), given.value_span));
            }
            Err(problem) => problems.push(*problem),
        }
    }
    if problems.is_empty() { Ok(params) } else { Err(problems) }
}

/// `-HP name=kind:value`: hyper-parameters by name.
pub fn hyper_params(arguments: &[String], sources: &mut Sources) -> Result<Map, Vec<Diagnostic>> {
    let mut params = Map::new();
    let mut problems = Vec::new();
    for argument in arguments {
        let given = match assignment("-HP", argument, "name=kind:value", sources) {
            Ok(given) => given,
            Err(problem) => {
                problems.push(*problem);
                continue;
            }
        };
        if params.contains(&given.name) {
            problems.push(repeated("-HP", &given, "hyper-parameter"));
            continue;
        }
        match space(&given) {
            Ok(space) => params.insert_key(given.key(), space),
            Err(more) => problems.extend(more),
        }
    }
    if problems.is_empty() { Ok(params) } else { Err(problems) }
}

/// `--env NAME=VALUE`.
pub fn env(arguments: &[String], sources: &mut Sources) -> Result<Map, Vec<Diagnostic>> {
    let mut env = Map::new();
    let mut problems = Vec::new();
    for argument in arguments {
        match assignment("--env", argument, "NAME=VALUE", sources) {
            Ok(given) if given.name.is_empty() => problems.push(malformed("--env", argument, "NAME=VALUE", given.span)),
            Ok(given) if env.contains(&given.name) => problems.push(repeated("--env", &given, "variable")),
            Ok(given) => env.insert_key(given.key(), Node::new(Value::Str(given.value.clone()), given.value_span)),
            Err(problem) => problems.push(*problem),
        }
    }
    if problems.is_empty() { Ok(env) } else { Err(problems) }
}

/// `--ports 80,443`.
pub fn ports(arguments: &[String], sources: &mut Sources) -> Result<Vec<Node>, Vec<Diagnostic>> {
    let mut ports = Vec::new();
    let mut problems = Vec::new();
    for argument in arguments {
        let source = sources.add("--ports", argument);
        let span = Span::new(source, 0, argument.len());
        for port in argument.split(',').map(str::trim) {
            let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
            match port.parse::<i128>() {
                Ok(number) if digits => ports.push(Node::new(Value::Int(number), span)),
                _ => problems.push(
                    Diagnostic::error(
                        codes::CLI_PARAM,
                        span,
                        format!("`{port}` in `--ports {argument}` is not a port"),
                    )
                    .label("expected numbers separated by commas")
                    .help("for example: --ports 80,443"),
                ),
            }
        }
    }
    if problems.is_empty() { Ok(ports) } else { Err(problems) }
}

struct Assignment {
    name: String,
    value: String,
    span: Span,
    name_span: Span,
    value_span: Span,
}

impl Assignment {
    fn key(&self) -> Key {
        Key { text: self.name.clone(), span: self.name_span, is_text: true }
    }
}

/// Splits at the first `=`.
fn assignment(option: &str, argument: &str, form: &str, sources: &mut Sources) -> Result<Assignment, Box<Diagnostic>> {
    let Some((name, value)) = argument.split_once('=') else {
        let source = sources.add(option, argument);
        let span = Span::new(source, 0, argument.len());
        return Err(Box::new(malformed(option, argument, form, span)));
    };
    let source = sources.add(format!("{option} {name}"), argument);
    let at = name.len() + 1;
    Ok(Assignment {
        name: name.to_string(),
        value: value.to_string(),
        span: Span::new(source, 0, argument.len()),
        name_span: Span::new(source, 0, name.len()),
        value_span: Span::new(source, at, argument.len()),
    })
}

/// `kind:value`. The value is YAML, but a range such as `1:10:3` is kept as text: YAML would read a number of base 60.
fn space(given: &Assignment) -> Result<Node, Vec<Diagnostic>> {
    let parts = given.value.split_once(':').filter(|(_, text)| !text.trim().is_empty());
    let Some((kind, text)) = parts else {
        let form = "name=kind:value";
        return Err(vec![malformed("-HP", &format!("{}={}", given.name, given.value), form, given.span)]);
    };
    let value_at = given.value_span.start as usize + kind.len() + 1;
    let span = Span { start: value_at as u32, ..given.value_span };
    let is_range =
        text.contains(':') && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b':' | b'.' | b'-' | b'+'));
    let value = if is_range {
        Node::new(Value::Str(text.trim().to_string()), span)
    } else {
        let mut node = yaml::read(given.span.source, text.as_bytes()).map_err(|problems| {
            let message = format!("the value of `-HP {}` is not valid YAML", given.name);
            let detail = problems.first().map(|problem| problem.message.clone()).unwrap_or_default();
            vec![
                Diagnostic::error(codes::CLI_PARAM, span, message)
                    .label(detail)
                    .help("for example: -HP lr=choice:[0.1,0.2]"),
            ]
        })?;
        shift(&mut node.node, value_at as u32);
        node.node
    };
    let kind_span = Span { end: given.value_span.start + kind.len() as u32, ..given.value_span };
    let mut map = Map::new();
    map.insert("kind", Node::new(Value::Str(kind.to_string()), kind_span));
    map.insert("value", value);
    Ok(Node::new(Value::Map(map), given.value_span))
}

/// Moves spans from the parsed part of an argument to the whole argument.
fn shift(node: &mut Node, by: u32) {
    if !node.span.is_none() {
        node.span.start += by;
        node.span.end += by;
    }
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| shift(item, by)),
        Value::Map(map) => map.iter_mut().for_each(|(_, item)| shift(item, by)),
        _ => {}
    }
}

fn malformed(option: &str, argument: &str, form: &str, span: Span) -> Diagnostic {
    Diagnostic::error(codes::CLI_PARAM, span, format!("`{option} {argument}` is not of the form {form}"))
        .label(format!("expected {form}"))
        .help(format!("write `{option} {form}`"))
}

fn repeated(option: &str, given: &Assignment, what: &str) -> Diagnostic {
    Diagnostic::error(codes::CLI_PARAM, given.name_span, format!("the {what} `{}` is given twice", given.name))
        .label("given again here")
        .help(format!("remove one `{option} {}=…`", given.name))
}
