//! Edges between runs, and clones.

use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::EdgeKind;
use polyaxon_model::lineage::{CloneRow, EdgeEnd, EdgeRow};
use polyaxon_model::listing::{Direction, ListPage, Paging};
use polyaxon_model::status::Status;
use serde_json::Value as Json;

use crate::db::value::{json, optional_json};
use crate::db::{Row, Tx, args};
use crate::listing::{self, Select};
use crate::{Error, Result, runs};

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
    tx.execute("DELETE FROM run_edges WHERE upstream_id = ?1 OR downstream_id = ?1", args![id])?;
    edges.iter().try_for_each(|edge| add(tx, run, edge))
}

/// Lists the runs on one side of a run.
pub fn list(tx: &mut dyn Tx, run: RunId, side: Side, paging: Paging) -> Result<ListPage<EdgeRow>> {
    let (asked, own) = match side {
        Side::Upstream => ("upstream_id", "downstream_id"),
        Side::Downstream => ("downstream_id", "upstream_id"),
    };
    let mut select = Select::new(
        "e.param_values, e.kind, e.statuses, o.uuid, o.name, o.kind, o.runtime",
        format!("run_edges e JOIN runs o ON o.id = e.{asked} JOIN runs r ON r.id = e.{own}"),
    );
    select.filter("r.uuid = {}", [run.into()]);
    select.order_by("e.id", None, Direction::Ascending);
    listing::page(tx, &select, paging, |row| read_edge(row, side))
}

/// Lists the clones of a run.
pub fn clones(tx: &mut dyn Tx, run: RunId, paging: Paging) -> Result<ListPage<CloneRow>> {
    let mut select = Select::new(
        "c.uuid, c.name, c.kind, c.status, c.runtime, c.cloning_kind",
        "runs c JOIN runs r ON r.id = c.original_id",
    );
    select.filter("r.uuid = {} AND c.live_state >= 0", [run.into()]);
    select.order_by("c.id", None, Direction::Ascending);
    listing::page(tx, &select, paging, |mut row| {
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
