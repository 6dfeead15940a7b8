//! This server among those that share the database: it says that it is there, takes over from those that are not, and
//! ends what it has lost to others.
//!
//! Invariant: nothing is performed while others may think that this server is gone.

use std::collections::HashSet;
use std::sync::PoisonError;

use polyaxon_engine::executor::SILENCE;
use polyaxon_executors::process::{Observation, StopRequest};
use polyaxon_model::ids::RunId;
use polyaxon_store::actions::Ability;
use polyaxon_store::db::Tx;
use polyaxon_store::{cron, runs, servers, snapshots};

use crate::driver::Shared;
use crate::{Error, Result};

/// What this server is able to do.
pub(crate) fn ability(shared: &Shared) -> Ability {
    if shared.executor.is_some() { Ability::Execute } else { Ability::Decide }
}

/// The first word of a server: what it has claimed and not finished is its own again.
pub(crate) async fn register(shared: &Shared) -> Result<()> {
    let (server, address) = (shared.options.server, shared.options.api_host.clone());
    let (ability, clock) = (ability(shared), shared.options.clock);
    let now = clock();
    let capacity = shared.executor.is_some().then(|| shared.options.capacity.clone());
    let write = move |tx: &mut dyn Tx| {
        servers::register(tx, server, &address, ability, now)?;
        servers::set_capacity(tx, server, capacity.as_ref(), now)
    };
    shared.store.write(write).await?;
    *shared.seen_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    Ok(())
}

/// Says that this server is there, and does what is due by time alone.
pub(crate) async fn keep(shared: &Shared) -> Result<Vec<RunId>> {
    let (server, address) = (shared.options.server, shared.options.api_host.clone());
    let (lost_after, now) = (shared.options.executor_lost, (shared.options.clock)());
    let done = shared
        .store
        .write(move |tx| {
            servers::beat(tx, server, &address, now)?;
            cron::perform_when_due(tx, lost_after, now)
        })
        .await?;
    *shared.seen_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    let store = shared.store.clone();
    let taken = tokio::task::spawn_blocking(move || snapshots::take_when_due(&store, now));
    taken.await.map_err(|_| Error::Worker)??;
    Ok(done.runs)
}

/// Makes sure that others count on this server before it does something.
pub(crate) async fn confirm(shared: &Shared) -> Result<()> {
    let seen = *shared.seen_at.lock().unwrap_or_else(PoisonError::into_inner);
    let now = (shared.options.clock)();
    if seen.is_some_and(|seen| now < seen.plus(SILENCE / 2)) {
        return Ok(());
    }
    let (server, address) = (shared.options.server, shared.options.api_host.clone());
    shared.store.write(move |tx| servers::beat(tx, server, &address, now)).await?;
    *shared.seen_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    Ok(())
}

/// Ends processes of this machine whose runs are not with this server any more.
pub(crate) async fn end_strays(shared: &Shared, candidates: Vec<RunId>) -> Result<()> {
    let Some(executor) = shared.executor.clone() else { return Ok(()) };
    let server = shared.options.server;
    let strays = shared
        .store
        .read(move |tx| {
            let held: HashSet<RunId> = runs::live_attempts(tx, server)?.into_iter().map(|live| live.run).collect();
            let mut strays = Vec::new();
            for run in candidates.into_iter().filter(|run| !held.contains(run)) {
                // A run that this database does not know may belong to another one.
                if runs::id_exists(tx, run)? {
                    strays.push(run);
                }
            }
            Ok(strays)
        })
        .await?;
    if strays.is_empty() {
        return Ok(());
    }
    let ended = tokio::task::spawn_blocking(move || {
        for run in strays {
            if let Ok(Observation::Active(status)) = executor.observe_last(run) {
                let reason = Some("The run is with another executor, or has ended.".to_owned());
                let request = StopRequest { attempt: status.attempt, reason, grace_secs: None };
                tracing::warn!(%run, attempt = status.attempt, "ending a process whose run is not here any more");
                if let Err(error) = executor.stop(run, &request) {
                    tracing::warn!(%run, %error, "cannot end a process whose run is not here any more");
                }
            }
        }
    });
    ended.await.map_err(|_| Error::Worker)
}
