//! An explanation for every reason that is recorded, and for facts that are not.

use polyaxon_model::condition::StatusCondition;
use polyaxon_model::kinds::{LiveState, ManagedBy, Pending, RunKind, Trigger};
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::state::{Control, Place};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_767_225_600_000_000 + seconds * 1_000_000)
}

fn facts(kind: RunKind, status: Status, reason: &str, message: &str) -> Facts {
    Facts {
        uuid: RunId::new(Uuid::from_u128(0xabcd_ef01 << 96)),
        name: Some("train".to_owned()),
        run: RunState {
            kind,
            managed_by: ManagedBy::Agent,
            status,
            pending: None,
            live_state: LiveState::Live,
            last_condition: None,
            created_at: at(0),
            updated_at: at(0),
            beat_at: None,
            started_at: Some(at(10)),
            finished_at: None,
            wait_time: None,
            duration: None,
            control: Control::default(),
        },
        history: vec![StatusCondition::new(status, reason, message, at(20))],
        pipeline: None,
        turn: None,
        awaited: Vec::new(),
        build: None,
        queue: None,
        children: None,
        original: None,
        hook_problems: Vec::new(),
        untold: Vec::new(),
        log: None,
    }
}

fn job(status: Status, reason: &str, message: &str) -> Facts {
    facts(RunKind::Job, status, reason, message)
}

fn with_meta(mut facts: Facts, key: &str, value: impl Into<serde_json::Value>) -> Facts {
    let last = facts.history.pop().unwrap();
    facts.history.push(last.with_meta(key, value));
    facts
}

/// Summary, codes, and the words that must be somewhere.
fn check(facts: &Facts, summary: &str, codes: &[&str], words: &[&str]) {
    let explanation = explain(facts, at(30));
    let text = format!("{explanation:#?}");
    assert!(explanation.summary.contains(summary), "{text}");
    let found: Vec<&str> = explanation.reasons.iter().map(|reason| reason.code.as_str()).collect();
    assert_eq!(found, codes, "{text}");
    for word in words {
        assert!(text.contains(word), "`{word}` is missing in {text}");
    }
    assert!(explanation.reasons.iter().all(|reason| !reason.text.trim().is_empty()), "{text}");
}

#[test]
fn gates() {
    for (gate, summary, word) in [
        (Pending::Approval, "approve", "polyaxon ops approve abcdef01"),
        (Pending::Upload, "files", "polyaxon ops upload abcdef01"),
        (Pending::Build, "image", "builds the image"),
        (Pending::Cache, "reuse", "under way"),
    ] {
        let mut facts = job(Status::Created, "OperationServiceInit", "Run is created");
        facts.run.pending = Some(gate);
        let codes: &[&str] = if gate == Pending::Build { &["build", "build_status"] } else { &[gate.as_str()] };
        check(&facts, summary, codes, &[word]);
    }
}

#[test]
fn the_build_of_an_image_is_named() {
    let build = |status| Build {
        uuid: RunId::new(Uuid::from_u128(0x1234_5678 << 96)),
        name: Some("kaniko".to_owned()),
        status,
        since: at(-210),
    };
    let mut waits = job(Status::Created, "OperationServiceInit", "Run is created");
    waits.run.pending = Some(Pending::Build);
    waits.build = Some(build(Status::Running));
    let words =
        ["The build `kaniko` (12345678) is running (for 4 min).", "polyaxon ops logs 12345678", "ops stop abcdef01"];
    check(&waits, "waits for the build", &["build", "build_status"], &words);

    let message = "The build x made no image, it is failed: exited with 1";
    let mut unbuilt = job(Status::UpstreamFailed, "SchedulerBuildNotify", message);
    unbuilt.build = Some(build(Status::Failed));
    let words =
        ["exited with 1", "`kaniko` (12345678) is failed (for 4 min).", "polyaxon explain 12345678", "builds again"];
    check(&unbuilt, "image was not made", &["build", "build_status"], &words);
}

