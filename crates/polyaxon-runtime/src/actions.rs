//! Performing open actions, many at a time: read what they need, do it where waiting is allowed, report in one transaction.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use polyaxon_artifacts::layout::Layout;
use polyaxon_engine::state::{Action, Event, Exit, Phase, RunState};
use polyaxon_executors::process::{Observation, ProcessExecutor, Status, StopRequest};
use polyaxon_model::ids::RunId;
use polyaxon_model::new_run::Submission;
use polyaxon_model::run::Run;
use polyaxon_model::time::Timestamp;
use polyaxon_store::actions::{self, OpenAction};
use polyaxon_store::db::Tx;
use polyaxon_store::pipelines::events::Listen;
use polyaxon_store::{admission, cache, edges, lifecycle, lineage, pipelines, runs, submission};

use crate::builds::{self, Build};
use crate::compile::{self, Output};
use crate::driver::Shared;
use crate::expansion::{self, Expanded, Memory};
use crate::observe::exit;
use crate::{Error, Result, RuntimeOptions, hooks, launch, notifications, presence};

/// An action and the instant it was meant for, when it had to wait for one.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) action: OpenAction,
    pub(crate) at: Option<Timestamp>,
}

/// What the store knows that an action needs.
pub(crate) struct Needs {
    state: Option<RunState>,
    compile: Option<compile::Input>,
    run: Option<(Run, Option<Submission>, Option<String>)>,
    expand: Option<expansion::Input>,
    deletion: Deletion,
}

/// What becomes of the files of a run that is to be deleted.
#[derive(Debug, Default)]
struct Deletion {
    /// The deleted runs whose files it was to take over before.
    takes_over: Vec<RunId>,
    /// Whether another run goes on with its result.
    has_heir: bool,
}

pub(crate) enum Done {
    /// The state does not want it any more, or there is nothing to report.
    Close,
    Report(Box<Event>),
    Compiled(Box<Output>),
    /// It begins when something happens to other runs.
    Listens(Vec<Listen>),
    /// Another run makes its image before.
    Builds(Box<Build>),
    Expanded(Box<Expanded>),
    /// Only the store is needed: what follows is decided and written at once.
    Follow,
    /// The folder is gone, or is left to an heir.
    Deleted {
        has_heir: bool,
    },
    /// The supervisor of the run that shall be stopped is dead: clear first, report then.
    Lost(Box<Status>),
    /// It could not be done now.
    Failed(Error),
}

/// What became of a batch.
#[derive(Debug, Default)]
pub(crate) struct Performed {
    pub(crate) failed: Vec<(OpenAction, String)>,
    pub(crate) lost: Vec<(RunId, Status)>,
}

/// Performs actions of different runs. An error means that nothing was reported; all of them stay open.
pub(crate) async fn perform(shared: &Shared, batch: Vec<Due>) -> Result<Performed> {
    presence::confirm(shared).await?;
    let wanted: Vec<OpenAction> = batch.iter().map(|due| due.action.clone()).collect();
    let (world, memory) = (Arc::clone(&shared.options), shared.expansions.memory(&shared.store));
    let read = move |tx: &mut dyn Tx| wanted.iter().map(|action| read(tx, &world, action, &memory)).collect();
    let needs = shared.store.read(read).await?;
    let worker = shared.clone();
    let done = tokio::task::spawn_blocking(move || {
        let needs: Vec<Option<Needs>> = needs;
        let pairs = batch.into_iter().zip(needs);
        pairs
            .filter_map(|(due, needs)| {
                let done = guarded(&worker, &due, needs?);
                Some((due, done))
            })
            .collect::<Vec<_>>()
    });
    let done = done.await.map_err(|_| Error::Worker)?;

    let mut performed = Performed::default();
    let mut reports = Vec::new();
    for (due, done) in done {
        match done {
            Done::Lost(status) => performed.lost.push((due.action.run, *status)),
            Done::Failed(error) => performed.failed.push((due.action, with_causes(&error))),
            done => reports.push((due, done)),
        }
    }
    let runs: Vec<RunId> = reports.iter().map(|(due, _)| due.action.run).collect();
    let reports: Vec<Arc<(Due, Done)>> = reports.into_iter().map(Arc::new).collect();
    if let Err(error) = write(shared, reports.clone()).await {
        if reports.len() == 1 {
            return Err(error);
        }
        // One of them may be what the store refuses: the others must not wait for it.
        for report in reports {
            if let Err(error) = write(shared, vec![Arc::clone(&report)]).await {
                performed.failed.push((report.0.action.clone(), with_causes(&error)));
            }
        }
    }
    for run in runs {
        shared.options.changes.notify(run);
    }
    Ok(performed)
}

