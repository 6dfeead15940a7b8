//! Instants in microseconds and the two wire formats of the API (columns and status conditions).
//!
//! Must not know the clock: `now` is always an argument.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::wire_schema;

/// A UTC instant with microsecond precision, as databases and the wire keep it.
///
/// Its text is the format of columns: `2026-11-22T09:27:40.369351Z`, without a fraction when that is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

/// A text that is no date and time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a date and time, expected ISO 8601 such as 2026-11-22T09:27:40.369Z")]
pub struct InvalidTime(pub String);

impl Timestamp {
    pub const fn from_micros(micros: i64) -> Timestamp {
        Timestamp(micros)
    }

    /// Microseconds since the Unix epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Seconds from `earlier` to `self`, rounded to two decimals; zero when the clock was set back in between.
    pub fn seconds_since(self, earlier: Timestamp) -> f64 {
        round_seconds((self.0.saturating_sub(earlier.0)).max(0) as f64 / 1e6)
    }

    pub fn plus(self, duration: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    pub fn minus(self, duration: Duration) -> Timestamp {
        Timestamp(self.0.saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// The same instant for calendar arithmetic; instants outside of the supported years are clamped.
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
    }
}

/// The two decimals of `duration` and `wait_time`.
pub fn round_seconds(seconds: f64) -> f64 {
    (seconds * 100.0).round() / 100.0
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(instant: jiff::Timestamp) -> Timestamp {
        Timestamp(instant.as_microsecond())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = self.to_jiff();
        match self.0.rem_euclid(1_000_000) {
            0 => out.pad(&instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            _ => out.pad(&instant.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()),
        }
    }
}

/// Reads ISO 8601 with an offset or `Z`; a text without an offset is UTC.
impl FromStr for Timestamp {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<Timestamp, InvalidTime> {
        read(text).map(|(instant, _)| instant).ok_or_else(|| InvalidTime(text.to_owned()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A time inside a status condition: milliseconds, in the offset in which it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConditionTime {
    pub instant: Timestamp,
    /// Minutes east of UTC; zero is written as `Z`.
    pub offset_minutes: i32,
}

impl From<Timestamp> for ConditionTime {
    fn from(instant: Timestamp) -> ConditionTime {
        ConditionTime { instant, offset_minutes: 0 }
    }
}

impl fmt::Display for ConditionTime {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offset = jiff::tz::Offset::from_seconds(self.offset_minutes * 60).unwrap_or(jiff::tz::Offset::UTC);
        let local = self.instant.to_jiff().to_zoned(TimeZone::fixed(offset));
        let format = if self.offset_minutes == 0 { "%Y-%m-%dT%H:%M:%S.%3fZ" } else { "%Y-%m-%dT%H:%M:%S.%3f%:z" };
        out.pad(&local.strftime(format).to_string())
    }
}

impl FromStr for ConditionTime {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<ConditionTime, InvalidTime> {
        read(text)
            .map(|(instant, offset_minutes)| ConditionTime { instant, offset_minutes })
            .ok_or_else(|| InvalidTime(text.to_owned()))
    }
}

impl Serialize for ConditionTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ConditionTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ConditionTime, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        wire_schema::time("An instant in UTC with microseconds.", "2026-11-22T09:27:40.369351Z")
    }
}

impl ToSchema for Timestamp {}

impl PartialSchema for ConditionTime {
    fn schema() -> RefOr<Schema> {
        wire_schema::time(
            "An instant with milliseconds, in the offset in which it was given.",
            "2026-11-22T09:27:40.369Z",
        )
    }
}

impl ToSchema for ConditionTime {}

fn read(text: &str) -> Option<(Timestamp, i32)> {
    let text = text.trim();
    let pieces = jiff::fmt::temporal::DateTimeParser::new().parse_pieces(text).ok()?;
    let time = pieces.time().unwrap_or(jiff::civil::Time::midnight());
    let offset = match pieces.offset() {
        Some(jiff::fmt::temporal::PiecesOffset::Numeric(numeric)) => numeric.offset(),
        _ => jiff::tz::Offset::UTC,
    };
    let instant = offset.to_timestamp(pieces.date().to_datetime(time)).ok()?;
    Some((instant.into(), offset.seconds() / 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_microseconds_unless_zero() {
        for (given, written) in [
            ("2026-11-22T09:27:40.369351Z", "2026-11-22T09:27:40.369351Z"),
            ("2026-11-22T09:27:40.5Z", "2026-11-22T09:27:40.500000Z"),
            ("2026-11-22 10:27:40+01:00", "2026-11-22T09:27:40Z"),
            ("2026-11-22T09:27", "2026-11-22T09:27:00Z"),
            ("2026-11-22", "2026-11-22T00:00:00Z"),
        ] {
            assert_eq!(given.parse::<Timestamp>().unwrap().to_string(), written, "{given}");
        }
        assert!("yesterday".parse::<Timestamp>().is_err());
        assert!("".parse::<Timestamp>().is_err());
    }

    #[test]
    fn conditions_have_milliseconds_and_keep_the_offset() {
        for (given, written) in [
            ("2026-11-22T09:27:40.369951Z", "2026-11-22T09:27:40.369Z"),
            ("2026-11-22T10:27:40.369+01:00", "2026-11-22T10:27:40.369+01:00"),
            ("2026-11-22T10:27:40-05:30", "2026-11-22T10:27:40.000-05:30"),
            ("2026-11-22T10:27:40", "2026-11-22T10:27:40.000Z"),
        ] {
            assert_eq!(given.parse::<ConditionTime>().unwrap().to_string(), written, "{given}");
        }
    }

    #[test]
    fn a_clock_that_went_back_gives_zero_seconds() {
        assert_eq!(Timestamp::from_micros(5).seconds_since(Timestamp::from_micros(5_000_000)), 0.0);
        assert_eq!(Timestamp::from_micros(1_236_000).seconds_since(Timestamp::from_micros(0)), 1.24);
    }
}
