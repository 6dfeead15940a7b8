//! What stands after the colon of a term: negation, null, equality, choice, pattern, comparison, range.
//!
//! Must not know columns. Which forms a field accepts is said by its [`Parser`].

use std::time::Duration;

use serde_json::Value as Json;

use super::PqlError;
use super::fields::{Field, Parser};
use crate::listing::read_bool;
use crate::quantity;
use crate::time::Timestamp;

/// What a field is tested for.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    Null,
    Equals(Scalar),
    OneOf(Vec<Scalar>),
    Like(Pattern),
    Compare(Comparison, Scalar),
    /// From the first instant, up to the second and without it.
    Within(Timestamp, Timestamp),
    IsTrue,
    IsFalse,
}

/// A value as it was written, and what JSON makes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalar {
    pub text: String,
    pub value: ScalarValue,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ScalarValue {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text,
}

/// A text with an open side, or two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    StartsWith(String),
    EndsWith(String),
    Contains(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// The comparison that holds exactly when this one does not.
    pub fn opposite(self) -> Comparison {
        match self {
            Comparison::Less => Comparison::GreaterOrEqual,
            Comparison::LessOrEqual => Comparison::Greater,
            Comparison::Greater => Comparison::LessOrEqual,
            Comparison::GreaterOrEqual => Comparison::Less,
        }
    }
}

/// A read operation; no test for `_any_`.
pub(super) struct Operation {
    pub(super) negated: bool,
    pub(super) test: Option<Test>,
}

/// How long ago `last_month` begins.
pub const LAST_MONTH: Duration = Duration::from_hours(30 * 24);

pub(super) fn read(field: &Field, key: Option<&str>, text: &str, now: Timestamp) -> Result<Operation, PqlError> {
    let (negated, body) = match text.strip_prefix('~') {
        Some(body) => (true, body.trim()),
        None => (false, text.trim()),
    };
    let refuse = |why: &str| {
        let name = key.map_or(field.name.to_owned(), |key| format!("{}.{key}", field.name));
        PqlError(format!("`{name}:{text}` is not valid: {why}"))
    };
    let test = match body {
        "" => return Err(refuse("the operation is empty")),
        "_any_" => None,
        "nil" => Some(Test::Null),
        _ if field.has_keys() && key.is_none() => {
            return Err(refuse(&format!("name a key, as in `{}.loss`, or ask for `nil`", field.name)));
        }
        _ => Some(read_test(field.parser, body, now).map_err(|why| refuse(&why))?),
    };
    Ok(Operation { negated, test })
}

fn read_test(parser: Parser, body: &str, now: Timestamp) -> Result<Test, String> {
    match parser {
        Parser::Search => search(body),
        Parser::Uuid => uuid_search(body),
        Parser::RunUuid => choice(body).and_then(uuids),
        Parser::Value | Parser::Array => choice(body),
        Parser::ComparedValue => match comparison(body) {
            Some((comparison, operand)) => {
                refuse_range(body)?;
                Ok(Test::Compare(comparison, scalar(operand)))
            }
            None => choice(body),
        },
        Parser::Number => number(body, read_number),
        Parser::Cpu => number(body, quantity::cpu_cores),
        Parser::Memory => number(body, quantity::memory_bytes),
        Parser::EqualNumber => match number(body, read_number)? {
            Test::Compare(..) => Err("only one number can be asked for, without a comparison".to_owned()),
            equals => Ok(equals),
        },
        Parser::Datetime => datetime(body, now),
        Parser::Bool => boolean(body),
        Parser::One => match choice(body)? {
            Test::OneOf(_) => Err("only one value can be asked for".to_owned()),
            equals => Ok(equals),
        },
    }
}

fn search(body: &str) -> Result<Test, String> {
    refuse_range(body)?;
    if comparison(body).is_some() {
        return Err("texts cannot be compared with < or >".to_owned());
    }
    if body.contains('|') {
        return choice(body);
    }
    let inner = |text: &str| {
        let text = text.trim_matches('%').trim();
        if text.is_empty() || text.contains('%') {
            return Err("`%` may stand at the start, at the end, or both".to_owned());
        }
        Ok(scalar(text).text)
    };
    match (body.starts_with('%'), body.ends_with('%')) {
        (true, true) => Ok(Test::Like(Pattern::Contains(inner(body)?))),
        (true, false) => Ok(Test::Like(Pattern::EndsWith(inner(body)?))),
        (false, true) => Ok(Test::Like(Pattern::StartsWith(inner(body)?))),
        (false, false) => Ok(Test::Equals(scalar(body))),
    }
}

/// Uuids are kept as hexadecimal digits; dashes are decoration.
fn uuid_search(body: &str) -> Result<Test, String> {
    let plain = |text: &str| text.replace('-', "").to_lowercase();
    Ok(match search(body)? {
        Test::Like(Pattern::StartsWith(text)) => Test::Like(Pattern::StartsWith(plain(&text))),
        Test::Like(Pattern::EndsWith(text)) => Test::Like(Pattern::EndsWith(plain(&text))),
        Test::Like(Pattern::Contains(text)) => Test::Like(Pattern::Contains(plain(&text))),
        whole => uuids(whole)?,
    })
}