async fn write(shared: &Shared, reports: Vec<Arc<(Due, Done)>>) -> Result<()> {
    if reports.is_empty() {
        return Ok(());
    }
    let (options, admits) = (Arc::clone(&shared.options), shared.executor.is_some());
    let write = move |tx: &mut dyn Tx| {
        report_all(tx, &options, &reports)?;
        if admits {
            admission::admit(tx, options.server, &options.capacity, (options.clock)()).map(drop)
        } else {
            Ok(())
        }
    };
    Ok(shared.store.write(write).await?)
}

/// Reports what came of actions, in the transaction that closes them.
pub(crate) fn report_all(
    tx: &mut dyn Tx,
    world: &RuntimeOptions,
    reports: &[Arc<(Due, Done)>],
) -> polyaxon_store::Result<()> {
    let clock = world.clock;
    let mut ended = Vec::new();
    for report_of in reports {
        let OpenAction { run, seq, action, .. } = &report_of.0.action;
        match action {
            // What follows the ends of many runs is done once for all of a pipeline.
            Action::React { .. } if matches!(report_of.1, Done::Follow) => ended.push((*run, *seq)),
            _ => report(tx, world, &report_of.0, &report_of.1, clock())?,
        }
    }
    pipelines::react::react(tx, &ended, clock())
}

/// Nothing for an action that was done meanwhile or that another server has taken over.
pub(crate) fn read(
    tx: &mut dyn Tx,
    world: &RuntimeOptions,
    open: &OpenAction,
    memory: &Memory,
) -> polyaxon_store::Result<Option<Needs>> {
    if !actions::is_claimed(tx, open.id, world.server)? {
        return Ok(None);
    }
    let state = lifecycle::state(tx, open.run)?.filter(|state| state.wants(&open.action));
    let compile = match (&open.action, &state) {
        (Action::Compile, Some(_)) => compile::read(tx, open.run)?,
        _ => None,
    };
    let run = match (&open.action, &state) {
        (Action::Launch { .. }, Some(_)) => match runs::get(tx, open.run)? {
            Some(run) => Some((run, submission::get(tx, open.run)?, admission::devices(tx, open.run)?)),
            None => None,
        },
        _ => None,
    };
    let expand = match (&open.action, &state) {
        (Action::Expand, Some(_)) => expansion::read(tx, open.run, memory, (world.clock)())?,
        _ => None,
    };
    let deletion = match (&open.action, &state) {
        (Action::Delete { .. }, Some(_)) => deletion(tx, open.run)?,
        _ => Deletion::default(),
    };
    Ok(Some(Needs { state, compile, run, expand, deletion }))
}

fn deletion(tx: &mut dyn Tx, run: RunId) -> polyaxon_store::Result<Deletion> {
    let open = actions::open_of(tx, run)?.into_iter().map(|open| open.action);
    let takes_over = open.filter_map(|action| match action {
        Action::TakeOver { from } => Some(from),
        _ => None,
    });
    Ok(Deletion { takes_over: takes_over.collect(), has_heir: cache::heir(tx, run)?.is_some() })
}

