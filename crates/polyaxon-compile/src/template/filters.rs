//! Filters where Polyaxon or Python differ from the engine's own.
//!
//! `map_format` is Polyaxon's; `string`, `tojson`, `join` print numbers like Python; the others are Jinja's.

use std::fmt::Write as _;

use minijinja::formatting::{FormatStyle, format};
use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind};

use super::{convert, print};

/// The widest field that a format or `center` may ask for.
pub(super) const MAX_WIDTH: usize = 10_000;
const MAX_DEPTH: usize = 100;

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("map_format", map_format);
    environment.add_filter(super::percent::FILTER, percent);
    environment.add_filter("int", convert::int);
    environment.add_filter("float", convert::float);
    environment.add_filter("string", string);
    environment.add_filter("tojson", to_json);
    environment.add_filter("join", join);
    environment.add_filter("center", center);
    environment.add_filter("wordcount", word_count);
    environment.add_filter("pprint", pretty);
    environment.add_filter("truncate", truncate);
    environment.add_filter("filesizeformat", minijinja_contrib::filters::filesizeformat);
}

/// `pattern % value`, or `pattern % {name: value}`.
fn map_format(value: &Value, pattern: &str, name: Option<&str>) -> Result<String, Error> {
    let mut out = String::new();
    let mut rest = pattern;
    let mut used = false;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let argument = match key_of(rest)? {
            Some((key, after)) => {
                rest = after;
                Some(member(value, key, name)?)
            }
            None if name.is_some() => return Err(bad_format("the pattern must name its value: `%(name)s`")),
            None if used => return Err(bad_format("not enough arguments for the pattern")),
            None => {
                used = true;
                None
            }
        };
        rest = write_conversion(argument.as_ref().unwrap_or(value), rest, &mut out)?;
    }
    out.push_str(rest);
    let named = name.is_some() || value.kind() == ValueKind::Map;
    if !used && !named && !pattern.contains("%(") {
        return Err(bad_format("not all arguments are used by the pattern"));
    }
    Ok(out)
}

/// `pattern % value` of Python: a tuple gives one value to each conversion.
fn percent(pattern: &str, value: &Value) -> Result<String, Error> {
    if !value.is_tuple() {
        return map_format(value, pattern, None);
    }
    let mut values = value.try_iter()?;
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let value = values.next().ok_or_else(|| bad_format("not enough arguments for the pattern"))?;
        rest = write_conversion(&value, rest, &mut out)?;
    }
    out.push_str(rest);
    match values.next() {
        Some(_) => Err(bad_format("not all arguments are used by the pattern")),
        None => Ok(out),
    }
}

/// The name in `(name)s` and what follows it.
fn key_of(rest: &str) -> Result<Option<(&str, &str)>, Error> {
    match rest.strip_prefix('(') {
        None => Ok(None),
        Some(rest) => rest.split_once(')').map(Some).ok_or_else(|| bad_format("`%(` without `)`")),
    }
}

fn member(value: &Value, key: &str, name: Option<&str>) -> Result<Value, Error> {
    let missing = || bad_format(format!("the pattern names `{key}`, which is not there"));
    match name {
        Some(name) if name == key => Ok(value.clone()),
        Some(_) => Err(missing()),
        None => {
            let found = value.get_attr(key).map_err(|_| bad_format("the pattern needs a mapping"))?;
            if found.is_undefined() { Err(missing()) } else { Ok(found) }
        }
    }
}

/// Writes one conversion such as `05.2f` and returns what follows it.
fn write_conversion<'a>(value: &Value, rest: &'a str, out: &mut String) -> Result<&'a str, Error> {
    let end = rest
        .find(|char: char| char.is_ascii_alphabetic() && !matches!(char, 'h' | 'l' | 'L'))
        .ok_or_else(|| bad_format("incomplete format"))?;
    let (flags, conversion) = (&rest[..end], &rest[end..=end]);
    let numbers = flags.split(|char: char| !char.is_ascii_digit()).filter(|digits| !digits.is_empty());
    for digits in numbers {
        if digits.parse::<usize>().map_or(true, |width| width > MAX_WIDTH) {
            return Err(bad_format(format!("a width of {digits} is too large")));
        }
    }
    let value = if conversion == "s" { Value::from(python_text(value)) } else { value.clone() };
    out.push_str(&format(FormatStyle::Printf, &format!("%{flags}{conversion}"), &[value])?);
    Ok(&rest[end + 1..])
}

fn string(value: &Value) -> String {
    python_text(value)
}

/// `repr(value)`; long values are not broken into lines.
fn pretty(value: Value) -> String {
    let text = python_text(&Value::from(vec![value]));
    text[1..text.len() - 1].to_owned()
}

/// `str(value)` of every item, or of an attribute of every item, with the separator between.
fn join(value: &Value, separator: Option<&str>, options: Kwargs) -> Result<String, Error> {
    let attribute: Option<String> = options.get("attribute")?;
    let named: Option<String> = options.get("d")?;
    options.assert_all_used()?;
    let separator = separator.or(named.as_deref()).unwrap_or_default();
    let mut out = String::new();
    if value.is_undefined() {
        return Ok(out);
    }
    for (index, item) in value.try_iter()?.enumerate() {
        if index > 0 {
            out.push_str(separator);
        }
        match &attribute {
            Some(name) => print::write_text(&item.get_attr(name)?, &mut out),
            None => print::write_text(&item, &mut out),
        }
        if out.len() > super::MAX_OUTPUT {
            return Err(Error::new(ErrorKind::InvalidOperation, "the joined text is too large"));
        }
    }
    Ok(out)
}

