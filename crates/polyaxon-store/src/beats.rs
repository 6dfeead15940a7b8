//! Signs of life of runs that nobody here watches.
//!
//! Invariant: a run is only thought dead after it gave signs of life and then none; a status alone is no such promise.

use std::time::Duration;

use polyaxon_engine::state::Event;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::ManagedBy;
use polyaxon_model::time::Timestamp;

use crate::db::{Tx, args, first};
use crate::{Result, lifecycle};

/// A second sign within this time is not written down.
const PERIOD: Duration = Duration::from_secs(30);

/// Whether a sign of life of a run would be written down.
pub fn is_due(tx: &mut dyn Tx, run: RunId, now: Timestamp) -> Result<bool> {
    let sql = "SELECT managed_by, beat_at FROM runs WHERE uuid = ?1 AND finished_at IS NULL";
    let Some(mut row) = first(tx, sql, args![run])? else { return Ok(false) };
    let (manager, last): (ManagedBy, Option<Timestamp>) = (row.take()?, row.take()?);
    Ok(manager != ManagedBy::Agent && last.is_none_or(|last| last.plus(PERIOD) <= now))
}

/// Notes a sign of life. From now on the run may be silent for `silence`; zero is for ever.
pub fn note(tx: &mut dyn Tx, run: RunId, silence: Duration, now: Timestamp) -> Result<()> {
    if is_due(tx, run, now)? {
        lifecycle::apply(tx, run, &Event::Beat { silence }, now)?;
    }
    Ok(())
}