/// A fault of ours while an action is performed must not take the others of its group along.
pub(crate) fn guarded(shared: &Shared, due: &Due, needs: Needs) -> Done {
    let performed = catch_unwind(AssertUnwindSafe(|| perform_one(shared, due, needs)));
    performed.unwrap_or_else(|_| match due.action.action {
        Action::Compile => Done::Report(Box::new(Event::CompileFailed {
            message: "The compiler met a case that it was not made for; please report this operation.".to_owned(),
        })),
        Action::Expand => Done::Report(Box::new(Event::ExpansionFailed {
            message: "The pipeline met a case that it was not made for; please report this operation.".to_owned(),
        })),
        _ => Done::Failed(Error::Worker),
    })
}

fn perform_one(shared: &Shared, due: &Due, needs: Needs) -> Done {
    let Some(state) = needs.state else { return Done::Close };
    let run = due.action.run;
    match (&due.action.action, &shared.executor) {
        (Action::Compile, _) => match needs.compile {
            Some(input) if !input.listens.is_empty() => Done::Listens(input.listens),
            Some(compile::Input { build: Some(build), .. }) => Done::Builds(Box::new(build)),
            Some(input) => match compile::compile(&shared.options, &shared.store, input, (shared.options.clock)()) {
                Ok(output) => Done::Compiled(Box::new(output)),
                Err(error) => Done::Failed(error.into()),
            },
            None => Done::Failed(Error::UnknownRun(run)),
        },
        (Action::Launch { attempt }, Some(executor)) => match &needs.run {
            Some((record, sent, devices)) => {
                let (sent, devices) = (sent.as_ref(), devices.as_deref());
                match launch::launch(&shared.options, executor, record, sent, *attempt, devices) {
                    Ok(event) => Done::Report(Box::new(event)),
                    Err(error) => Done::Failed(error),
                }
            }
            None => Done::Failed(Error::UnknownRun(run)),
        },
        (Action::Stop { attempt }, Some(executor)) => {
            stop(executor, run, *attempt, &state).unwrap_or_else(|error| Done::Failed(error.into()))
        }
        (Action::Launch { .. } | Action::Stop { .. }, None) => Done::Failed(Error::NoExecutor),
        (Action::Expand, _) => match needs.expand {
            Some(input) => match shared.expansions.expand(run, input) {
                Ok(expanded) => Done::Expanded(Box::new(expanded)),
                Err(message) => Done::Report(Box::new(Event::ExpansionFailed { message })),
            },
            None => Done::Failed(Error::UnknownRun(run)),
        },
        (Action::Cascade { .. } | Action::Tick | Action::React { .. } | Action::Hooks { .. } | Action::Tell, _) => {
            Done::Follow
        }
        (Action::Wake { .. }, _) => Done::Report(Box::new(Event::Woke)),
        (Action::TakeOver { from }, _) => match take_over(&shared.options.layout, run, &[*from]) {
            Ok(()) => Done::Close,
            Err(error) => Done::Failed(error),
        },
        (Action::Delete { .. }, _) => match delete(&shared.options.layout, run, &needs.deletion) {
            Ok(()) => Done::Deleted { has_heir: needs.deletion.has_heir },
            Err(error) => Done::Failed(error),
        },
    }
}

fn stop(
    executor: &ProcessExecutor,
    run: RunId,
    attempt: u32,
    state: &RunState,
) -> polyaxon_executors::process::Result<Done> {
    let reason = state.last_condition.as_ref().and_then(|condition| condition.message.clone());
    let request = StopRequest { attempt, reason: reason.filter(|reason| !reason.is_empty()), grace_secs: None };
    let exited = |exit| Done::Report(Box::new(Event::Observed { attempt, phase: Phase::Exited(exit) }));
    Ok(match executor.stop(run, &request)? {
        // Its end will be observed.
        Observation::Active(_) => Done::Close,
        Observation::Absent if executor.is_watched(run) => Done::Close,
        Observation::Absent => exited(Exit::Stopped),
        Observation::Done(status) => exited(exit(&status)),
        Observation::Lost(status) => Done::Lost(Box::new(status)),
    })
}

fn delete(layout: &Layout, run: RunId, deletion: &Deletion) -> Result<()> {
    take_over(layout, run, &deletion.takes_over)?;
    let gone = if deletion.has_heir { layout.remove_scratch(run) } else { layout.remove(run) };
    gone.map_err(|source| Error::Files { path: layout.artifacts(run), source })
}

