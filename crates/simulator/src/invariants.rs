//! What must hold after each step, whatever happened. The numbers are those of the list in `lib.rs`.

mod order;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use polyaxon_engine::flow::completion::{Course, Ends, conclude};
use polyaxon_engine::flow::concurrency;
use polyaxon_engine::flow::trigger::is_broken;
use polyaxon_engine::state::{Action, Force, Place};
use polyaxon_engine::transition::is_allowed;
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::ids::ExecutorId;
use polyaxon_model::kinds::{LiveState, Pending, RunKind};
use polyaxon_model::status::Status;

use crate::mirror::{Before, Mirror, Run};
use crate::{agent, tally};

/// What may be held at once.
#[derive(Debug)]
pub(crate) struct Limits {
    pub(crate) slots: BTreeMap<ExecutorId, i64>,
    pub(crate) queue: i64,
    pub(crate) queue_runs: i64,
    pub(crate) queue_cpus: i64,
}

type Check = Result<(), String>;

/// How far ticks of the simulated schedules are apart.
const TICK_SECONDS: f64 = 60.0;

/// Checks everything that a step can have broken.
pub(crate) fn check(mirror: &Mirror, before: &Before, limits: &Limits) -> Check {
    let mut around = BTreeSet::new();
    for (id, old) in before {
        around.extend(chain(mirror, *id));
        let Some(run) = mirror.runs.get(id) else {
            removal(mirror, old.as_ref())?;
            continue;
        };
        let context = |problem: String| format!("{problem}\n{}", told(mirror, run));
        history(run, old.as_ref()).map_err(context)?;
        times(run).map_err(context)?;
        attempts(run, old.as_ref()).map_err(context)?;
        order::begins(mirror, run, before).map_err(context)?;
        ending(mirror, run, old.as_ref()).map_err(context)?;
        tick(mirror, run, old.as_ref()).map_err(context)?;
        reuse(mirror, run, old.as_ref()).map_err(context)?;
    }
    for id in around {
        let Some(run) = mirror.runs.get(&id) else { continue };
        let context = |problem: String| format!("{problem}\n{}", told(mirror, run));
        lifeline(mirror, run).map_err(context)?;
        order::waits(mirror, run)?;
        counts(mirror, run, before).map_err(context)?;
    }
    slots(mirror, limits)
}

/// A run with its children and upstreams, for whoever looks for what went wrong.
fn told(mirror: &Mirror, run: &Run) -> String {
    let line = |run: &Run| {
        let history: Vec<String> = run
            .history
            .iter()
            .map(|condition| format!("{} ({})", condition.status, condition.reason.as_deref().unwrap_or_default()))
            .collect();
        let open: Vec<String> = run.open.iter().map(|open| format!("{:?}", open.action.action)).collect();
        format!(
            "{} {} in {:?}, {}, {:?}, {:?}\n  {}\n  open {open:?}, {:?}, {:?}\n  {:?}",
            run.kind,
            run.uuid,
            run.pipeline,
            run.status,
            run.pending,
            run.live_state,
            history.join(" "),
            run.child,
            run.counts,
            run.control,
        )
    };
    let upstreams = run.child.iter().flat_map(|child| &child.upstreams).filter_map(|id| mirror.runs.get(id));
    let around = mirror.children(run.id).chain(upstreams);
    std::iter::once(run).chain(around).map(line).collect::<Vec<_>>().join("\n")
}

/// A run and the pipelines around it: what a change of the run can have an effect on.
fn chain(mirror: &Mirror, id: i64) -> impl Iterator<Item = i64> {
    let direct = mirror.runs.get(&id).and_then(|run| run.pipeline);
    let above = std::iter::successors(direct, |id| tally::above(&mirror.runs, *id));
    std::iter::once(id).chain(above)
}