#[test]
fn an_operation_waits_for_those_before_it() {
    let mut facts = job(Status::Created, "OperationServiceInit", "Run is created");
    facts.run.control.place = Place::Child;
    facts.run.control.is_held = true;
    facts.turn = Some(Turn {
        trigger: Trigger::AllSucceeded,
        upstream: vec![("prepare".to_owned(), Status::Running), ("other".to_owned(), Status::Succeeded)],
        culprit: None,
    });
    check(&facts, "come before it", &["upstream", "trigger"], &["`prepare` (running).", "`all_succeeded`"]);
    // When those are done, the pipeline's own limit is what is left.
    facts.turn.as_mut().unwrap().upstream[0].1 = Status::Succeeded;
    facts.pipeline = Some(Pipeline {
        name: "pipe".to_owned(),
        kind: RunKind::Dag,
        status: Status::Running,
        limit: Some(2),
        active: 2,
        running: vec!["one".to_owned(), "two".to_owned()],
    });
    check(
        &facts,
        "dag `pipe`",
        &["pipeline_concurrency"],
        &["2 runs at a time, and 2 are active now: `one`, `two`.", "concurrency"],
    );
    facts.pipeline.as_mut().unwrap().status = Status::Stopping;
    facts.pipeline.as_mut().unwrap().limit = None;
    check(&facts, "dag `pipe`", &["pipeline_concurrency", "pipeline"], &["begins nothing new"]);
}

#[test]
fn an_operation_waits_for_an_event_of_another_one() {
    let mut facts = job(Status::Created, "OperationServiceInit", "Run is created");
    facts.run.control.place = Place::Child;
    facts.run.control.is_held = true;
    let kinds = "run_status_running".to_owned();
    facts.awaited = vec![Awaited { run: "train".to_owned(), status: Status::Queued, kinds }];
    facts.turn = Some(Turn { trigger: Trigger::AllDone, upstream: Vec::new(), culprit: None });
    check(&facts, "something to happen", &["event"], &["run_status_running of `train`, which is queued"]);
    facts.turn.as_mut().unwrap().upstream.push(("prepare".to_owned(), Status::Running));
    check(&facts, "something to happen", &["event", "trigger"], &["its trigger `all_done` decides"]);

    let lost = job(Status::UpstreamFailed, crate::flow::event::LOST, "None of its events can happen any more: x.");
    check(&lost, "none of its events happened", &["event"], &["any more: x."]);
}

#[test]
fn times_compilation_and_strangers() {
    let mut facts = job(Status::Created, "x", "y");
    facts.run.control.place = Place::Tick { at: at(100) };
    facts.run.control.is_held = true;
    check(&facts, "its time", &["schedule"], &["2026-01-01T00:01:40Z"]);
    let mut facts = job(Status::Created, "x", "y");
    facts.run.control.is_compiling = true;
    check(&facts, "compiled", &["compiling"], &[]);
    check(&job(Status::Created, "x", "y"), "whoever manages it", &["managed_by"], &["agent"]);
}

#[test]
fn a_queue() {
    let mut facts = job(Status::Queued, "SchedulerStart", "Run is queued");
    check(&facts, "free slot", &["queue"], &["not recorded"]);
    facts.queue = Some(Queue { ahead: 0, limit: None });
    check(&facts, "free slot", &["queue", "limit"], &["first in its queue", "not recorded"]);
    facts.queue =
        Some(Queue { ahead: 4, limit: Some("It asks for 2 GPUs, and 1 of 2 GPUs can be had now.".to_owned()) });
    check(&facts, "free slot", &["queue", "limit"], &["4 runs come before it", "2 GPUs"]);
    facts.history = vec![StatusCondition::new(Status::Queued, "ExecutorLost", "The agent a1 is gone.", at(0))];
    check(&facts, "free slot", &["queue", "limit", "executor_lost"], &["The agent a1 is gone."]);
}

#[test]
fn exits() {
    for (code, summary, word) in [
        (1, "exit code 1", "Exit code 1. Boom."),
        (126, "no program", "interpreter"),
        (127, "not found", "PATH"),
        (134, "SIGABRT", "assertion"),
        (137, "SIGKILL", "out of memory"),
        (139, "SIGSEGV", "native library"),
        (143, "SIGTERM", "signal"),
    ] {
        let mut facts = with_meta(job(Status::Failed, "Error", "boom"), "exit_code", code);
        facts.log = Some(vec!["last words".to_owned()]);
        check(&facts, summary, &["exit_code"], &[word, "last words"]);
    }
    check(
        &job(Status::Failed, "Mine", "why"),
        "failed",
        &["reported", "exit_code", "log"],
        &["Mine: why", "not recorded"],
    );
    let mut facts = with_meta(job(Status::Failed, "Error", "boom"), "exit_code", 1);
    facts.run.control.max_retries = 2;
    facts.run.control.failures = 3;
    facts.log = Some(Vec::new());
    check(&facts, "exit code 1", &["exit_code", "retries", "log"], &["3 of 3 attempts failed", "printed nothing"]);
}

