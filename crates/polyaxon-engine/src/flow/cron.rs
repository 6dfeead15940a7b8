//! Cron expressions and the instants that they name.
//!
//! Five fields, then optionally seconds and years; lists, ranges (which may wrap around), steps, names, `l` for the last
//! day of a month, `5#3` for the third Friday, `?` for any day. A day matches either restricted day field when both are.
//! Local times that a time zone leaves out mean the next instant, those that it repeats mean the first one.

mod field;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{ToSpan as _, civil};
use polyaxon_model::time::Timestamp;

use field::{DAYS, HOURS, MINUTES, MONTHS, SECONDS, Set, WEEKDAYS, Years};

/// Days that are searched for the next match: leap days and weekdays repeat within 40 years.
const MOST_DAYS: i32 = 366 * 50;

/// A cron expression that matches at least one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    seconds: Set,
    minutes: Set,
    hours: Set,
    days: Set,
    /// The last day of the month.
    last_day: bool,
    months: Set,
    weekdays: Set,
    /// Weekday (Sunday is 0) and its number in the month.
    nth_weekdays: Vec<(i8, i8)>,
    years: Years,
}

/// Why a text is no cron expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    #[error(
        "the cron expression `{0}` is not one of @hourly, @daily, @midnight, @weekly, @monthly, @quarterly, @yearly, @annually"
    )]
    Preset(String),
    #[error(
        "the cron expression `{text}` has {found} fields, expected 5 (minute hour day month weekday), and then seconds and years if needed"
    )]
    Count { text: String, found: usize },
    #[error("the cron expression `{text}` cannot be read: the {field} `{part}` {problem}")]
    Field { text: String, field: &'static str, part: String, problem: String },
    #[error("the cron expression `{0}` matches no day")]
    Never(String),
}

