//! What is due by time alone: servers and agents that fell silent, runs that wait in vain, records past their time.
//!
//! Invariant: nothing is decided here. Queries find candidates, `polyaxon_engine` says what is due at `now`; doing it
//! twice or late changes nothing. Each pass takes a limited number, so that a write stays short.

use std::time::Duration;

use polyaxon_engine::retention::Borders;
use polyaxon_engine::state::Event;
use polyaxon_engine::timer::{STOPPING_LIMIT, UPLOAD_LIMIT, WARNING_LIMIT};
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::LiveState;
use polyaxon_model::time::Timestamp;

use crate::db::{Tx, Value, args};
use crate::{Result, agents, lifecycle, projects, runs, servers, settings};

/// How often the work is done; servers that share a database take turns.
const PERIOD: Duration = Duration::from_mins(1);
/// No more runs are taken up by one pass.
const BATCH: u32 = 200;

/// What a pass did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// Runs that changed.
    pub runs: Vec<RunId>,
    pub purged_runs: u64,
    pub purged_projects: u64,
}

/// Takes over from silent servers, and does the rest when nobody has done it within the last minute.
pub fn perform_when_due(tx: &mut dyn Tx, lost_after: Duration, now: Timestamp) -> Result<Pass> {
    let last = settings::get(tx, LAST)?.and_then(|text| text.parse().ok()).map(Timestamp::from_micros);
    // A clock that was set back must not hold the work up.
    let is_due = last.is_none_or(|last| last.plus(PERIOD) <= now || now < last);
    if is_due { perform(tx, lost_after, now) } else { take_over(tx, lost_after, now) }
}

const LAST: &str = "cron";

/// Does everything that is due.
pub fn perform(tx: &mut dyn Tx, lost_after: Duration, now: Timestamp) -> Result<Pass> {
    settings::set(tx, LAST, &now.as_micros().to_string())?;
    let mut pass = take_over(tx, lost_after, now)?;
    for run in waiting_in_vain(tx, now)? {
        if !lifecycle::apply(tx, run, &Event::Woke, now)?.history.is_empty() {
            pass.runs.push(run);
        }
    }
    let borders = Borders::at(now);
    for project in projects::archived_before(tx, borders.archived)? {
        lifecycle::set_project_live_state(tx, &project, LiveState::Deleting, now)?;
    }
    let sql = "SELECT uuid FROM runs WHERE live_state = 0 AND archived_at <= ?1 LIMIT ?2";
    for run in found(tx, sql, args![borders.archived, BATCH])? {
        lifecycle::apply(tx, run, &Event::DeleteRequested, now)?;
        pass.runs.push(run);
    }
    pass.purged_runs = runs::purge(tx, borders.run_record, BATCH)?;
    pass.purged_projects = projects::purge(tx, borders.project_record)?;
    projects::touch_all(tx)?;
    Ok(pass)
}

fn take_over(tx: &mut dyn Tx, lost_after: Duration, now: Timestamp) -> Result<Pass> {
    let mut runs = servers::take_over(tx, lost_after, now)?.runs;
    runs.extend(agents::give_up_silent(tx, lost_after, now)?);
    Ok(Pass { runs, ..Pass::default() })
}

/// Runs that nobody moves on; whether their time has come is for the engine to say.
fn waiting_in_vain(tx: &mut dyn Tx, now: Timestamp) -> Result<Vec<RunId>> {
    let mut runs = Vec::new();
    for (condition, limit) in [
        ("status = 'stopping' AND updated_at <= ?1", STOPPING_LIMIT),
        ("status IN ('warning', 'unschedulable', 'unknown') AND updated_at <= ?1", WARNING_LIMIT),
        ("pending = 'upload' AND status IN ('created', 'compiled') AND updated_at <= ?1", UPLOAD_LIMIT),
        // The silence that each of them may keep is its own: the longest silent first.
        (
            "beat_at <= ?1 AND finished_at IS NULL AND status IN ('scheduled', 'starting', 'running', 'processing') \
             ORDER BY beat_at",
            Duration::ZERO,
        ),
    ] {
        let sql = format!("SELECT uuid FROM runs WHERE {condition} LIMIT ?2");
        runs.extend(found(tx, &sql, args![now.minus(limit), BATCH])?);
    }
    Ok(runs)
}

fn found(tx: &mut dyn Tx, sql: &str, args: &[Value]) -> Result<Vec<RunId>> {
    tx.query(sql, args)?.into_iter().map(|mut row| row.take()).collect()
}
