//! Any events in any order: every decision is legal, and no run is forgotten. A failing seed is printed.

use polyaxon_engine::state::{Action, HistoryChange, Place};
use polyaxon_engine::transition::is_allowed;
use polyaxon_model::kinds::{LiveState, ManagedBy, Pending, RunKind};
use polyaxon_model::status::Status;
use std::time::Duration;

use crate::script::{Life, Setting};

const WORDS: &[&str] = &[
    "compiled",
    "compiled",
    "invalid",
    "conditions-false",
    "admitted",
    "admitted",
    "starting",
    "running",
    "warning",
    "exit:0",
    "exit:1",
    "exit:1",
    "rejected",
    "timed-out",
    "gone",
    "old-exit",
    "lost",
    "stop",
    "skip",
    "approve",
    "approve",
    "resume",
    "archive",
    "restore",
    "delete",
    "woke",
    "woke",
    "post:created",
    "post:running",
    "post:stopping",
    "post:succeeded",
    "post:stopped",
    "post:retrying",
    "post:queued",
    "force:running",
    "released",
    "released",
    "enqueued",
    "expanded",
    "concluded:stopped",
    "concluded:upstream_failed",
    "early:succeeded",
    "reopened",
    "reset",
];

/// SplitMix64: small, seeded, the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[(self.next() % from.len() as u64) as usize]
    }
}

#[test]
fn any_order_of_events_is_legal() {
    for seed in 0..4000 {
        play(seed);
    }
}

fn play(seed: u64) {
    let mut random = Random(seed);
    let setting = Setting {
        kind: *random.pick(&[RunKind::Job, RunKind::Service, RunKind::Dag]),
        managed_by: *random.pick(&[ManagedBy::Agent, ManagedBy::Agent, ManagedBy::Cli, ManagedBy::User]),
        pending: *random.pick(&[None, None, None, Some(Pending::Upload), Some(Pending::Build)]),
        requires_approval: *random.pick(&[false, false, true]),
        max_retries: *random.pick(&[0, 1, 3]),
        timeout: *random.pick(&[None, Some(5), Some(1000)]),
        place: *random.pick(&[Place::Independent, Place::Child]),
    };
    let (mut life, born) = Life::begin(&setting);
    let mut open: Vec<Action> = born.actions;
    let mut launched = Vec::new();
    let mut script = Vec::new();
    for _ in 0..40 {
        let word = *random.pick(WORDS);
        script.push(word);
        life.now = life.now.plus(Duration::from_secs(*random.pick(&[0, 1, 1, 20, 2000])));
        let before = life.run.clone();
        let event = life.event(word);
        let decision = life.step(&event);
        let context = || format!("seed {seed}, {setting:?}, script: {}", script.join(" "));

        // 1. A final status is left only by a resume or by force; 2. every step of the history is legal.
        let mut status = before.status;
        for change in &decision.history {
            let (HistoryChange::Append(condition) | HistoryChange::ReplaceLast(condition)) = change;
            let force = if word.starts_with("force") || matches!(word, "resume" | "reset" | "reopened") {
                polyaxon_engine::state::Force::Yes
            } else {
                polyaxon_engine::state::Force::No
            };
            assert!(is_allowed(status, condition.status, force), "{status} -> {} in {}", condition.status, context());
            status = condition.status;
        }
        assert_eq!(life.run.status, status, "{}", context());
        assert_eq!(life.history.last().map(|last| last.status), Some(status), "{}", context());

        // 3. An attempt number is launched once, and only when no other attempt is live.
        for action in &decision.actions {
            if let Action::Launch { attempt } = action {
                assert!(!before.control.is_attempt_live, "two live attempts in {}", context());
                assert!(launched.iter().all(|earlier| earlier < attempt), "attempt used twice in {}", context());
                launched.push(*attempt);
            }
        }

        // 4. A run that has ended has its times; one that has not, has no end.
        let run = &life.run;
        if run.status.is_done() {
            assert!(run.started_at.is_some() && run.finished_at >= run.started_at, "{}", context());
            assert!(run.duration.is_some_and(|duration| duration >= 0.0), "{}", context());
        }

        // 7. Nothing is forgotten: something inside or outside will move an unfinished run on.
        open.extend(decision.actions.iter().cloned());
        open.retain(|action| run.wants(action));
        match word {
            "compiled" | "invalid" | "conditions-false" => open.retain(|action| *action != Action::Compile),
            _ => {}
        }
        let wake = run.control.wake_at.map(|at| Action::Wake { at });
        assert!(wake.is_none_or(|wake| open.contains(&wake)), "no wake in {}", context());
        assert_eq!(polyaxon_engine::timer::next(run).is_some(), run.control.wake_at.is_some(), "{}", context());
        if run.managed_by == ManagedBy::Agent && !run.status.is_done() {
            let moved_inside = run.control.is_compiling
                || run.control.is_attempt_live
                || run.control.wake_at.is_some()
                || run.status == Status::Queued
                || run.status == Status::Stopping;
            // A status that somebody forced on a run is theirs to continue, as reconciliation finds it lost.
            let moved_outside = run.pending.is_some() || run.status.is_on_cluster();
            // Its pipeline lets it begin and queue; its children say how a pipeline ends.
            let is_pipeline = run.kind.is_pipeline();
            let moved_by_pipeline = run.control.is_held || (run.control.place == Place::Child && !is_pipeline);
            let moved_below = is_pipeline && (run.status != Status::Compiled || open.contains(&Action::Expand));
            let moved_outside = moved_outside || moved_by_pipeline || moved_below;
            assert!(moved_inside || moved_outside, "{} is forgotten in {}", run.status, context());
        }
        if run.live_state == LiveState::Deleting && run.status.is_done() {
            let removed = open.iter().any(|action| matches!(action, Action::Delete { .. }));
            assert!(removed, "folder is kept in {}", context());
        }
    }
}
