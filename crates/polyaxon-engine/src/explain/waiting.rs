//! Runs that have not ended: what they wait for.

use polyaxon_model::kinds::{Pending, RunKind};
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;

use super::{Awaited, Build, Facts, Words, count, lasting, named, short};
use crate::flow::metrics::{By, Report};
use crate::state::Place;

/// A gate that somebody has to open.
pub(super) fn gate(facts: &Facts, now: Timestamp, words: &mut Words) {
    let run = facts.short();
    match facts.run.pending {
        Some(Pending::Approval) => {
            words.sum_up("The run waits for somebody to approve it.");
            words.because("approval", "The operation says `isApproved: false`, or was submitted with `--approved no`.");
            words.advise(format!(
                "Let it begin with `polyaxon ops approve {run}`, or skip it with `polyaxon ops skip {run}`."
            ));
        }
        Some(Pending::Upload) => {
            words.sum_up("The run waits for files that its submitter announced.");
            words.because(
                "upload",
                "It begins when the upload is complete, and fails when nothing comes for 120 minutes.",
            );
            words.advise(format!(
                "Send them with `polyaxon ops upload {run}`, or stop it with `polyaxon ops stop {run}`."
            ));
        }
        Some(Pending::Build) => {
            words.sum_up("The run waits for the build of its image.");
            words.because("build", "It begins when the run that builds the image has succeeded.");
            match &facts.build {
                Some(build) => {
                    words.because("build_status", build.told(now));
                    look_into(build, words);
                }
                None => words.because("build_status", "Which run that is was not recorded."),
            }
            words.advise(format!(
                "Stop it with `polyaxon ops stop {run}`; a build that nobody else needs stops with it."
            ));
        }
        Some(Pending::Cache) => {
            words.sum_up("The run waits for another one whose results it may reuse.");
            words.because("cache", "A run of the same component and params is under way.");
        }
        None => {}
    }
}

/// What shows more of a build.
pub(super) fn look_into(build: &Build, words: &mut Words) {
    let build = short(Some(build.uuid));
    words.advise(format!(
        "`polyaxon explain {build}` says more of the build, `polyaxon ops logs {build}` what it does."
    ));
}

/// Runs that were not let to wait for a slot yet.
pub(super) fn turn(facts: &Facts, words: &mut Words) {
    let control = &facts.run.control;
    if let Place::Tick { at } = control.place
        && control.is_held
    {
        words.sum_up("The run waits for its time.");
        words.because("schedule", format!("Its schedule begins it at {}.", at.to_jiff()));
        return;
    }
    let waits = facts.upstream(|status| !status.is_done());
    if control.is_held && !facts.awaited.is_empty() {
        words.sum_up("The run waits for something to happen to another one.");
        for Awaited { run, status, kinds } in &facts.awaited {
            words.because("event", format!("It begins with {kinds} of `{run}`, which is {status}."));
        }
        if let Some(turn) = facts.turn.as_ref().filter(|turn| !turn.upstream.is_empty()) {
            let trigger = turn.trigger;
            words.because("trigger", format!("When that cannot happen any more, its trigger `{trigger}` decides."));
        }
        words.advise("Look at the run that it listens to; without the event this one ends as `upstream_failed`.");
        return;
    }
    if control.is_held && !waits.is_empty() {
        let trigger = facts.turn.as_ref().map_or_else(String::new, |turn| turn.trigger.to_string());
        words.sum_up("The run waits for operations that come before it.");
        words.because("upstream", format!("Not finished yet: {waits}."));
        words.because("trigger", format!("Its trigger is `{trigger}`."));
        words.advise("Look at what comes before it; `polyaxon ops watch` on the pipeline shows all of it.");
        return;
    }
    if let Some(pipeline) = facts.pipeline.as_ref().filter(|_| control.place == Place::Child) {
        let name = &pipeline.name;
        words.sum_up(format!("The run waits for its turn in {} `{name}`.", pipeline.kind));
        match pipeline.limit {
            Some(limit) => words.because(
                "pipeline_concurrency",
                format!(
                    "`{name}` lets {} at a time, and {} active now",
                    count(limit, "run"),
                    if pipeline.active == 1 { "1 is".to_owned() } else { format!("{} are", pipeline.active) }
                ) + &among(&pipeline.running),
            ),
            None => words
                .because("pipeline_concurrency", format!("`{name}` has no limit of its own; it begins in a moment.")),
        }
        if pipeline.status.is_done_or_stopping() {
            words.because("pipeline", format!("`{name}` is {}, so it begins nothing new.", pipeline.status));
        }
        if pipeline.limit.is_some() {
            words.advise("Raise `concurrency` of the pipeline when the machine has room for more.");
        }
        return;
    }
    if facts.run.kind.is_pipeline() {
        words.sum_up("The pipeline is about to make its first runs.");
        words.because("expanding", "Its children are made in the background.");
    } else if control.is_compiling {
        words.sum_up("The run is being compiled.");
        words.because("compiling", "Its templates and params are resolved; this takes a moment.");
        words.advise("When it stays so, no server works on it: `polyaxon server status`.");
    } else {
        words.sum_up(format!("The run is {}, and whoever manages it moves it on.", facts.run.status));
        words.because("managed_by", format!("It is managed by `{}`.", facts.run.managed_by));
    }
}

/// `: a, b` as the rest of a sentence.
fn among(names: &[String]) -> String {
    let names = named(names.iter().map(|name| format!("`{name}`")));
    if names.is_empty() { ".".to_owned() } else { format!(": {names}.") }
}

