//! What finished runs no longer need: their scratch folders, after their ttl.

use std::sync::PoisonError;

use polyaxon_compile::plan::termination;
use polyaxon_executors::process::Observation;
use polyaxon_model::ids::RunId;
use polyaxon_model::run::Run;
use polyaxon_model::time::Timestamp;
use polyaxon_spec::wire;
use polyaxon_store::{lifecycle, runs};

use crate::driver::Shared;
use crate::{Error, Result};

/// Removes the scratch folders of runs that have ended and whose ttl has passed. Answers what must wait, and until when.
pub(crate) async fn clean(shared: &Shared, batch: Vec<RunId>) -> Result<Vec<(RunId, Timestamp)>> {
    let wanted = batch.clone();
    let states = shared
        .store
        .read(move |tx| {
            wanted
                .iter()
                .map(|run| Ok((runs::get(tx, *run)?, lifecycle::state(tx, *run)?)))
                .collect::<polyaxon_store::Result<Vec<_>>>()
        })
        .await?;
    let now = (shared.options.clock)();
    let mut later = Vec::new();
    let mut remove = Vec::new();
    for (run, (record, state)) in batch.into_iter().zip(states) {
        let is_over = state.is_none_or(|state| state.status.is_done() && !state.control.is_attempt_live);
        match record.as_ref().map(expires_at) {
            _ if !is_over => {}
            Some(Some(at)) if at > now => later.push((run, at)),
            _ => remove.push(run),
        }
    }
    let worker = shared.clone();
    let removed = tokio::task::spawn_blocking(move || {
        for run in remove {
            // It may have been resumed since it was read.
            let last = worker.executor.as_ref().map(|executor| executor.observe_last(run));
            if matches!(last, Some(Ok(Observation::Active(_)))) {
                continue;
            }
            worker.reported.lock().unwrap_or_else(PoisonError::into_inner).remove(&run);
            if let Err(error) = worker.options.layout.remove_scratch(run) {
                tracing::warn!(%run, %error, "cannot remove the scratch folder of a finished run");
            }
        }
    });
    removed.await.map_err(|_| Error::Worker)?;
    Ok(later)
}

fn expires_at(run: &Run) -> Option<Timestamp> {
    let content = run.content.as_deref().filter(|content| content.contains("\"ttl\""))?;
    let content = serde_json::from_str(content).ok()?;
    Some(run.finished_at?.plus(termination(&wire::read_compiled(&content)).ttl?))
}

/// The runs that have a scratch folder, finished or not.
pub(crate) fn with_scratch(shared: &Shared) -> Vec<RunId> {
    let entries = std::fs::read_dir(shared.options.layout.scratches()).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}
