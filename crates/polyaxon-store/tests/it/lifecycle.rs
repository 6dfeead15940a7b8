//! Decisions become rows: status, times, history and actions together, for one run and for many.

use polyaxon_engine::admission::Capacity;
use polyaxon_engine::state::{Action, Compiled, Event, Exit, Phase};
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::{LiveState, ManagedBy};
use polyaxon_model::status::Status;
use polyaxon_store::runs::LiveAttempt;
use polyaxon_store::{Error, actions, admission, lifecycle, projects, runs, statuses};
use uuid::Uuid;

use crate::testkit::{NOW, World, at, databases, server};

fn compiled() -> Event {
    Event::Compiled(Compiled::default())
}

fn observed(phase: Phase) -> Event {
    Event::Observed { attempt: 1, phase }
}

impl World {
    fn open_actions(&self, run: RunId) -> Vec<Action> {
        let open = self.store.read_blocking(|tx| actions::open_of(tx, run)).unwrap();
        open.into_iter().map(|open| open.action).collect()
    }

    fn live(&self) -> Vec<LiveAttempt> {
        self.store.read_blocking(|tx| runs::live_attempts(tx, server(1))).unwrap()
    }

    fn admit(&self, capacity: usize) -> Vec<RunId> {
        self.store
            .write_blocking(move |tx| admission::admit(tx, server(1), &Capacity::of_slots(capacity), at(NOW)))
            .unwrap()
    }
}

#[test]
fn a_life_is_recorded_step_by_step() {
    for database in databases() {
        let world = World::on(&database);
        let run = world.job().uuid;
        assert_eq!(world.open_actions(run), [Action::Compile]);
        let completed =
            world.store.write_blocking(move |tx| lifecycle::complete(tx, run, 1, &compiled(), at(NOW))).unwrap();
        assert_eq!(completed.unwrap().next.status, Status::Queued);
        assert_eq!(world.open_actions(run), []);
        assert_eq!(world.admit(10), [run]);
        assert_eq!(world.open_actions(run), [Action::Launch { attempt: 1 }]);
        let live = world.live();
        assert_eq!((live.len(), live[0].run, live[0].attempt), (1, run, 1));
        world.apply(run, observed(Phase::Running), "2026-11-22T12:00:03Z");
        world.apply(run, observed(Phase::Exited(Exit::Succeeded)), "2026-11-22T12:00:04.5Z");
        let ended = world.get(run);
        assert_eq!((ended.status, ended.wait_time, ended.duration), (Status::Succeeded, Some(3.0), Some(1.5)));
        assert_eq!(ended.finished_at, Some(at("2026-11-22T12:00:04.5Z")));
        assert_eq!(world.live(), []);
        let seen = world.store.read_blocking(|tx| statuses::since(tx, run, 5)).unwrap();
        assert_eq!(
            seen.iter().map(|numbered| (numbered.seq, numbered.condition.status)).collect::<Vec<_>>(),
            [(5, Status::Running), (6, Status::Succeeded),]
        );
    }
}

#[test]
fn an_action_is_completed_once() {
    for database in databases() {
        let world = World::on(&database);
        let run = world.job().uuid;
        let complete =
            || world.store.write_blocking(move |tx| lifecycle::complete(tx, run, 1, &compiled(), at(NOW))).unwrap();
        assert!(complete().is_some());
        assert!(complete().is_none());
        assert_eq!(world.get(run).status, Status::Queued);
    }
}

#[test]
fn actions_that_became_pointless_are_closed() {
    for database in databases() {
        let world = World::on(&database);
        let run = world.job().uuid;
        world.apply(run, Event::StopRequested, NOW);
        // Nothing but what the end of a run asks for.
        assert_eq!(world.open_actions(run), [Action::Hooks { life: 0 }]);
        let again =
            world.store.write_blocking(move |tx| lifecycle::complete(tx, run, 1, &compiled(), at(NOW))).unwrap();
        assert!(again.is_none());
    }
}

#[test]
fn open_actions_are_found_again_in_order_after_a_restart() {
    for database in databases() {
        let world = World::on(&database);
        let (first, second) = (world.job().uuid, world.job().uuid);
        let world = world.reopen();
        let open = world.store.read_blocking(|tx| actions::open(tx, 0, 10)).unwrap();
        assert_eq!(open.iter().map(|open| (open.run, open.seq)).collect::<Vec<_>>(), [(first, 1), (second, 1)]);
        let later = world.store.read_blocking(move |tx| actions::open(tx, open[0].id, 10)).unwrap();
        assert_eq!(later.len(), 1);
    }
}

