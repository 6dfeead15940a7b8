//! Lists of runs: project, filter, implicit filters, sort, page, count; one query a page.

use polyaxon_model::ids::ProjectId;
use polyaxon_model::listing::{Direction, ListPage, Paging};
use polyaxon_model::pql::fields::RUNS;
use polyaxon_model::pql::operation::LAST_MONTH;
use polyaxon_model::pql::{self, Term};
use polyaxon_model::run::Run;
use polyaxon_model::time::Timestamp;

use crate::db::{Tx, Value};
use crate::filter::{self, Target};
use crate::listing::{self, Select};
use crate::run_row::{self, Depth};
use crate::{Error, Result};

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

/// Lists runs as rows: without their contents.
pub fn list(tx: &mut dyn Tx, wanted: &RunQuery, now: Timestamp) -> Result<ListPage<Run>> {
    let query = pql::parse(&wanted.query, &RUNS, now).map_err(|error| Error::Query(error.0))?;
    let mut select = Select::new(run_row::columns(Depth::Row), run_row::FROM).counting("runs r");
    if let Some(project) = wanted.project {
        select.filter("r.project_id = (SELECT id FROM projects WHERE uuid = {})", [project.into()]);
    }
    if let Some(bookmarked) = wanted.bookmarked {
        let marked = "EXISTS (SELECT 1 FROM run_bookmarks b WHERE b.run_id = r.id AND b.enabled) = {}";
        select.filter(marked, [bookmarked.into()]);
    }
    if !wanted.query.contains("live_state") {
        select.filter("r.live_state = {}", [1_i64.into()]);
    }
    if !query.names("created_at") {
        // `+` keeps the planner from using an index for this broad test instead of one for the order.
        select.filter("+r.created_at >= {}", [now.minus(LAST_MONTH).into()]);
    }
    if let Some(condition) = filter::condition(&query, target) {
        select.filter(&condition.sql, condition.values);
    }
    sort(&mut select, &wanted.sort);
    listing::page(tx, &select, wanted.paging, |row| run_row::read(row, Depth::Row))
}

fn sort(select: &mut Select, text: &str) {
    let keys = RUNS.read_sort(text);
    let mut last = Direction::Descending;
    for (field, part, key) in &keys {
        let part = part.clone().map(Value::Text);
        let column = match *field {
            "metrics" => "CASE WHEN typeof(r.outputs ->> {}) IN ('integer', 'real') THEN r.outputs ->> {} END",
            "params" | "inputs" | "in" => "r.inputs ->> {}",
            "outputs" | "out" => "r.outputs ->> {}",
            "meta_info" | "meta_flags" | "meta_values" => "r.meta_info ->> {}",
            plain => sort_column(plain),
        };
        select.order_by(column, part, key.direction);
        last = key.direction;
    }
    if keys.is_empty() {
        select.order_by("r.updated_at", None, Direction::Descending);
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

/// What stands behind each field of [`RUNS`]. Other tables are reached by subqueries, so that counting stays within
/// the runs.
fn target(term: &Term) -> Target {
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
        "original" => Target::Text("(SELECT o.uuid FROM runs o WHERE o.id = r.original_id)"),
        "pipeline" => Target::Text("(SELECT o.uuid FROM runs o WHERE o.id = r.pipeline_id)"),
        "controller" => Target::Text("(SELECT o.uuid FROM runs o WHERE o.id = r.controller_id)"),
        "upstream" => Target::Related {
            before: "SELECT 1 FROM run_edges e JOIN runs o ON o.id = e.upstream_id WHERE e.downstream_id = r.id AND ",
            column: "o.uuid",
            after: "",
        },
        "downstream" => Target::Related {
            before: "SELECT 1 FROM run_edges e JOIN runs o ON o.id = e.downstream_id WHERE e.upstream_id = r.id AND ",
            column: "o.uuid",
            after: "",
        },
        "inputs" => Target::Json("r.inputs"),
        "outputs" => Target::Json("r.outputs"),
        "metrics" => Target::JsonNumber("r.outputs"),
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

const LINKED: &str =
    "SELECT 1 FROM run_artifacts l JOIN artifacts a ON a.id = l.artifact_id WHERE l.run_id = r.id AND ";
