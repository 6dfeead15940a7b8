//! The root shortcuts `cmd` and `env` of a document, and its `name`.

use crate::decode::{self, report};
use crate::diagnostic::{Diagnostic, codes};
use crate::node::{Node, Value};
use crate::section::{CustomType, Type};
use crate::template::is_template;

pub static COMMAND: CustomType = CustomType {
    name: "a command, or a list of commands",
    read: read_command,
    json_schema: r#"{"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}"#,
    section: None,
};

pub static ENVIRONMENT_VARIABLES: CustomType = CustomType {
    name: "a mapping of names to strings",
    read: read_variables,
    json_schema: r#"{"type": "object", "additionalProperties": {"type": "string"}}"#,
    section: None,
};

pub(super) static NAME: CustomType = CustomType {
    name: "a name",
    read: read_name,
    json_schema: r#"{"type": "string", "pattern": "^[-a-zA-Z0-9_]+$|\\{\\{.*\\}\\}"}"#,
    section: None,
};

fn read_command(node: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    if let Value::Str(_) = node.value {
        refuse_blank(node, path, diagnostics);
        return;
    }
    let is_empty = node.as_list().is_some_and(<[Node]>::is_empty);
    if is_empty {
        diagnostics.push(blank(node, path));
        return;
    }
    let read_line = |line: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>| {
        decode::read(&Type::Str, line, path, diagnostics);
        refuse_blank(line, path, diagnostics);
    };
    decode::items(node, path, COMMAND.name, read_line, diagnostics);
}

fn refuse_blank(node: &Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    if node.as_str().is_some_and(|text| text.trim().is_empty()) {
        diagnostics.push(blank(node, path));
    }
}

fn blank(node: &Node, path: &str) -> Diagnostic {
    Diagnostic::error(codes::CMD, node.span, format!("`{path}` is empty"))
        .label("expected a command")
        .path(path)
        .help("write the command to run, like `cmd: python train.py`")
}

fn read_variables(node: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let Value::Map(map) = &mut node.value else {
        let fault = report::wrong_kind(node, path, ENVIRONMENT_VARIABLES.name);
        diagnostics.push(Diagnostic { code: codes::ENV, ..fault });
        return;
    };
    for (key, value) in map.iter_mut() {
        if !key.is_text {
            diagnostics.push(report::key_is_no_text(key, path));
            continue;
        }
        let mut found = Vec::new();
        let is_plain = matches!(value.value, Value::Bool(_) | Value::Int(_) | Value::Float(_));
        decode::read(&Type::Str, value, &report::join(path, &key.text), &mut found);
        let code = if is_plain { codes::ENV } else { codes::TYPE };
        diagnostics.extend(found.into_iter().map(|diagnostic| Diagnostic { code, ..diagnostic }));
    }
}

fn read_name(node: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let Some(name) = node.as_str() else {
        diagnostics.push(report::wrong_value(node, path, "a string"));
        return;
    };
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_name || is_template(name) {
        return;
    }
    let slug: String =
        name.trim().chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    let diagnostic =
        Diagnostic::error(codes::NAME_PATTERN, node.span, format!("`{path}` cannot be {}", report::shown(node)))
            .label("only letters, digits, `-` and `_` are allowed")
            .path(path);
    diagnostics.push(if slug.is_empty() { diagnostic } else { diagnostic.help(format!("for example `{slug}`")) });
}
