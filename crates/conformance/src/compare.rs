//! Whether a result is the recorded one, with the same tolerance as the checker that comes with the corpus.

use serde_json::{Map, Value as Json};

/// Empty lists that mean the same as nothing in `compiled` and `resolved`.
const EMPTY_LISTS: &[&str] = &["init", "contexts", "connections", "volumes", "sidecars", "inputs", "outputs"];
/// Members below which nulls count.
const KEEPS_NULLS: &[&str] = &["value", "params", "values"];

/// The differences of one stage, as `path: expected …, got …`.
pub fn stage(name: &str, expected: &Json, got: Option<&Json>) -> Vec<String> {
    let Some(got) = got else { return vec![format!("{name}: the stage is missing")] };
    let mut differences = Vec::new();
    if name == "params" {
        difference(&normal(expected, true), &normal(got, true), name, &mut differences);
        return differences;
    }
    if expected["status"] != got["status"] {
        return vec![format!("{name}.status: expected {}, got {got}", expected["status"])];
    }
    if name == "check" {
        let is_template = |verdict: &Json| verdict["template"].as_bool() == Some(true);
        if is_template(expected) != is_template(got) {
            differences.push(format!("check.template: expected {expected}, got {got}"));
        }
    } else if expected["status"] == "ok" {
        let (expected, got) = (&expected["value"], &got["value"]);
        match name {
            "operation" => difference(expected, got, name, &mut differences),
            _ => difference(&normal(expected, false), &normal(got, false), name, &mut differences),
        }
    }
    differences
}

fn normal(value: &Json, keeps_nulls: bool) -> Json {
    match value {
        Json::Object(map) => {
            let mut normal_map = Map::new();
            for (key, value) in map {
                let is_nothing = value.is_null() && !keeps_nulls
                    || value.as_array().is_some_and(Vec::is_empty) && EMPTY_LISTS.contains(&key.as_str())
                    || key == "strictParams" && value == false;
                if !is_nothing {
                    let keeps_nulls = keeps_nulls || KEEPS_NULLS.contains(&key.as_str());
                    normal_map.insert(key.clone(), normal(value, keeps_nulls));
                }
            }
            Json::Object(normal_map)
        }
        Json::Array(items) => Json::Array(items.iter().map(|item| normal(item, keeps_nulls)).collect()),
        other => other.clone(),
    }
}

fn difference(expected: &Json, got: &Json, path: &str, differences: &mut Vec<String>) {
    match (expected, got) {
        (Json::Object(a), Json::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let path = format!("{path}.{key}");
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => difference(a, b, &path, differences),
                    (Some(a), None) => differences.push(format!("{path}: expected {a}, got nothing")),
                    (None, Some(b)) => differences.push(format!("{path}: expected nothing, got {b}")),
                    (None, None) => {}
                }
            }
        }
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                difference(a, b, &format!("{path}[{index}]"), differences);
            }
        }
        (Json::Number(a), Json::Number(b)) if a == b || a.as_f64() == b.as_f64() => {}
        _ if expected == got => {}
        _ => differences.push(format!("{path}: expected {expected}, got {got}")),
    }
}
