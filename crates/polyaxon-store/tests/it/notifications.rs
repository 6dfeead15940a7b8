//! Notifications: asked for once, taken by one, tried again, given up.

use std::time::Duration;

use polyaxon_engine::notification::LEASE;
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::ids::RunId;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use polyaxon_store::notifications::{self, Claimed};

use crate::testkit::{NOW, World, at, everywhere, server};

fn after(seconds: u64) -> Timestamp {
    at(NOW).plus(Duration::from_secs(seconds))
}

impl World {
    fn ask(&self, run: RunId, connection: &'static str, status: Status) -> bool {
        let condition = StatusCondition::new(status, "Test", "why", at(NOW));
        self.store.write_blocking(move |tx| notifications::add(tx, run, connection, &condition, at(NOW))).unwrap()
    }

    fn take(&self, number: u128, seconds: u64) -> Vec<Claimed> {
        self.store.write_blocking(move |tx| notifications::claim(tx, server(number), 10, after(seconds))).unwrap()
    }

    fn fail(&self, id: i64, seconds: u64) {
        self.store.write_blocking(move |tx| notifications::failed(tx, id, "no answer", after(seconds))).unwrap();
    }

    fn next_notification(&self) -> Option<Timestamp> {
        self.store.read_blocking(notifications::next_due).unwrap()
    }
}

#[test]
fn each_is_asked_for_once_and_taken_by_one() {
    everywhere(|world| {
        let run = world.job().uuid;
        assert!(world.ask(run, "chat", Status::Failed));
        assert!(!world.ask(run, "chat", Status::Failed));
        assert!(world.ask(run, "chat", Status::Succeeded));
        assert!(world.ask(run, "mail", Status::Failed));
        let taken = world.take(1, 0);
        let words: Vec<_> = taken.iter().map(|it| (it.run, it.connection.as_str(), it.condition.status)).collect();
        let expected = [(run, "chat", Status::Failed), (run, "chat", Status::Succeeded), (run, "mail", Status::Failed)];
        assert_eq!(words, expected);
        assert_eq!(world.take(2, 1), []);
        // Whoever took them never said a word: somebody else does.
        assert_eq!(world.next_notification(), Some(at(NOW).plus(LEASE)));
        assert_eq!(world.take(2, LEASE.as_secs()).len(), 3);
        // One that comes back has only its own to give up.
        world.store.write_blocking(|tx| notifications::release(tx, server(1), after(121))).unwrap();
        assert_eq!(world.take(1, 121), []);
        world.store.write_blocking(|tx| notifications::release(tx, server(2), after(122))).unwrap();
        assert_eq!(world.take(2, 122).len(), 3);
    });
}

#[test]
fn failures_are_tried_again_and_then_recorded() {
    everywhere(|world| {
        let run = world.job().uuid;
        world.ask(run, "chat", Status::Failed);
        for (seconds, next) in [(0, Some(10)), (10, Some(70)), (70, Some(370)), (370, None)] {
            let taken = world.take(1, seconds);
            world.fail(taken[0].id, seconds);
            assert_eq!(world.next_notification(), next.map(after), "{seconds}");
        }
        let untold = world.store.read_blocking(move |tx| notifications::untold(tx, run)).unwrap();
        assert_eq!((untold[0].due_at, untold[0].error.as_deref()), (None, Some("no answer")));
        let record = world.store.read_blocking(move |tx| polyaxon_store::runs::get(tx, run)).unwrap().unwrap();
        assert_eq!(record.meta_info["notifications_errors"], serde_json::json!(["chat: no answer"]));
        assert_eq!(record.status, Status::Created);
        world.ask(run, "mail", Status::Failed);
        let id = world.take(1, 400)[0].id;
        world.store.write_blocking(move |tx| notifications::sent(tx, id, None, after(400))).unwrap();
        assert_eq!(world.store.read_blocking(move |tx| notifications::untold(tx, run)).unwrap().len(), 1);
    });
}
