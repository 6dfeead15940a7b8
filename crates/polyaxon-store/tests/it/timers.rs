//! Time passes: what waits in vain ends, what is archived is deleted, what is deleted is forgotten.

use std::time::Duration;

use polyaxon_engine::admission::Capacity;
use polyaxon_engine::executor::LOST;
use polyaxon_engine::state::{Compiled, Event, Phase};
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::{LiveState, ManagedBy, Pending};
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use polyaxon_store::{admission, beats, cron, lifecycle, projects, runs, servers, statuses};

use crate::testkit::{NOW, World, at, everywhere, server};

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 3600;

/// The instant some seconds after the beginning.
fn after(seconds: u64) -> Timestamp {
    at(NOW).plus(Duration::from_secs(seconds))
}

impl World {
    /// Lets time pass and does what is due then. The server that holds the runs stays there.
    fn pass(&self, seconds: u64) -> cron::Pass {
        let now = after(seconds);
        self.store
            .write_blocking(move |tx| {
                servers::beat(tx, server(1), "http://host", now)?;
                cron::perform(tx, LOST, now)
            })
            .unwrap()
    }

    fn apply_after(&self, run: RunId, event: Event, seconds: u64) {
        self.store.write_blocking(move |tx| lifecycle::apply(tx, run, &event, after(seconds))).unwrap();
    }

    fn last_reason(&self, run: RunId) -> (Status, String) {
        let document = self.store.read_blocking(|tx| statuses::document(tx, run)).unwrap().unwrap();
        let last = document.status_conditions.last().unwrap().clone();
        assert_eq!(last.status, document.status);
        (last.status, last.reason.unwrap_or_default())
    }

    fn running(&self) -> RunId {
        let run = self.job().uuid;
        self.apply(run, Event::Compiled(Compiled::default()), NOW);
        self.store.write_blocking(|tx| admission::admit(tx, server(1), &Capacity::of_slots(10), at(NOW))).unwrap();
        self.apply(run, Event::Observed { attempt: 1, phase: Phase::Running }, NOW);
        run
    }

    fn beat(&self, run: RunId, silence: u64, seconds: u64) {
        let silence = Duration::from_secs(silence);
        self.store.write_blocking(move |tx| beats::note(tx, run, silence, after(seconds))).unwrap();
    }

    fn exists(&self, run: RunId) -> bool {
        self.store.read_blocking(|tx| runs::get(tx, run)).unwrap().is_some()
    }
}

#[test]
fn an_upload_that_does_not_come_fails_after_two_hours() {
    everywhere(|world| {
        let mut record = world.record(ManagedBy::Agent);
        record.birth.pending = Some(Pending::Upload);
        let run = world.create(record, NOW).uuid;
        assert_eq!(world.pass(120 * MINUTE - 1).runs, []);
        assert_eq!(world.pass(120 * MINUTE).runs, [run]);
        assert_eq!(world.last_reason(run), (Status::Failed, "StaleUpload".to_owned()));
    });
}

#[test]
fn a_warning_is_stopped_after_three_days_and_the_stop_ends_after_half_an_hour() {
    everywhere(|world| {
        let run = world.running();
        let warning = Phase::Warning { reason: "Slow".to_owned(), message: String::new() };
        world.apply(run, Event::Observed { attempt: 1, phase: warning }, NOW);
        assert_eq!(world.pass(3 * DAY - 1).runs, []);
        assert_eq!(world.pass(3 * DAY).runs, [run]);
        assert_eq!(world.last_reason(run), (Status::Stopping, "HeartbeatWarningCleanup".to_owned()));
        assert_eq!(world.pass(3 * DAY + 30 * MINUTE - 1).runs, []);
        assert_eq!(world.pass(3 * DAY + 30 * MINUTE).runs, [run]);
        assert_eq!(world.last_reason(run), (Status::Stopped, "HeartbeatStopping".to_owned()));
        assert_eq!(world.pass(4 * DAY).runs, []);
    });
}

