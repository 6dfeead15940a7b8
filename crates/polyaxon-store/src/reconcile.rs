//! What an agent has against what it should have, both ways: runs without a process are lost after two misses,
//! processes without a run are to be removed.

use std::collections::HashSet;
use std::time::Duration;

use polyaxon_engine::executor::{LEASE, MISSES};
use polyaxon_engine::state::{Event, Force, Phase};
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::ids::{ExecutorId, RunId};
use polyaxon_model::kinds::LiveState;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use serde_json::Value as Json;

use crate::db::value::json;
use crate::db::{Tx, args, first, scalar};
use crate::{Result, lifecycle};

/// How long a finished run's process is left to its executor, beyond the run's `ttl`.
const GRACE: Duration = Duration::from_mins(5);

/// A process of an agent, as the agent tells it: instance, kind, name, namespace.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub run: RunId,
    pub item: [Json; 4],
}

/// Compares. Answers the runs that changed.
pub fn reconcile(tx: &mut dyn Tx, agent: ExecutorId, found: &[Found], now: Timestamp) -> Result<Vec<RunId>> {
    let mut changed = Vec::new();
    let (mut listed, mut strays) = (HashSet::new(), Vec::new());
    for found in found {
        listed.insert(found.run);
        match standing(tx, agent, found.run, now)? {
            Standing::Held(status) => {
                let sql = "UPDATE runs SET misses = 0, checked_at = ?2, \
                           lease_until = CASE WHEN lease_until IS NOT NULL THEN CAST(?3 AS BIGINT) END WHERE uuid = ?1";
                tx.execute(sql, args![found.run, now, now.plus(LEASE)])?;
                if status == Status::Unknown {
                    let condition =
                        StatusCondition::new(Status::Running, "AgentReconcile", "The agent found the run again.", now);
                    lifecycle::apply(tx, found.run, &Event::Posted { condition, force: Force::No }, now)?;
                    changed.push(found.run);
                }
            }
            Standing::Ending => {}
            Standing::Stray => strays.push(&found.item),
        }
    }
    tx.execute("UPDATE agents SET strays = ?2 WHERE uuid = ?1", args![agent, json(&strays)])?;
    let sql = "SELECT uuid, misses, attempt FROM runs WHERE attempt_live AND executor_id = ?1 \
               AND status <> 'scheduled' ORDER BY id";
    for mut row in tx.query(sql, args![agent])? {
        let (run, misses, attempt): (RunId, i64, i64) = (row.take()?, row.take()?, row.take()?);
        if listed.contains(&run) {
            continue;
        }
        tx.execute("UPDATE runs SET misses = misses + 1 WHERE uuid = ?1", args![run])?;
        if misses + 1 >= i64::from(MISSES) {
            let event = Event::Observed { attempt: attempt as u32, phase: Phase::Lost };
            lifecycle::apply(tx, run, &event, now)?;
            changed.push(run);
        }
    }
    Ok(changed)
}

/// What an agent has and must remove; told once, and found again by the next reconciliation.
pub fn take_strays(tx: &mut dyn Tx, agent: ExecutorId) -> Result<Vec<[Json; 4]>> {
    let Some(mut row) = first(tx, "SELECT strays FROM agents WHERE uuid = ?1", args![agent])? else {
        return Ok(Vec::new());
    };
    let strays: Vec<[Json; 4]> = row.take_optional_json()?.unwrap_or_default();
    if !strays.is_empty() {
        tx.execute("UPDATE agents SET strays = NULL WHERE uuid = ?1", args![agent])?;
    }
    Ok(strays)
}

enum Standing {
    Held(Status),
    /// It has ended and its process may go in its own time.
    Ending,
    Stray,
}

fn standing(tx: &mut dyn Tx, agent: ExecutorId, run: RunId, now: Timestamp) -> Result<Standing> {
    let Some(state) = lifecycle::state(tx, run)? else { return Ok(Standing::Stray) };
    let holder: Option<ExecutorId> =
        scalar::<Option<ExecutorId>>(tx, "SELECT executor_id FROM runs WHERE uuid = ?1", args![run])?.flatten();
    if holder != Some(agent) || state.live_state == LiveState::Deleting {
        return Ok(Standing::Stray);
    }
    if !state.status.is_done() {
        return Ok(Standing::Held(state.status));
    }
    let sql = "SELECT meta_info FROM runs WHERE uuid = ?1";
    let mut row = first(tx, sql, args![run])?;
    let meta: Json = row.as_mut().map_or(Ok(Json::Null), |row| row.take_json())?;
    let ttl = Duration::from_secs(meta.get("ttl").and_then(Json::as_u64).unwrap_or(0));
    let is_over = state.finished_at.is_none_or(|at| at.plus(ttl).plus(GRACE) <= now);
    Ok(if is_over { Standing::Stray } else { Standing::Ending })
}
