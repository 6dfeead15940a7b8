//! What a request for statistics asks, read from its query string.

use std::time::Duration;

use polyaxon_model::listing::{Counting, Paging};
use polyaxon_model::stats::{Aggregate, Group, Measure};
use polyaxon_model::time::Timestamp;
use polyaxon_store::stats::{Scope, Trunc, Whose};

use crate::errors::{Error, Result};
use crate::query::Params;

/// What kind of numbers is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Analytics,
    /// The last snapshot.
    Stats,
    Realtime,
    /// The snapshots of a time.
    Series,
}

impl Mode {
    pub(crate) fn read(params: &Params) -> Result<Self> {
        match params.text("mode") {
            Some("analytics") => Ok(Self::Analytics),
            Some("stats") => Ok(Self::Stats),
            Some("realtime") => Ok(Self::Realtime),
            Some("series") => Ok(Self::Series),
            other => Err(Error::rule(format!("Received an unsupported mode: {}", shown(other)))),
        }
    }
}

/// One question about the runs of a scope.
#[derive(Clone, Debug)]
pub(crate) struct Analysis {
    pub scope: Scope,
    pub question: Question,
    /// Of series: one answer for each step.
    pub trunc: Option<Trunc>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Question {
    Progress,
    Count(Group),
    Aggregate(Measure, Vec<Aggregate>),
}

impl Analysis {
    pub(crate) fn read(params: &Params, whose: Whose) -> Result<Self> {
        let (aggregate, groupby) = (params.text("aggregate"), params.text("groupby"));
        let (question, trunc) = match params.text("kind") {
            Some("annotations") if aggregate == Some("progress") => (Question::Progress, None),
            Some("annotations") => (question(aggregate, groupby)?, None),
            Some("series") => {
                let trunc = params.text("trunc").map(trunc).transpose()?;
                let trunc = trunc.ok_or_else(|| unsupported(aggregate, groupby, "a series needs `trunc`"))?;
                (question(aggregate, groupby)?, Some(trunc))
            }
            other => {
                let expected = "expected one of: annotations, series";
                return Err(Error::rule(format!("Received an unsupported kind: {}, {expected}", shown(other))));
            }
        };
        let scope = Scope {
            whose,
            query: params.text("query").unwrap_or_default().to_owned(),
            sort: params.text("sort").unwrap_or_default().to_owned(),
            bookmarked: params.flag("bookmarks"),
            page: page(params)?,
        };
        Ok(Self { scope, question, trunc })
    }
}

fn question(aggregate: Option<&str>, groupby: Option<&str>) -> Result<Question> {
    let given = aggregate.unwrap_or_default();
    if given == "count" {
        let group = groupby.and_then(|word| word.parse().ok());
        let expected = || format!("runs are counted by one of: {}", words(Group::ALL));
        return group.map(Question::Count).ok_or_else(|| unsupported(aggregate, groupby, &expected()));
    }
    let read = |word: &str| {
        let expected = || format!("`{word}` is not one of: progress, count, {}", words(Aggregate::ALL));
        word.trim().parse::<Aggregate>().map_err(|_| unsupported(aggregate, groupby, &expected()))
    };
    let aggregates = given.split(',').map(read).collect::<Result<Vec<_>>>()?;
    let measure = groupby.and_then(|word| word.parse().ok());
    let expected = || format!("aggregates are made of one of: {}", words(Measure::ALL));
    let measure = measure.ok_or_else(|| unsupported(aggregate, groupby, &expected()))?;
    Ok(Question::Aggregate(measure, aggregates))
}

fn trunc(text: &str) -> Result<Trunc> {
    let read = || {
        let (moment, frequency) = text.split_once('.')?;
        Some(Trunc { moment: moment.parse().ok()?, frequency: frequency.parse().ok()? })
    };
    read().ok_or_else(|| {
        Error::rule(format!(
            "Received an unsupported trunc value: {text}, expected created_at, started_at or finished_at, \
             a dot, and one of: minute, hour, day, week, month"
        ))
    })
}

/// The page of runs that is looked at; without a limit it is all of them.
fn page(params: &Params) -> Result<Option<Paging>> {
    let Some(limit) = params.text("limit") else { return Ok(None) };
    let offset = params.text("offset").unwrap_or("0");
    match (limit.parse::<u32>(), offset.parse::<u64>()) {
        (Ok(limit), Ok(offset)) if limit > 0 => Ok(Some(Paging { limit, offset, counting: Counting::Skip })),
        _ => {
            Err(Error::rule(format!("Received a wrong (limit/offset) specification. limit: {limit}, offset: {offset}")))
        }
    }
}

/// The time of a series of snapshots: the last seven days unless told otherwise.
pub(crate) fn range(params: &Params, now: Timestamp) -> Result<(Timestamp, Timestamp)> {
    let read = |name: &str| {
        let wrong = |error: polyaxon_model::time::InvalidTime| Error::rule(format!("{name}: {error}"));
        params.text(name).map(|text| text.parse().map_err(wrong)).transpose()
    };
    let end: Timestamp = read("end_date")?.unwrap_or(now);
    let start = read("start_date")?.unwrap_or(end.minus(WEEK));
    Ok((start, end))
}

const WEEK: Duration = Duration::from_hours(7 * 24);

fn unsupported(aggregate: Option<&str>, groupby: Option<&str>, why: &str) -> Error {
    Error::rule(format!(
        "Received an unsupported stats specification: {} - {}; {why}",
        shown(aggregate),
        shown(groupby)
    ))
}

/// A missing parameter as the official server tells it.
fn shown(value: Option<&str>) -> &str {
    value.unwrap_or("None")
}

fn words<T: std::fmt::Display>(words: &[T]) -> String {
    words.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}