fn center(text: &str, width: Option<usize>) -> Result<String, Error> {
    let width = width.unwrap_or(80);
    if width > MAX_WIDTH {
        return Err(Error::new(ErrorKind::InvalidOperation, format!("a width of {width} is too large")));
    }
    let length = text.chars().count();
    let missing = width.saturating_sub(length);
    // Python puts the odd blank on the left when the width is odd.
    let left = missing / 2 + (missing & width & 1);
    Ok(format!("{}{text}{}", " ".repeat(left), " ".repeat(missing - left)))
}

/// Cuts a text that is longer than `length` by more than a few characters, at a blank unless `killwords`.
fn truncate(
    text: &str,
    length: Option<usize>,
    killwords: Option<bool>,
    end: Option<&str>,
    options: Kwargs,
) -> Result<String, Error> {
    let length = options.get::<Option<usize>>("length")?.or(length).unwrap_or(255);
    let killwords = options.get::<Option<bool>>("killwords")?.or(killwords).unwrap_or(false);
    let named_end: Option<&str> = options.get("end")?;
    let end = named_end.or(end).unwrap_or("...");
    let leeway = options.get::<Option<usize>>("leeway")?.unwrap_or(5);
    options.assert_all_used()?;
    if text.chars().count() <= length.saturating_add(leeway) {
        return Ok(text.to_owned());
    }
    let kept: String = text.chars().take(length.saturating_sub(end.chars().count())).collect();
    let kept = if killwords { &kept } else { kept.rsplit_once(' ').map_or(kept.as_str(), |(words, _)| words) };
    Ok(format!("{kept}{end}"))
}

fn word_count(text: &str) -> usize {
    text.split(|char: char| !(char.is_alphanumeric() || char == '_')).filter(|word| !word.is_empty()).count()
}

/// JSON with sorted keys, blanks after `,` and `:`, ASCII only, and safe inside HTML, as Jinja writes it.
fn to_json(value: &Value, indent: Option<usize>, options: Kwargs) -> Result<String, Error> {
    let named: Option<usize> = options.get("indent")?;
    options.assert_all_used()?;
    let indent = indent.or(named);
    if indent.is_some_and(|width| width > 16) {
        return Err(Error::new(ErrorKind::InvalidOperation, "an indent above 16 is too large"));
    }
    let mut out = String::new();
    write_json(value, indent, 0, &mut out)?;
    Ok(out)
}

fn write_json(value: &Value, indent: Option<usize>, depth: usize, out: &mut String) -> Result<(), Error> {
    let refused = |what: &str| Err(Error::new(ErrorKind::BadSerialization, what.to_owned()));
    if depth > MAX_DEPTH {
        return refused("the value is nested too deeply");
    }
    if out.len() > super::MAX_OUTPUT {
        return refused("the JSON text is too large");
    }
    match value.kind() {
        ValueKind::None => out.push_str("null"),
        ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number => match print::as_float(value) {
            Some(number) if number.is_nan() => out.push_str("NaN"),
            Some(number) if number.is_infinite() => {
                out.push_str(if number > 0.0 { "Infinity" } else { "-Infinity" });
            }
            Some(number) => out.push_str(&print::float(number)),
            None => out.push_str(&python_text(value)),
        },
        ValueKind::String => write_json_string(value.as_str().unwrap_or_default(), out),
        ValueKind::Seq | ValueKind::Iterable => {
            let items: Vec<Value> = value.try_iter()?.collect();
            write_block(('[', ']'), items.len(), indent, depth, out, |index, out| {
                write_json(&items[index], indent, depth + 1, out)
            })?;
        }
        ValueKind::Map => {
            let mut members: Vec<(String, Value)> = value
                .try_iter()?
                .map(|key| Ok((python_text(&key), value.get_item(&key)?)))
                .collect::<Result<_, Error>>()?;
            members.sort_by(|a, b| a.0.cmp(&b.0));
            write_block(('{', '}'), members.len(), indent, depth, out, |index, out| {
                write_json_string(&members[index].0, out);
                out.push_str(": ");
                write_json(&members[index].1, indent, depth + 1, out)
            })?;
        }
        _ => return refused("the value has no JSON form"),
    }
    Ok(())
}

fn write_block(
    (open, close): (char, char),
    length: usize,
    indent: Option<usize>,
    depth: usize,
    out: &mut String,
    mut write_item: impl FnMut(usize, &mut String) -> Result<(), Error>,
) -> Result<(), Error> {
    let break_line = |levels: usize, out: &mut String| {
        if let Some(width) = indent {
            out.push('\n');
            out.push_str(&" ".repeat(width * levels));
        }
    };
    out.push(open);
    for index in 0..length {
        if index > 0 {
            out.push_str(if indent.is_some() { "," } else { ", " });
        }
        break_line(depth + 1, out);
        write_item(index, out)?;
    }
    if length > 0 {
        break_line(depth, out);
    }
    out.push(close);
    Ok(())
}

fn write_json_string(text: &str, out: &mut String) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\'' | '\0'..='\u{1f}' | '\u{7f}'.. => {
                let mut units = [0; 2];
                for unit in char.encode_utf16(&mut units) {
                    write!(out, "\\u{unit:04x}").expect("writing to a string cannot fail");
                }
            }
            char => out.push(char),
        }
    }
    out.push('"');
}

fn python_text(value: &Value) -> String {
    let mut out = String::new();
    print::write_text(value, &mut out);
    out
}

fn bad_format(detail: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("format: {}", detail.into()))
}
