//! Dates, points in time and durations, in all the forms that the official tools accept.

use jiff::civil::{Date, DateTime, Time};

use super::{Expected, expected};
use crate::node::Value;

/// Numbers up to this are seconds since 1970, larger ones milliseconds.
const LARGEST_SECONDS: f64 = 2e10;
const MICROS: i128 = 1_000_000;
const DAY_MICROS: i128 = 86_400 * MICROS;
const LONGEST_DAYS: i128 = 999_999_999;

const DATE: &str = "a date like 2024-01-31";
const DATETIME: &str = "a date and time like 2024-01-31T09:30:00Z";
const TIMEDELTA: &str = "a duration: seconds as a number, `1:30:00`, `2 days` or `PT90S`";

/// A point in time; a date alone is its midnight, times without zone are UTC.
pub fn datetime(value: &Value) -> Result<Value, Expected> {
    point(value).map_or_else(|| expected(DATETIME), |(point, offset)| Ok(Value::DateTime(datetime_text(point, offset))))
}

/// A date, or a point in time at midnight.
pub fn date(value: &Value) -> Result<Value, Expected> {
    match point(value) {
        Some((point, _)) if point.time() == Time::midnight() => Ok(Value::Date(point.date().to_string())),
        Some(_) => expected(format!("{DATE}, without a time of day")),
        None => expected(DATE),
    }
}

fn point(value: &Value) -> Option<(DateTime, i32)> {
    match value {
        Value::Date(text) | Value::DateTime(text) => parse_point(text),
        Value::Int(value) => unix_time(*value as f64),
        Value::Float(value) => unix_time(*value),
        Value::Str(text) => parse_point(text).or_else(|| unix_time(number(text)?)),
        _ => None,
    }
}

fn unix_time(value: f64) -> Option<(DateTime, i32)> {
    let seconds = if value.abs() > LARGEST_SECONDS { value / 1000.0 } else { value };
    if seconds.is_nan() || seconds.abs() > 3e11 {
        return None;
    }
    let micros = (seconds * MICROS as f64).round() as i64;
    let point = jiff::Timestamp::from_microsecond(micros).ok()?.to_zoned(jiff::tz::TimeZone::UTC).datetime();
    (point.year() >= 1).then_some((point, 0))
}

/// `[+-]?digits[.digits]`
fn number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut parts = digits.splitn(2, '.');
    let is_number = parts.all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    if is_number { text.parse().ok() } else { None }
}

fn parse_point(text: &str) -> Option<(DateTime, i32)> {
    let mut form = Form { rest: text };
    let year = form.digits(4)?;
    form.literal('-')?;
    let month = form.digits(2)?;
    form.literal('-')?;
    let day = form.digits(2)?;
    if year == 0 {
        return None;
    }
    let date = Date::new(year as i16, month as i8, day as i8).ok()?;
    if form.rest.is_empty() {
        return Some((date.to_datetime(Time::midnight()), 0));
    }
    form.rest = form.rest.strip_prefix(['T', 't', ' ', '_'])?;
    let hour = form.digits(2)?;
    form.literal(':')?;
    let minute = form.digits(2)?;
    let mut second = 0;
    let mut micros = 0;
    if form.literal(':').is_some() {
        second = form.digits(2)?;
        if form.literal('.').or_else(|| form.literal(',')).is_some() {
            micros = form.fraction()?;
        }
    }
    let offset = form.offset()?;
    let is_time = form.rest.is_empty() && second < 60;
    let time = Time::new(hour as i8, minute as i8, second as i8, micros as i32 * 1000).ok().filter(|_| is_time)?;
    Some((date.to_datetime(time), offset))
}

/// The canonical text of a point in time: microseconds only when there are some, always an offset.
pub(crate) fn datetime_text(point: DateTime, offset_minutes: i32) -> String {
    let mut text = point.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let micros = point.subsec_nanosecond() / 1000;
    if micros != 0 {
        text += &format!(".{micros:06}");
    }
    let sign = if offset_minutes < 0 { '-' } else { '+' };
    let minutes = offset_minutes.abs();
    text + &format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// A duration in seconds.
pub fn timedelta(value: &Value) -> Result<Value, Expected> {
    let micros = match value {
        Value::TimeDelta(seconds) | Value::Float(seconds) => {
            (seconds.abs() < 1e14).then(|| (seconds * MICROS as f64).round() as i128)
        }
        Value::Int(seconds) => seconds.checked_mul(MICROS),
        Value::Bool(value) => Some(i128::from(*value) * MICROS),
        Value::Str(text) => parse_duration(text),
        _ => None,
    };
    match micros {
        Some(micros) if micros.abs() <= LONGEST_DAYS * DAY_MICROS => {
            Ok(Value::TimeDelta(micros as f64 / MICROS as f64))
        }
        _ => expected(TIMEDELTA),
    }
}

fn parse_duration(text: &str) -> Option<i128> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let micros = match rest.strip_prefix('P') {
        Some(parts) => iso_duration(parts)?,
        None => days(rest).or_else(|| clock(rest))?,
    };
    Some(sign * micros)
}

