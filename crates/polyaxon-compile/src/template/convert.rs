//! The filters `int` and `float` of Jinja: what cannot be read as a number becomes the default.

use minijinja::Error;
use minijinja::value::{Kwargs, Value, ValueKind};

use super::print;

/// `value | int(default, base)`; the default is 0.
pub(super) fn int(value: &Value, default: Option<Value>, base: Option<u32>, options: Kwargs) -> Result<Value, Error> {
    let default = options.get::<Option<Value>>("default")?.or(default).unwrap_or_else(|| Value::from(0));
    let base = options.get::<Option<u32>>("base")?.or(base).unwrap_or(10);
    options.assert_all_used()?;
    let whole = match value.kind() {
        ValueKind::Bool => Some(i128::from(value.is_true())),
        ValueKind::Number => match print::as_float(value) {
            Some(number) => truncated(number),
            None => return Ok(value.clone()),
        },
        ValueKind::String => whole_of_text(value.as_str().unwrap_or_default(), base),
        _ => None,
    };
    Ok(whole.map_or(default, |whole| i64::try_from(whole).map_or_else(|_| Value::from(whole), Value::from)))
}

/// `value | float(default)`; the default is 0.0.
pub(super) fn float(value: &Value, default: Option<Value>, options: Kwargs) -> Result<Value, Error> {
    let default = options.get::<Option<Value>>("default")?.or(default).unwrap_or_else(|| Value::from(0.0));
    options.assert_all_used()?;
    let number = match value.kind() {
        ValueKind::Bool => Some(f64::from(u8::from(value.is_true()))),
        ValueKind::Number => f64::try_from(value.clone()).ok(),
        ValueKind::String => number_of_text(value.as_str().unwrap_or_default()),
        _ => None,
    };
    Ok(number.map_or(default, Value::from))
}

fn whole_of_text(text: &str, base: u32) -> Option<i128> {
    if !(2..=36).contains(&base) {
        return None;
    }
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let prefix = match base {
        2 => ["0b", "0B"],
        8 => ["0o", "0O"],
        16 => ["0x", "0X"],
        _ => ["", ""],
    };
    let bare = prefix.iter().find_map(|prefix| digits.strip_prefix(prefix)).unwrap_or(digits);
    let whole = without_underscores(bare).and_then(|bare| i128::from_str_radix(&format!("{sign}{bare}"), base).ok());
    whole.or_else(|| truncated(number_of_text(text)?))
}

fn number_of_text(text: &str) -> Option<f64> {
    without_underscores(text.trim())?.parse().ok()
}

fn without_underscores(text: &str) -> Option<String> {
    let is_tidy = !text.starts_with('_') && !text.ends_with('_') && !text.contains("__");
    is_tidy.then(|| text.replace('_', ""))
}

fn truncated(number: f64) -> Option<i128> {
    number.is_finite().then(|| number.trunc() as i128)
}

#[cfg(test)]
mod tests {
    use super::super::{Budget, render};
    use super::*;

    #[test]
    fn numbers_are_read_or_replaced() {
        let cases = [
            (
                "{{ '3' | int }} {{ ' -1_000 ' | int }} {{ '1.9' | int }} {{ -1.9 | int }} {{ true | int }}",
                "3 -1000 1 -1 1",
            ),
            (
                "{{ 'x' | int }} {{ 'x' | int(7) }} {{ none | int(default=2) }} {{ zz | int }} {{ 'inf' | int }}",
                "0 7 2 0 0",
            ),
            ("{{ 'ff' | int(base=16) }} {{ '0x1f' | int(0, 16) }} {{ '0b11' | int(base=2) }}", "255 31 3"),
            (
                "{{ '1.5' | float }} {{ 'x' | float }} {{ 'x' | float(2) }} {{ 3 | float }} {{ none | float }}",
                "1.5 0.0 2 3.0 0.0",
            ),
        ];
        for (template, expected) in cases {
            let rendered = render(template, &Value::from(()), &Budget::default());
            assert_eq!(rendered.as_deref(), Ok(expected), "{template}");
        }
    }
}
