//! The submitter's world of a run. It is not part of what clients see.

use polyaxon_model::ids::RunId;
use polyaxon_model::new_run::Submission;

use crate::Result;
use crate::db::{Tx, args, first};

/// What was sent along with the run.
pub fn get(tx: &mut dyn Tx, run: RunId) -> Result<Option<Submission>> {
    match first(tx, "SELECT submission FROM runs WHERE uuid = ?1", args![run])? {
        Some(mut row) => row.take_optional_json(),
        None => Ok(None),
    }
}
