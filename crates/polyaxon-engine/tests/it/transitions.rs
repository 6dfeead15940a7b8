//! All pairs of statuses, with and without force; how the history grows; which times are stamped.

use polyaxon_engine::state::{Event, Force, HistoryChange};
use polyaxon_engine::transition::is_allowed;
use polyaxon_model::condition::{StatusCondition, Verdict};
use polyaxon_model::kinds::ManagedBy;
use polyaxon_model::status::Status;
use std::time::Duration;

use crate::script::{JOB, Life, Setting};

/// The rule as the specification words it, statement by statement.
fn specified(from: Status, to: Status, force: Force) -> bool {
    let done = ["failed", "upstream_failed", "stopped", "skipped", "succeeded"];
    if matches!(to.as_str(), "created" | "done") {
        return false;
    }
    if from.as_str() == "stopping" && !done.contains(&to.as_str()) {
        return false;
    }
    if done.contains(&from.as_str()) && force == Force::No {
        return false;
    }
    true
}

#[test]
fn every_pair_follows_the_rule_and_stamps_the_times() {
    let tracked = Setting { managed_by: ManagedBy::User, ..JOB };
    for from in Status::ALL.iter().copied().filter(|from| *from != Status::Done) {
        for to in Status::ALL.iter().copied() {
            for force in [Force::No, Force::Yes] {
                let (mut life, _) = Life::begin(&tracked);
                if from != Status::Created {
                    life.now = life.now.plus(Duration::from_secs(2));
                    post(&mut life, from, Force::No);
                }
                assert_eq!(life.run.status, from);
                let before = life.run.clone();
                life.now = life.now.plus(Duration::from_secs(3));
                let changed = post(&mut life, to, force);
                let allowed = specified(from, to, force);
                assert_eq!(is_allowed(from, to, force), allowed, "{from} -> {to} {force:?}");
                assert_eq!(!changed.is_empty(), allowed, "{from} -> {to} {force:?}");
                if !allowed {
                    assert_eq!(life.run, before);
                    continue;
                }
                assert_eq!(life.run.status, to);
                assert_eq!(matches!(changed[0], HistoryChange::ReplaceLast(_)), from == to, "{from} -> {to}");
                let starts = to.is_started() && before.started_at.is_none();
                if starts {
                    assert_eq!(
                        (life.run.started_at, life.run.wait_time),
                        (Some(life.now), Some(life.now.seconds_since(before.created_at)))
                    );
                } else if to.is_done() && before.started_at.is_none() {
                    assert_eq!((life.run.started_at, life.run.wait_time), (Some(before.created_at), None));
                } else {
                    assert_eq!((life.run.started_at, life.run.wait_time), (before.started_at, before.wait_time));
                }
                if to.is_done() && before.finished_at.is_none() {
                    assert_eq!(life.run.finished_at, Some(life.now));
                    assert_eq!(life.run.duration, life.run.started_at.map(|start| life.now.seconds_since(start)));
                } else {
                    assert_eq!((life.run.finished_at, life.run.duration), (before.finished_at, before.duration));
                }
            }
        }
    }
}

#[test]
fn an_equal_condition_replaces_the_last_one_and_another_verdict_does_not() {
    let (mut life, _) = Life::begin(&Setting { managed_by: ManagedBy::User, ..JOB });
    for verdict in
        [Verdict::Bool(true), Verdict::Bool(true), Verdict::Text("True".into()), Verdict::Text("Unknown".into())]
    {
        let mut condition = StatusCondition::new(Status::Running, "Test", "again", life.now);
        condition.verdict = verdict;
        life.step(&Event::Posted { condition, force: Force::No });
    }
    assert_eq!(life.history.len(), 4, "created, true, True, Unknown");
}

#[test]
fn a_clock_that_is_set_back_does_not_turn_times_around() {
    let (mut life, _) = Life::begin(&Setting { managed_by: ManagedBy::User, ..JOB });
    post(&mut life, Status::Running, Force::No);
    life.now = life.now.minus(Duration::from_hours(1));
    post(&mut life, Status::Succeeded, Force::No);
    assert_eq!(life.run.finished_at, life.run.started_at);
    assert_eq!((life.run.wait_time, life.run.duration), (Some(0.0), Some(0.0)));
    life.step(&Event::ResumeRequested);
    life.now = life.now.minus(Duration::from_hours(1));
    post(&mut life, Status::Running, Force::No);
    post(&mut life, Status::Succeeded, Force::No);
    assert_eq!((life.run.finished_at, life.run.duration), (life.run.started_at, Some(0.0)), "in another life");
}

fn post(life: &mut Life, status: Status, force: Force) -> Vec<HistoryChange> {
    let condition = StatusCondition::new(status, "Test", "posted", life.now);
    life.step(&Event::Posted { condition, force }).history
}
