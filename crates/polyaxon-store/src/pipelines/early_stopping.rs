//! Ends a pipeline before its time, when its `earlyStopping` says so.

use polyaxon_engine::flow::early_stopping::{Policies, Seen};
use polyaxon_engine::state::Event;
use polyaxon_model::JsonMap;
use polyaxon_model::change::Change;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::RunKind;
use polyaxon_model::new_run::RunPatch;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use serde_json::{Value as Json, json};

use super::Pipeline;
use crate::db::{Tx, args, first};
use crate::{Result, lifecycle, runs};

/// Looks at a pipeline one of whose children has just ended or reported something.
pub(super) fn check(tx: &mut dyn Tx, pipeline: i64, child: i64, now: Timestamp) -> Result<()> {
    let Some(mut row) = first(tx, "SELECT plan FROM pipelines WHERE run_id = ?1", args![pipeline])? else {
        return Ok(());
    };
    let Some(plan) = row.take_optional_json::<Json>()? else { return Ok(()) };
    let Some(found) = Pipeline::load(tx, pipeline)? else { return Ok(()) };
    if found.kind == RunKind::Schedule || found.status != Status::Running {
        return Ok(());
    }
    let sql = "SELECT uuid, outputs FROM runs WHERE id = ?1";
    let Some(mut row) = first(tx, sql, args![child])? else { return Ok(()) };
    let (run, outputs): (RunId, Option<JsonMap>) = (row.take()?, row.take_optional_json()?);
    let seen = Seen {
        bad: found.ends.failed + found.ends.broken + found.ends.upstream_failed,
        total: found.created,
        outputs: outputs.unwrap_or_default(),
    };
    let Some(verdict) = Policies::read(&plan).decide(&seen) else { return Ok(()) };
    let told = json!({ "kind": verdict.kind, "run": run, "value": verdict.value });
    let meta_info = JsonMap::from_iter([("early_stopping".to_owned(), told)]);
    let patch = RunPatch { meta_info: Change::Set(meta_info), merge: Some(true), ..RunPatch::default() };
    runs::patch(tx, found.run, &patch, now)?;
    lifecycle::apply(tx, found.run, &Event::StoppedEarly(verdict.ending), now).map(drop)
}
