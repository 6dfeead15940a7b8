//! When a schedule starts its next run, and when it is over.
//!
//! A *tick* is a run of a schedule. There is one tick in the future at any time; what comes after it is decided when it
//! starts, or when it has ended (`dependsOnPast`).

use std::time::Duration;

use jiff::tz::TimeZone;
use polyaxon_model::time::Timestamp;
use polyaxon_spec::node::{Node, Value};

use super::cron::Cron;

/// How late a tick may be before it counts as missed.
pub const LATE: Duration = Duration::from_mins(1);

/// A schedule that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    pub rhythm: Rhythm,
    pub start_at: Option<Timestamp>,
    pub end_at: Option<Timestamp>,
    /// Greatest number of ticks.
    pub max_runs: Option<u64>,
    /// The next tick is made when this one has ended, not when it starts.
    pub depends_on_past: bool,
    pub catch_up: CatchUp,
    pub zone: TimeZone,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Rhythm {
    Cron(Box<Cron>),
    Interval(Duration),
    Once,
}

/// What becomes of ticks whose time passed while nobody was there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CatchUp {
    /// Each is made up for, one after the other.
    #[default]
    All,
    /// Only the latest is.
    Latest,
    /// None is.
    Nothing,
}

/// What follows a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    At(Timestamp),
    /// The schedule is over.
    Finished,
}

impl Schedule {
    /// Reads the `schedule` section of an operation. `zone` finds a time zone by its name.
    pub fn read(section: &Node, zone: impl Fn(&str) -> Option<TimeZone>) -> Result<Schedule, String> {
        let text = |field: &str| match section.get(field).map(|node| &node.value) {
            Some(Value::Str(text) | Value::DateTime(text) | Value::Date(text)) => Some(text.as_str()),
            _ => None,
        };
        let time = |field: &str| match text(field) {
            Some(text) => text.parse::<Timestamp>().map(Some).map_err(|error| format!("schedule.{field}: {error}")),
            None => Ok(None),
        };
        let start_at = time("startAt")?;
        let rhythm = match text("kind").unwrap_or_default() {
            "cron" => {
                let cron = Cron::parse(text("cron").unwrap_or_default());
                Rhythm::Cron(Box::new(cron.map_err(|error| format!("schedule.cron: {error}"))?))
            }
            "interval" => Rhythm::Interval(frequency(section.get("frequency"))?),
            "datetime" if start_at.is_none() => return Err("schedule.startAt: a datetime schedule needs it".to_owned()),
            "datetime" => Rhythm::Once,
            other => return Err(format!("schedule.kind: `{other}` is not one of cron, interval, datetime")),
        };
        let zone = match text("timezone") {
            Some(name) => zone(name).ok_or_else(|| {
                format!("schedule.timezone: `{name}` is not a time zone; use a name such as Europe/Berlin")
            })?,
            None => TimeZone::UTC,
        };
        let catch_up = match text("catchup") {
            None | Some("all") => CatchUp::All,
            Some("latest") => CatchUp::Latest,
            Some("none") => CatchUp::Nothing,
            Some(other) => return Err(format!("schedule.catchup: `{other}` is not one of all, latest, none")),
        };
        let max_runs = section.get("maxRuns").and_then(Node::as_int).and_then(|runs| u64::try_from(runs).ok());
        Ok(Schedule {
            rhythm,
            start_at,
            end_at: time("endAt")?,
            max_runs: max_runs.filter(|runs| *runs > 0),
            depends_on_past: section.get("dependsOnPast").and_then(Node::as_bool) == Some(true),
            catch_up,
            zone,
        })
    }

    /// What comes after the last tick, or the first tick of all. `made` counts the ticks so far.
    pub fn next(&self, created_at: Timestamp, last: Option<Timestamp>, made: u64, now: Timestamp) -> Next {
        let Some(due) = self.due_after(created_at, last) else { return Next::Finished };
        let next = if last.is_none() { due } else { self.caught_up(created_at, due, now) };
        let is_over =
            self.max_runs.is_some_and(|most| made >= most) || self.end_at.is_some_and(|end| now >= end || next > end);
        if is_over { Next::Finished } else { Next::At(next) }
    }