fn take_over(layout: &Layout, run: RunId, from: &[RunId]) -> Result<()> {
    from.iter().try_for_each(|from| {
        layout.hand_over(*from, run).map_err(|source| Error::Files { path: layout.artifacts(*from), source })
    })
}

fn report(
    tx: &mut dyn Tx,
    world: &RuntimeOptions,
    due: &Due,
    done: &Done,
    now: Timestamp,
) -> polyaxon_store::Result<()> {
    let OpenAction { run, seq, .. } = due.action;
    match done {
        Done::Close => actions::done(tx, run, seq, now).map(drop),
        // A timer that came due has come due, also when the clock was set back meanwhile.
        Done::Report(event) => complete(tx, run, seq, event, due.at.map_or(now, |at| now.max(at))),
        Done::Builds(build) => builds::start(tx, run, seq, build, now),
        Done::Listens(listens) => pipelines::events::listen(tx, run, seq, listens, now),
        Done::Compiled(output) => {
            let wanting = lifecycle::state(tx, run)?.filter(|state| state.wants(&due.action.action));
            let mut event = None;
            if let (Some(compilation), Some(state)) = (&output.compilation, &wanting) {
                runs::set_compilation(tx, run, compilation, now)?;
                lineage::add(tx, run, &output.artifacts, now)?;
                for edge in &output.edges {
                    edges::add(tx, run, edge)?;
                }
                if let Some(wish) = output.cache.as_ref().filter(|_| state.pending.is_none()) {
                    event = cache::look_up(tx, run, wish, &|run| world.has_artifacts(run), now)?;
                }
            }
            complete(tx, run, seq, event.as_ref().unwrap_or(&output.event), now)
        }
        Done::Expanded(expanded) => match expanded.as_ref() {
            Expanded::Children(batch) => pipelines::children::create(tx, run, seq, batch, now),
            Expanded::Over(ending) => complete(tx, run, seq, &Event::Concluded(ending.clone()), now),
            Expanded::Schedule(plan) => pipelines::schedule::begin(tx, run, seq, plan, now),
        },
        Done::Follow => match due.action.action {
            Action::Cascade { verb } => pipelines::cascade::cascade(tx, run, seq, verb, now),
            Action::Tick => pipelines::schedule::tick(tx, run, seq, now),
            Action::Tell => pipelines::events::told(tx, run, seq, now),
            Action::Hooks { life } if actions::done(tx, run, seq, now)? => {
                hooks::start(tx, run, life, now)?;
                notifications::ask(tx, run, now)
            }
            _ => Ok(()),
        },
        Done::Deleted { has_heir } => cache::deleted(tx, run, seq, *has_heir, now),
        Done::Lost(_) | Done::Failed(_) => Ok(()),
    }
}

fn complete(tx: &mut dyn Tx, run: RunId, seq: i64, event: &Event, now: Timestamp) -> polyaxon_store::Result<()> {
    match lifecycle::complete(tx, run, seq, event, now) {
        Ok(_) | Err(polyaxon_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// An error with everything that led to it, on one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Actions in groups that are worth a worker each. Compilations and launches of a burst share one transaction.
pub(crate) fn groups(ready: Vec<Due>, workers: usize) -> Vec<Vec<Due>> {
    let mut kinds: HashMap<std::mem::Discriminant<Action>, Vec<Due>> = HashMap::new();
    for due in ready {
        kinds.entry(std::mem::discriminant(&due.action.action)).or_default().push(due);
    }
    let mut groups = Vec::new();
    for mut dues in kinds.into_values() {
        let size = dues.len().div_ceil(workers).clamp(1, LARGEST_GROUP);
        while !dues.is_empty() {
            let rest = dues.split_off(size.min(dues.len()));
            groups.push(std::mem::replace(&mut dues, rest));
        }
    }
    groups
}

/// Larger groups would make the first of them wait for the last.
pub(crate) const LARGEST_GROUP: usize = 32;