/// Runs in a queue.
pub(super) fn slot(facts: &Facts, words: &mut Words) {
    words.sum_up("The run waits for a free slot.");
    match &facts.queue {
        Some(queue) => {
            let place = match queue.ahead {
                0 => "It is the first in its queue.".to_owned(),
                ahead => format!("{} {} before it.", count(ahead, "run"), if ahead == 1 { "comes" } else { "come" }),
            };
            words.because("queue", place);
            match &queue.limit {
                Some(limit) => words.because("limit", limit.clone()),
                None => words.because("limit", "Which limit holds it back was not recorded."),
            }
        }
        None => words.because("queue", "Its place in the queue was not recorded."),
    }
    if facts.reason() == "ExecutorLost" {
        words.because("executor_lost", format!("It is back in the queue: {}", facts.message()));
    }
    words.advise("Stop what is not needed (`polyaxon ops ls -q 'status:running'`), or give it a higher priority or another queue.");
}

/// Runs between two attempts.
pub(super) fn retry(facts: &Facts, now: Timestamp, words: &mut Words) {
    let control = &facts.run.control;
    words.sum_up(format!("Attempt {} failed, and the run is tried again.", control.failures));
    words.because(
        "retries",
        format!(
            "{} of {} are used.",
            control.failures,
            count(control.max_retries.into(), "retry").replace("retrys", "retries")
        ),
    );
    match control.retry_at {
        Some(at) => {
            words.because("retry_at", format!("The next attempt begins in {:.0} s.", at.seconds_since(now).max(0.0)));
        }
        None => words.because("retry_at", "The time of the next attempt was not recorded."),
    }
    // The message begins with the count that was just told.
    let message = facts.message();
    let failure = message.split_once(" s: ").map_or(message, |(_, failure)| failure);
    words.because("last_failure", format!("The last attempt: {failure}."));
    words.shows_log = true;
    words.advise(format!("Stop it with `polyaxon ops stop {}` when another attempt is of no use.", facts.short()));
}

/// Runs that are with an executor.
pub(super) fn active(facts: &Facts, now: Timestamp, words: &mut Words) {
    let (run, status) = (facts.short(), facts.run.status);
    let since = facts.run.started_at.map_or_else(String::new, |at| format!(" for {}", lasting(now.seconds_since(at))));
    match status {
        Status::Unknown => {
            words.sum_up("Nobody knows what became of the run: its executor is gone.");
            words.because("executor_lost", facts.message().to_owned());
            words.advise(format!(
                "Bring the executor back, or stop the run with `polyaxon ops stop {}`.",
                facts.short()
            ));
        }
        Status::Unschedulable if facts.reason() == "AgentController" => {
            words.sum_up("The run cannot start on what this server has.");
            words.because("resources", facts.message().to_owned());
            words.advise(format!(
                "With other resources: `polyaxon ops stop {run}` and `polyaxon ops restart {run} -f changes.yaml`."
            ));
        }
        Status::Warning | Status::Unschedulable => {
            words.sum_up("The run makes no progress.");
            words.because("warning", facts.message().to_owned());
        }
        _ if facts.run.kind == RunKind::Schedule => {
            words.sum_up(format!("The schedule has been {status}{since}."));
            if let Some(next) = facts.children.as_ref().and_then(|children| children.next) {
                words.because("next", format!("Its next run begins at {}.", next.to_jiff()));
            }
            children(facts, words);
        }
        _ if facts.run.kind.is_pipeline() => {
            words.sum_up(format!("The pipeline has been {status}{since}."));
            children(facts, words);
        }
        Status::Scheduled | Status::Starting => {
            words.sum_up("The run has a slot and is being started.");
            words.because("starting", facts.message().to_owned());
        }
        _ => {
            words.sum_up(format!("The run has been {status}{since}; nothing holds it back."));
            words.advise(format!("`polyaxon ops logs {}` shows what it does.", facts.short()));
        }
    }
    if let (Some(seconds), Some(since)) = (facts.run.control.timeout_seconds, facts.run.control.active_since) {
        let left = seconds as f64 - now.seconds_since(since);
        words.because("timeout", format!("Its timeout of {seconds} s passes in {:.0} s.", left.max(0.0)));
    }
}

/// How the children of a pipeline stand.
pub(super) fn children(facts: &Facts, words: &mut Words) {
    let Some(children) = &facts.children else {
        words.because("children", "How its runs stand was not recorded.");
        return;
    };
    let counts: Vec<String> = children.counts.iter().map(|(status, number)| format!("{number} {status}")).collect();
    let counts = if counts.is_empty() { "it has none".to_owned() } else { counts.join(", ") };
    words.because("children", format!("Its runs: {counts}."));
    for (name, why) in &children.failed {
        words.because("child_failed", format!("`{name}`: {why}"));
    }
    for report in &children.reports {
        let Some(sentence) = report.sentence() else { continue };
        words.because("metric", sentence);
        words.advise(unreported(facts, report));
    }
}

/// What to do about a metric that trials do not report.
fn unreported(facts: &Facts, report: &Report) -> String {
    let metric = &report.metric;
    let log = format!("`tracking.log_metrics({metric}=...)` or `tracking.log_outputs({metric}=...)`");
    if !report.is_missing() {
        return format!("Trials without `{metric}` teach the search nothing; let each of them report it with {log}.");
    }
    let run = facts.short();
    let place = match report.by {
        By::Search | By::Tuner => "matrix.metric.name",
        By::Policy => "earlyStopping[].metric",
    };
    let name = match (report.meant(), report.others.is_empty()) {
        (Some(meant), _) => format!("Write `{meant}` in `{place}`, or let the program report it with {log}"),
        (None, false) => format!("Write a reported name in `{place}`, or let the program report it with {log}"),
        (None, true) => {
            return format!("Let the program report it with {log}; then `polyaxon ops restart {run}` searches again.");
        }
    };
    format!("{name}; then `polyaxon ops restart {run} -f changes.yaml` searches again.")
}