    /// Whether a tick that comes this late is left out, because a later one takes its place.
    pub fn is_missed(&self, created_at: Timestamp, at: Timestamp, now: Timestamp) -> bool {
        let later = || self.due_after(created_at, Some(at)).filter(|next| *next <= now);
        match self.catch_up {
            CatchUp::All => false,
            CatchUp::Latest => later().is_some(),
            // What will never come again is made up for, however late.
            CatchUp::Nothing => now > at.plus(LATE) && self.due_after(created_at, Some(at)).is_some(),
        }
    }

    /// The first instant of the schedule after the last one, whatever the time is.
    fn due_after(&self, created_at: Timestamp, last: Option<Timestamp>) -> Option<Timestamp> {
        match (last, self.start_at, &self.rhythm) {
            (None, Some(start), _) => Some(start),
            (Some(_), _, Rhythm::Once) | (None, None, Rhythm::Once) => None,
            (None, None, Rhythm::Interval(every)) => Some(created_at.plus(*every)),
            (Some(last), start, Rhythm::Interval(every)) => Some(after(start.unwrap_or(created_at), *every, last)),
            (last, _, Rhythm::Cron(cron)) => cron.next(last.unwrap_or(created_at), &self.zone),
        }
    }

    /// The tick that is made instead of `due`, when some have passed.
    fn caught_up(&self, created_at: Timestamp, due: Timestamp, now: Timestamp) -> Timestamp {
        if due > now || self.catch_up == CatchUp::All {
            return due;
        }
        // From one instant to the next, except for intervals, which are counted.
        let mut latest = match &self.rhythm {
            Rhythm::Interval(every) => after(due, *every, now).minus(*every),
            _ => due,
        };
        while let Some(next) = self.due_after(created_at, Some(latest)) {
            if next > now {
                return if self.catch_up == CatchUp::Latest { latest } else { next };
            }
            latest = next;
        }
        latest
    }
}

/// The smallest `start + k * every` that is strictly greater than `last`.
fn after(start: Timestamp, every: Duration, last: Timestamp) -> Timestamp {
    if last < start {
        return start;
    }
    let step = i64::try_from(every.as_micros()).unwrap_or(i64::MAX).max(1);
    let count = (last.as_micros() - start.as_micros()) / step + 1;
    Timestamp::from_micros(start.as_micros().saturating_add(count.saturating_mul(step)))
}