#[test]
fn other_failures() {
    for (reason, message, summary, codes, word) in [
        ("SchedulerPrepare", "Failed to compile.\nno `x`", "could not be compiled", &["compile"][..], "\"no `x`\""),
        ("DeadlineExceeded", "longer than its timeout of 5 s", "timeout", &["timeout", "log"], "termination.timeout"),
        (
            "HeartbeatLost",
            "no sign of life for 60 s",
            "no sign of life",
            &["heartbeat", "log"],
            "POLYAXON_TTL_HEARTBEAT",
        ),
        ("StaleUpload", "did not arrive", "never came", &["upload"], "polyaxon run -u"),
        ("CommandNotFound", "there is no `pythn`", "could not be started", &["launch", "log"], "`pythn`"),
        ("ResourceLost", "without a trace", "disappeared", &["lost", "log"], "killed from outside"),
    ] {
        check(&job(Status::Failed, reason, message), summary, codes, &[word]);
    }
    let mut facts = job(Status::Failed, "", "");
    facts.history.clear();
    check(&facts, "failed", &["reported", "exit_code", "log"], &["the reason was not recorded"]);
}

#[test]
fn a_retry() {
    let mut facts = job(Status::Retrying, "Error", "attempt 1/3, next in 10 s: exit code 1");
    facts.run.control.failures = 1;
    facts.run.control.max_retries = 2;
    check(&facts, "Attempt 1 failed", &["retries", "retry_at", "last_failure"], &["1 of 2 retries", "not recorded"]);
    facts.run.control.retry_at = Some(at(40));
    check(&facts, "tried again", &["retries", "retry_at", "last_failure"], &["in 10 s"]);
}

#[test]
fn pipelines() {
    let mut facts = facts(RunKind::Dag, Status::Failed, "SchedulerPipeline", "Operations that failed: 1.");
    check(&facts, "runs in it did", &["pipeline", "children"], &["was not recorded"]);
    facts.children = Some(Children {
        counts: vec![(Status::Failed, 1), (Status::Succeeded, 3)],
        failed: vec![("train 1234abcd".to_owned(), "exit code 3".to_owned())],
        culprit: Some(RunId::new(Uuid::from_u128(0x1234_abcd << 96))),
        next: None,
        reports: Vec::new(),
    });
    check(
        &facts,
        "runs in it did",
        &["pipeline", "children", "child_failed"],
        &["1 failed, 3 succeeded", "`train 1234abcd`: exit code 3", "polyaxon ops resume abcdef01"],
    );
    facts.run.status = Status::Running;
    check(&facts, "running for 20 s", &["children", "child_failed"], &["1 failed"]);
    let mut stopped = facts.clone();
    stopped.run.status = Status::Stopped;
    let early = StatusCondition::new(Status::Stopping, "SchedulerEarlyStopping", "loss reached 0.1", at(1));
    stopped.history = vec![early.with_meta("value", 0.09)];
    check(
        &stopped,
        "stopped early by a policy",
        &["early_stopping", "values", "children", "child_failed"],
        &["loss reached 0.1", "value = 0.09"],
    );
    let pruned = StatusCondition::new(Status::Stopped, "EarlyStopping", "At step 4 the best `loss` was 3", at(1));
    stopped.history = vec![pruned];
    check(&stopped, "pruned", &["early_stopping", "children", "child_failed"], &["At step 4", "minInterval"]);
}

