//! Numbers over the runs that a filter selects: counts, aggregates, series.
//!
//! Steps of a series are cut by the database into days at most; what is longer is put together here, so that the SQL
//! knows no calendar.

use std::collections::BTreeMap;

use polyaxon_model::ids::{ProjectId, RunId};
use polyaxon_model::listing::Paging;
use polyaxon_model::pql;
use polyaxon_model::pql::fields::RUNS;
use polyaxon_model::stats::{Aggregate, Frequency, Group, Measure, Moment};
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use serde_json::{Map, Value as Json, json};

use crate::db::{Row, Tx, Value, args, first, scalar};
use crate::listing::{self, Select};
use crate::run_list::{self, RunQuery};
use crate::{Error, Result};

/// Which runs are looked at.
#[derive(Clone, Debug)]
pub struct Scope {
    pub whose: Whose,
    /// PQL text, with the implicit filters of lists of runs.
    pub query: String,
    pub sort: String,
    pub bookmarked: Option<bool>,
    /// Only one page of them.
    pub page: Option<Paging>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    Project(ProjectId),
    /// The runs that a dag, a matrix or a schedule started.
    Pipeline(RunId),
}

/// Steps of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trunc {
    pub moment: Moment,
    pub frequency: Frequency,
}

/// How many of the runs are done: `{"done", "count"}`.
pub fn progress(tx: &mut dyn Tx, scope: &Scope, now: Timestamp) -> Result<Json> {
    let done = list(Status::is_done);
    let columns =
        format!("count(*), CAST(coalesce(sum(CASE WHEN r.status IN ({done}) THEN 1 ELSE 0 END), 0) AS BIGINT)");
    let mut rows = select(tx, scope, &columns, "", now)?;
    let (mut count, mut done) = (0_i64, 0_i64);
    if let Some(row) = rows.first_mut() {
        (count, done) = (row.take()?, row.take()?);
    }
    Ok(json!({ "done": done, "count": count }))
}

/// How many runs there are of each group: a list of rows.
pub fn count(tx: &mut dyn Tx, scope: &Scope, group: Group, trunc: Option<Trunc>, now: Timestamp) -> Result<Json> {
    let key = match group {
        Group::Status => "r.status",
        Group::Kind => "r.kind",
        // Nobody logs in to this edition.
        Group::User => "CAST(NULL AS TEXT)",
        Group::Project => "(SELECT p.name FROM projects p WHERE p.id = r.project_id)",
    };
    let columns = format!("{key} AS grouped, {} AS bucket, count(*)", bucket(trunc));
    let mut counts: BTreeMap<(Option<Timestamp>, Option<String>), i64> = BTreeMap::new();
    for mut row in select(tx, scope, &columns, " GROUP BY 1, 2", now)? {
        let key: Option<String> = row.take()?;
        let step = step(row.take()?, trunc);
        *counts.entry((step, key)).or_default() += row.take::<i64>()?;
    }
    let rows = counts.into_iter().map(|((step, key), count)| {
        let mut fields = Map::from_iter([(group.column().to_owned(), json!(key))]);
        if trunc.is_some() {
            fields.insert("trunc_time".to_owned(), json!(step));
        }
        fields.insert("count".to_owned(), json!(count));
        Json::Object(fields)
    });
    Ok(rows.collect())
}

/// Aggregates of a number: one object, or one for each step of a series.
pub fn aggregate(
    tx: &mut dyn Tx,
    scope: &Scope,
    (measure, aggregates): (Measure, &[Aggregate]),
    trunc: Option<Trunc>,
    now: Timestamp,
) -> Result<Json> {
    let columns = format!(
        "{} AS bucket, count(r.{measure}), sum(r.{measure}), min(r.{measure}), max(r.{measure}), \
         sum(r.{measure} * r.duration)",
        bucket(trunc)
    );
    let mut steps: BTreeMap<Option<Timestamp>, Numbers> = BTreeMap::new();
    for mut row in select(tx, scope, &columns, " GROUP BY 1", now)? {
        let step = step(row.take()?, trunc);
        steps.entry(step).or_default().add(&mut row)?;
    }
    let fill = |mut fields: Map<String, Json>, numbers: Numbers| {
        for aggregate in aggregates {
            fields.insert(format!("{measure}__{aggregate}"), json!(numbers.get(*aggregate)));
        }
        Json::Object(fields)
    };
    if trunc.is_none() {
        return Ok(fill(Map::new(), steps.remove(&None).unwrap_or_default()));
    }
    let rows = steps
        .into_iter()
        .map(|(step, numbers)| fill(Map::from_iter([("trunc_time".to_owned(), json!(step))]), numbers));
    Ok(rows.collect())
}