fn frequency(node: Option<&Node>) -> Result<Duration, String> {
    let seconds = match node.map(|node| &node.value) {
        Some(Value::Int(seconds)) => *seconds as f64,
        Some(Value::Float(seconds) | Value::TimeDelta(seconds)) => *seconds,
        _ => return Err("schedule.frequency: an interval schedule needs a number of seconds".to_owned()),
    };
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|every| every.as_micros() > 0)
        .ok_or_else(|| format!("schedule.frequency: {seconds} seconds is not a time between two runs"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    const CASES: &str = include_str!("../../tests/data/schedule-cases.json");

    fn schedule(section: &Json) -> Schedule {
        Schedule::read(&Node::from_json(section), |_| None).unwrap_or_else(|problem| panic!("{problem}"))
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Ticks of a server that is always there.
    fn ticks(schedule: &Schedule, created: &str, most: usize) -> Vec<String> {
        let created = at(created);
        let (mut last, mut ticks) = (None, Vec::new());
        while ticks.len() < most {
            let now = last.unwrap_or(created);
            let Next::At(next) = schedule.next(created, last, ticks.len() as u64, now) else { break };
            ticks.push(next.to_string());
            last = Some(next);
        }
        ticks
    }

    #[test]
    fn intervals_are_the_recorded_ones() {
        let cases: Json = serde_json::from_str(CASES).unwrap();
        for case in cases["interval"].as_array().unwrap() {
            let start = at(case["startAt"].as_str().unwrap());
            let section = json!({"kind": "interval", "frequency": case["frequency"]});
            let last = case["lastScheduleAt"].as_str().map(at);
            let next = schedule(&section).next(start, last, 1, start);
            assert_eq!(next, Next::At(at(case["next"].as_str().unwrap())), "{case}");
        }
    }

    #[test]
    fn lives_of_schedules_are_the_recorded_ones() {
        let cases: Json = serde_json::from_str(CASES).unwrap();
        for case in cases["lifecycle"].as_array().unwrap() {
            let found = ticks(&schedule(&case["schedule"]), case["created"].as_str().unwrap(), 5);
            match (&case["ticks"], &case["firstTick"]) {
                (Json::Array(expected), _) => assert_eq!(json!(found), json!(expected), "{case}"),
                (_, first) => assert_eq!(json!(found[0]), *first, "{case}"),
            }
        }
    }

    #[test]
    fn the_table_of_the_manual() {
        let start = json!({"kind": "cron", "cron": "*/15 9-10 * * 1-5", "startAt": "2026-01-09T10:20:00"});
        assert_eq!(
            ticks(&schedule(&start), "2026-01-01T00:00:00Z", 4),
            ["2026-01-09T10:20:00Z", "2026-01-09T10:30:00Z", "2026-01-09T10:45:00Z", "2026-01-12T09:00:00Z"]
        );
        let past = json!({"kind": "cron", "cron": "0 0 * * *", "startAt": "2026-01-01T10:00:00Z"});
        assert_eq!(
            ticks(&schedule(&past), "2026-01-10T13:05:00Z", 2),
            ["2026-01-01T10:00:00Z", "2026-01-02T00:00:00Z"],
            "a start in the past runs at once, then the missed ones follow"
        );
    }

    #[test]
    fn missed_ticks_are_caught_up_as_the_schedule_says() {
        let created = at("2026-01-10T12:00:00Z");
        let (last, now) = (at("2026-01-10T13:00:00Z"), at("2026-01-10T16:30:00Z"));
        for (policy, expected, is_missed) in [
            ("all", "2026-01-10T14:00:00Z", false),
            ("latest", "2026-01-10T16:00:00Z", true),
            ("none", "2026-01-10T17:00:00Z", true),
        ] {
            for section in [
                json!({"kind": "interval", "frequency": 3600, "catchup": policy}),
                json!({"kind": "cron", "cron": "0 * * * *", "catchup": policy}),
            ] {
                let schedule = schedule(&section);
                assert_eq!(schedule.next(created, Some(last), 1, now), Next::At(at(expected)), "{section}");
                assert_eq!(schedule.is_missed(created, last, now), is_missed, "{section}");
            }
        }
        let once = schedule(&json!({"kind": "datetime", "startAt": "2026-01-10T13:00:00Z", "catchup": "none"}));
        assert!(!once.is_missed(created, last, now));
    }

    #[test]
    fn sections_that_cannot_be_read_are_named() {
        for (section, expected) in [
            (json!({"kind": "cron", "cron": "61 * * * *"}), "schedule.cron: the cron expression `61 * * * *`"),
            (json!({"kind": "interval", "frequency": 0}), "schedule.frequency: 0 seconds"),
            (json!({"kind": "datetime"}), "schedule.startAt"),
            (json!({"kind": "interval", "frequency": 5, "timezone": "Mars"}), "`Mars` is not a time zone"),
            (json!({"kind": "interval", "frequency": 5, "catchup": "some"}), "`some` is not one of"),
        ] {
            let problem = Schedule::read(&Node::from_json(&section), |_| None).unwrap_err();
            assert!(problem.contains(expected), "{problem}");
        }
    }
}
