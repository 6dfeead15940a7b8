//! Servers that share a database: each action and each run is with one of them, and a silent one is replaced.

use std::time::Duration;

use polyaxon_engine::admission::Capacity;
use polyaxon_engine::executor::LOST;
use polyaxon_engine::state::{Action, Compiled, Event, Exit, Phase};
use polyaxon_model::ids::RunId;
use polyaxon_model::status::Status;
use polyaxon_store::actions::{self, Ability};
use polyaxon_store::{Store, admission, cron, servers};

use crate::testkit::{World, at, everywhere, server};

/// The world as each of two servers sees it.
struct Pair {
    world: World,
    stores: [Store; 2],
}

const START: &str = "2026-11-22T12:00:00Z";

impl Pair {
    fn new(world: World) -> Pair {
        let stores = [world.store.of_server(server(1)), world.store.of_server(server(2))];
        let pair = Pair { world, stores };
        for number in [1, 2] {
            pair.beat(number, START);
        }
        pair
    }

    fn store(&self, number: usize) -> &Store {
        &self.stores[number - 1]
    }

    fn beat(&self, number: usize, now: &'static str) -> bool {
        let id = server(number as u128);
        self.store(number).write_blocking(move |tx| servers::beat(tx, id, "http://host", at(now))).unwrap()
    }

    /// What a server may perform now, after it claimed what nobody has.
    fn claimed(&self, number: usize) -> Vec<(RunId, Action)> {
        let id = server(number as u128);
        let open = self
            .store(number)
            .write_blocking(move |tx| {
                actions::claim(tx, id, Ability::Execute)?;
                actions::claimed(tx, id, 0, 100)
            })
            .unwrap();
        open.into_iter().map(|open| (open.run, open.action)).collect()
    }

    fn admit(&self, number: usize, now: &'static str) -> Vec<RunId> {
        let id = server(number as u128);
        self.store(number).write_blocking(move |tx| admission::admit(tx, id, &Capacity::of_slots(1), at(now))).unwrap()
    }

    fn cron(&self, number: usize, now: &'static str) -> cron::Pass {
        self.store(number).write_blocking(move |tx| cron::perform(tx, LOST, at(now))).unwrap()
    }

    fn status(&self, run: RunId) -> Status {
        self.world.get(run).status
    }
}

#[test]
fn what_a_server_decides_is_its_own_to_do() {
    everywhere(|world| {
        let pair = Pair::new(world);
        let run = pair.world.job().uuid;
        assert_eq!(pair.claimed(2), []);
        assert_eq!(pair.claimed(1), [(run, Action::Compile)]);
    });
}

#[test]
fn capacity_is_counted_for_each_server_and_only_the_holder_starts_and_stops() {
    everywhere(|world| {
        let pair = Pair::new(world);
        let runs: Vec<RunId> = (0..3).map(|_| pair.world.job().uuid).collect();
        for run in &runs {
            pair.world.apply(*run, Event::Compiled(Compiled::default()), START);
        }
        assert_eq!((pair.admit(1, START).len(), pair.admit(1, START).len()), (1, 0));
        let second = pair.admit(2, START)[0];
        assert_eq!((pair.admit(1, START), pair.admit(2, START)), (vec![], vec![]));
        // Whoever is asked to stop it, its holder does.
        pair.world.apply(second, Event::StopRequested, START);
        assert!(!pair.claimed(1).contains(&(second, Action::Stop { attempt: 1 })));
        assert!(pair.claimed(2).contains(&(second, Action::Stop { attempt: 1 })));
    });
}

#[test]
fn a_silent_server_loses_its_claims_and_what_it_had_not_begun() {
    everywhere(|world| {
        let pair = Pair::new(world);
        let (waiting, running) = (pair.world.job().uuid, pair.world.job().uuid);
        for run in [waiting, running] {
            pair.world.apply(run, Event::Compiled(Compiled::default()), START);
        }
        let held = pair
            .store(1)
            .write_blocking(|tx| admission::admit(tx, server(1), &Capacity::of_slots(2), at(START)))
            .unwrap();
        assert_eq!(held.len(), 2);
        pair.world.apply(running, Event::Observed { attempt: 1, phase: Phase::Running }, START);
        let uncompiled = pair.world.job().uuid;

        pair.beat(2, "2026-11-22T12:00:59Z");
        assert_eq!(pair.cron(2, "2026-11-22T12:00:59Z").runs, []);
        assert_eq!(pair.claimed(2), []);
        pair.beat(2, "2026-11-22T12:01:00Z");
        assert_eq!(pair.cron(2, "2026-11-22T12:01:00Z").runs, [waiting]);
        assert_eq!(pair.claimed(2), [(uncompiled, Action::Compile)]);
        assert_eq!((pair.status(waiting), pair.status(running)), (Status::Queued, Status::Running));
        assert_eq!(pair.admit(2, "2026-11-22T12:01:01Z"), [waiting]);
        assert!(pair.claimed(2).contains(&(waiting, Action::Launch { attempt: 2 })));

        // The first comes back: it learns that it was away, and words about its attempt mean nothing.
        assert!(pair.beat(1, "2026-11-22T12:01:02Z"));
        assert!(!pair.beat(1, "2026-11-22T12:01:03Z"));
        pair.world.apply(waiting, Event::Observed { attempt: 1, phase: Phase::Exited(Exit::Succeeded) }, START);
        assert_eq!(pair.status(waiting), Status::Scheduled);
        assert_eq!(pair.claimed(1), []);

        // It goes again, for good: what it had begun is unknown, until it comes back once more.
        pair.beat(2, "2026-11-22T12:11:04Z");
        assert_eq!(pair.cron(2, "2026-11-22T12:11:04Z").runs, [running]);
        assert_eq!(pair.status(running), Status::Unknown);
        assert_eq!(pair.cron(2, "2026-11-22T12:11:04Z").runs, []);
        pair.world.apply(running, Event::Observed { attempt: 1, phase: Phase::Running }, "2026-11-22T12:20:00Z");
        assert_eq!(pair.status(running), Status::Running);
    });
}

#[test]
fn servers_take_turns_with_what_is_due_by_time() {
    everywhere(|world| {
        let pair = Pair::new(world);
        let due = |number: usize, now: &'static str| {
            let count = || pair.world.store.read_blocking(|tx| polyaxon_store::settings::get(tx, "cron")).unwrap();
            let before = count();
            let pass = move |tx: &mut dyn polyaxon_store::db::Tx| cron::perform_when_due(tx, Duration::ZERO, at(now));
            pair.store(number).write_blocking(pass).unwrap();
            before != count()
        };
        assert!(due(1, "2026-11-22T12:00:00Z"));
        assert!(!due(2, "2026-11-22T12:00:59Z"));
        assert!(due(2, "2026-11-22T12:01:00Z"));
        assert!(due(1, "2026-11-22T11:00:00Z"), "a clock that was set back holds nothing up");
    });
}
