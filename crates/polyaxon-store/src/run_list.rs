//! Lists of runs: project, filter, implicit filters, sort, page, count.
//!
//! [`crate::selection`] knows which runs are meant and in which order; only the rows of the page are read here.
//! Orders by texts and by keys of JSON columns are made by the database, among the selected runs when they are few.

use std::collections::HashMap;

use polyaxon_model::ids::ProjectId;
use polyaxon_model::listing::{Counting, Direction, ListPage, Paging};
use polyaxon_model::pql::fields::RUNS;
use polyaxon_model::pql::operation::{Comparison, LAST_MONTH, ScalarValue, Test};
use polyaxon_model::pql::{self, Expression, Query, Term};
use polyaxon_model::run::Run;
use polyaxon_model::time::Timestamp;

use crate::db::{Dialect, Tx, Value, args, scalar};
use crate::filter::{self, Condition, Target};
use crate::listing::{self, Select};
use crate::run_row::{self, Depth};
use crate::selection::bits::RunBits;
pub use crate::selection::known::Known;
use crate::selection::known::{Scope, Source, View};
use crate::selection::numbers::Bound;
use crate::selection::{self, Key, Selected};
use crate::{Error, Result};

/// Up to so many runs are named to the database one by one.
const FEW: u64 = 500;

/// Which runs are wanted.
#[derive(Clone, Debug)]
pub struct RunQuery {
    /// All projects when none is given.
    pub project: Option<ProjectId>,
    /// PQL text. Unless it names them, `live_state:1` and `created_at:last_month` are implied.
    pub query: String,
    /// Sort keys, `-` descends; the last changed first when there is none.
    pub sort: String,
    pub bookmarked: Option<bool>,
    pub paging: Paging,
}

/// Lists runs as rows: without their contents. To be the first question of its transaction.
pub fn list(tx: &mut dyn Tx, known: &Known, wanted: &RunQuery, now: Timestamp) -> Result<ListPage<Run>> {
    let query = pql::parse(&wanted.query, &RUNS, now).map_err(|error| Error::Query(error.0))?;
    let mut view = known.view(tx)?;
    let project = match wanted.project {
        None => None,
        Some(project) => scalar(view.tx(), "SELECT id FROM projects WHERE uuid = ?1", args![project])?,
    };
    let selected = select(&mut view, wanted, project, &query, now)?;
    let (keys, by_id) = keys(&mut view, &wanted.sort)?;
    drop(view);

    let runs = selection::evaluate(&selected);
    let count = runs.count();
    let limit = u64::from(wanted.paging.limit).min(count.saturating_sub(wanted.paging.offset));
    let results = match keys {
        _ if limit == 0 => Vec::new(),
        Some(keys) => {
            let (offset, limit) = (wanted.paging.offset as usize, limit as usize);
            rows(tx, &selection::page(&runs, &keys, by_id, offset, limit))?
        }
        None => ordered_by_database(tx, wanted, project, &query, &runs, now)?,
    };
    let count = Some(count).filter(|_| wanted.paging.counting == Counting::Count);
    Ok(ListPage { count, next: None, previous: None, results })
}

fn select(
    view: &mut View<'_>,
    wanted: &RunQuery,
    project: Option<i64>,
    query: &Query,
    now: Timestamp,
) -> Result<Selected> {
    let base = filter::all(implied(wanted, project));
    let mut parts = vec![Selected::Runs(view.runs(&base, Scope::Row)?)];
    if let Some(bookmarked) = wanted.bookmarked {
        parts.push(Selected::Runs(view.runs(&marked(bookmarked), Scope::OtherTables)?));
    }
    if !query.names("created_at") {
        let created = view.numbers(&Source::Column("r.created_at"))?;
        let recent = now.minus(LAST_MONTH).as_micros();
        parts.push(Selected::Numbers(created, Bound::GreaterOrEqual(recent as f64)));
    }
    if let Some(expression) = &query.expression {
        parts.push(tests(view, expression)?);
    }
    Ok(Selected::All(parts))
}

