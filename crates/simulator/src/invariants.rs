//! What must hold after each step, whatever happened. The numbers are those of the list in `lib.rs`.

use polyaxon_engine::flow::completion::{Course, Ends, conclude};
use polyaxon_engine::flow::concurrency;
use polyaxon_engine::flow::trigger::{OnSkip, Upstreams, Verdict, evaluate, is_broken};
use polyaxon_engine::state::{Action, Force, Place};
use polyaxon_engine::transition::is_allowed;
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::kinds::RunKind;
use polyaxon_model::status::Status;

use crate::mirror::{Before, Mirror, Run};

type Check = Result<(), String>;

/// How far ticks of the simulated schedules are apart.
const TICK_SECONDS: f64 = 60.0;

/// Checks everything that a step can have broken.
pub(crate) fn check(
    mirror: &Mirror,
    before: &Before,
    capacities: &[(polyaxon_model::ids::ExecutorId, usize)],
) -> Check {
    for (id, old) in before {
        let Some(run) = mirror.runs.get(id) else { continue };
        let context = |problem: String| format!("run {} ({}, {}): {problem}", run.uuid, run.kind, run.status);
        history(run, old.as_ref()).map_err(context)?;
        times(run).map_err(context)?;
        attempts(run, old.as_ref()).map_err(context)?;
        lifeline(mirror, run).map_err(context)?;
        order(mirror, run, old.as_ref()).map_err(context)?;
        ending(mirror, run, old.as_ref()).map_err(context)?;
        tick(mirror, run, old.as_ref()).map_err(context)?;
    }
    slots(mirror, capacities)?;
    limits(mirror, before)
}

/// 1, 2, 13: the history only grows, every step of it is legal, and it leads to the status of the record.
fn history(run: &Run, old: Option<&Run>) -> Check {
    let known = old.map_or(&[][..], |old| &old.history);
    for (index, condition) in known.iter().enumerate() {
        let is_last = index + 1 == known.len();
        match run.history.get(index) {
            Some(same) if same == condition => {}
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
    let has = |wanted: fn(&Action) -> bool| run.open.iter().any(wanted);
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
            let counts = run.counts.as_ref();
            has(|action| *action == Action::Expand)
                || counts.is_some_and(|counts| counts.ends.total() < counts.created as u64)
                || mirror.children(run.id).any(|child| !child.open.is_empty())
        }
        Status::Scheduled => has(|action| matches!(action, Action::Launch { .. })),
        _ => control.is_attempt_live,
    };
    if is_moved { Ok(()) } else { Err(format!("nothing moves it on, open are {:?}, {control:?}", run.open)) }
}

/// 6: an operation begins when its upstreams allow it, and is given up when they cannot any more.
fn order(mirror: &Mirror, run: &Run, old: Option<&Run>) -> Check {
    let (Some(child), Some(old)) = (&run.child, old.and_then(|old| old.child.as_ref())) else { return Ok(()) };
    if child.state == old.state || run.control.place != Place::Child || old.state == "released" {
        return Ok(());
    }
    let verdict = verdict(mirror, run);
    let is_right = match child.state.as_str() {
        "ready" | "released" => verdict == Verdict::Run,
        "decided" => matches!(verdict, Verdict::Skip | Verdict::UpstreamFailed),
        _ => true,
    };
    if is_right { Ok(()) } else { Err(format!("it became {} although its trigger says {verdict:?}", child.state)) }
}

fn verdict(mirror: &Mirror, run: &Run) -> Verdict {
    let Some(child) = &run.child else { return Verdict::Wait };
    let mut upstreams = Upstreams { total: child.upstreams.len() as u64, ..Upstreams::default() };
    for upstream in &child.upstreams {
        mirror.runs.get(upstream).into_iter().for_each(|run| upstreams.count(run.status));
    }
    let on_skip = if child.is_on_skip { OnSkip::Skip } else { OnSkip::GoOn };
    evaluate(child.trigger, on_skip, &upstreams)
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
            Status::UpstreamFailed if broken(mirror, child) => ends.broken += 1,
            Status::UpstreamFailed => ends.upstream_failed += 1,
            status => return Err(format!("it has ended, and its child {} is {status}", child.uuid)),
        }
    }
    let was_stopping = old.is_some_and(|old| old.status == Status::Stopping);
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

/// 5: no server holds more runs than it has slots.
fn slots(mirror: &Mirror, capacities: &[(polyaxon_model::ids::ExecutorId, usize)]) -> Check {
    for (id, capacity) in capacities {
        let held = mirror.runs.values().filter(|run| run.control.is_attempt_live && run.executor == Some(*id)).count();
        if held > *capacity {
            return Err(format!("server {id} holds {held} runs and has {capacity} slots"));
        }
    }
    Ok(())
}

/// 5: pipelines keep their limits at any depth, and have counted right. Below a limit that was lowered they drain.
fn limits(mirror: &Mirror, before: &Before) -> Check {
    let mut expected: std::collections::BTreeMap<i64, [i64; 3]> = std::collections::BTreeMap::new();
    for run in mirror.runs.values() {
        let Some(parent) = run.pipeline.filter(|_| run.control.place == Place::Child) else { continue };
        if run.control.is_held || run.pending.is_some() || run.status.is_done() {
            continue;
        }
        if run.kind.is_pipeline() || run.status.is_compilable() || run.status == Status::Compiled {
            expected.entry(parent).or_default()[0] += 1;
            continue;
        }
        if run.status == Status::Queued {
            expected.entry(parent).or_default()[1] += 1;
        }
        let mut around = Some(parent);
        while let Some(id) = around {
            expected.entry(id).or_default()[2] += 1;
            around = mirror.runs.get(&id).filter(|run| run.control.place == Place::Child).and_then(|run| run.pipeline);
        }
    }
    for run in mirror.runs.values() {
        let Some(counts) = &run.counts else { continue };
        let counted = [counts.preparing, counts.queued, counts.leaves];
        let expected = expected.get(&run.id).copied().unwrap_or_default();
        if counted != expected {
            return Err(format!("pipeline {} counts {counted:?}, not {expected:?}", run.uuid));
        }
        let limit = concurrency::limit(run.concurrency).map_or(i64::MAX, |limit| limit as i64);
        let had = match before.get(&run.id) {
            Some(old) => old.as_ref().and_then(|old| old.counts.as_ref()).map_or(0, |counts| counts.leaves),
            None => counts.leaves,
        };
        if counts.leaves > limit.max(had) {
            return Err(format!("pipeline {} runs {} operations, its limit is {limit}", run.uuid, counts.leaves));
        }
    }
    Ok(())
}

/// What must hold when nothing is left to do.
pub(crate) fn check_end(mirror: &Mirror) -> Check {
    for run in mirror.runs.values() {
        if !run.status.is_done() {
            return Err(format!("run {} of kind {} is {} for ever: {run:?}", run.uuid, run.kind, run.status));
        }
        if run.control.is_attempt_live {
            return Err(format!("run {} has ended and holds a slot for ever", run.uuid));
        }
        if let Some(action) = run.open.first() {
            return Err(format!("run {} has {action:?} to do for ever", run.uuid));
        }
        // 8: every end was counted.
        let Some(counts) = &run.counts else { continue };
        let children = mirror.children(run.id).count() as u64;
        // Records of deleted children go before that of their pipeline.
        let is_whole = children == counts.created as u64;
        if is_whole && counts.ends.total() != children {
            return Err(format!("pipeline {} counted {:?} of {children} children", run.uuid, counts.ends));
        }
    }
    Ok(())
}
