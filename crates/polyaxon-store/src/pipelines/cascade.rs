//! What is done to a pipeline is done to its children, some hundred at a time.

use polyaxon_engine::state::{Action, Event, Verb};
use polyaxon_model::ids::RunId;
use polyaxon_model::time::Timestamp;

use super::react::settle;
use crate::db::{Tx, args};
use crate::{Error, Result, actions, lifecycle, runs};

/// Children per transaction.
const MOST: usize = 500;

/// Performs a `Cascade` action and closes it. What is left over becomes another one.
pub fn cascade(tx: &mut dyn Tx, run: RunId, seq: i64, verb: Verb, now: Timestamp) -> Result<()> {
    if !actions::done(tx, run, seq, now)? {
        return Ok(());
    }
    let id = runs::id_of(tx, run)?.ok_or_else(|| Error::not_found("Run", run))?;
    let (which, event) = match verb {
        Verb::Stop => (
            "status NOT IN ('failed', 'upstream_failed', 'stopped', 'skipped', 'succeeded', 'stopping')",
            Event::StopRequested,
        ),
        Verb::Archive => ("live_state = 1", Event::ArchiveRequested),
        Verb::Restore => ("live_state = 0", Event::RestoreRequested),
        Verb::Delete => ("live_state >= 0", Event::DeleteRequested),
    };
    let sql = format!("SELECT uuid FROM runs WHERE pipeline_id = ?1 AND {which} ORDER BY id LIMIT ?2");
    let children: Vec<RunId> =
        tx.query(&sql, args![id, MOST as i64])?.into_iter().map(|mut row| row.take()).collect::<Result<_>>()?;
    for child in &children {
        lifecycle::apply(tx, *child, &event, now)?;
    }
    if children.len() == MOST {
        actions::write(tx, id, &Action::Cascade { verb }, None, now)?;
    }
    settle(tx, id, now)
}
