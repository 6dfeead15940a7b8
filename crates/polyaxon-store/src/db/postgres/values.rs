//! Values as PostgreSQL sends and takes them. An argument becomes what its statement expects at its place.

use std::error::Error as StdError;

use ::postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use bytes::{BufMut as _, BytesMut};

use crate::db::Value;

type Failure = Box<dyn StdError + Sync + Send>;

impl ToSql for Value {
    fn to_sql(&self, wanted: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        match (self, wanted) {
            (Value::Null, _) => return Ok(IsNull::Yes),
            (Value::Text(text), &Type::JSONB) => {
                out.put_u8(JSONB_VERSION);
                out.put_slice(without_null_escapes(text).as_bytes());
            }
            (Value::Text(text), &Type::JSON) => out.put_slice(without_null_escapes(text).as_bytes()),
            (value, &Type::TEXT | &Type::VARCHAR | &Type::NAME | &Type::BPCHAR) => {
                out.put_slice(text(value).as_bytes());
            }
            (value, &Type::BOOL) => out.put_u8(u8::from(integer(value, wanted)? != 0)),
            (value, &Type::INT2) => out.put_i16(i16::try_from(integer(value, wanted)?)?),
            (value, &Type::INT4) => out.put_i32(i32::try_from(integer(value, wanted)?)?),
            (value, &Type::INT8) => out.put_i64(integer(value, wanted)?),
            (value, &Type::FLOAT8) => out.put_f64(float(value, wanted)?),
            (value, &Type::FLOAT4) => out.put_f32(float(value, wanted)? as f32),
            (value, other) => return Err(unfit(value, other)),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Value, Failure> {
        Ok(match *kind {
            Type::BOOL => Value::Bool(bool::from_sql(kind, raw)?),
            Type::INT2 => Value::Int(i16::from_sql(kind, raw)?.into()),
            Type::INT4 => Value::Int(i32::from_sql(kind, raw)?.into()),
            Type::INT8 => Value::Int(i64::from_sql(kind, raw)?),
            Type::FLOAT4 => Value::Float(f32::from_sql(kind, raw)?.into()),
            Type::FLOAT8 => Value::Float(f64::from_sql(kind, raw)?),
            Type::NUMERIC => numeric(raw)?,
            Type::JSONB => Value::Text(std::str::from_utf8(raw.get(1..).unwrap_or_default())?.to_owned()),
            Type::TEXT | Type::VARCHAR | Type::NAME | Type::BPCHAR | Type::JSON | Type::UNKNOWN => {
                Value::Text(std::str::from_utf8(raw)?.to_owned())
            }
            _ => return Err(format!("a column of type {kind} cannot be read").into()),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Value, Failure> {
        Ok(Value::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

const JSONB_VERSION: u8 = 1;

/// PostgreSQL keeps no U+0000 in texts. A run must not get stuck for a stray byte in a message, so it is replaced
/// by the character for what cannot be shown.
fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.replace('\0', "\u{fffd}"),
        Value::Bool(value) => u8::from(*value).to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Null => String::new(),
    }
}

/// The same for JSON, where the character is written as an escape.
fn without_null_escapes(json: &str) -> String {
    const ESCAPE: &str = "\\u0000";
    let mut clean = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(place) = rest.find(ESCAPE) {
        let (before, after) = (&rest[..place], &rest[place + ESCAPE.len()..]);
        let backslashes = before.len() - before.trim_end_matches('\\').len();
        clean.push_str(before);
        // After another backslash it is that one which is escaped.
        clean.push_str(if backslashes % 2 == 0 { "\u{fffd}" } else { ESCAPE });
        rest = after;
    }
    clean.push_str(rest);
    clean
}

fn integer(value: &Value, wanted: &Type) -> Result<i64, Failure> {
    match value {
        Value::Bool(value) => Ok((*value).into()),
        Value::Int(number) => Ok(*number),
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 9e18 => Ok(*number as i64),
        other => Err(unfit(other, wanted)),
    }
}

fn float(value: &Value, wanted: &Type) -> Result<f64, Failure> {
    match value {
        Value::Bool(value) => Ok(u8::from(*value).into()),
        Value::Int(number) => Ok(*number as f64),
        Value::Float(number) => Ok(*number),
        other => Err(unfit(other, wanted)),
    }
}

fn unfit(value: &Value, wanted: &Type) -> Failure {
    format!("{value:?} is no value for {wanted}").into()
}

/// What sums and averages come as: base 10000, four digits a group.
fn numeric(raw: &[u8]) -> Result<Value, Failure> {
    const NEGATIVE: i16 = 0x4000;
    let mut words = raw.chunks_exact(2).map(|pair| i16::from_be_bytes([pair[0], pair[1]]));
    let mut next = || words.next().ok_or("a numeric is cut off");
    let (count, weight, sign, scale) = (next()?, next()?, next()?, next()?);
    let mut magnitude = 0.0_f64;
    let mut whole = Some(0_i64);
    for place in 0..i32::from(count.max(weight + 1)) {
        let digit = if place < i32::from(count) { next()? } else { 0 };
        let power = i32::from(weight) - place;
        magnitude += f64::from(digit) * 10_000_f64.powi(power);
        if power >= 0 {
            whole = whole.and_then(|number| number.checked_mul(10_000)?.checked_add(digit.into()));
        }
    }
    let factor = if sign == NEGATIVE { -1 } else { 1 };
    Ok(match whole {
        Some(number) if scale == 0 => Value::Int(number * factor),
        _ => Value::Float(magnitude * factor as f64),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(value: &Value, wanted: &Type) -> Result<Vec<u8>, String> {
        let mut out = BytesMut::new();
        value.to_sql(wanted, &mut out).map(|_| out.to_vec()).map_err(|error| error.to_string())
    }

    #[test]
    fn arguments_become_what_is_expected() {
        assert_eq!(sent(&Value::Int(1), &Type::BOOL), Ok(vec![1]));
        assert_eq!(sent(&Value::Bool(true), &Type::INT8), Ok(1_i64.to_be_bytes().to_vec()));
        assert_eq!(sent(&Value::Int(2), &Type::FLOAT8), Ok(2_f64.to_be_bytes().to_vec()));
        assert_eq!(sent(&Value::Text("{}".into()), &Type::JSONB), Ok(b"\x01{}".to_vec()));
        assert!(sent(&Value::Int(i64::MAX), &Type::INT4).is_err());
        assert_eq!(sent(&Value::Float(0.5), &Type::INT8), Err("Float(0.5) is no value for int8".to_owned()));
    }

    #[test]
    fn null_characters_are_replaced() {
        assert_eq!(sent(&Value::Text("a\0b".into()), &Type::TEXT), Ok("a\u{fffd}b".into()));
        for (json, clean) in [
            (r#"{"a":"x\u0000y"}"#, "{\"a\":\"x\u{fffd}y\"}"),
            (r#"{"a":"x\\u0000y"}"#, r#"{"a":"x\\u0000y"}"#),
            (r#"{"a":"x\\\u0000\u0000"}"#, "{\"a\":\"x\\\\\u{fffd}\u{fffd}\"}"),
        ] {
            assert_eq!(without_null_escapes(json), clean, "{json}");
        }
    }

    #[test]
    fn numerics_become_integers_when_they_are_whole() {
        let words = |words: &[i16]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
        for (raw, value) in [
            (words(&[0, 0, 0, 0]), Value::Int(0)),
            (words(&[2, 1, 0, 0, 12, 3456]), Value::Int(123_456)),
            (words(&[1, 1, 0, 0, 12]), Value::Int(120_000)),
            (words(&[1, 0, 0x4000, 0, 7]), Value::Int(-7)),
            (words(&[2, 0, 0, 1, 1, 5000]), Value::Float(1.5)),
            (words(&[1, -1, 0, 2, 2500]), Value::Float(0.25)),
        ] {
            assert_eq!(numeric(&raw).unwrap(), value);
        }
    }
}
