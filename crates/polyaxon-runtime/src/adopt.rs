//! What an earlier server left: attempts whose end nobody saw.

use std::collections::HashSet;

use polyaxon_engine::state::Action;
use polyaxon_executors::process::Observation;
use polyaxon_model::ids::RunId;
use polyaxon_store::runs;

use crate::Result;
use crate::driver::Shared;

/// Watches the attempts that still live. Answers the runs that must be looked at now: those that ended or got lost
/// meanwhile, and those whose phase may be newer than the record. Attempts that are about to be launched by their
/// own action are left to it.
pub(crate) async fn adopt(shared: &Shared) -> Result<Vec<RunId>> {
    let Some(executor) = shared.executor.clone() else { return Ok(Vec::new()) };
    let server = shared.options.server;
    let (attempts, launching) = shared
        .store
        .read(move |tx| {
            let open = polyaxon_store::actions::claimed(tx, server, 0, u32::MAX)?;
            let launching: HashSet<RunId> = open
                .into_iter()
                .filter(|open| matches!(open.action, Action::Launch { .. }))
                .map(|open| open.run)
                .collect();
            Ok((runs::live_attempts(tx, server)?, launching))
        })
        .await?;
    let mut look = Vec::new();
    for live in attempts {
        match executor.adopt(live.run, live.attempt) {
            Ok(Observation::Absent) if launching.contains(&live.run) => {}
            Ok(Observation::Active(status)) => {
                tracing::info!(run = %live.run, pid = status.supervisor.pid, "found a running job again");
                look.push(live.run);
            }
            Ok(_) => look.push(live.run),
            Err(error) => tracing::warn!(run = %live.run, %error, "cannot look at a run of an earlier server"),
        }
    }
    Ok(look)
}
