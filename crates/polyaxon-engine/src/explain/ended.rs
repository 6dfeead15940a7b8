//! Runs that ended: how that came.

use polyaxon_model::JsonMap;
use polyaxon_model::builds::NOTIFIED;
use polyaxon_model::condition::{EARLY_STOPPING, METRIC_MISSING, StatusCondition};
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use serde_json::Value as Json;

use super::{Facts, Words, sentence, short, waiting};
use crate::flow::event;

pub(super) fn failed(facts: &Facts, words: &mut Words) {
    let run = facts.short();
    let message = facts.message();
    if facts.run.kind.is_pipeline() && matches!(facts.reason(), "SchedulerPipeline" | "SchedulerEarlyStopping") {
        words.sum_up("The pipeline failed because runs in it did.");
        words.because("pipeline", message.to_owned());
        waiting::children(facts, words);
        let culprit = facts.children.as_ref().and_then(|children| children.culprit);
        words.advise(format!("Look at one of those that failed: `polyaxon explain {}`.", short(culprit)));
        words.advise(format!("When the cause is mended, `polyaxon ops resume {run}` runs only what did not succeed."));
        return;
    }
    match facts.reason() {
        METRIC_MISSING => {
            words.sum_up("The search failed because none of its trials reported what they are compared by.");
            waiting::children(facts, words);
            return;
        }
        "SchedulerPrepare" => {
            words.sum_up("The run failed before it began: its operation could not be compiled.");
            words.because("compile", message.trim_start_matches("Failed to compile.").trim().to_owned());
            words.advise("Mend the file; `polyaxon check -f FILE` finds such mistakes without running it.");
            return;
        }
        "DeadlineExceeded" => {
            words.sum_up("The run failed because it took longer than its timeout.");
            words.because("timeout", message.to_owned());
            words.advise("Raise `termination.timeout`, or make the run do less.");
        }
        "HeartbeatLost" => {
            words.sum_up("The run was taken for dead because it gave no sign of life.");
            words.because("heartbeat", message.to_owned());
            words.advise("When it still runs, its next report brings it back. POLYAXON_TTL_HEARTBEAT sets how long it may be silent.");
        }
        "StaleUpload" => {
            words.sum_up("The run failed because the files it waited for never came.");
            words.because("upload", message.to_owned());
            words.advise("Submit it again with `polyaxon run -u`.");
            return;
        }
        "CommandNotFound"
        | "CommandNotExecutable"
        | "WorkingDirMissing"
        | "LaunchFailed"
        | "NoTasks"
        | "NotSupervised" => {
            words.sum_up("The run failed because its program could not be started.");
            words.because("launch", format!("{}: {message}", facts.reason()));
            words.advise("Check `container.command`, `container.workingDir` and what is installed on this machine.");
        }
        "ResourceLost" => {
            words.sum_up("The run failed because its process disappeared.");
            words.because("lost", message.to_owned());
            words
                .advise("The machine may have been restarted, or the process group killed from outside; run it again.");
        }
        _ => exit(facts, words),
    }
    retries(facts, words);
    words.shows_log = true;
    match &facts.log {
        Some(lines) if lines.is_empty() => words.because("log", "It printed nothing that was recorded."),
        Some(_) => {}
        None => words.because("log", "What it printed was not recorded."),
    }
    words.advise(format!(
        "`polyaxon ops logs {run}` shows everything it printed; `polyaxon ops restart {run}` tries again."
    ));
}

