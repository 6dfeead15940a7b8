//! The `resources` shortcut of a document: `cpu: 0.5..2`, `memory: 1Gi`, `gpu: 1` (spec §12.6).

use std::cmp::Ordering;

use crate::decode::report;
use crate::diagnostic::{Diagnostic, codes};
use crate::node::{Node, Value};
use crate::scalar::{Expected, expected};
use crate::section::{CustomType, Type};

pub(super) const SHORT_RESOURCES: Type = Type::Custom(&RESOURCES);

const NVIDIA_GPU: &str = "nvidia.com/gpu";

static RESOURCES: CustomType = CustomType {
    name: "a mapping of resources to amounts",
    read: read_resources,
    json_schema: r#"{"type": "object", "additionalProperties": {"type": ["number", "string"]}}"#,
    section: None,
};

/// What one entry asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// The name that Kubernetes uses.
    pub name: String,
    pub request: Option<Value>,
    pub limit: Option<Value>,
}

fn read_resources(node: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let Value::Map(map) = &node.value else {
        let fault = report::wrong_kind(node, path, RESOURCES.name);
        diagnostics.push(Diagnostic { code: codes::RESOURCES, ..fault });
        return;
    };
    for (key, value) in map.iter() {
        let path = report::join(path, &key.text);
        if !key.is_text || !is_resource(&key.text) {
            diagnostics.push(
                Diagnostic::error(
                    codes::RESOURCES,
                    key.span,
                    format!("`{}` is not a resource that is known here", key.text),
                )
                .label("unknown resource")
                .path(path)
                .help(match key.text.as_str() {
                    NVIDIA_GPU => "write `gpu`",
                    _ => "the resources are `cpu`, `memory`, `gpu` and names with a `/`, such as `google.com/tpu`",
                }),
            );
        } else if let Err(what) = resource(&key.text, &value.value) {
            let help = "write a number or a range such as 1..2; use container.resources for anything else";
            diagnostics.push(
                Diagnostic::error(codes::RESOURCES, value.span, format!("`{path}` cannot be {}", report::shown(value)))
                    .label(format!("expected {what}"))
                    .path(path)
                    .help(help),
            );
        }
    }
}

fn is_resource(key: &str) -> bool {
    key != NVIDIA_GPU && (matches!(key, "cpu" | "memory" | "gpu") || key.contains('/'))
}

/// Reads one entry. Counts are requests and limits at once; quantities are requests only, unless they are ranges.
pub fn resource(key: &str, value: &Value) -> Result<Resource, Expected> {
    let is_count = !matches!(key, "cpu" | "memory");
    let name = if key == "gpu" { NVIDIA_GPU } else { key }.to_owned();
    let text = match value {
        Value::Int(number) if (0..1 << 63).contains(number) => {
            return Ok(Resource { name, request: Some(value.clone()), limit: is_count.then(|| value.clone()) });
        }
        Value::Float(number) if !is_count && (0.0..9.2e18).contains(number) => {
            return Ok(Resource { name, request: Some(value.clone()), limit: None });
        }
        Value::Int(_) | Value::Float(_) if is_count => return expected("a whole number, not negative"),
        Value::Int(_) | Value::Float(_) => return expected("a number that is finite and not negative"),
        Value::Str(text) => text.trim(),
        _ => return expected("a number or a range"),
    };
    let (low, high) = text.split_once("..").map_or((text, None), |(low, high)| (low.trim(), Some(high.trim())));
    let read = |part: &str| {
        if part.is_empty() {
            return Ok(None);
        }
        let value = match (key, part.parse::<i64>()) {
            ("cpu" | "memory", _) => quantity(key, part).map(|_| Value::Str(part.to_owned())),
            (_, Ok(count)) if part.bytes().all(|byte| byte.is_ascii_digit()) => Some(Value::Int(count.into())),
            _ => None,
        };
        match (value, key) {
            (Some(value), _) => Ok(Some(value)),
            (None, "cpu") => expected("an amount of processors such as `2`, `0.5` or `500m`"),
            (None, "memory") => expected("an amount of memory such as `512Mi` or `2Gi`"),
            (None, _) => expected("a whole number, not negative"),
        }
    };
    let (request, limit) = (read(low)?, read(high.unwrap_or_default())?);
    match (&request, &limit) {
        (None, None) => expected("a request, a limit, or both"),
        (Some(request), Some(limit)) if compare(key, request, limit) == Some(Ordering::Greater) => {
            expected("a range whose first amount is not greater than its second")
        }
        (Some(count), None) if is_count && high.is_none() => Ok(Resource { name, limit: Some(count.clone()), request }),
        _ => Ok(Resource { name, request, limit }),
    }
}

