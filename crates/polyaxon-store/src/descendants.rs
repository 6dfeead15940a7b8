//! A run and everything below it as a tree that is kept up to date: all of it once, then what changed.
//!
//! Invariant: the work for a change is that of the runs that changed, not of the pipeline, so that a child of ten
//! thousand costs as much as one of two. A reader that asks too late begins anew.

use std::collections::{BTreeMap, HashMap, HashSet};

use polyaxon_engine::flow::metrics;
use polyaxon_model::JsonMap;
use polyaxon_model::condition::{METRIC_MISSING, StatusCondition};
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::LiveState;
use polyaxon_model::status::Status;
use polyaxon_model::tree::{MetricOfInterest, TreeRow};
use serde_json::Value as Json;

use crate::db::{Row, Tx, Value, args, scalar};
use crate::pipelines::events;
use crate::{Error, Result, runs};

/// What a reader knows of a tree.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// The last change that is in it.
    pub seq: i64,
    members: HashMap<i64, Member>,
}

#[derive(Clone, Debug)]
struct Member {
    uuid: RunId,
    /// What its children are compared by.
    metric: Option<MetricOfInterest>,
    /// The params that its children differ in.
    varied: Vec<String>,
}

/// A run that is new or different, and the change that made it so.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    pub id: i64,
    pub seq: i64,
    pub now: Now,
}

/// How a run is now.
#[derive(Clone, Debug, PartialEq)]
pub enum Now {
    There(Box<TreeRow>),
    Gone(RunId),
}

/// Reads a whole tree: parents before their children.
pub fn all(tx: &mut dyn Tx, run: RunId) -> Result<(Tree, Vec<Changed>)> {
    let root = runs::id_of(tx, run)?.ok_or_else(|| Error::not_found("Run", run))?;
    let (oldest, seq) = bounds(tx)?;
    let mut tree = Tree { seq, members: HashMap::new() };
    let changes = changes(tx, 0)?;
    let sql = format!(
        "WITH RECURSIVE below (id) AS (SELECT CAST(?1 AS BIGINT) UNION ALL \
         SELECT r.id FROM below JOIN runs r ON r.pipeline_id = below.id) \
         SELECT {COLUMNS} FROM below JOIN runs r ON r.id = below.id {JOINS} ORDER BY r.id"
    );
    let mut found = Vec::new();
    for row in tx.query(&sql, args![root])? {
        found.extend(read(tx, &mut tree, row, root)?);
    }
    for changed in &mut found {
        changed.seq = changes.get(&changed.id).copied().unwrap_or(oldest - 1);
    }
    Ok((tree, found))
}

/// Reads what changed since the last look; none when that was too long ago.
pub fn since(tx: &mut dyn Tx, tree: &mut Tree) -> Result<Option<Vec<Changed>>> {
    let (oldest, newest) = bounds(tx)?;
    if tree.seq + 1 < oldest {
        return Ok(None);
    }
    let changes = changes(tx, tree.seq)?;
    tree.seq = newest.max(tree.seq);
    let ids: Vec<i64> = changes.keys().copied().collect();
    let mut found = Vec::new();
    let mut there = HashSet::new();
    for chunk in ids.chunks(CHUNK) {
        let list = (1..=chunk.len()).map(|place| format!("?{place}")).collect::<Vec<_>>().join(", ");
        let chunk: Vec<Value> = chunk.iter().map(|id| Value::Int(*id)).collect();
        let sql = format!("SELECT {COLUMNS} FROM runs r {JOINS} WHERE r.id IN ({list}) ORDER BY r.id");
        for row in tx.query(&sql, &chunk)? {
            // No row has the id zero: whoever is not below somebody known is no member.
            if let Some(changed) = read(tx, tree, row, 0)? {
                there.insert(changed.id);
                found.push(changed);
            }
        }
    }
    for id in ids.iter().filter(|id| !there.contains(id)) {
        if let Some(member) = tree.members.remove(id) {
            found.push(Changed { id: *id, seq: 0, now: Now::Gone(member.uuid) });
        }
    }
    for changed in &mut found {
        changed.seq = changes.get(&changed.id).copied().unwrap_or(tree.seq);
    }
    Ok(Some(found))
}

/// The last condition is told where it explains something.
const COLUMNS: &str = "r.id, r.pipeline_id, r.uuid, r.name, r.kind, r.runtime, r.status, r.pending, r.created_at, \
     r.started_at, r.finished_at, r.live_state, \
     CASE WHEN r.status IN ('failed', 'upstream_failed', 'stopped', 'stopping', 'skipped', 'retrying', 'warning', \
     'unschedulable') OR (r.kind = 'matrix' AND r.status = 'succeeded') THEN (SELECT s.condition FROM status_conditions s WHERE s.run_id = r.id ORDER BY s.seq DESC \
     LIMIT 1) END, CASE WHEN r.kind = 'matrix' THEN coalesce(r.content, r.raw_content) END, \
     CASE WHEN p.kind = 'matrix' THEN r.inputs END, CASE WHEN p.kind = 'matrix' THEN r.outputs END, \
     CASE WHEN r.status IN ('created', 'resuming') THEN EXISTS \
     (SELECT 1 FROM run_edges e WHERE e.downstream_id = r.id AND e.events IS NOT NULL) ELSE FALSE END, \
     CASE WHEN r.cloning_kind = 'cache' AND r.status = 'succeeded' THEN \
     (SELECT o.uuid FROM runs o WHERE o.id = r.original_id) END";

