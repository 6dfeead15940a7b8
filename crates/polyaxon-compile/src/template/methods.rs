//! Python's methods of text and lists, where the engine's own set ends.

use minijinja::value::{Tuple, Value, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State};

use super::filters::MAX_WIDTH;

/// Called for `value.method(args)`: ours, then those of the engine.
pub(super) fn call(state: &mut State<'_, '_>, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    let own = match (value.kind(), value.as_str()) {
        (ValueKind::String, Some(text)) => text_method(text, method, args)?,
        (ValueKind::Seq, _) if method == "index" => Some(index(value, from_args::<(Value,)>(args)?.0)?),
        _ => None,
    };
    match own {
        Some(result) => Ok(result),
        None => minijinja_contrib::pycompat::unknown_method_callback(state, value, method, args),
    }
}

fn text_method(text: &str, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    let result = match method {
        "zfill" => {
            let (width,) = from_args::<(usize,)>(args)?;
            let (sign, digits) = text.split_at(usize::from(text.starts_with(['+', '-'])));
            Value::from(format!("{sign}{}{digits}", padding(text, width, '0')?))
        }
        "ljust" | "rjust" | "center" => {
            let (width, fill) = from_args::<(usize, Option<char>)>(args)?;
            let padding = padding(text, width, fill.unwrap_or(' '))?;
            let missing = padding.chars().count();
            // Python puts the odd blank on the left when the width is odd.
            let left = match method {
                "ljust" => 0,
                "rjust" => missing,
                _ => missing / 2 + (missing & width & 1),
            };
            let left: String = padding.chars().take(left).collect();
            Value::from(format!("{left}{text}{}", &padding[left.len()..]))
        }
        "rsplit" => {
            let (separator, limit) = from_args::<(Option<&str>, Option<i64>)>(args)?;
            split_from_right(text, separator, limit)?
        }
        "partition" | "rpartition" => {
            let (separator,) = from_args::<(&str,)>(args)?;
            partition(text, separator, method == "partition")?
        }
        "swapcase" => text.chars().map(swapped).collect::<String>().into(),
        "casefold" => text.to_lowercase().into(),
        "removeprefix" => {
            let (prefix,) = from_args::<(&str,)>(args)?;
            Value::from(text.strip_prefix(prefix).unwrap_or(text))
        }
        "removesuffix" => {
            let (suffix,) = from_args::<(&str,)>(args)?;
            Value::from(text.strip_suffix(suffix).unwrap_or(text))
        }
        "index" => {
            let (part,) = from_args::<(&str,)>(args)?;
            let at = text.find(part).ok_or_else(|| failed("the text does not contain the part"))?;
            Value::from(text[..at].chars().count())
        }
        _ => return Ok(None),
    };
    Ok(Some(result))
}

/// What is missing to `width`.
fn padding(text: &str, width: usize, fill: char) -> Result<String, Error> {
    if width > MAX_WIDTH {
        return Err(failed(format!("a width of {width} is too large")));
    }
    Ok(std::iter::repeat_n(fill, width.saturating_sub(text.chars().count())).collect())
}

fn split_from_right(text: &str, separator: Option<&str>, limit: Option<i64>) -> Result<Value, Error> {
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).map_or(usize::MAX, |limit| limit.saturating_add(1));
    let mut parts: Vec<Value> = match separator {
        Some("") => return Err(failed("the separator is empty")),
        Some(separator) => text.rsplitn(limit, separator).map(Value::from).collect(),
        None => {
            let mut parts = Vec::new();
            let mut rest = text.trim();
            while parts.len() + 1 < limit {
                let Some((before, last)) = rest.rsplit_once(char::is_whitespace) else { break };
                parts.push(Value::from(last));
                rest = before.trim_end();
            }
            if !rest.is_empty() {
                parts.push(Value::from(rest));
            }
            parts
        }
    };
    parts.reverse();
    Ok(Value::from(parts))
}

fn partition(text: &str, separator: &str, is_first: bool) -> Result<Value, Error> {
    if separator.is_empty() {
        return Err(failed("the separator is empty"));
    }
    let found = if is_first { text.split_once(separator) } else { text.rsplit_once(separator) };
    let parts = match (found, is_first) {
        (Some((before, after)), _) => [before, separator, after],
        (None, true) => [text, "", ""],
        (None, false) => ["", "", text],
    };
    Ok(Value::from(Tuple::from(parts.map(Value::from))))
}

fn index(list: &Value, item: Value) -> Result<Value, Error> {
    let at = list.try_iter()?.position(|other| other == item);
    at.map(Value::from).ok_or_else(|| failed(format!("{item} is not in the list")))
}

fn swapped(char: char) -> char {
    if char.is_uppercase() {
        char.to_lowercase().next().unwrap_or(char)
    } else {
        char.to_uppercase().next().unwrap_or(char)
    }
}

fn failed(detail: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, detail.into())
}

#[cfg(test)]
mod tests {
    use super::super::{Budget, render};
    use super::*;

    #[test]
    fn methods_work_as_in_python() {
        let cases = [
            (
                "{{ 'exp'.zfill(5) }} {{ '-5'.zfill(4) }} {{ 'a'.ljust(3) }}| {{ 'a'.rjust(3, '.') }} {{ 'ab'.center(5) }}|",
                "00exp -005 a  | ..a   ab |",
            ),
            (
                "{{ 'a.b.c'.rsplit('.', 1) }} {{ ' a  b c '.rsplit(none, 1) }} {{ 'ab'.rsplit('a') }}",
                "['a.b', 'c'] ['a  b', 'c'] ['', 'b']",
            ),
            (
                "{{ 'a.b.c'.partition('.') }} {{ 'a.b.c'.rpartition('.') }} {{ 'x'.rpartition('.') }}",
                "('a', '.', 'b.c') ('a.b', '.', 'c') ('', '', 'x')",
            ),
            (
                "{{ 'Ab'.swapcase() }} {{ 'run-1'.removeprefix('run-') }} {{ 'a.py'.removesuffix('.py') }} {{ 'éb'.index('b') }}",
                "aB 1 a 1",
            ),
            ("{{ ['a', 'b'].index('b') }} {{ 'a'.upper() }} {{ 'a b'.split() }}", "1 A ['a', 'b']"),
        ];
        for (template, expected) in cases {
            let rendered = render(template, &Value::from(()), &Budget::default());
            assert_eq!(rendered.as_deref(), Ok(expected), "{template}");
        }
    }
}
