//! What an unquoted scalar means (YAML 1.1 as PyYAML reads it), and what the standard tags make of a scalar.
//!
//! The only place that knows these rules; knows nothing about events or collections.

use jiff::civil;

use super::binary;
use crate::node::Value;
use crate::scalar::datetime_text;

/// An unquoted scalar.
#[derive(Debug, PartialEq)]
pub(super) enum Plain {
    Value(Value),
    /// `<<`, which only means something as a key.
    Merge,
}

/// Why a scalar cannot be read.
#[derive(Debug, PartialEq)]
pub(super) enum Problem {
    /// The text looks like a value of some type, but is none.
    Invalid(String),
    /// An integer too large to be kept.
    TooLarge,
}

/// Reads an unquoted scalar without tag.
pub(super) fn plain(text: &str) -> Result<Plain, Problem> {
    let value = match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "<<" => return Ok(Plain::Merge),
        _ => {
            if let Some(value) = boolean(text) {
                Value::Bool(value)
            } else if !text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
                Value::Str(text.to_owned())
            } else if is_float(text) {
                Value::Float(float(text)?)
            } else if is_integer(text) {
                Value::Int(integer(text)?)
            } else {
                timestamp(text).unwrap_or_else(|| Ok(Value::Str(text.to_owned())))?
            }
        }
    };
    Ok(Plain::Value(value))
}

/// Reads a scalar with a standard tag, quoted or not. `None` for tags that are not known.
pub(super) fn tagged(tag: &str, text: &str) -> Option<Result<Value, Problem>> {
    let invalid = |kind: &str| Err(Problem::Invalid(format!("`{text}` is not {kind}")));
    Some(match tag {
        "str" => Ok(Value::Str(text.to_owned())),
        "null" => Ok(Value::Null),
        "bool" => match boolean(&text.to_lowercase()) {
            Some(value) => Ok(Value::Bool(value)),
            None => invalid("a boolean"),
        },
        "int" if is_integer(text) || is_tagged_integer(text) => integer(text).map(Value::Int),
        "int" => invalid("an integer"),
        "float" => match float(text) {
            Ok(value) => Ok(Value::Float(value)),
            Err(_) => invalid("a number"),
        },
        "timestamp" => timestamp(text).unwrap_or_else(|| invalid("a date")),
        "binary" => match binary::decode(text) {
            Some(bytes) => Ok(Value::Bytes(bytes)),
            None => invalid("base64"),
        },
        _ => return None,
    })
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['+', '-']).unwrap_or(text)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `[0-9][0-9_]*`
fn is_spaced_digits(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit()) && is_spaced(text)
}

/// `[0-9_]*`
fn is_spaced(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
}

/// `[0-5]?[0-9]`
fn is_sixtieth(text: &str) -> bool {
    is_digits(text) && (text.len() == 1 || text.len() == 2 && text.as_bytes()[0] < b'6')
}

fn is_integer(text: &str) -> bool {
    let text = unsigned(text);
    if let Some(digits) = text.strip_prefix("0b") {
        return !digits.is_empty() && digits.bytes().all(|byte| matches!(byte, b'0' | b'1' | b'_'));
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'_');
    }
    if let Some(digits) = text.strip_prefix('0') {
        return digits.bytes().all(|byte| matches!(byte, b'0'..=b'7' | b'_'));
    }
    let mut parts = text.split(':');
    parts.next().is_some_and(is_spaced_digits) && parts.all(is_sixtieth)
}

/// With a tag, Python's `int()` also takes digits that the pattern of plain scalars leaves alone.
fn is_tagged_integer(text: &str) -> bool {
    let digits = unsigned(text);
    is_spaced_digits(digits) && !digits.starts_with('0')
}

fn integer(text: &str) -> Result<i128, Problem> {
    let clean = text.replace('_', "");
    let digits = unsigned(&clean);
    let (digits, radix) = match digits.strip_prefix("0b") {
        Some(digits) => (digits, 2),
        None => match digits.strip_prefix("0x") {
            Some(digits) => (digits, 16),
            None if digits.starts_with('0') && digits.len() > 1 => (&digits[1..], 8),
            None => (digits, 10),
        },
    };
    let digits = digits.trim_start_matches('0');
    let value = if digits.contains(':') {
        let parts = digits.split(':').map(|part| part.parse::<i128>().ok());
        parts.reduce(|sum, part| sum?.checked_mul(60)?.checked_add(part?)).flatten()
    } else if digits.is_empty() && clean.contains('0') && !clean.ends_with(['b', 'x']) {
        Some(0)
    } else if digits.is_empty() {
        return Err(Problem::Invalid(format!("`{text}` is not an integer")));
    } else {
        i128::from_str_radix(digits, radix).ok()
    };
    let value = value.ok_or(Problem::TooLarge)?;
    Ok(if text.starts_with('-') { -value } else { value })
}