/// How many runs of a project wait, run, or have trouble.
pub fn realtime(tx: &mut dyn Tx, project: ProjectId) -> Result<Json> {
    let sum = |is_meant: fn(Status) -> bool| {
        format!("CAST(coalesce(sum(CASE WHEN status IN ({}) THEN 1 ELSE 0 END), 0) AS BIGINT)", list(is_meant))
    };
    let sql = format!(
        "SELECT {}, {}, {} FROM runs WHERE live_state = 1 \
         AND project_id = (SELECT id FROM projects WHERE uuid = ?1)",
        sum(Status::is_pending),
        sum(Status::is_running),
        sum(Status::is_warning)
    );
    let mut row = first(tx, &sql, args![project])?.ok_or_else(|| Error::not_found("Project", project))?;
    let (pending, running, warning): (i64, i64, i64) = (row.take()?, row.take()?, row.take()?);
    Ok(json!({ "pending": pending, "running": running, "warning": warning }))
}

/// The numbers of a step; averages are made at the end.
#[derive(Clone, Copy, Debug, Default)]
struct Numbers {
    count: i64,
    sum: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
    total: Option<f64>,
}

impl Numbers {
    fn add(&mut self, row: &mut Row) -> Result<()> {
        let join = |left: Option<f64>, right: Option<f64>, both: fn(f64, f64) -> f64| match (left, right) {
            (Some(left), Some(right)) => Some(both(left, right)),
            (one, other) => one.or(other),
        };
        self.count += row.take::<i64>()?;
        self.sum = join(self.sum, row.take()?, |left, right| left + right);
        self.min = join(self.min, row.take()?, f64::min);
        self.max = join(self.max, row.take()?, f64::max);
        self.total = join(self.total, row.take()?, |left, right| left + right);
        Ok(())
    }

    fn get(&self, aggregate: Aggregate) -> Option<f64> {
        match aggregate {
            Aggregate::Average => self.sum.map(|sum| sum / self.count.max(1) as f64),
            Aggregate::Minimum => self.min,
            Aggregate::Maximum => self.max,
            Aggregate::Sum => self.sum,
            Aggregate::Total => self.total,
        }
    }
}

fn select(tx: &mut dyn Tx, scope: &Scope, columns: &str, tail: &str, now: Timestamp) -> Result<Vec<Row>> {
    let query = pql::parse(&scope.query, &RUNS, now).map_err(|error| Error::Query(error.0))?;
    let (project, row) = match scope.whose {
        Whose::Project(project) => {
            (Some(project), scalar(tx, "SELECT id FROM projects WHERE uuid = ?1", args![project])?)
        }
        Whose::Pipeline(_) => (None, None),
    };
    let wanted = RunQuery {
        project,
        query: scope.query.clone(),
        sort: scope.sort.clone(),
        bookmarked: scope.bookmarked,
        paging: scope.page.unwrap_or(Paging::ALL),
    };
    let mut runs = Select::new(columns, "runs r");
    run_list::narrow(tx.dialect(), &mut runs, &wanted, row, &query, now);
    if let Whose::Pipeline(run) = scope.whose {
        runs.filter("r.pipeline_id = (SELECT o.id FROM runs o WHERE o.uuid = {})", [Value::from(run)]);
    }
    if scope.page.is_some() {
        run_list::sort(tx.dialect(), &mut runs, &wanted.sort);
    }
    listing::summarize(tx, &runs, "r.id", scope.page, tail)
}

fn bucket(trunc: Option<Trunc>) -> String {
    match trunc {
        None => "CAST(NULL AS BIGINT)".to_owned(),
        Some(Trunc { moment, frequency }) => {
            format!("r.{moment} - r.{moment} % {}", frequency.grain().as_micros())
        }
    }
}

fn step(bucket: Option<Timestamp>, trunc: Option<Trunc>) -> Option<Timestamp> {
    bucket.zip(trunc).map(|(bucket, trunc)| trunc.frequency.start(bucket))
}

/// The statuses of a group as SQL texts; they are words of ours.
fn list(is_meant: impl Fn(Status) -> bool) -> String {
    let words = Status::ALL.iter().filter(|status| is_meant(**status)).map(|status| format!("'{status}'"));
    words.collect::<Vec<_>>().join(", ")
}
