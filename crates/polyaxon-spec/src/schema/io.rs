//! `inputs` and `outputs`: what a component takes and gives.
//!
//! Checks what a declaration says about itself. Whether a value fits its type is the duty of [`crate::io`].

use crate::decode::report;
use crate::diagnostic::{Diagnostic, codes};
use crate::node::{Key, Map, Node, Value};
use crate::section::{Section, Type, field};

/// Names that templates already use.
const RESERVED: [&str; 3] = ["globals", "params", "connections"];

pub static IO: Section = Section {
    name: "input or output",
    doc: "A value that a component takes or gives.",
    fields: &[
        field("name", Type::Str, "The name, as params and templates use it.", "learning_rate").required(),
        field("description", Type::Str, "What the value means.", "Step size of the optimizer"),
        field("type", Type::Str, "The type of the value; without one, nothing is checked.", "float"),
        field("isOptional", Type::Bool, "A run may do without a value.", "true")
            .default("true with a `value`, else false"),
        field("isList", Type::Bool, "The value is a list of the type.", "true").default("false"),
        field("isFlag", Type::Bool, "`as_arg` gives `--name` for true and nothing for false.", "true").default("false"),
        field("argFormat", Type::Str, "How `as_arg` shows the value.", "\"--lr={{ learning_rate }}\""),
        field("connection", Type::Str, "The connection that the value belongs to.", "s3-data"),
        field("toInit", Type::Bool, "Turns the value into an init step.", "true").default("false"),
        field("toEnv", Type::Str, "The environment variable that gets the value.", "LEARNING_RATE"),
        field("value", Type::Any, "The default.", "0.001"),
        field("validation", Type::Section(&VALIDATION), "Rules for the value.", "{gt: 0}"),
        field("delayValidation", Type::Bool, "The value may be missing until the run ends.", "true")
            .default("false for inputs, true for outputs"),
        field("options", Type::Any, "The allowed values; short for `validation.options`.", "[adam, sgd]"),
    ],
    check: Some(check_declaration),
};

pub static VALIDATION: Section = Section {
    name: "validation",
    doc: "Rules for a value; for lists and mappings they apply to every item.",
    fields: &[
        field("delay", Type::Bool, "The value may be missing until the run ends.", "true").template(),
        field("gt", Type::Number, "Greater than.", "0").template(),
        field("ge", Type::Number, "Greater than or equal to.", "0").template(),
        field("lt", Type::Number, "Less than.", "1").template(),
        field("le", Type::Number, "Less than or equal to.", "1").template(),
        field("multipleOf", Type::Number, "A multiple of.", "8").template(),
        field("minDigits", Type::IntStrict, "At least so many digits.", "1").template(),
        field("maxDigits", Type::IntStrict, "At most so many digits.", "4").template(),
        field("decimalPlaces", Type::IntStrict, "At most so many digits after the point.", "2").template(),
        field("regex", Type::Str, "A pattern that the start of the text matches.", "\"^[a-z]+$\""),
        field("minLength", Type::IntStrict, "At least so long.", "1").template(),
        field("maxLength", Type::IntStrict, "At most so long.", "64").template(),
        field("contains", Type::Any, "Something that the value holds.", "model"),
        field("excludes", Type::Any, "Something that the value does not hold.", "test"),
        field("options", Type::Any, "The allowed values.", "[adam, sgd]"),
        field("minItems", Type::IntStrict, "At least so many items.", "1").template(),
        field("maxItems", Type::IntStrict, "At most so many items.", "10").template(),
        field("keys", Type::List(&Type::Str), "Exactly these keys.", "[train, test]").template(),
        field("containsKeys", Type::List(&Type::Str), "At least these keys.", "[train]").template(),
        field("excludesKeys", Type::List(&Type::Str), "None of these keys.", "[secret]").template(),
    ],
    check: None,
};

fn check_declaration(io: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let Value::Map(map) = &mut io.value else { return };
    check_name(map, path, diagnostics);
    check_default(map, path, diagnostics);
    check_flag(map, path, diagnostics);
    fold_options(map);
    crate::io::check_default(io, path, diagnostics);
}

fn check_name(map: &Map, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let Some(name) = map.get("name") else { return };
    if name.as_str().is_some_and(|name| RESERVED.contains(&name)) {
        diagnostics.push(
            Diagnostic::error(
                codes::IO_NAME,
                name.span,
                format!("an input or output cannot be named {}", report::shown(name)),
            )
            .label("templates use this name already")
            .path(report::join(path, "name"))
            .help("choose another name"),
        );
    }
}

/// A default makes an input optional, unless it says otherwise, which is an error.
fn check_default(map: &mut Map, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let Some(value) = map.get("value") else { return };
    let (is_null, value_span) = (value.is_null(), value.span);
    let contradiction = match map.get("isOptional").map(|optional| (optional.as_bool(), optional.span)) {
        None => {
            map.insert("isOptional", Node::bool(true));
            return;
        }
        Some((Some(false), span)) => span,
        Some((None, span)) if !is_null => span,
        Some(_) => return,
    };
    diagnostics.push(
        Diagnostic::error(codes::IO_DEFAULT, value_span, format!("`{path}` has a default, but is not optional"))
            .label("the default")
            .related(contradiction, "not optional")
            .path(report::join(path, "value"))
            .help("remove `isOptional`, or remove the default"),
    );
}

fn check_flag(map: &Map, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let is_flag = map.get("isFlag").filter(|flag| flag.as_bool() == Some(true));
    let is_bool = map.get("type").and_then(Node::as_str) == Some("bool");
    if let Some(flag) = is_flag.filter(|_| !is_bool) {
        let ty = map.get("type");
        let span = ty.map_or(flag.span, |ty| ty.span);
        diagnostics.push(
            Diagnostic::error(codes::FLAG_TYPE, span, format!("`{path}` is a flag, but not of type `bool`"))
                .label("expected `bool`")
                .related(flag.span, "declared as a flag")
                .path(report::join(path, "isFlag"))
                .help("set `type: bool`, or remove `isFlag`"),
        );
    }
}

/// `options` is short for `validation.options`. Rules that are null are none.
fn fold_options(map: &mut Map) {
    if let Some(validation) = map.get_mut("validation").and_then(Node::as_map_mut) {
        validation.retain(|_, rule| !rule.is_null());
    }
    if map.get("options").is_none_or(Node::is_null) {
        return;
    }
    let key = map.get_key("options").cloned().unwrap_or_else(|| Key::new("options"));
    let Some(options) = map.remove("options") else { return };
    let span = options.span;
    match map.get_mut("validation").and_then(Node::as_map_mut) {
        Some(validation) => validation.insert_key(key, options),
        None => {
            let validation = Map::from_entries(vec![(key, options)]);
            map.insert("validation", Node::new(Value::Map(validation), span));
        }
    }
}
