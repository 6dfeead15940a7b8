//! `polyaxon ops explain-cache`: why a run was, or was not, cached.

use polyaxon_client::runs;
use serde_json::Value;

use crate::args::ops::ExplainCacheArgs;
use crate::commands::ops::{Group, open, uuid};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Human, Output};
use crate::session::{Context, block_on};

pub(super) fn explain(context: &Context, group: &Group, args: &ExplainCacheArgs) -> Result<Exit, Failure> {
    let session = open(context, group, &args.target)?;
    let json = block_on(async {
        let uuid = uuid(&session, group, &args.target).await?;
        match runs::explain_cache(&session.client, &session.place, &uuid).await {
            Ok(json) => Ok(json),
            Err(error) => Err(session.explain(error, Some(&uuid)).await),
        }
    })?;
    let names = vec![text(&json, "/key").to_owned()];
    context.printer.data(&Output { human: Human::Text(told(&json)), names, json }, &args.format.output)?;
    Ok(Exit::Ok)
}

/// The answer in words.
fn told(json: &Value) -> String {
    let mut lines = Vec::new();
    match (text(json, "/original"), text(json, "/rule/message"), text(json, "/rejected/uuid")) {
        ("", "", "") if text(json, "/key").is_empty() => {
            lines.push("The run has no key: it was not compiled, or its key was invalidated.".to_owned());
        }
        ("", "", "") => lines.push("The run looked for an equal one, and there was none.".to_owned()),
        ("", "", rejected) => {
            lines.push(format!("The equal run {rejected} was not taken: {}.", text(json, "/rejected/message")));
        }
        ("", rule, _) => lines.push(format!("The run looked for no equal one: {rule}.")),
        (original, _, _) => lines.push(format!("The run takes the result of the equal run {original}.")),
    }
    if !text(json, "/nearest/uuid").is_empty() {
        let name = Some(text(json, "/nearest/name")).filter(|name| !name.is_empty());
        let named = name.map_or_else(String::new, |name| format!(" ({name})"));
        let differences = json.pointer("/nearest/differences").and_then(Value::as_array);
        let differences: Vec<String> = differences.into_iter().flatten().map(difference).collect();
        let verb = if differences.is_empty() { "is made of the same" } else { "differs in" };
        lines.push(format!("The nearest earlier run, {}{named}, {verb}:", text(json, "/nearest/uuid")));
        if differences.is_empty() {
            lines.pop();
            lines.push(format!("The earlier run {}{named} is made of the same.", text(json, "/nearest/uuid")));
        }
        lines.extend(differences);
    }
    let parts = json.get("parts").and_then(Value::as_object);
    if let Some(parts) = parts.filter(|parts| !parts.is_empty()) {
        lines.push("The key is made of:".to_owned());
        lines.extend(parts.iter().map(|(name, value)| format!("  {name}: {}", short(value))));
    }
    lines.join("\n")
}

fn difference(found: &Value) -> String {
    let shown = |key: &str| match found.get(key) {
        None | Some(Value::Null) => "absent".to_owned(),
        Some(value) => short(value),
    };
    format!("  {}: {} -> {}", text(found, "/part"), shown("before"), shown("after"))
}

/// Longer values are cut; `-o json` has all of them.
const MOST_CHARACTERS: usize = 160;

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}... ({} characters, whole with -o json)", &text[..end], text.chars().count()),
        None => text,
    }
}

fn text<'a>(json: &'a Value, pointer: &str) -> &'a str {
    json.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use snapbox::{assert_data_eq, str};

    use super::*;

    #[test]
    fn a_value_of_any_length_is_a_line() {
        let long = told(&json!({ "key": "0a", "parts": { "operations": "é".repeat(5000) } }));
        let line = long.lines().last().unwrap();
        assert!(line.chars().count() < 230 && line.ends_with("... (5002 characters, whole with -o json)"), "{line}");
    }

    #[test]
    fn a_miss_names_the_field_and_both_values() {
        let json = json!({
            "key": "0a", "original": null, "rule": null, "rejected": null,
            "nearest": {"uuid": "01", "name": "train", "differences": [
                {"part": "inputs.lr", "before": {"type": "float", "value": 0.1}, "after": {"type": "float", "value": 0.2}},
                {"part": "container.env", "before": null, "after": [{"name": "A"}]},
            ]},
            "parts": {"container.image": "python:3.12"},
        });
        assert_data_eq!(
            told(&json),
            str![[r#"
The run looked for an equal one, and there was none.
The nearest earlier run, 01 (train), differs in:
  inputs.lr: {"type":"float","value":0.1} -> {"type":"float","value":0.2}
  container.env: absent -> [{"name":"A"}]
The key is made of:
  container.image: "python:3.12"
"#]]
        );
    }

    #[test]
    fn rules_and_hits_are_told() {
        let check = |json: Value| told(&json);
        let rule = json!({"rule": "disabled", "message": "`cache.disable` is true"});
        assert_eq!(check(json!({"rule": rule})), "The run looked for no equal one: `cache.disable` is true.");
        assert_eq!(check(json!({"original": "01"})), "The run takes the result of the equal run 01.");
        assert_eq!(
            check(json!({"key": "0a", "rejected": {"uuid": "01", "message": "it is failed"}})),
            "The equal run 01 was not taken: it is failed."
        );
    }
}
