//! What is recorded about a run and those around it, for an explanation.

use polyaxon_engine::admission::Reason;
use polyaxon_engine::explain::{Awaited, Children, Facts, Original, Pipeline, Queue, Turn};
use polyaxon_engine::flow::concurrency;
use polyaxon_model::JsonMap;
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::{CloningKind, Trigger};
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use serde_json::Value as Json;

use crate::db::{Tx, args, first, scalar};
use crate::pipelines::{events, reports};
use crate::{Error, Result, admission, builds, lifecycle, notifications, runs, statuses};

/// Children that failed which are named.
const MOST_FAILED: i64 = 5;
/// Runs beside a run that are named.
const MOST_NAMED: i64 = 3;

/// The facts about a run, without its log.
pub fn of(tx: &mut dyn Tx, run: RunId, now: Timestamp) -> Result<Facts> {
    let missing = || Error::not_found("Run", run);
    let id = runs::id_of(tx, run)?.ok_or_else(missing)?;
    let state = lifecycle::state(tx, run)?.ok_or_else(missing)?;
    let name = scalar::<Option<String>>(tx, "SELECT name FROM runs WHERE id = ?1", args![id])?.flatten();
    Ok(Facts {
        uuid: run,
        name,
        history: statuses::since(tx, run, 0)?.into_iter().map(|numbered| numbered.condition).collect(),
        pipeline: pipeline(tx, id)?,
        turn: turn(tx, id)?,
        awaited: awaited(tx, id)?,
        build: builds::of(tx, id)?,
        queue: if state.status == Status::Queued { queue(tx, run, now)? } else { None },
        children: if state.kind.is_pipeline() { Some(children(tx, id)?) } else { None },
        original: original(tx, id)?,
        hook_problems: hook_problems(tx, id)?,
        untold: notifications::untold(tx, run)?,
        log: None,
        run: state,
    })
}

fn pipeline(tx: &mut dyn Tx, id: i64) -> Result<Option<Pipeline>> {
    let sql = "SELECT p.name, p.uuid, p.kind, p.status, p.meta_info, coalesce(c.leaves, 0) \
               FROM runs r JOIN runs p ON p.id = r.pipeline_id LEFT JOIN pipelines c ON c.run_id = p.id WHERE r.id = ?1";
    let Some(mut row) = first(tx, sql, args![id])? else { return Ok(None) };
    let (name, uuid): (Option<String>, RunId) = (row.take()?, row.take()?);
    let (kind, status, meta_info): (_, _, JsonMap) = (row.take()?, row.take()?, row.take_json()?);
    let leaves: i64 = row.take()?;
    Ok(Some(Pipeline {
        name: name.unwrap_or_else(|| uuid.to_hex()[..8].to_owned()),
        kind,
        status,
        limit: concurrency::limit(meta_info.get("concurrency").and_then(Json::as_i64)),
        active: u64::try_from(leaves).unwrap_or_default(),
        running: running(tx, id)?,
    }))
}

/// Some of the runs beside a run that are active.
fn running(tx: &mut dyn Tx, id: i64) -> Result<Vec<String>> {
    let sql = "SELECT o.name FROM runs r JOIN runs o ON o.pipeline_id = r.pipeline_id WHERE r.id = ?1 AND o.id <> r.id \
               AND o.status IN ('queued', 'scheduled', 'starting', 'running', 'processing') AND o.name IS NOT NULL \
               ORDER BY o.id LIMIT ?2";
    tx.query(sql, args![id, MOST_NAMED])?.into_iter().map(|mut row| row.take()).collect()
}

fn turn(tx: &mut dyn Tx, id: i64) -> Result<Option<Turn>> {
    let sql = "SELECT trigger_rule FROM pipeline_children WHERE run_id = ?1";
    let Some(trigger) = scalar::<Trigger>(tx, sql, args![id])? else { return Ok(None) };
    let sql = "SELECT u.name, u.uuid, u.status FROM run_edges e JOIN runs u ON u.id = e.upstream_id \
               WHERE e.downstream_id = ?1 AND e.kind = 'dag' ORDER BY u.id";
    let (mut upstream, mut culprit) = (Vec::new(), None);
    for mut row in tx.query(sql, args![id])? {
        let (name, uuid, status): (Option<String>, RunId, Status) = (row.take()?, row.take()?, row.take()?);
        if matches!(status, Status::Failed | Status::UpstreamFailed | Status::Stopped) {
            culprit.get_or_insert(uuid);
        }
        upstream.push((name.unwrap_or_else(|| uuid.to_hex()[..8].to_owned()), status));
    }
    Ok(Some(Turn { trigger, upstream, culprit }))
}