const PRESETS: &[(&str, &str)] = &[
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@quarterly", "0 0 1 1,4,7,10 *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

impl Cron {
    pub fn parse(text: &str) -> Result<Cron, CronError> {
        let lower = text.trim().to_ascii_lowercase();
        let preset = PRESETS.iter().find(|(name, _)| *name == lower).map(|(_, expression)| *expression);
        if preset.is_none() && lower.starts_with('@') {
            return Err(CronError::Preset(text.to_owned()));
        }
        let fields: Vec<&str> = preset.unwrap_or(&lower).split_whitespace().collect();
        if !(5..=7).contains(&fields.len()) {
            return Err(CronError::Count { text: text.to_owned(), found: fields.len() });
        }
        let failed = |field, part: &str| {
            let (text, part) = (text.to_owned(), part.to_owned());
            move |problem| CronError::Field { text, field, part, problem }
        };
        let set = |kind: &'static field::Kind, part: &str| field::set(kind, part).map_err(failed(kind.name, part));
        let mut last_day = false;
        let days: Vec<&str> = fields[2].split(',').filter(|part| !is_last(part, &mut last_day)).collect();
        let mut nth_weekdays = Vec::new();
        let mut weekdays = Vec::new();
        for part in fields[4].split(',') {
            match field::nth_weekday(part).map_err(failed(WEEKDAYS.name, part))? {
                Some(nth) => nth_weekdays.push(nth),
                None => weekdays.push(part),
            }
        }
        let some = |kind: &'static field::Kind, parts: &[&str]| match parts {
            [] => Ok(Set::EMPTY),
            parts => set(kind, &parts.join(",")),
        };
        let cron = Cron {
            minutes: set(&MINUTES, fields[0])?,
            hours: set(&HOURS, fields[1])?,
            days: some(&DAYS, &days)?,
            last_day,
            months: set(&MONTHS, fields[3])?,
            weekdays: some(&WEEKDAYS, &weekdays)?,
            nth_weekdays,
            seconds: set(&SECONDS, fields.get(5).unwrap_or(&"0"))?,
            years: Years::parse(fields.get(6).unwrap_or(&"*"))
                .map_err(failed("year", fields.get(6).unwrap_or(&"*")))?,
        };
        let start = cron.years.first().max(2000);
        match cron.next_day(civil::date(start, 1, 1)) {
            Some(_) => Ok(cron),
            None => Err(CronError::Never(text.to_owned())),
        }
    }

    /// The first match strictly after an instant; none when there is none within 50 years.
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let start = after.to_jiff().to_zoned(zone.clone()).datetime();
        let mut from = start.with().subsec_nanosecond(0).build().ok()?;
        loop {
            let found = self.next_local(from)?;
            let instant = to_instant(found, zone)?;
            if instant > after {
                return Some(instant);
            }
            from = found.checked_add(1.second()).ok()?;
        }
    }

    /// The first local time from `from` on.
    fn next_local(&self, from: DateTime) -> Option<DateTime> {
        let first = self.next_day(from.date())?;
        if first == from.date()
            && let Some(time) = self.next_time(from.time())
        {
            return Some(first.to_datetime(time));
        }
        let next = if first == from.date() { self.next_day(first.tomorrow().ok()?)? } else { first };
        Some(next.to_datetime(self.next_time(civil::Time::midnight())?))
    }

    fn next_day(&self, from: Date) -> Option<Date> {
        let mut day = from;
        for _ in 0..MOST_DAYS {
            if self.matches_day(day) {
                return Some(day);
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    fn matches_day(&self, day: Date) -> bool {
        if !self.months.contains(day.month()) || !self.years.contains(day.year()) {
            return false;
        }
        let weekday = day.weekday().to_sunday_zero_offset();
        let in_month = self.days.contains(day.day()) || (self.last_day && day.day() == day.days_in_month());
        let nth = (weekday, (day.day() - 1) / 7 + 1);
        let in_week = self.weekdays.contains(weekday) || self.nth_weekdays.contains(&nth);
        match (self.days.is_full(&DAYS), self.weekdays.is_full(&WEEKDAYS)) {
            (false, false) => in_month || in_week,
            _ => in_month && in_week,
        }
    }

    fn next_time(&self, from: civil::Time) -> Option<civil::Time> {
        for hour in self.hours.from(from.hour()) {
            let is_first_hour = hour == from.hour();
            let first_minute = if is_first_hour { from.minute() } else { 0 };
            for minute in self.minutes.from(first_minute) {
                let is_first = is_first_hour && minute == from.minute();
                let first_second = if is_first { from.second() } else { 0 };
                if let Some(second) = self.seconds.from(first_second).next() {
                    return civil::Time::new(hour, minute, second, 0).ok();
                }
            }
        }
        None
    }
}

fn is_last(part: &str, last_day: &mut bool) -> bool {
    let is_last = part == "l";
    *last_day |= is_last;
    is_last
}

/// The instant of a local time: of those that are left out the end of the gap, of those that repeat the first.
fn to_instant(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    let instant = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok()?,
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local).ok()?,
        AmbiguousOffset::Gap { after, .. } => {
            // Read with the later offset, the time lies before the gap; the next transition is the end of it.
            let before_gap = after.to_timestamp(local).ok()?;
            zone.following(before_gap).next().map_or(before_gap, |transition| transition.timestamp())
        }
    };
    Some(instant.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value as Json;

    /// What the reference implementation answered.
    const CASES: &str = include_str!("../../tests/data/schedule-cases.json");

    fn times(text: &str, base: &str, zone: &TimeZone, count: usize) -> Vec<String> {
        let cron = Cron::parse(text).unwrap_or_else(|error| panic!("{error}"));
        let mut at: Timestamp = base.parse().unwrap();
        let mut found = Vec::new();
        while found.len() < count {
            let Some(next) = cron.next(at, zone) else { break };
            found.push(next.to_string());
            at = next;
        }
        found
    }

    #[test]
    fn expressions_name_the_recorded_instants() {
        let cases: Json = serde_json::from_str(CASES).unwrap();
        let lists = ["cron", "cronOdd"].map(|key| cases[key].as_array().unwrap().clone());
        let mut count = 0;
        for case in lists.iter().flatten() {
            let text = case["cron"].as_str().unwrap();
            let expected: Vec<&str> = case["next"].as_array().unwrap().iter().map(|at| at.as_str().unwrap()).collect();
            assert_eq!(times(text, case["base"].as_str().unwrap(), &TimeZone::UTC, expected.len()), expected, "{text}");
            count += 1;
        }
        assert_eq!(count, 44);
    }

    #[test]
    fn texts_that_are_no_expression_are_refused() {
        let cases: Json = serde_json::from_str(CASES).unwrap();
        for case in cases["cronInvalid"].as_array().unwrap() {
            let text = case["cron"].as_str().unwrap();
            assert!(Cron::parse(text).is_err(), "{text}");
        }
        for (text, expected) in [
            ("60 * * * *", "the minute `60` is not between 0 and 59"),
            ("* * * * 8", "the weekday `8` is not between 0 and 7"),
            ("*/0 * * * *", "the minute `*/0` has a step of zero"),
            ("0 0 31 2 *", "matches no day"),
            ("* * *", "has 3 fields"),
        ] {
            let error = Cron::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn clocks_that_change_leave_nothing_out_and_repeat_nothing() {
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let daily = times("30 2 * * *", "2026-03-28T00:00:00Z", &berlin, 3);
        assert_eq!(daily, ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]);
        let half_hours = times("*/30 * * * *", "2026-03-29T00:10:00Z", &berlin, 3);
        assert_eq!(half_hours, ["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"]);
        let autumn = times("30 2 * * *", "2026-10-24T12:00:00Z", &berlin, 2);
        assert_eq!(autumn, ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
        let repeated = times("0 * * * *", "2026-10-24T23:30:00Z", &berlin, 3);
        assert_eq!(repeated, ["2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z", "2026-10-25T03:00:00Z"]);
    }
}
