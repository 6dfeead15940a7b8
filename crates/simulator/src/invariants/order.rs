//! When operations of a dag begin and are given up.

use polyaxon_engine::flow::trigger::{OnSkip, Upstreams, Verdict, evaluate};
use polyaxon_engine::state::Place;
use polyaxon_model::kinds::RunKind;
use polyaxon_model::status::Status;

use super::{Check, is_news, told};
use crate::mirror::{Before, Mirror, Run};

/// 6: an operation begins when its upstreams allow it, and is given up when they cannot any more.
pub(super) fn begins(mirror: &Mirror, run: &Run, before: &Before) -> Check {
    let Some(child) = run.child.as_ref().filter(|child| run.control.place == Place::Child && !child.listens) else {
        return Ok(());
    };
    let old = before.get(&run.id).and_then(Option::as_ref);
    let state = old.and_then(|old| old.child.as_ref()).map_or("waiting", |child| &child.state);
    if child.state == state || state == "released" {
        return Ok(());
    }
    let verdict = verdict(mirror, run, |_| true);
    let is_right = match child.state.as_str() {
        "ready" | "released" if verdict == Verdict::Skip => {
            // What may begin does so, although another upstream is skipped before there is room.
            state == "ready"
                || self::verdict(mirror, run, |upstream| !was_skipped_now(upstream, before)) == Verdict::Run
        }
        "ready" | "released" => verdict == Verdict::Run,
        "decided" => matches!(verdict, Verdict::Skip | Verdict::UpstreamFailed),
        _ => true,
    };
    if is_right { Ok(()) } else { Err(format!("it became {} although its trigger says {verdict:?}", child.state)) }
}

/// 7: what waits in a running dag waits for an upstream that goes on, or whose end is still to be noticed.
pub(super) fn waits(mirror: &Mirror, dag: &Run) -> Check {
    if dag.kind != RunKind::Dag || dag.status != Status::Running {
        return Ok(());
    }
    for run in mirror.children(dag.id) {
        let Some(child) = run.child.as_ref().filter(|child| child.state == "waiting" && !child.listens) else {
            continue;
        };
        let mut upstreams = child.upstreams.iter().filter_map(|upstream| mirror.runs.get(upstream));
        if !upstreams.any(|upstream| !upstream.status.is_done() || is_news(upstream)) {
            return Err(format!("it waits for upstreams that have ended\n{}", told(mirror, run)));
        }
    }
    Ok(())
}

/// Whether the step noticed that it was skipped.
fn was_skipped_now(run: &Run, before: &Before) -> bool {
    let is_new = |old: &Option<Run>| old.as_ref().is_none_or(|old| !old.status.is_done() || is_news(old));
    run.status == Status::Skipped && before.get(&run.id).is_some_and(is_new)
}

/// What its trigger says of those of its upstreams that count.
fn verdict(mirror: &Mirror, run: &Run, counts: impl Fn(&Run) -> bool) -> Verdict {
    let Some(child) = &run.child else { return Verdict::Wait };
    let mut upstreams = Upstreams { total: child.upstreams.len() as u64, ..Upstreams::default() };
    let known = child.upstreams.iter().filter_map(|upstream| mirror.runs.get(upstream));
    // An end counts when it was reacted to.
    let counted = known.filter(|run| !is_news(run) && counts(run));
    counted.for_each(|run| upstreams.count(run.status));
    let on_skip = if child.is_on_skip { OnSkip::Skip } else { OnSkip::GoOn };
    evaluate(child.trigger, on_skip, &upstreams)
}