fn uuids(test: Test) -> Result<Test, String> {
    let read = |scalar: Scalar| {
        let id: crate::ids::RunId = scalar.text.parse().map_err(|error: crate::ids::InvalidId| error.to_string())?;
        Ok(Scalar { text: id.to_string(), value: ScalarValue::Text })
    };
    match test {
        Test::Equals(scalar) => read(scalar).map(Test::Equals),
        Test::OneOf(scalars) => scalars.into_iter().map(read).collect::<Result<_, String>>().map(Test::OneOf),
        other => Ok(other),
    }
}

fn choice(body: &str) -> Result<Test, String> {
    refuse_range(body)?;
    if comparison(body).is_some() {
        return Err("this field cannot be compared with < or >".to_owned());
    }
    if !body.contains('|') {
        return Ok(Test::Equals(scalar(body)));
    }
    let values: Vec<Scalar> = body.split('|').map(str::trim).filter(|part| !part.is_empty()).map(scalar).collect();
    if values.len() < 2 {
        return Err("`|` stands between two values or more".to_owned());
    }
    Ok(Test::OneOf(values))
}

fn number(body: &str, read: impl Fn(&str) -> Option<f64>) -> Result<Test, String> {
    refuse_range(body)?;
    refuse_choice(body)?;
    let (comparison, operand) = comparison(body).map_or((None, body), |(op, operand)| (Some(op), operand));
    let value = read(&scalar(operand).text).ok_or_else(|| format!("`{operand}` is not a number"))?;
    let scalar = Scalar { text: operand.to_owned(), value: ScalarValue::Float(value) };
    Ok(match comparison {
        Some(comparison) => Test::Compare(comparison, scalar),
        None => Test::Equals(scalar),
    })
}

fn read_number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| !number.is_nan())
}

fn datetime(body: &str, now: Timestamp) -> Result<Test, String> {
    refuse_choice(body)?;
    if body == "last_month" {
        return Ok(Test::Compare(Comparison::GreaterOrEqual, instant(now.minus(LAST_MONTH))));
    }
    if let Some((from, to)) = body.split_once("..") {
        let (from, to) = (read_instant(from)?.0, read_instant(to)?.0);
        return Ok(Test::Within(from, Timestamp::from_micros(to.as_micros().saturating_add(1))));
    }
    if let Some((comparison, operand)) = comparison(body) {
        return Ok(Test::Compare(comparison, instant(read_instant(operand)?.0)));
    }
    let (start, precision) = read_instant(body)?;
    let length = match precision {
        Precision::Day => Duration::from_hours(24),
        Precision::Minute => Duration::from_mins(1),
    };
    let start = Timestamp::from_micros(match precision {
        Precision::Day => start.as_micros(),
        Precision::Minute => start.as_micros() - start.as_micros().rem_euclid(60_000_000),
    });
    Ok(Test::Within(start, start.plus(length)))
}

/// How exact a date was written; equality means "the same day" or "the same minute".
enum Precision {
    Day,
    Minute,
}

fn read_instant(text: &str) -> Result<(Timestamp, Precision), String> {
    let text = scalar(text.trim()).text;
    let instant =
        text.parse().map_err(|_| format!("`{text}` is not a date, expected YYYY-MM-DD or YYYY-MM-DD HH:MM"))?;
    Ok((instant, if text.contains(':') { Precision::Minute } else { Precision::Day }))
}

fn instant(at: Timestamp) -> Scalar {
    Scalar { text: at.to_string(), value: ScalarValue::Int(at.as_micros()) }
}

fn boolean(body: &str) -> Result<Test, String> {
    match read_bool(&scalar(body).text) {
        Some(true) => Ok(Test::IsTrue),
        Some(false) => Ok(Test::IsFalse),
        None => Err("expected true or false".to_owned()),
    }
}

fn comparison(body: &str) -> Option<(Comparison, &str)> {
    const SIGNS: &[(&str, Comparison)] = &[
        ("<=", Comparison::LessOrEqual),
        ("=<", Comparison::LessOrEqual),
        (">=", Comparison::GreaterOrEqual),
        ("=>", Comparison::GreaterOrEqual),
        ("<", Comparison::Less),
        (">", Comparison::Greater),
    ];
    SIGNS.iter().find_map(|(sign, comparison)| body.strip_prefix(sign).map(|operand| (*comparison, operand.trim())))
}

fn refuse_range(body: &str) -> Result<(), String> {
    if body.contains("..") { Err("`..` is for dates only".to_owned()) } else { Ok(()) }
}

fn refuse_choice(body: &str) -> Result<(), String> {
    if body.contains('|') { Err("`|` is not possible here".to_owned()) } else { Ok(()) }
}

/// JSON when it is JSON, else the text itself.
fn scalar(text: &str) -> Scalar {
    match serde_json::from_str(text) {
        Ok(Json::Bool(value)) => Scalar { text: text.to_owned(), value: ScalarValue::Bool(value) },
        Ok(Json::String(text)) => Scalar { text, value: ScalarValue::Text },
        Ok(Json::Number(number)) => {
            let value = match (number.as_i64(), number.as_f64()) {
                (Some(integer), _) => ScalarValue::Int(integer),
                (None, Some(float)) => ScalarValue::Float(float),
                (None, None) => ScalarValue::Text,
            };
            Scalar { text: text.to_owned(), value }
        }
        _ => Scalar { text: text.to_owned(), value: ScalarValue::Text },
    }
}