/// 1, 2, 13: the history only grows, every step of it is legal, and it leads to the status of the record.
fn history(run: &Run, old: Option<&Run>) -> Check {
    let known = old.map_or(&[][..], |old| &old.history);
    for (index, condition) in known.iter().enumerate() {
        let is_last = index + 1 == known.len();
        match run.history.get(index) {
            Some(same) if Rc::ptr_eq(same, condition) || same == condition => {}
            Some(fresher) if is_last && fresher.repeats(condition) => {}
            found => return Err(format!("condition {index} was {condition:?} and became {found:?}")),
        }
    }
    for pair in run.history.windows(2).skip(known.len().saturating_sub(1)) {
        let (from, to) = (pair[0].status, pair[1].status);
        if !is_allowed(from, to, force(&pair[0], &pair[1])) {
            return Err(format!("it went from {from} to {to} ({:?})", pair[1].reason));
        }
    }
    match run.history.last() {
        Some(last) if last.status == run.status => Ok(()),
        last => Err(format!("its history ends with {last:?}")),
    }
}

/// A final status is left by another life only, or by a run that was taken for dead.
fn force(from: &StatusCondition, to: &StatusCondition) -> Force {
    let is_resumed = to.reason.as_deref() == Some("ResumeManager");
    let was_thought_dead = from.reason.as_deref() == Some("HeartbeatLost");
    if is_resumed || was_thought_dead { Force::Yes } else { Force::No }
}

fn times(run: &Run) -> Check {
    if run.finished_at.is_some() != run.status.is_done() {
        return Err(format!("it finished at {:?}", run.finished_at));
    }
    let is_ordered = run.started_at.is_none_or(|at| at >= run.created_at)
        && run.finished_at.is_none_or(|end| run.started_at.is_some_and(|start| end >= start));
    if is_ordered { Ok(()) } else { Err("its times are out of order".to_owned()) }
}

/// 3: numbers of attempts only grow, one at a time, and not while one is live.
fn attempts(run: &Run, old: Option<&Run>) -> Check {
    let Some(old) = old else { return Ok(()) };
    let (was, is) = (old.control.attempt, run.control.attempt);
    if is < was || is > was + 1 {
        return Err(format!("attempt {was} was followed by {is}"));
    }
    if is > was && old.control.is_attempt_live {
        return Err(format!("attempt {is} was decided while {was} was live"));
    }
    Ok(())
}

/// 7: something moves a run on that has not ended; one that has ended is not worked on, and its end was noticed.
fn lifeline(mirror: &Mirror, run: &Run) -> Check {
    let has = |wanted: fn(&Action) -> bool| run.has(wanted);
    let follows = has(|action| matches!(action, Action::React { .. } | Action::Cascade { .. } | Action::Tick));
    if run.status.is_done() {
        let works = has(|action| matches!(action, Action::Compile | Action::Launch { .. } | Action::Expand));
        return if works { Err(format!("it is worked on: {:?}", run.open)) } else { Ok(()) };
    }
    let control = &run.control;
    let around = run.pipeline.and_then(|id| mirror.runs.get(&id));
    let is_child = control.place == Place::Child;
    let pipeline_goes_on = around.is_some_and(|around| !around.status.is_done() || !around.open.is_empty());
    let is_moved = match run.status {
        _ if run.pending == Some(Pending::Cache) => {
            let awaited = run.reuses.and_then(|id| mirror.runs.get(&id));
            awaited.is_some_and(|run| !run.status.is_done() || is_news(run))
        }
        _ if run.pending.is_some() || follows => true,
        _ if has(|action| matches!(action, Action::Wake { .. } | Action::Stop { .. })) => true,
        status if status.is_compilable() => control.is_compiling || (control.is_held && pipeline_goes_on),
        Status::Compiled if run.kind.is_pipeline() => has(|action| *action == Action::Expand),
        Status::Compiled => is_child && pipeline_goes_on,
        Status::Queued => true,
        _ if run.kind == RunKind::Schedule => {
            mirror.children(run.id).any(|tick| !tick.status.is_done() || !tick.open.is_empty())
        }
        _ if run.kind.is_pipeline() => {
            has(|action| *action == Action::Expand)
                || mirror.children(run.id).any(|child| !child.status.is_done() || !child.open.is_empty())
        }
        // Whoever tells what became of a process that was taken for lost goes on telling.
        status if status.is_on_cluster() && is_told(run) => true,
        Status::Scheduled if run.executor.is_some_and(|executor| executor == agent::ID) => control.is_attempt_live,
        Status::Scheduled => has(|action| matches!(action, Action::Launch { .. })),
        _ => control.is_attempt_live,
    };
    if is_moved { Ok(()) } else { Err(format!("nothing moves it on, open are {:?}, {control:?}", run.open)) }
}