#[test]
fn skips_and_upstream_failures() {
    let skipped = |reason: &str| job(Status::Skipped, reason, "because");
    let facts = with_meta(skipped("ConditionsCheckFailed"), "condition", "{{ accuracy > 0.9 }}");
    check(&facts, "conditions are false", &["condition", "values"], &["accuracy > 0.9", "not recorded"]);
    let facts = with_meta(facts, "values", json!({ "accuracy": 0.85 }));
    check(&facts, "conditions are false", &["condition", "values"], &["accuracy = 0.85"]);
    check(&skipped("ConditionsCheckFailed"), "false", &["condition", "values"], &["was not recorded"]);
    check(&skipped("ScheduleMissed"), "its time passed", &["schedule"], &["catchUp"]);
    check(&skipped("StateManager"), "somebody asked", &["user"], &[]);
    check(&skipped("SchedulerNotifyDone"), "one before it was", &["upstream"], &["not recorded", "skipOnUpstreamSkip"]);
    check(&skipped("Other"), "skipped", &["recorded"], &["because"]);
    let mut facts = job(Status::UpstreamFailed, "SchedulerNotifyDone", "of 2 upstream operations 1 failed");
    check(&facts, "did not begin", &["upstream", "recorded"], &["not recorded"]);
    facts.turn = Some(Turn {
        trigger: Trigger::AllSucceeded,
        upstream: vec![("a".to_owned(), Status::Failed), ("b".to_owned(), Status::Succeeded)],
        culprit: Some(RunId::new(Uuid::from_u128(0x1234_abcd << 96))),
    });
    check(&facts, "did not begin", &["trigger", "upstream"], &["Upstream: `a` (failed).", "polyaxon explain 1234abcd"]);
    let facts = job(Status::UpstreamFailed, "SchedulerPrepare", "`ops.a` has no output `x`");
    check(&facts, "not produced", &["upstream_output"], &["`ops.a`"]);
}

#[test]
fn other_ends() {
    let mut facts = job(Status::Stopped, "StateManager", "Run is stopped");
    facts.history.insert(0, StatusCondition::new(Status::Stopping, "StateManager", "User requested to stop", at(1)));
    check(&facts, "was stopped", &["stop"], &["User requested", "polyaxon ops resume abcdef01"]);
    facts.run.status = Status::Stopping;
    check(&facts, "being stopped", &["stop"], &["before it is killed"]);
    let mut facts = job(Status::Succeeded, "Executor", "Operation succeeded");
    check(&facts, "succeeded", &["recorded"], &[]);
    facts.run.control.failures = 1;
    check(&facts, "succeeded", &["recorded", "retries"], &["2 attempts"]);
    let uuid = RunId::new(Uuid::from_u128(0x1234_5678 << 96));
    facts.original = Some(Original { uuid, name: Some("first".to_owned()), is_reused: true });
    check(&facts, "earlier one are reused", &["cache"], &["12345678 (first)", "polyaxon ops invalidate 12345678"]);
    check(&job(Status::Unknown, "ExecutorLost", "The agent is gone."), "executor is gone", &["executor_lost"], &[]);
    let mut facts = job(Status::Running, "Executor", "");
    facts.run.control.timeout_seconds = Some(60);
    facts.run.control.active_since = Some(at(10));
    check(&facts, "running for 20 s", &["timeout"], &["passes in 40 s"]);
}

#[test]
fn every_status_has_words() {
    for status in Status::ALL {
        for kind in [RunKind::Job, RunKind::Dag, RunKind::Schedule] {
            let mut facts = facts(kind, *status, "", "");
            assert!(!explain(&facts, at(0)).summary.is_empty(), "{status}");
            facts.history.clear();
            assert!(!explain(&facts, at(0)).summary.is_empty(), "{status}");
        }
    }
}

#[test]
fn what_did_not_follow() {
    let mut facts = job(Status::Succeeded, "Succeeded", "done");
    let untold =
        |error: Option<&str>, due_at| Untold { connection: "chat".to_owned(), error: error.map(str::to_owned), due_at };
    facts.hook_problems = vec!["hooks[0] (mail): no such component".to_owned()];
    facts.untold = vec![untold(None, Some(at(1))), untold(Some("timed out"), Some(at(40))), untold(Some("gone"), None)];
    let explanation = explain(&facts, at(30));
    let texts: Vec<&str> = explanation.reasons.iter().rev().take(4).rev().map(|reason| &*reason.text).collect();
    assert_eq!(
        texts,
        [
            "A hook was not started: hooks[0] (mail): no such component.",
            "`chat` is about to be told.",
            "`chat` was not told yet: timed out. It is tried again at 2026-01-01T00:00:40Z.",
            "`chat` was not told: gone. It is not tried again.",
        ]
    );
}