/// The program itself ended badly.
fn exit(facts: &Facts, words: &mut Words) {
    let meta = |key: &str| facts.last().and_then(|last| last.meta_info.as_ref()?.get(key)).cloned();
    let message = facts.message();
    let Some(code) = meta("exit_code").and_then(|code| code.as_i64()) else {
        words.sum_up("The run failed.");
        words.because(
            "reported",
            format!("{}: {message}", if facts.reason().is_empty() { "No reason" } else { facts.reason() }),
        );
        words.because("exit_code", "An exit code was not recorded.");
        return;
    };
    let meaning = match code {
        126 => Some((
            "its command is no program that can be executed",
            "Give it the right to execute, or name an interpreter.",
        )),
        127 => Some(("a command in it was not found", "Install the program, or mend PATH and the spelling.")),
        130 => Some(("it was interrupted (SIGINT)", "Somebody pressed Ctrl-C or sent the signal.")),
        134 => Some(("it aborted itself (SIGABRT)", "Look at its last lines: an assertion or a library gave up.")),
        137 => Some((
            "it was killed (SIGKILL)",
            "Most often the machine ran out of memory: ask for less, or look at `dmesg`.",
        )),
        139 => {
            Some(("it accessed memory that is not its own (SIGSEGV)", "A native library is broken or does not fit."))
        }
        143 => Some(("it was told to end (SIGTERM)", "Somebody outside of this server sent the signal.")),
        _ => None,
    };
    match meaning {
        Some((what, advice)) => {
            words.sum_up(format!("The run failed: {what}."));
            words.advise(advice);
        }
        None => words.sum_up(format!("The run failed: its program ended with exit code {code}.")),
    }
    let said = if message.contains(&code.to_string()) { String::new() } else { format!("Exit code {code}. ") };
    words.because("exit_code", format!("{said}{}", sentence(message)));
}

fn retries(facts: &Facts, words: &mut Words) {
    let control = &facts.run.control;
    if control.max_retries > 0 {
        words.because("retries", format!("{} of {} attempts failed.", control.failures, control.max_retries + 1));
    }
}

pub(super) fn upstream_failed(facts: &Facts, now: Timestamp, words: &mut Words) {
    if facts.reason() == "SchedulerPrepare" {
        words.sum_up("The run did not begin because something it needs was not produced.");
        words.because("upstream_output", facts.message().to_owned());
        words.advise("Look at the run that should have produced it.");
        return;
    }
    if facts.reason() == event::LOST {
        words.sum_up("The run did not begin because none of its events happened.");
        words.because("event", facts.message().to_owned());
        words.advise("Look at the runs that it listens to; `kinds` says what they have to do.");
        return;
    }
    if facts.reason() == NOTIFIED {
        words.sum_up("The run did not begin because its image was not made.");
        words.because("build", facts.message().to_owned());
        if let Some(build) = &facts.build {
            words.because("build_status", build.told(now));
            waiting::look_into(build, words);
        }
        words.advise(format!("When the cause is mended, `polyaxon ops resume {}` builds again.", facts.short()));
        return;
    }
    words.sum_up("The run did not begin because operations before it did not end as its trigger asks.");
    upstream(facts, words);
    if facts.turn.is_none() {
        words.because("recorded", facts.message().to_owned());
    }
    let culprit = facts.turn.as_ref().and_then(|turn| turn.culprit);
    words.advise(format!(
        "Look at what failed (`polyaxon explain {}`), mend it, and resume the pipeline: only what is missing runs.",
        short(culprit)
    ));
}

fn upstream(facts: &Facts, words: &mut Words) {
    let Some(turn) = &facts.turn else {
        words.because("upstream", "Its upstream operations were not recorded.");
        return;
    };
    words.because("trigger", format!("Its trigger is `{}`.", turn.trigger));
    let others = facts.upstream(|status| status != Status::Succeeded);
    if !others.is_empty() {
        words.because("upstream", format!("Upstream: {others}."));
    }
}

pub(super) fn skipped(facts: &Facts, words: &mut Words) {
    match facts.reason() {
        "ConditionsCheckFailed" => {
            words.sum_up("The run was skipped because its conditions are false.");
            condition(facts.last(), words);
            words.advise("Change the condition or what it looks at; `polyaxon ops restart` checks it again.");
        }
        "ScheduleMissed" => {
            words.sum_up("The run was skipped because its time passed while no server was there.");
            words.because("schedule", facts.message().to_owned());
            words.advise("`catchUp` of a schedule says what happens to missed times.");
        }
        "SchedulerNotifyDone" => {
            words.sum_up("The run was skipped because one before it was.");
            upstream(facts, words);
            words.advise("`skipOnUpstreamSkip: false` lets an operation run all the same.");
        }
        "RestartManager" => {
            words.sum_up("The run was left out because only a part of its dag was started again.");
            words.because("restart", facts.message().to_owned());
        }
        "StateManager" => {
            words.sum_up("The run was skipped because somebody asked for it.");
            words.because("user", facts.message().to_owned());
        }
        _ => {
            words.sum_up("The run was skipped.");
            words.because("recorded", facts.message().to_owned());
        }
    }
}