/// Whether its last status was told from outside.
fn is_told(run: &Run) -> bool {
    run.history.last().is_some_and(|last| last.reason.as_deref() == Some(agent::REASON))
}

/// Whether what follows its end is still to be done.
fn is_news(run: &Run) -> bool {
    run.has(|action| matches!(action, Action::React { .. }))
}

/// 8: the end of a pipeline is a function of the ends of its children.
fn ending(mirror: &Mirror, run: &Run, old: Option<&Run>) -> Check {
    let has_ended = run.status.is_done() && old.is_some_and(|old| !old.status.is_done());
    let last = run.history.last();
    let is_concluded = last.is_some_and(|last| last.reason.as_deref() == Some("SchedulerPipeline"));
    if !has_ended || !is_concluded || run.kind == RunKind::Schedule {
        return Ok(());
    }
    let mut ends = Ends::default();
    for child in mirror.children(run.id) {
        match child.status {
            Status::Succeeded => ends.succeeded += 1,
            Status::Failed => ends.failed += 1,
            Status::Stopped => ends.stopped += 1,
            Status::Skipped => ends.skipped += 1,
            // What it waited for is not only its upstreams.
            Status::UpstreamFailed if child.child.as_ref().is_some_and(|child| child.listens) => return Ok(()),
            Status::UpstreamFailed if broken(mirror, child) => ends.broken += 1,
            Status::UpstreamFailed => ends.upstream_failed += 1,
            status => return Err(format!("it has ended, and its child {} is {status}", child.uuid)),
        }
    }
    let was_stopping = run.history.iter().rev().nth(1).is_some_and(|before| before.status == Status::Stopping);
    let course = if was_stopping { Course::Stopping } else { Course::Ordinary };
    let expected = conclude(course, &ends).status;
    if expected == run.status { Ok(()) } else { Err(format!("it should be {expected}, with {ends:?}")) }
}

fn broken(mirror: &Mirror, run: &Run) -> bool {
    let Some(child) = &run.child else { return false };
    let is_bad = |id: &i64| {
        mirror.runs.get(id).is_some_and(|upstream| {
            matches!(upstream.status, Status::Failed | Status::Stopped)
                || (upstream.status == Status::UpstreamFailed && broken(mirror, upstream))
        })
    };
    is_broken(run.status, child.trigger, child.upstreams.iter().any(is_bad))
}

/// 14: each tick is one period after the one before, and there is one for each.
fn tick(mirror: &Mirror, run: &Run, old: Option<&Run>) -> Check {
    let (None, Place::Tick { at }, Some(schedule)) = (old, run.control.place, run.pipeline) else { return Ok(()) };
    let earlier = mirror.children(schedule).filter(|tick| tick.id < run.id).filter_map(|tick| tick.schedule_at).max();
    match earlier {
        Some(earlier) if (at.seconds_since(earlier) - TICK_SECONDS).abs() > 0.001 => {
            Err(format!("a tick at {at} follows one at {earlier}"))
        }
        _ => Ok(()),
    }
}

/// 9: a result is reused of an equal run that succeeded and was not deleted.
fn reuse(mirror: &Mirror, run: &Run, old: Option<&Run>) -> Check {
    let has_hit = old.is_some_and(|old| !old.status.is_done())
        && run.history.last().is_some_and(|last| last.reason.as_deref() == Some("CacheHit"));
    if !has_hit {
        return Ok(());
    }
    let Some(original) = run.reuses.and_then(|id| mirror.runs.get(&id)) else {
        return Err("it reuses the result of no run".to_owned());
    };
    let is_right = run.key.is_some() && run.key == original.key && original.status == Status::Succeeded;
    if is_right && original.live_state == LiveState::Live && original.reuses.is_none() {
        return Ok(());
    }
    Err(format!("it reuses {original:?}, and is equal to {:?}", run.key))
}