/// What follows the `P` of an ISO 8601 duration. Months have 30 days, years 365.
fn iso_duration(text: &str) -> Option<i128> {
    let (days, time) = match text.split_once('T') {
        Some((days, time)) => (days, Some(time)),
        None => (text, None),
    };
    if days.is_empty() && time.is_none_or(str::is_empty) {
        return None;
    }
    let days = quantities(days, |unit| match unit {
        'Y' => Some(365 * DAY_MICROS),
        'M' => Some(30 * DAY_MICROS),
        'W' => Some(7 * DAY_MICROS),
        'D' => Some(DAY_MICROS),
        _ => None,
    })?;
    let time = quantities(time.unwrap_or_default(), |unit| match unit {
        'H' => Some(3600 * MICROS),
        'M' => Some(60 * MICROS),
        'S' => Some(MICROS),
        _ => None,
    })?;
    days.checked_add(time)
}

/// A sum of numbers, each with its unit.
fn quantities(text: &str, micros_of: impl Fn(char) -> Option<i128>) -> Option<i128> {
    let mut sum: i128 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|character: char| character.is_ascii_alphabetic())?;
        let (digits, after) = rest.split_at(end);
        let unit = micros_of(after.chars().next()?)?;
        let (whole, fraction) = digits.split_once(['.', ',']).unwrap_or((digits, "0"));
        let mut form = Form { rest: fraction };
        let millionths = form.fraction().filter(|_| form.rest.is_empty())?;
        if whole.is_empty() || whole.len() > 18 || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        sum = sum.checked_add(whole.parse::<i128>().ok()?.checked_mul(unit)? + millionths * unit / MICROS)?;
        rest = &after[1..];
    }
    Some(sum)
}

/// `N d|day|days`, then maybe a clock time.
fn days(text: &str) -> Option<i128> {
    let end = text.find(|character: char| !character.is_ascii_digit())?;
    let (digits, rest) = text.split_at(end);
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    let word = rest.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (word, rest) = rest.split_at(word);
    if !matches!(word.to_ascii_lowercase().as_str(), "d" | "day" | "days") || digits.len() > 18 {
        return None;
    }
    let days = digits.parse::<i128>().ok()?.checked_mul(DAY_MICROS)?;
    let rest = rest.strip_prefix(',').unwrap_or(rest);
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    let time = if rest.is_empty() { 0 } else { clock(rest)? };
    Some(days + time)
}

/// `HH:MM` or `H:MM:SS[.f]`; hours may exceed 23.
fn clock(text: &str) -> Option<i128> {
    let mut parts = text.split(':');
    let hours = parts.next().filter(|hours| !hours.is_empty() && hours.len() <= 12)?;
    let minutes = two_digits(parts.next()?)?;
    let (seconds, micros) = match parts.next() {
        None if hours.len() == 2 => (0, 0),
        None => return None,
        Some(last) => {
            let (whole, fraction) = last.split_once(['.', ',']).unwrap_or((last, "0"));
            let mut form = Form { rest: fraction };
            (two_digits(whole)?, form.fraction().filter(|_| form.rest.is_empty())?)
        }
    };
    if parts.next().is_some() || minutes > 59 || seconds > 59 || !hours.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((hours.parse::<i128>().ok()? * 3600 + minutes * 60 + seconds) * MICROS + micros)
}

fn two_digits(text: &str) -> Option<i128> {
    let is_pair = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_pair.then(|| text.parse().ok()).flatten()
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

    /// Exactly `count` digits.
    fn digits(&mut self, count: usize) -> Option<u32> {
        let digits = self.rest.get(..count).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        self.rest = &self.rest[count..];
        digits.parse().ok()
    }

    /// At least one digit of a fraction, as millionths; the rest is cut off.
    fn fraction(&mut self) -> Option<i128> {
        let end = self.rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        let six = digits.bytes().chain(std::iter::repeat(b'0')).take(6);
        (!digits.is_empty()).then(|| six.fold(0, |sum, digit| sum * 10 + i128::from(digit - b'0')))
    }

    /// Minutes east of Greenwich: none, `Z`, `±hh:mm` or `±hhmm`.
    fn offset(&mut self) -> Option<i32> {
        if self.rest.is_empty() || self.literal('Z').or_else(|| self.literal('z')).is_some() {
            return Some(0);
        }
        let sign = match self.rest.chars().next()? {
            '+' => 1,
            '-' | '\u{2212}' => -1,
            _ => return None,
        };
        self.rest = self.rest.strip_prefix(['+', '-', '\u{2212}'])?;
        let hours = self.digits(2)?;
        let _ = self.literal(':');
        let minutes = self.digits(2)?;
        (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes) as i32)
    }
}