fn is_float(text: &str) -> bool {
    let digits = unsigned(text);
    if matches!(digits, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let Some((whole, rest)) = digits.split_once('.') else { return false };
    if whole.contains(':') {
        let mut parts = whole.split(':');
        return parts.next().is_some_and(is_spaced_digits) && parts.all(is_sixtieth) && is_spaced(rest);
    }
    let (fraction, has_exponent) = match rest.split_once(['e', 'E']) {
        None => (rest, true),
        Some((fraction, exponent)) => (fraction, exponent.strip_prefix(['+', '-']).is_some_and(is_digits)),
    };
    if !has_exponent {
        return false;
    }
    match whole {
        "" => digits.len() == text.len() && is_spaced_digits(fraction),
        _ => is_spaced_digits(whole) && is_spaced(fraction),
    }
}

fn float(text: &str) -> Result<f64, Problem> {
    let clean = text.replace('_', "").to_lowercase();
    let sign = if clean.starts_with('-') { -1.0 } else { 1.0 };
    let digits = unsigned(&clean);
    let value = match digits {
        ".inf" => Some(f64::INFINITY),
        ".nan" => Some(f64::NAN),
        _ if digits.contains(':') => digits
            .split(':')
            .map(|part| part.parse::<f64>().ok())
            .reduce(|sum, part| Some(sum? * 60.0 + part?))
            .flatten(),
        _ => digits.parse::<f64>().ok(),
    };
    match value {
        Some(value) => Ok(sign * value),
        None => Err(Problem::Invalid(format!("`{text}` is not a number"))),
    }
}

/// `None` when the text does not have the form of a date; an error when it has, but is no day or time that exists.
fn timestamp(text: &str) -> Option<Result<Value, Problem>> {
    let mut form = Form { rest: text };
    let year = form.digits(4, 4)?;
    form.literal('-')?;
    let month_start = form.rest;
    let month = form.digits(1, 2)?;
    form.literal('-')?;
    let day = form.digits(1, 2)?;
    let missing = || Err(Problem::Invalid(format!("`{text}` is not a date that exists")));
    let date = (year > 0).then(|| civil::Date::new(year as i16, month as i8, day as i8).ok()).flatten();
    if form.rest.is_empty() {
        // A date alone needs two digits for month and day.
        return (month_start.len() == 5).then(|| match date {
            Some(date) => Ok(Value::Date(date.to_string())),
            None => missing(),
        });
    }
    if form.literal('T').or_else(|| form.literal('t')).is_none() && form.blanks() == 0 {
        return None;
    }
    let hour = form.digits(1, 2)?;
    form.literal(':')?;
    let minute = form.digits(2, 2)?;
    form.literal(':')?;
    let second = form.digits(2, 2)?;
    let micros = match form.literal('.') {
        None => 0,
        Some(()) => form.fraction(),
    };
    let before_zone = form.rest;
    form.blanks();
    let offset = if form.literal('Z').is_some() {
        Some(0)
    } else if let Some(sign) = form.sign() {
        let hours = form.digits(1, 2)?;
        let minutes = match form.literal(':') {
            Some(()) => form.digits(2, 2)?,
            None => 0,
        };
        Some(sign * (hours * 60 + minutes))
    } else {
        form.rest = before_zone;
        None
    };
    if !form.rest.is_empty() {
        return None;
    }
    let time = civil::Time::new(hour as i8, minute as i8, second as i8, micros * 1000).ok();
    let offset = offset.unwrap_or(0);
    Some(match (date, time) {
        (Some(date), Some(time)) if offset.abs() < 24 * 60 => {
            Ok(Value::DateTime(datetime_text(date.to_datetime(time), offset)))
        }
        _ => missing(),
    })
}

/// Takes a text apart from its start.
struct Form<'text> {
    rest: &'text str,
}

impl Form<'_> {
    fn literal(&mut self, character: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(character)?;
        Some(())
    }

    fn digits(&mut self, least: usize, most: usize) -> Option<i32> {
        let count = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at(count);
        self.rest = rest;
        if count >= least { digits.parse().ok() } else { None }
    }

    fn blanks(&mut self) -> usize {
        let before = self.rest.len();
        self.rest = self.rest.trim_start_matches([' ', '\t']);
        before - self.rest.len()
    }

    fn sign(&mut self) -> Option<i32> {
        match (self.literal('+'), self.literal('-')) {
            (Some(()), _) => Some(1),
            (_, Some(())) => Some(-1),
            _ => None,
        }
    }

    /// All digits of a fraction of a second, as microseconds.
    fn fraction(&mut self) -> i32 {
        let end = self.rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        digits.bytes().chain(std::iter::repeat(b'0')).take(6).fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0'))
    }
}