/// What is asked for without words, except for times.
fn implied(wanted: &RunQuery, project: Option<i64>) -> Vec<Condition> {
    let mut conditions = Vec::new();
    if wanted.project.is_some() {
        // Nothing is in a project that there is not.
        conditions.push(Condition::new("r.project_id = {}", project.unwrap_or(0).into()));
    }
    if !wanted.query.contains("live_state") {
        conditions.push(Condition::new("r.live_state = {}", 1_i64.into()));
    }
    conditions
}

fn marked(bookmarked: bool) -> Condition {
    let not = if bookmarked { "" } else { "NOT " };
    let sql = format!("r.id {not}IN (SELECT b.run_id FROM run_bookmarks b WHERE b.enabled = {{}})");
    Condition::new(&sql, true.into())
}

fn tests(view: &mut View<'_>, expression: &Expression<Term>) -> Result<Selected> {
    let mut several = |parts: &[Expression<Term>]| parts.iter().map(|part| tests(view, part)).collect::<Result<_>>();
    Ok(match expression {
        Expression::All(parts) => Selected::All(several(parts)?),
        Expression::Any(parts) => Selected::Any(several(parts)?),
        Expression::Test(term) => match numeric(term) {
            Some((source, bound)) => Selected::Numbers(view.numbers(&source)?, bound),
            None => {
                let condition = filter::term(view.tx().dialect(), term, target);
                Selected::Runs(view.runs(&condition, scope(term))?)
            }
        },
    })
}

/// A test that compares numbers. Tests for null and unequal numbers have rules of their own.
fn numeric(term: &Term) -> Option<(Source, Bound)> {
    let source = source(term.field.name, term.key.as_deref())?;
    let number = |value: &ScalarValue| match value {
        ScalarValue::Int(number) => Some(*number as f64),
        ScalarValue::Float(number) => Some(*number),
        ScalarValue::Bool(_) | ScalarValue::Text => None,
    };
    let bound = match (&term.test, term.negated) {
        (Test::Compare(comparison, scalar), negated) => {
            let comparison: Comparison = if negated { comparison.opposite() } else { *comparison };
            Bound::new(comparison, number(&scalar.value)?)
        }
        (Test::Equals(scalar), false) => Bound::Equal(number(&scalar.value)?),
        (Test::Within(from, to), false) => Bound::Between(from.as_micros() as f64, to.as_micros() as f64),
        _ => return None,
    };
    Some((source, bound))
}

/// Where the numbers of a field are, when it may have numbers.
fn source(field: &str, key: Option<&str>) -> Option<Source> {
    Some(match (field, key) {
        ("metrics", Some(name)) => Source::Metric(name.to_owned()),
        ("params" | "inputs" | "in", Some(key)) => Source::Json { column: "r.inputs", key: key.to_owned() },
        ("outputs" | "out", Some(key)) => Source::Json { column: "r.outputs", key: key.to_owned() },
        ("meta_info" | "meta_values", Some(key)) => Source::Json { column: "r.meta_info", key: key.to_owned() },
        (
            "created_at" | "updated_at" | "started_at" | "finished_at" | "schedule_at" | "duration" | "wait_time"
            | "cost" | "cpu" | "memory" | "gpu" | "custom",
            None,
        ) => Source::Column(sort_column(field)),
        _ => return None,
    })
}

fn scope(term: &Term) -> Scope {
    match term.field.name {
        "project" | "upstream" | "downstream" | "in_artifact_kind" | "out_artifact_kind" | "commit" | "artifacts" => {
            Scope::OtherTables
        }
        _ => Scope::Row,
    }
}

/// The sort keys, unless one of them is not a number; and the direction in which equals are ordered by id.
fn keys(view: &mut View<'_>, sort: &str) -> Result<(Option<Vec<Key>>, Direction)> {
    let mut keys = Vec::new();
    let wanted = RUNS.read_sort(sort);
    for (field, part, key) in &wanted {
        match source(field, part.as_deref()) {
            Some(source) => match view.numbers(&source)? {
                mixed if mixed.has_texts() => return Ok((None, key.direction)),
                numbers => keys.push((numbers, key.direction)),
            },
            None => return Ok((None, key.direction)),
        }
    }
    if wanted.is_empty() {
        keys.push((view.numbers(&Source::Column("r.updated_at"))?, Direction::Descending));
    }
    let by_id = wanted.last().map_or(Direction::Descending, |(_, _, key)| key.direction);
    Ok((Some(keys), by_id))
}