fn condition(last: Option<&StatusCondition>, words: &mut Words) {
    let meta = last.and_then(|last| last.meta_info.as_ref());
    let text = meta.and_then(|meta| meta.get("condition")).and_then(Json::as_str).filter(|text| !text.is_empty());
    match text {
        Some(text) => words.because("condition", format!("The condition: `{text}`")),
        None => words.because("condition", "The text of the condition was not recorded."),
    }
    match meta.and_then(|meta| meta.get("values")).and_then(Json::as_object) {
        Some(values) if !values.is_empty() => words.because("values", format!("It saw {}.", pairs(values))),
        Some(_) => words.because("values", "It names no input of the operation."),
        None => words.because("values", "The values that it saw were not recorded."),
    }
}

fn pairs(values: &JsonMap) -> String {
    values.iter().map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(", ")
}

pub(super) fn stopped(facts: &Facts, words: &mut Words) {
    let is_over = facts.run.status == Status::Stopped;
    let early =
        facts.history.iter().rev().find(|condition| condition.reason.as_deref() == Some("SchedulerEarlyStopping"));
    if let Some(early) = early {
        words.sum_up(if is_over {
            "The run was stopped early by a policy."
        } else {
            "A policy is stopping the run early."
        });
        words.because(
            "early_stopping",
            early.message.clone().unwrap_or_else(|| "the policy was not recorded".to_owned()),
        );
        if let Some(values) = early.meta_info.as_ref().filter(|values| !values.is_empty()) {
            words.because("values", format!("Recorded: {}.", pairs(values)));
        }
        words.advise("Change `earlyStopping` of the matrix when that was too soon.");
    } else if facts.reason() == EARLY_STOPPING {
        words.sum_up(if is_over {
            "The run was pruned: others of its pipeline do better."
        } else {
            "The run is being pruned: others of its pipeline do better."
        });
        words.because("early_stopping", facts.message().to_owned());
        words.advise("A larger `minInterval` or `minSamples` of the policy lets runs go on for longer.");
    } else {
        let beginning = facts.history.iter().rev().find(|condition| condition.status == Status::Stopping);
        let why = beginning.and_then(|condition| condition.message.as_deref()).unwrap_or_else(|| facts.message());
        words.sum_up(if is_over {
            "The run was stopped."
        } else {
            "The run is being stopped; its process has not ended yet."
        });
        words.because("stop", why.to_owned());
    }
    if facts.run.kind.is_pipeline() {
        waiting::children(facts, words);
    }
    if is_over {
        words.advise(format!("`polyaxon ops resume {}` goes on with it.", facts.short()));
    } else {
        words.advise("A process gets some time to end by itself before it is killed.");
    }
}

pub(super) fn succeeded(facts: &Facts, words: &mut Words) {
    match &facts.original {
        Some(original) if original.is_reused && facts.reason() == "RestartManager" => {
            words
                .sum_up("The run was not executed: its dag was started again in part, and this part stayed as it was.");
            words.because("restart", facts.message().to_owned());
            words.advise(format!(
                "`polyaxon ops logs {}` shows the run that did the work.",
                &original.uuid.to_hex()[..8]
            ));
        }
        Some(original) if original.is_reused => {
            let name = original.name.as_deref().unwrap_or("without a name");
            let hex = original.uuid.to_hex();
            words.sum_up("The run was not executed: the results of an earlier one are reused.");
            words.because(
                "cache",
                format!("The same component and params succeeded before, in run {} ({name}).", &hex[..8]),
            );
            words.advise(format!(
                "To execute it all the same: `polyaxon ops invalidate {}`, or run it with `--cache no`.",
                &hex[..8]
            ));
        }
        _ if facts.reason() == METRIC_MISSING => {
            words.sum_up("The search succeeded, but not all of its trials reported what it looks at.");
        }
        _ => {
            words.sum_up("The run succeeded.");
            words.because("recorded", facts.message().to_owned());
            retried(facts, words);
        }
    }
    if facts.run.kind.is_pipeline() {
        waiting::children(facts, words);
    }
}

fn retried(facts: &Facts, words: &mut Words) {
    if facts.run.control.failures > 0 {
        words.because("retries", format!("It took {} attempts.", facts.run.control.failures + 1));
    }
}