/// 11: what is removed has ended, is not needed by its pipeline, and has no result that others reuse.
fn removal(mirror: &Mirror, old: Option<&Run>) -> Check {
    let Some(old) = old else { return Ok(()) };
    let needs = |run: &&Run| run.live_state != LiveState::Deleting && run.reuses == Some(old.id);
    let pipeline = old.pipeline.and_then(|id| mirror.runs.get(&id));
    let problem = if old.live_state != LiveState::Deleting || !old.status.is_done() {
        format!("it was {} and {:?}", old.status, old.live_state)
    } else if let Some(open) = old.open.iter().find(|open| !matches!(open.action.action, Action::Stop { .. })) {
        format!("{:?} was still to be done", open.action)
    } else if let Some(child) = mirror.children(old.id).find(|child| !child.status.is_done()) {
        format!("its child {} is {}", child.uuid, child.status)
    } else if pipeline.is_some_and(|around| around.kind != RunKind::Schedule && !around.status.is_done()) {
        "its pipeline has not ended".to_owned()
    } else if let Some(other) = mirror.runs.values().find(needs) {
        format!("run {} has its result", other.uuid)
    } else {
        return Ok(());
    };
    Err(format!("run {} ({}) was removed: {problem}", old.uuid, old.kind))
}

/// 5: no server holds more runs than it has slots, and no queue more than its limits.
fn slots(mirror: &Mirror, limits: &Limits) -> Check {
    for (id, held) in mirror.tally.slots() {
        if limits.slots.get(&id).is_none_or(|slots| held > *slots) {
            return Err(format!("executor {id} holds {held} runs and has {:?} slots", limits.slots.get(&id)));
        }
    }
    let [held, used] = mirror.tally.of_queue(limits.queue);
    if held > limits.queue_runs || used > 1000 * limits.queue_cpus {
        return Err(format!("a queue has {held} active runs with {used} thousandths of processors"));
    }
    Ok(())
}

/// 5: pipelines keep their limits at any depth, and have counted right. Below a limit that was lowered they drain.
fn counts(mirror: &Mirror, run: &Run, before: &Before) -> Check {
    let Some(counts) = &run.counts else { return Ok(()) };
    let counted = [counts.preparing, counts.queued, counts.leaves];
    let expected = mirror.tally.of_pipeline(run.id);
    if counted != expected {
        return Err(format!("it counts {counted:?}, not {expected:?}"));
    }
    let limit = concurrency::limit(run.concurrency).map_or(i64::MAX, |limit| limit as i64);
    let had = match before.get(&run.id) {
        Some(old) => old.as_ref().and_then(|old| old.counts.as_ref()).map_or(0, |counts| counts.leaves),
        None => counts.leaves,
    };
    // What an agent still has is active, whatever was decided about it meanwhile.
    let is_told_so = before.keys().filter_map(|id| mirror.runs.get(id)).any(is_told);
    if counts.leaves > limit.max(had) && !is_told_so {
        return Err(format!("it runs {} operations, its limit is {limit}", counts.leaves));
    }
    Ok(())
}

/// What must hold when nothing is left to do.
pub(crate) fn check_end(mirror: &Mirror) -> Check {
    for run in mirror.runs.values() {
        if !run.status.is_done() {
            return Err(format!("it is {} for ever\n{}", run.status, told(mirror, run)));
        }
        if run.control.is_attempt_live {
            return Err(format!("it has ended and holds a slot for ever\n{}", told(mirror, run)));
        }
        if let Some(open) = run.open.first() {
            return Err(format!("{:?} is to be done for ever\n{}", open.action, told(mirror, run)));
        }
        // 8: every end was counted.
        let Some(counts) = &run.counts else { continue };
        let children = mirror.children(run.id).count() as u64;
        // Records of deleted children go before that of their pipeline.
        let is_whole = children == counts.created as u64;
        if is_whole && counts.ends.total() != children {
            return Err(format!("it counted {:?} of {children} children\n{}", counts.ends, told(mirror, run)));
        }
    }
    Ok(())
}