#[test]
fn slots_are_never_given_twice() {
    for database in databases() {
        let world = World::on(&database);
        let queued: Vec<RunId> = (0..5).map(|_| world.job().uuid).collect();
        for run in &queued {
            world.apply(*run, compiled(), NOW);
        }
        assert_eq!(world.admit(0), []);
        assert_eq!(world.admit(2).len(), 2);
        assert_eq!(world.admit(2), []);
        let running = world.live()[0].run;
        world.apply(running, Event::StopRequested, NOW);
        assert_eq!(world.admit(2), [], "a process that is being stopped still holds its slot");
        world.apply(running, observed(Phase::Exited(Exit::Stopped)), NOW);
        assert_eq!(world.admit(2).len(), 1);
        assert_eq!(world.store.read_blocking(|tx| admission::count_held(tx, server(1))).unwrap(), 2);
        world.post(world.live()[0].run, "succeeded", NOW);
        assert_eq!(world.admit(2), [], "a process that outlives the end of its run holds its slot");
    }
}

#[test]
fn single_and_bulk_give_the_same_rows() {
    for database in databases() {
        let world = World::on(&database);
        let (single, bulk) = (world.job().uuid, world.job().uuid);
        for run in [single, bulk] {
            world.apply(run, compiled(), NOW);
        }
        world.admit(2);
        world.apply(single, Event::StopRequested, "2026-11-22T12:01:00Z");
        let unknown = RunId::new(Uuid::new_v4());
        let decisions = world
            .store
            .write_blocking(move |tx| {
                lifecycle::apply_all(tx, &[unknown, bulk], &Event::StopRequested, at("2026-11-22T12:01:00Z"))
            })
            .unwrap();
        assert_eq!(decisions.iter().map(|(run, _)| *run).collect::<Vec<_>>(), [bulk]);
        let state = |run| world.store.read_blocking(|tx| lifecycle::state(tx, run)).unwrap();
        assert_eq!(state(single), state(bulk));
        assert_eq!(world.open_actions(single), world.open_actions(bulk));
    }
}

#[test]
fn an_unknown_run_is_an_error_with_its_id() {
    for database in databases() {
        let world = World::on(&database);
        let run = RunId::new(Uuid::new_v4());
        let error = world.store.write_blocking(move |tx| lifecycle::apply(tx, run, &Event::StopRequested, at(NOW)));
        assert!(matches!(error, Err(Error::NotFound { record: "Run", key }) if key == run.to_string()));
    }
}

#[test]
fn projects_take_their_runs_along() {
    for database in databases() {
        let world = World::on(&database);
        let run = world.job().uuid;
        world.apply(run, compiled(), NOW);
        let state =
            |state| world.store.write_blocking(move |tx| lifecycle::set_project_live_state(tx, "p", state, at(NOW)));
        state(LiveState::Archived).unwrap();
        let archived = world.get(run);
        assert_eq!((archived.live_state, archived.status), (LiveState::Archived, Status::Stopping));
        let refused = world.store.write_blocking({
            let record = world.record(ManagedBy::Agent);
            move |tx| runs::create(tx, &record, at(NOW))
        });
        assert!(matches!(refused, Err(Error::NotFound { record: "Project", .. })));
        state(LiveState::Live).unwrap();
        assert_eq!(world.get(run).live_state, LiveState::Live);
        state(LiveState::Deleting).unwrap();
        assert_eq!(world.get(run).live_state, LiveState::Deleting);
        assert!(world.store.read_blocking(|tx| projects::get(tx, "p")).unwrap().is_none());
        assert!(world.store.read_blocking(|tx| statuses::document(tx, run)).unwrap().is_none());
    }
}

#[test]
fn deleted_runs_are_purged_after_their_folder() {
    for database in databases() {
        let world = World::on(&database);
        let run = world.job().uuid;
        world.apply(run, Event::DeleteRequested, NOW);
        assert!(matches!(world.open_actions(run)[..], [Action::Delete { .. }, ..]), "{:?}", world.open_actions(run));
        world.store.write_blocking(move |tx| runs::mark_deleted(tx, run, at(NOW))).unwrap();
        let purge =
            |before: &'static str| world.store.write_blocking(move |tx| runs::purge(tx, at(before), 10)).unwrap();
        assert_eq!(purge(NOW), 0, "something is left to do about it");
        world.close_actions(run);
        assert_eq!((purge("2026-11-22T11:59:59Z"), purge(NOW)), (0, 1));
        assert!(world.store.read_blocking(|tx| runs::get(tx, run)).unwrap().is_none());
    }
}
