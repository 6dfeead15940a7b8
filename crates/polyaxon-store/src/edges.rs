//! Edges between runs, and clones.

use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::EdgeKind;
use polyaxon_model::lineage::{CloneRow, EdgeEnd, EdgeRow};
use polyaxon_model::listing::{Direction, ListPage, Paging};
use polyaxon_model::pql::fields::{EDGES, RUNS};
use polyaxon_model::pql::{self, Term};
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use serde_json::Value as Json;

use crate::db::value::{json, optional_json};
use crate::db::{Row, Tx, Value, args};
use crate::filter::{self, Target};
use crate::listing::{self, Select};
use crate::{Error, Result, run_list, runs};

/// Which end of an edge is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Upstream,
    Downstream,
}

/// An edge of a run to another.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEdge {
    pub other: RunId,
    /// Where the other run stands.
    pub side: Side,
    pub kind: EdgeKind,
    pub values: Option<Json>,
    pub statuses: Option<Vec<Status>>,
}

/// Adds an edge; one of the same runs and kind is replaced.
pub fn add(tx: &mut dyn Tx, run: RunId, edge: &NewEdge) -> Result<()> {
    let one = runs::id_of(tx, run)?.ok_or_else(|| Error::not_found("Run", run))?;
    let other = runs::id_of(tx, edge.other)?.ok_or_else(|| Error::not_found("Run", edge.other))?;
    let (upstream, downstream) = match edge.side {
        Side::Upstream => (other, one),
        Side::Downstream => (one, other),
    };
    tx.execute(
        "INSERT INTO run_edges (upstream_id, downstream_id, kind, param_values, statuses) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (upstream_id, downstream_id, kind) \
         DO UPDATE SET param_values = excluded.param_values, statuses = excluded.statuses",
        args![upstream, downstream, edge.kind, edge.values.as_ref().map(json), optional_json(edge.statuses.as_ref()),],
    )?;
    Ok(())
}

/// Replaces every edge of a run.
pub fn replace(tx: &mut dyn Tx, run: RunId, edges: &[NewEdge]) -> Result<()> {
    let id = runs::id_of(tx, run)?.ok_or_else(|| Error::not_found("Run", run))?;
    for edge in edges {
        if runs::id_of(tx, edge.other)?.is_none() {
            let message = format!("Object with uuid={} does not exist.", edge.other);
            return Err(Error::Field { field: "edges", message });
        }
    }
    tx.execute("DELETE FROM run_edges WHERE upstream_id = ?1 OR downstream_id = ?1", args![id])?;
    edges.iter().try_for_each(|edge| add(tx, run, edge))
}

/// Which edges or clones of a run are wanted.
#[derive(Clone, Debug)]
pub struct EdgeQuery {
    /// PQL text.
    pub query: String,
    /// Sort keys, `-` descends; in the order in which they were made when there is none.
    pub sort: String,
    pub paging: Paging,
}

/// Lists the runs on one side of a run.
pub fn list(tx: &mut dyn Tx, run: RunId, side: Side, wanted: &EdgeQuery, now: Timestamp) -> Result<ListPage<EdgeRow>> {
    let query = pql::parse(&wanted.query, &EDGES, now).map_err(|error| Error::Query(error.0))?;
    let mut select = Select::new(
        match side {
            Side::Upstream => "e.param_values, e.kind, e.statuses, u.uuid, u.name, u.kind, u.runtime",
            Side::Downstream => "e.param_values, e.kind, e.statuses, d.uuid, d.name, d.kind, d.runtime",
        },
        "run_edges e JOIN runs u ON u.id = e.upstream_id JOIN runs d ON d.id = e.downstream_id",
    );
    let own = match side {
        Side::Upstream => "d.uuid = {}",
        Side::Downstream => "u.uuid = {}",
    };
    select.filter(own, [run.into()]);
    if let Some(condition) = filter::condition(tx.dialect(), &query, target) {
        select.filter(&condition.sql, condition.values);
    }
    for (field, part, key) in EDGES.read_sort(&wanted.sort) {
        let columns = match field {
            "upstream" => vec!["u.uuid".to_owned()],
            "downstream" => vec!["d.uuid".to_owned()],
            "values" => tx.dialect().json_order("e.param_values"),
            _ => vec!["e.kind".to_owned()],
        };
        for column in columns {
            select.order_by(&column, part.clone().map(Value::Text), key.direction);
        }
    }
    select.order_by("e.id", None, Direction::Ascending);
    listing::page(tx, &select, wanted.paging, |row| read_edge(row, side))
}

fn target(term: &Term) -> Target {
    match term.field.name {
        "upstream" => Target::Text("u.uuid"),
        "downstream" => Target::Text("d.uuid"),
        "statuses" => Target::Array("e.statuses"),
        "values" => Target::Json("e.param_values"),
        _ => Target::Text("e.kind"),
    }
}

/// Lists the clones of a run; they are filtered and sorted as runs are. Unless the text names it, `live_state:1` is
/// implied.
pub fn clones(tx: &mut dyn Tx, run: RunId, wanted: &EdgeQuery, now: Timestamp) -> Result<ListPage<CloneRow>> {
    let query = pql::parse(&wanted.query, &RUNS, now).map_err(|error| Error::Query(error.0))?;
    let mut select = Select::new("r.uuid, r.name, r.kind, r.status, r.runtime, r.cloning_kind", "runs r");
    select.filter("r.original_id = (SELECT o.id FROM runs o WHERE o.uuid = {})", [run.into()]);
    if !wanted.query.contains("live_state") {
        select.filter("r.live_state = {}", [1_i64.into()]);
    }
    if let Some(condition) = filter::condition(tx.dialect(), &query, run_list::target) {
        select.filter(&condition.sql, condition.values);
    }
    if RUNS.read_sort(&wanted.sort).is_empty() {
        select.order_by("r.id", None, Direction::Ascending);
    } else {
        run_list::sort(tx.dialect(), &mut select, &wanted.sort);
    }
    listing::page(tx, &select, wanted.paging, |mut row| {
        Ok(CloneRow {
            uuid: row.take()?,
            name: row.take()?,
            kind: row.take()?,
            status: row.take()?,
            runtime: row.take()?,
            cloning_kind: row.take()?,
        })
    })
}

fn read_edge(mut row: Row, side: Side) -> Result<EdgeRow> {
    let mut edge = EdgeRow {
        values: row.take_optional_json()?,
        kind: row.take()?,
        statuses: row.take_optional_json()?,
        upstream: None,
        downstream: None,
    };
    let end = EdgeEnd { uuid: row.take()?, name: row.take()?, kind: row.take()?, runtime: row.take()? };
    match side {
        Side::Upstream => edge.upstream = Some(end),
        Side::Downstream => edge.downstream = Some(end),
    }
    Ok(edge)
}