const JOINS: &str = "LEFT JOIN runs p ON p.id = r.pipeline_id";

/// Below the least number of values that databases accept in a statement.
const CHUNK: usize = 500;

/// The oldest and the newest change that are noted.
fn bounds(tx: &mut dyn Tx) -> Result<(i64, i64)> {
    let oldest = scalar(tx, "SELECT coalesce(min(seq), 1) FROM run_changes", &[])?.unwrap_or(1);
    let newest = scalar(tx, "SELECT coalesce(max(seq), 0) FROM run_changes", &[])?.unwrap_or(0);
    Ok((oldest, newest))
}

/// The last change of each run that changed after `seq`.
fn changes(tx: &mut dyn Tx, seq: i64) -> Result<BTreeMap<i64, i64>> {
    let mut changes = BTreeMap::new();
    let sql = "SELECT run_id, max(seq) FROM run_changes WHERE seq > ?1 GROUP BY run_id";
    tx.visit(sql, args![seq], &mut |found| {
        if let [Value::Int(id), Value::Int(seq)] = found {
            changes.insert(*id, *seq);
        }
    })?;
    Ok(changes)
}

/// A row of [`COLUMNS`], if it is the root or belongs below somebody who is known; then it is known as well.
fn read(tx: &mut dyn Tx, tree: &mut Tree, mut row: Row, root: i64) -> Result<Option<Changed>> {
    let (id, above): (i64, Option<i64>) = (row.take()?, row.take()?);
    let above = above.and_then(|above| tree.members.get(&above)).cloned();
    if above.is_none() && id != root && !tree.members.contains_key(&id) {
        return Ok(None);
    }
    let mut found = TreeRow {
        uuid: row.take()?,
        number: id,
        parent: above.as_ref().map(|above| above.uuid),
        name: row.take()?,
        kind: row.take()?,
        runtime: row.take()?,
        status: row.take()?,
        pending: row.take()?,
        awaits: None,
        created_at: row.take()?,
        started_at: row.take()?,
        finished_at: row.take()?,
        reason: None,
        message: None,
        metric: None,
        value: None,
        params: None,
        reuses: None,
    };
    if row.take::<LiveState>()? == LiveState::Deleting {
        return Ok(tree.members.remove(&id).map(|member| Changed { id, seq: 0, now: Now::Gone(member.uuid) }));
    }
    let condition = row.take_optional_json::<StatusCondition>()?;
    let is_told = |reason: Option<&str>| found.status != Status::Succeeded || reason == Some(METRIC_MISSING);
    if let Some(condition) = condition.filter(|condition| is_told(condition.reason.as_deref())) {
        (found.reason, found.message) = (condition.reason, condition.message);
    }
    let content: Option<String> = row.take()?;
    let matrix = content.as_deref().and_then(matrix);
    found.metric = matrix.as_ref().and_then(metric);
    let params: Option<JsonMap> = row.take_optional_json()?;
    if let (Some(above), Some(params)) = (&above, params) {
        found.params = Some(params.into_iter().filter(|(name, _)| above.varied.contains(name)).collect());
    }
    let outputs: Option<JsonMap> = row.take_optional_json()?;
    if let (Some(metric), Some(outputs)) = (above.and_then(|above| above.metric), outputs) {
        found.value = outputs.get(&metric.name).and_then(Json::as_f64);
    }
    if row.take()? {
        found.awaits = Some(events::awaited(tx, id)?);
    }
    found.reuses = row.take()?;
    tree.members.insert(
        id,
        Member {
            uuid: found.uuid,
            metric: found.metric.clone(),
            varied: matrix.as_ref().map(varied).unwrap_or_default(),
        },
    );
    Ok(Some(Changed { id, seq: 0, now: Now::There(Box::new(found)) }))
}

fn matrix(content: &str) -> Option<Json> {
    let mut content: Json = serde_json::from_str(content).ok()?;
    content.get_mut("matrix").map(Json::take)
}

/// The params that a matrix gives values to.
fn varied(matrix: &Json) -> Vec<String> {
    let maps = [matrix.get("params"), matrix.pointer("/values/0")];
    let names = maps.into_iter().flatten().filter_map(Json::as_object).flat_map(|map| map.keys().cloned());
    let resource = matrix.pointer("/resource/name").and_then(Json::as_str).map(str::to_owned);
    names.chain(resource).collect()
}

/// What the children of a matrix are compared by. Several objectives: the first is shown.
fn metric(matrix: &Json) -> Option<MetricOfInterest> {
    metrics::wanted(matrix).into_iter().next().map(|wanted| wanted.metric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_matrix_varies() {
        let read = |text: &str| varied(&serde_json::from_str(text).unwrap());
        assert_eq!(read(r#"{"kind": "mapping", "values": [{"a": 1, "b": 2}]}"#), ["a", "b"]);
        assert_eq!(
            read(r#"{"kind": "hyperband", "params": {"lr": {}}, "resource": {"name": "epochs"}}"#),
            ["lr", "epochs"]
        );
    }
}