/// A decimal number with a suffix, in billionths. `None` when it is none.
fn quantity(key: &str, text: &str) -> Option<f64> {
    let end = text.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(text.len());
    let (digits, suffix) = text.split_at(end);
    let factor = match (key, suffix) {
        (_, "") => 1e9,
        ("cpu", "m") => 1e6,
        ("cpu", "u") => 1e3,
        ("cpu", "n") => 1.0,
        ("memory", "k") => 1e12,
        ("memory", "Ki") => 1024e9,
        ("memory", letter) => {
            let (letter, base) = letter.strip_suffix('i').map_or((letter, 1000.0_f64), |letter| (letter, 1024.0));
            let power = ["M", "G", "T", "P", "E"].iter().position(|known| *known == letter)?;
            1e9 * base.powi(power as i32 + 2)
        }
        _ => return None,
    };
    let is_number = digits.bytes().filter(|byte| *byte == b'.').count() <= 1 && digits != ".";
    if is_number { digits.parse::<f64>().ok().map(|number| number * factor) } else { None }
}

fn compare(key: &str, first: &Value, second: &Value) -> Option<Ordering> {
    let number = |value: &Value| match value {
        Value::Int(value) => Some(*value as f64),
        Value::Str(text) => quantity(key, text),
        _ => None,
    };
    number(first)?.partial_cmp(&number(second)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(key: &str, text: &str) -> String {
        match resource(key, &Value::Str(text.to_owned())) {
            Ok(resource) => {
                let part = |value: Option<Value>| {
                    value.map_or("-".to_owned(), |value| Node::bare(value).to_json().to_string())
                };
                format!("{} {} {}", resource.name, part(resource.request), part(resource.limit)).replace('"', "")
            }
            Err(_) => "refused".to_owned(),
        }
    }

    #[test]
    fn amounts_and_ranges() {
        for (key, text, expected) in [
            ("cpu", "500m", "cpu 500m -"),
            ("cpu", "0.5 .. 2", "cpu 0.5 2"),
            ("cpu", "..2", "cpu - 2"),
            ("cpu", ".5", "cpu .5 -"),
            ("cpu", "2..1", "refused"),
            ("cpu", "1500m..1.5", "cpu 1500m 1.5"),
            ("cpu", "1e3", "refused"),
            ("cpu", "1Gi", "refused"),
            ("cpu", ".", "refused"),
            ("cpu", "..", "refused"),
            ("cpu", "", "refused"),
            ("cpu", "-1", "refused"),
            ("cpu", "{{ x }}", "refused"),
            ("memory", "1Gi..", "memory 1Gi -"),
            ("memory", "1G..1Gi", "memory 1G 1Gi"),
            ("memory", "1Gi..1G", "refused"),
            ("memory", "512Mi", "memory 512Mi -"),
            ("memory", "1K", "refused"),
            ("memory", "1i", "refused"),
            ("memory", "1MG", "refused"),
            ("gpu", "2", "nvidia.com/gpu 2 2"),
            ("gpu", "1..2", "nvidia.com/gpu 1 2"),
            ("gpu", "1..", "nvidia.com/gpu 1 -"),
            ("gpu", "0.5", "refused"),
            ("google.com/tpu", "8", "google.com/tpu 8 8"),
        ] {
            assert_eq!(shown(key, text), expected, "{key}: {text}");
        }
        for value in [Value::Bool(true), Value::Null, Value::Int(-1), Value::Int(1 << 63), Value::Float(f64::INFINITY)]
        {
            assert!(resource("cpu", &value).is_err(), "{value:?}");
        }
        assert!(resource("gpu", &Value::Float(1.0)).is_err());
        assert_eq!(resource("cpu", &Value::Float(0.5)).map(|found| found.limit), Ok(None));
    }
}