#[test]
fn a_tracked_run_that_falls_silent_has_failed_until_it_speaks_again() {
    everywhere(|world| {
        let tracked = || {
            let run = world.create(world.record(ManagedBy::User), NOW).uuid;
            world.post(run, "running", NOW);
            run
        };
        let (beating, quiet, agent) = (tracked(), tracked(), world.running());
        for run in [beating, agent] {
            world.beat(run, 1800, 0);
        }
        world.beat(beating, 1800, 10);
        world.beat(beating, 1800, 100);
        assert_eq!(world.pass(1899).runs, []);
        assert_eq!(world.pass(1900).runs, [beating]);
        assert_eq!(world.last_reason(beating), (Status::Failed, "HeartbeatLost".to_owned()));
        assert_eq!(world.pass(9 * DAY).runs, []);
        assert_eq!((world.get(quiet).status, world.get(agent).status), (Status::Running, Status::Running));
        world.post(beating, "succeeded", "2026-11-22T13:00:00Z");
        let run = world.get(beating);
        assert_eq!((run.status, run.finished_at), (Status::Succeeded, Some(at("2026-11-22T13:00:00Z"))));
    });
}

#[test]
fn statuses_keep_a_beating_run_alive_and_zero_is_for_ever() {
    everywhere(|world| {
        let run = world.create(world.record(ManagedBy::User), NOW).uuid;
        world.post(run, "running", NOW);
        world.beat(run, 1800, 0);
        world.post(run, "running", "2026-11-22T12:20:00Z");
        assert_eq!(world.pass(49 * MINUTE).runs, []);
        world.beat(run, 0, 49 * MINUTE);
        assert_eq!(world.pass(9 * DAY).runs, []);
    });
}

#[test]
fn archived_runs_are_deleted_after_thirty_days_unless_they_are_restored() {
    everywhere(|world| {
        let (kept, gone) = (world.running(), world.create(world.record(ManagedBy::User), NOW).uuid);
        for run in [kept, gone] {
            world.apply(run, Event::ArchiveRequested, NOW);
        }
        assert_eq!(world.get(kept).status, Status::Stopping);
        world.pass(30 * DAY - 1);
        assert_eq!(world.get(gone).live_state, LiveState::Archived);
        world.apply_after(kept, Event::RestoreRequested, 30 * DAY - 1);
        assert_eq!(world.pass(30 * DAY).runs, [gone]);
        assert_eq!((world.get(gone).live_state, world.get(kept).live_state), (LiveState::Deleting, LiveState::Live));
        // The folder goes, and a day later the record.
        world.store.write_blocking(move |tx| runs::mark_deleted(tx, gone, after(30 * DAY + 80))).unwrap();
        world.close_actions(gone);
        assert_eq!(world.pass(31 * DAY + 79).purged_runs, 0);
        assert_eq!(world.pass(31 * DAY + 80).purged_runs, 1);
        assert_eq!((world.exists(gone), world.exists(kept)), (false, true));
    });
}

#[test]
fn projects_go_the_same_way_and_last() {
    everywhere(|world| {
        let run = world.create(world.record(ManagedBy::User), NOW).uuid;
        world
            .store
            .write_blocking(|tx| lifecycle::set_project_live_state(tx, "p", LiveState::Archived, at(NOW)))
            .unwrap();
        world.pass(30 * DAY - 1);
        assert!(world.store.read_blocking(|tx| projects::get(tx, "p")).unwrap().is_some());
        world.pass(30 * DAY);
        assert!(world.store.read_blocking(|tx| projects::get(tx, "p")).unwrap().is_none());
        assert_eq!(world.get(run).live_state, LiveState::Deleting);
        assert_eq!(world.pass(46 * DAY).purged_projects, 0, "a run of it is still there");
        world.store.write_blocking(move |tx| runs::mark_deleted(tx, run, after(46 * DAY))).unwrap();
        world.close_actions(run);
        let pass = world.pass(47 * DAY);
        assert_eq!((pass.purged_runs, pass.purged_projects), (1, 1));
    });
}

#[test]
fn projects_are_dated_by_what_happens_to_their_runs() {
    everywhere(|world| {
        let run = world.create(world.record(ManagedBy::User), NOW).uuid;
        world.post(run, "running", "2026-11-22T14:00:00Z");
        world.pass(3 * 3600);
        let project = world.store.read_blocking(|tx| projects::get(tx, "p")).unwrap().unwrap();
        assert_eq!(project.updated_at, at("2026-11-22T14:00:00Z"));
    });
}
