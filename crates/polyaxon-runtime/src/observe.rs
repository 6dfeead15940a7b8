//! From what supervisors wrote to events of runs, in batches: one look at the disk and one transaction for many runs.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use polyaxon_engine::state::{Action, Event, Exit, Phase};
use polyaxon_executors::initializer::lineage;
use polyaxon_executors::process::{self, Observation, Outcome, Status};
use polyaxon_model::ids::RunId;
use polyaxon_model::time::Timestamp;
use polyaxon_store::db::Tx;
use polyaxon_store::{actions, admission, lifecycle};

use crate::actions::with_causes;
use crate::driver::Shared;
use crate::sidecar::{self, Findings};
use crate::{Error, Result};

/// What became of a batch.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    /// Runs that ended.
    pub(crate) ended: Vec<RunId>,
    /// Runs whose supervisor died; they are reported when what is left of them is cleared.
    pub(crate) lost: Vec<(RunId, Status)>,
}

struct Look {
    run: RunId,
    observation: Observation,
    found: Findings,
}

/// Looks at runs and reports what is new about them.
pub(crate) async fn observe(shared: &Shared, batch: Vec<RunId>) -> Result<Observed> {
    let Some(executor) = shared.executor.clone() else { return Ok(Observed::default()) };
    let worker = shared.clone();
    let looks = tokio::task::spawn_blocking(move || {
        let looks = batch.into_iter().filter_map(|run| match executor.observe_last(run) {
            Ok(Observation::Done(status)) if is_reported(&worker, run, status.attempt) => None,
            Ok(observation) => {
                let is_done = matches!(observation, Observation::Done(_));
                let found = if is_done { last_findings(&worker, run) } else { Findings::default() };
                Some(Look { run, observation, found })
            }
            Err(error) => {
                tracing::warn!(%run, error = %error, "cannot observe a run");
                None
            }
        });
        looks.collect::<Vec<_>>()
    });
    let looks = looks.await.map_err(|_| Error::Worker)?;

    let mut observed = Observed::default();
    let (mut known, mut ends) = (Vec::new(), Vec::new());
    for look in looks {
        match &look.observation {
            Observation::Lost(status) => observed.lost.push((look.run, status.clone())),
            Observation::Absent if shared.executor.as_ref().is_some_and(|executor| executor.is_watched(look.run)) => {}
            Observation::Done(status) => {
                observed.ended.push(look.run);
                ends.push((look.run, status.attempt));
                known.push(look);
            }
            Observation::Active(_) | Observation::Absent => known.push(look),
        }
    }
    if known.is_empty() {
        return Ok(observed);
    }
    for look in &known {
        record(shared, look.run, &look.found).await;
    }
    let known: Vec<Arc<Look>> = known.into_iter().map(Arc::new).collect();
    if let Err(error) = write(shared, known.clone()).await {
        if known.len() == 1 {
            return Err(error);
        }
        // One of them may be what the store refuses: the others must not wait for it.
        for look in &known {
            if let Err(error) = write(shared, vec![Arc::clone(look)]).await {
                tracing::warn!(run = %look.run, error = with_causes(&error), "cannot report what a run did");
                ends.retain(|(run, _)| *run != look.run);
            }
        }
    }
    shared.reported.lock().unwrap_or_else(PoisonError::into_inner).extend(ends);
    for look in known {
        shared.options.changes.notify(look.run);
    }
    Ok(observed)
}

async fn write(shared: &Shared, looks: Vec<Arc<Look>>) -> Result<()> {
    let (clock, capacity, server) = (shared.options.clock, shared.options.capacity.clone(), shared.options.server);
    let write = move |tx: &mut dyn Tx| {
        for look in &looks {
            report(tx, look, clock())?;
        }
        admission::admit(tx, server, &capacity, clock()).map(drop)
    };
    Ok(shared.store.write(write).await?)
}

/// Records what a run tracked, before its end is told. A problem with it is never one of the run.
async fn record(shared: &Shared, run: RunId, found: &Findings) {
    if found.is_empty() {
        return;
    }
    let (found, clock) = (found.clone(), shared.options.clock);
    if let Err(error) = shared.store.write(move |tx| sidecar::write(tx, run, &found, clock())).await {
        tracing::warn!(%run, error = with_causes(&error), "cannot record what a run tracked");
    }
}

fn is_reported(shared: &Shared, run: RunId, attempt: u32) -> bool {
    shared.reported.lock().unwrap_or_else(PoisonError::into_inner).get(&run) == Some(&attempt)
}

