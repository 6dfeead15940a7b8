//! Statistics of runs: what can be asked, and the numbers of a project at a moment.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::JsonMap;
use crate::kinds::VersionKind;
use crate::status::Status;
use crate::time::Timestamp;
use crate::wire_enum::wire_enum;

wire_enum! {
    /// A number that every run has, or may have.
    Measure as "measure of runs" {
        WaitTime = "wait_time",
        Duration = "duration",
        Cpu = "cpu",
        Memory = "memory",
        Gpu = "gpu",
        Custom = "custom",
        Cost = "cost",
    }
}

wire_enum! {
    /// How the numbers of many runs become one.
    Aggregate as "aggregate" {
        Average = "avg",
        Minimum = "min",
        Maximum = "max",
        Sum = "sum",
        /// The sum of the products with the duration.
        Total = "total",
    }
}

wire_enum! {
    /// What runs are counted by.
    Group as "group of runs" { Status = "status", Kind = "kind", User = "user", Project = "project" }
}

impl Group {
    /// The name under which rows tell the group.
    pub const fn column(self) -> &'static str {
        match self {
            Group::Status => "status",
            Group::Kind => "kind",
            Group::User => "user_name",
            Group::Project => "project_name",
        }
    }
}

wire_enum! {
    /// A moment in the life of a run.
    Moment as "moment of a run" { CreatedAt = "created_at", StartedAt = "started_at", FinishedAt = "finished_at" }
}

wire_enum! {
    /// The length of the steps of a series.
    Frequency as "frequency" { Minute = "minute", Hour = "hour", Day = "day", Week = "week", Month = "month" }
}

impl Frequency {
    /// The longest steps of equal length that no step of this frequency cuts.
    pub const fn grain(self) -> Duration {
        match self {
            Frequency::Minute => Duration::from_mins(1),
            Frequency::Hour => Duration::from_hours(1),
            Frequency::Day | Frequency::Week | Frequency::Month => Duration::from_hours(24),
        }
    }

    /// The beginning of the step that holds an instant, in UTC; weeks begin on Mondays.
    pub fn start(self, at: Timestamp) -> Timestamp {
        let date = at.to_jiff().to_zoned(TimeZone::UTC).date();
        let days = match self {
            Frequency::Minute | Frequency::Hour | Frequency::Day => 0,
            Frequency::Week => i64::from(date.weekday().to_monday_zero_offset()),
            Frequency::Month => i64::from(date.day()) - 1,
        };
        let micros = at.as_micros();
        let grain = i64::try_from(self.grain().as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(micros - micros.rem_euclid(grain) - days * grain)
    }
}

/// The numbers of a project at a moment; maps from live states are keyed by `1`, `0`, `-1`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    pub user: JsonMap,
    pub run: BTreeMap<String, i64>,
    pub status: BTreeMap<Status, i64>,
    pub tracking_time: Sums,
    pub wait_time: Sums,
    pub resources: ResourceSums,
    pub version: BTreeMap<VersionKind, i64>,
}

/// Sums by live state, beside what is usual.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    #[serde(flatten)]
    pub by_live_state: BTreeMap<String, Option<f64>>,
    pub rolling: Rolling,
}

/// What was usual in the last 30 days, over the runs that have the number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rolling {
    pub avg: Option<f64>,
    pub min: Option<f64>,
    pub max: Option<f64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ResourceSums {
    pub cpu: Sums,
    pub memory: Sums,
    pub gpu: Sums,
    pub cost: Sums,
    pub custom: Sums,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_begin_where_the_calendar_says() {
        for (frequency, expected) in [
            (Frequency::Minute, "2026-11-22T12:34:00Z"),
            (Frequency::Hour, "2026-11-22T12:00:00Z"),
            (Frequency::Day, "2026-11-22T00:00:00Z"),
            (Frequency::Week, "2026-11-16T00:00:00Z"),
            (Frequency::Month, "2026-11-01T00:00:00Z"),
        ] {
            let start = frequency.start("2026-11-22T12:34:56.789Z".parse().unwrap());
            assert_eq!(start.to_string(), expected, "{frequency}");
            assert_eq!(frequency.start(start), start, "{frequency}");
        }
        let monday = "2026-11-23T00:00:00Z".parse().unwrap();
        assert_eq!(Frequency::Week.start(monday), monday);
    }

    #[test]
    fn sums_stand_beside_what_is_usual() {
        let sums = Sums {
            by_live_state: BTreeMap::from([("1".to_owned(), Some(2.5))]),
            rolling: Rolling { avg: Some(1.0), ..Rolling::default() },
        };
        let text = r#"{"1":2.5,"rolling":{"avg":1.0,"min":null,"max":null}}"#;
        assert_eq!(serde_json::to_string(&sums).unwrap(), text);
        assert_eq!(serde_json::from_str::<Sums>(text).unwrap(), sums);
    }
}
