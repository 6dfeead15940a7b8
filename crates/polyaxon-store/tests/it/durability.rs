//! What was acknowledged is still there: after closing, and after a death without closing.

use polyaxon_engine::state::{Action, Event};
use polyaxon_model::status::Status;
use polyaxon_store::{Store, actions, runs, statuses};
use serde_json::json;

use crate::testkit::{NOW, World, databases};

#[test]
fn everything_is_found_again_after_reopening() {
    for database in databases() {
        let world = World::on(&database);
        let run = world.job().uuid;
        world.patch(run, json!({"name": "train", "outputs": {"loss": 0.1}, "tags": ["a"]}), NOW);
        world.apply(run, Event::StopRequested, "2026-11-22T12:00:09Z");
        let before = world.get(run);
        let world = world.reopen();
        assert_eq!(world.get(run), before);
        let document = world.store.read_blocking(|tx| statuses::document(tx, run)).unwrap().unwrap();
        let told: Vec<Status> = document.status_conditions.iter().map(|condition| condition.status).collect();
        assert_eq!((document.status, told), (Status::Stopped, vec![Status::Created, Status::Stopped]));
    }
}

/// A killed process closes nothing: its files, as they are at that moment, are all that the next one has.
#[test]
fn a_copy_of_the_files_of_a_live_store_has_every_acknowledged_write() {
    let world = World::new();
    let runs_made: Vec<_> = (0..20).map(|_| world.job().uuid).collect();
    let after_death = tempfile::tempdir().unwrap();
    for name in ["polyaxon.db", "polyaxon.db-wal"] {
        std::fs::copy(world.folder.path().join(name), after_death.path().join(name)).unwrap();
    }
    let store = Store::open(after_death.path().join("polyaxon.db")).unwrap();
    for run in &runs_made {
        assert!(store.read_blocking(|tx| runs::get(tx, *run)).unwrap().is_some());
    }
    let open = store.read_blocking(|tx| actions::open(tx, 0, 100)).unwrap();
    assert_eq!(open.len(), 20);
    assert!(open.iter().all(|open| open.action == Action::Compile));
}

/// The write-ahead log torn in the middle of its last transaction: that one is gone, the earlier ones are not.
#[test]
fn a_torn_log_loses_only_the_transaction_that_was_being_written() {
    let world = World::new();
    let first = world.job().uuid;
    let second = world.job().uuid;
    let after_death = tempfile::tempdir().unwrap();
    std::fs::copy(world.folder.path().join("polyaxon.db"), after_death.path().join("polyaxon.db")).unwrap();
    let mut log = std::fs::read(world.folder.path().join("polyaxon.db-wal")).unwrap();
    log.truncate(log.len() - 100);
    std::fs::write(after_death.path().join("polyaxon.db-wal"), log).unwrap();
    let store = Store::open(after_death.path().join("polyaxon.db")).unwrap();
    assert!(store.read_blocking(|tx| runs::get(tx, first)).unwrap().is_some());
    assert!(store.read_blocking(|tx| runs::get(tx, second)).unwrap().is_none());
}

#[test]
fn closing_waits_for_what_was_queued() {
    for database in databases() {
        let world = World::on(&database);
        let run = world.job().uuid;
        let store = world.store.clone();
        let writer = std::thread::spawn(move || {
            store.write_blocking(move |tx| {
                runs::patch(tx, run, &serde_json::from_value(json!({"name": "late"})).unwrap(), crate::testkit::at(NOW))
            })
        });
        writer.join().unwrap().unwrap();
        assert_eq!(world.reopen().get(run).name.as_deref(), Some("late"));
    }
}