/// The rows of these runs, in this order.
fn rows(tx: &mut dyn Tx, ids: &[i64]) -> Result<Vec<Run>> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(FEW as usize) {
        // Few lengths, so that few statements are prepared. No run has the number 0.
        let length = [20, 100].into_iter().find(|length| chunk.len() <= *length).unwrap_or(FEW as usize);
        let sql = format!(
            "SELECT r.id, {} FROM {} WHERE r.id IN ({})",
            run_row::columns(Depth::Row),
            run_row::FROM,
            listing::placeholders(1, length)
        );
        let args: Vec<Value> = chunk.iter().copied().chain(std::iter::repeat(0)).take(length).map(Value::Int).collect();
        let mut by_id = HashMap::with_capacity(chunk.len());
        for mut row in tx.query(&sql, &args)? {
            by_id.insert(row.take::<i64>()?, row);
        }
        for id in chunk {
            if let Some(row) = by_id.remove(id) {
                found.push(run_row::read(row, Depth::Row)?);
            }
        }
    }
    Ok(found)
}

fn ordered_by_database(
    tx: &mut dyn Tx,
    wanted: &RunQuery,
    project: Option<i64>,
    query: &Query,
    runs: &RunBits,
    now: Timestamp,
) -> Result<Vec<Run>> {
    let mut select = Select::new(run_row::columns(Depth::Row), run_row::FROM);
    if runs.count() <= FEW {
        let length = FEW as usize;
        let ids = runs.ids().map(|id| Value::Int(id as i64)).chain(std::iter::repeat(Value::Int(0)));
        select.filter(&format!("r.id IN ({})", vec!["{}"; length].join(", ")), ids.take(length));
    } else {
        narrow(tx.dialect(), &mut select, wanted, project, query, now);
    }
    sort(tx.dialect(), &mut select, &wanted.sort);
    let paging = Paging { counting: Counting::Skip, ..wanted.paging };
    listing::page(tx, &select, paging, |row| run_row::read(row, Depth::Row)).map(|page| page.results)
}

/// Keeps the wanted runs of `runs r`, by the database alone.
pub(crate) fn narrow(
    dialect: Dialect,
    select: &mut Select,
    wanted: &RunQuery,
    project: Option<i64>,
    query: &Query,
    now: Timestamp,
) {
    for condition in implied(wanted, project).into_iter().chain(wanted.bookmarked.map(marked)) {
        select.filter(&condition.sql, condition.values);
    }
    if !query.names("created_at") {
        // `+` keeps the planner from using an index for this broad test instead of one for the order.
        select.filter("+r.created_at >= {}", [now.minus(LAST_MONTH).into()]);
    }
    if let Some(condition) = filter::condition(dialect, query, target) {
        select.filter(&condition.sql, condition.values);
    }
}

const METRIC: &str = "(SELECT m.value FROM run_metrics m WHERE m.name = {} AND m.run_id = r.id)";

pub(crate) fn sort(dialect: Dialect, select: &mut Select, text: &str) {
    let keys = RUNS.read_sort(text);
    let mut last = Direction::Descending;
    for (field, part, key) in &keys {
        let part = part.clone().map(Value::Text);
        let columns = match *field {
            "metrics" => vec![METRIC.to_owned()],
            "params" | "inputs" | "in" => dialect.json_order("r.inputs"),
            "outputs" | "out" => dialect.json_order("r.outputs"),
            "meta_info" | "meta_flags" | "meta_values" => dialect.json_order("r.meta_info"),
            plain => vec![sort_column(plain).to_owned()],
        };
        for column in columns {
            select.order_by(&column, part.clone(), key.direction);
        }
        last = key.direction;
    }
    select.order_by("r.id", None, last);
}