/// Clears what a dead supervisor left, then reports the loss.
pub(crate) async fn clear_lost(shared: &Shared, run: RunId, status: &Status) -> Result<()> {
    let Some(executor) = &shared.executor else { return Ok(()) };
    executor.clear_lost(run, status, Duration::from_secs(crate::launch::GRACE_SECS)).await?;
    let worker = shared.clone();
    let found = tokio::task::spawn_blocking(move || last_findings(&worker, run)).await.map_err(|_| Error::Worker)?;
    record(shared, run, &found).await;
    let (attempt, clock, capacity) = (status.attempt, shared.options.clock, shared.options.capacity.clone());
    let server = shared.options.server;
    shared
        .store
        .write(move |tx| {
            apply(tx, run, attempt, vec![Phase::Lost], clock())?;
            admission::admit(tx, server, &capacity, clock())
        })
        .await?;
    shared.options.changes.notify(run);
    Ok(())
}

/// The last look at the files of a run that ended: event files, and what its init steps reported.
fn last_findings(shared: &Shared, run: RunId) -> Findings {
    let mut seen = shared.seen.lock().unwrap_or_else(PoisonError::into_inner).remove(&run).unwrap_or_default();
    let mut found = sidecar::look(&shared.options.layout, run, &mut seen);
    found.artifacts.extend(lineage::collect(&shared.options.layout, run));
    found
}

fn report(tx: &mut dyn Tx, look: &Look, now: Timestamp) -> polyaxon_store::Result<()> {
    match &look.observation {
        Observation::Active(status) => match status.phase {
            // The report of the launch may come after the one of its progress.
            process::Phase::Running => apply(tx, look.run, status.attempt, vec![Phase::Starting, Phase::Running], now),
            _ => apply(tx, look.run, status.attempt, vec![Phase::Starting], now),
        },
        Observation::Done(status) => {
            let at = time_of_end(tx, look.run, status, now)?;
            apply(tx, look.run, status.attempt, phases(status), at)
        }
        // It ended before it could write anything, so nothing was started; unless it is only about to be launched.
        Observation::Absent => match lifecycle::state(tx, look.run)? {
            Some(state) if state.control.is_attempt_live && !is_launching(tx, look.run)? => {
                apply(tx, look.run, state.control.attempt, vec![Phase::Lost], now)
            }
            _ => Ok(()),
        },
        Observation::Lost(_) => Ok(()),
    }
}

/// When the attempt ended, which may be long ago: no server was there, or the disk was full.
fn time_of_end(tx: &mut dyn Tx, run: RunId, status: &Status, now: Timestamp) -> polyaxon_store::Result<Timestamp> {
    let ended = status.finished_at.unwrap_or(now);
    // Nothing happens before what was recorded last.
    Ok(lifecycle::state(tx, run)?.map_or(now, |state| ended.max(state.updated_at).min(now)))
}

fn is_launching(tx: &mut dyn Tx, run: RunId) -> polyaxon_store::Result<bool> {
    let open = actions::open_of(tx, run)?;
    Ok(open.iter().any(|open| matches!(open.action, Action::Launch { .. })))
}

fn apply(tx: &mut dyn Tx, run: RunId, attempt: u32, phases: Vec<Phase>, now: Timestamp) -> polyaxon_store::Result<()> {
    let events: Vec<Event> = phases.into_iter().map(|phase| Event::Observed { attempt, phase }).collect();
    match lifecycle::apply_each(tx, run, &events, now) {
        Ok(_) | Err(polyaxon_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The phases that a record of an end stands for, also those that nobody saw.
fn phases(status: &Status) -> Vec<Phase> {
    let mut phases = vec![Phase::Starting];
    let is_main = status.task.as_deref() == Some(MAIN_TASK);
    if is_main && !matches!(status.outcome, Some(Outcome::NotStarted { .. })) {
        phases.push(Phase::Running);
    }
    if status.lost_log_bytes > 0 {
        let message = format!("{} bytes of output were lost because they could not be written", status.lost_log_bytes);
        phases.push(Phase::Warning { reason: "LogsIncomplete".to_owned(), message });
    }
    phases.push(Phase::Exited(exit(status)));
    phases
}

const MAIN_TASK: &str = "polyaxon-main";

/// How an attempt ended, for the engine.
pub(crate) fn exit(status: &Status) -> Exit {
    let message = status.message.clone().unwrap_or_default();
    let failed =
        |reason: &str, exit_code| Exit::Failed { reason: reason.to_owned(), message: message.clone(), exit_code };
    match &status.outcome {
        Some(Outcome::Exited { code: 0 }) => Exit::Succeeded,
        Some(Outcome::Exited { code }) => failed("Error", Some(*code)),
        // As a shell counts it.
        Some(Outcome::Killed { signal }) => failed("Killed", Some(128 + signal)),
        Some(Outcome::TimedOut) => Exit::DeadlineExceeded,
        Some(Outcome::Stopped { .. }) => Exit::Stopped,
        Some(Outcome::NotStarted { reason }) => Exit::Rejected { reason: reason.clone(), message },
        None => failed("NoVerdict", None),
    }
}