fn awaited(tx: &mut dyn Tx, id: i64) -> Result<Vec<Awaited>> {
    let sources = events::sources(tx, id)?.into_iter();
    Ok(sources.map(|source| Awaited { kinds: source.words(), run: source.name, status: source.status }).collect())
}

/// Where a queued run stands among those that wait, and what holds it back.
fn queue(tx: &mut dyn Tx, run: RunId, now: Timestamp) -> Result<Option<Queue>> {
    let Some(reason) = admission::explain(tx, run, now)? else { return Ok(None) };
    let ahead = match &reason {
        Reason::Waits { ahead, .. } => *ahead,
        Reason::Next | Reason::Impossible(_) => 0,
    };
    Ok(Some(Queue { ahead, limit: Some(reason.to_string()) }))
}

fn children(tx: &mut dyn Tx, id: i64) -> Result<Children> {
    let sql =
        "SELECT status, CAST(count(*) AS BIGINT) FROM runs WHERE pipeline_id = ?1 GROUP BY status ORDER BY status";
    let mut children = Children::default();
    for mut row in tx.query(sql, args![id])? {
        let (status, count): (Status, i64) = (row.take()?, row.take()?);
        children.counts.push((status, u64::try_from(count).unwrap_or_default()));
    }
    let sql = "SELECT r.name, r.uuid, (SELECT s.condition FROM status_conditions s WHERE s.run_id = r.id \
               ORDER BY s.seq DESC LIMIT 1) FROM runs r WHERE r.pipeline_id = ?1 AND r.status = 'failed' \
               ORDER BY r.id LIMIT ?2";
    for mut row in tx.query(sql, args![id, MOST_FAILED])? {
        let (name, uuid): (Option<String>, RunId) = (row.take()?, row.take()?);
        let condition: Option<StatusCondition> = row.take_optional_json()?;
        let why = condition.and_then(|last| last.message).unwrap_or_else(|| "the reason was not recorded".to_owned());
        children.culprit.get_or_insert(uuid);
        let short = uuid.to_hex()[..8].to_owned();
        let name = name.map_or_else(|| short.clone(), |name| format!("{name} {short}"));
        children.failed.push((name, why.lines().next().unwrap_or_default().to_owned()));
    }
    let sql = "SELECT min(schedule_at) FROM runs WHERE pipeline_id = ?1 AND status = 'created'";
    children.next = scalar::<Option<Timestamp>>(tx, sql, args![id])?.flatten();
    children.reports = reports::of(tx, id)?;
    Ok(children)
}

fn hook_problems(tx: &mut dyn Tx, id: i64) -> Result<Vec<String>> {
    let Some(mut row) = first(tx, "SELECT meta_info FROM runs WHERE id = ?1", args![id])? else {
        return Ok(Vec::new());
    };
    let meta_info: JsonMap = row.take_json()?;
    let problems = meta_info.get("hooks_errors").and_then(Json::as_array).into_iter().flatten();
    Ok(problems.filter_map(Json::as_str).map(str::to_owned).collect())
}

fn original(tx: &mut dyn Tx, id: i64) -> Result<Option<Original>> {
    let sql = "SELECT o.uuid, o.name, r.cloning_kind FROM runs r JOIN runs o ON o.id = r.original_id WHERE r.id = ?1";
    let Some(mut row) = first(tx, sql, args![id])? else { return Ok(None) };
    let (uuid, name, kind): (RunId, Option<String>, Option<CloningKind>) = (row.take()?, row.take()?, row.take()?);
    Ok(Some(Original { uuid, name, is_reused: kind == Some(CloningKind::Cache) }))
}