/// The column of a field that a list of runs can be sorted by.
fn sort_column(field: &str) -> &'static str {
    match field {
        "created_at" => "r.created_at",
        "updated_at" => "r.updated_at",
        "started_at" => "r.started_at",
        "finished_at" => "r.finished_at",
        "schedule_at" => "r.schedule_at",
        "name" => "r.name",
        "kind" => "r.kind",
        "namespace" => "coalesce(r.namespace, 'polyaxon')",
        "runtime" => "r.runtime",
        "uuid" => "r.uuid",
        "duration" => "r.duration",
        "wait_time" => "r.wait_time",
        "status" => "r.status",
        "cost" => "r.cost",
        "cpu" => "r.cpu",
        "memory" => "r.memory",
        "gpu" => "r.gpu",
        "custom" => "r.custom",
        "state" => "r.state",
        "component_state" => "r.component_state",
        _ => "r.id",
    }
}

/// What stands behind each field of [`RUNS`].
pub(crate) fn target(term: &Term) -> Target {
    match term.field.name {
        "uuid" => Target::Key { table: "runs", id: "r.id", column: "uuid" },
        "name" => Target::Text("r.name"),
        "description" => Target::Text("r.description"),
        "created_at" => Target::Number("r.created_at"),
        "updated_at" => Target::Number("r.updated_at"),
        "started_at" => Target::Number("r.started_at"),
        "finished_at" => Target::Number("r.finished_at"),
        "schedule_at" => Target::Number("r.schedule_at"),
        "status" => Target::Text("r.status"),
        "kind" => Target::Text("r.kind"),
        "runtime" => Target::Text("r.runtime"),
        "cloning_kind" => Target::Text("r.cloning_kind"),
        "managed_by" => Target::Text("r.managed_by"),
        "pending" => Target::Text("r.pending"),
        "live_state" => Target::Number("r.live_state"),
        "state" => Target::Text("r.state"),
        "component_state" => Target::Text("r.component_state"),
        "namespace" => Target::Text("coalesce(r.namespace, 'polyaxon')"),
        "project" => Target::Text("(SELECT p.name FROM projects p WHERE p.id = r.project_id)"),
        "original" => Target::Run("r.original_id"),
        "pipeline" => Target::Run("r.pipeline_id"),
        "controller" => Target::Run("r.controller_id"),
        "upstream" => Target::Related {
            before: "SELECT e.downstream_id FROM run_edges e JOIN runs o ON o.id = e.upstream_id WHERE ",
            column: "o.uuid",
            after: "",
        },
        "downstream" => Target::Related {
            before: "SELECT e.upstream_id FROM run_edges e JOIN runs o ON o.id = e.downstream_id WHERE ",
            column: "o.uuid",
            after: "",
        },
        "inputs" => Target::Json("r.inputs"),
        "outputs" => Target::Json("r.outputs"),
        "metrics" => Target::Metric("r.outputs"),
        "meta_info" | "meta_flags" | "meta_values" => Target::Json("r.meta_info"),
        "tags" => Target::Array("r.tags"),
        "duration" => Target::Number("r.duration"),
        "wait_time" => Target::Number("r.wait_time"),
        "cost" => Target::Number("r.cost"),
        "gpu" => Target::Number("r.gpu"),
        "custom" => Target::Number("r.custom"),
        "cpu" => Target::Number("r.cpu"),
        "memory" => Target::Number("r.memory"),
        "is_managed" => Target::Number("(r.managed_by <> 'user')"),
        "in_artifact_kind" => Target::Related { before: LINKED, column: "a.kind", after: " AND l.is_input" },
        "out_artifact_kind" => {
            Target::Related { before: LINKED, column: "a.kind", after: " AND NOT coalesce(l.is_input, FALSE)" }
        }
        "commit" => Target::Related { before: LINKED, column: "a.name", after: " AND a.kind = 'coderef'" },
        "artifacts" => Target::Related { before: LINKED, column: "a.state", after: "" },
        // `user`, `contributors`: nobody logs in to this edition.
        _ => Target::Text("CAST(NULL AS TEXT)"),
    }
}

const LINKED: &str = "SELECT l.run_id FROM run_artifacts l JOIN artifacts a ON a.id = l.artifact_id WHERE ";
