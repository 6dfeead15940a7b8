//! Many callers at once: merges lose nothing, one bad closure spoils only itself, waiters are woken.

use polyaxon_store::{Error, Store, runs, settings};
use serde_json::json;

use crate::testkit::{NOW, World, at, databases};

#[test]
fn merges_from_many_threads_keep_every_key() {
    for database in databases() {
        let world = World::on(&database);
        let run = world.job().uuid;
        std::thread::scope(|scope| {
            for thread in 0..32 {
                let store = &world.store;
                scope.spawn(move || {
                for key in 0..10 {
                    let body = json!({"outputs": {format!("m{thread}_{key}"): key}, "tags": [format!("t{thread}")], "merge": true});
                    let patch = serde_json::from_value(body).unwrap();
                    store.write_blocking(move |tx| runs::patch(tx, run, &patch, at(NOW))).unwrap();
                }
            });
            }
        });
        let stored = world.get(run);
        assert_eq!((stored.outputs.unwrap().len(), stored.tags.unwrap().len()), (320, 32));
    }
}

#[test]
fn a_closure_that_fails_or_panics_is_undone_alone() {
    for database in databases() {
        let world = World::on(&database);
        let write = |store: &Store, number: u32| {
            store.write_blocking(move |tx| {
                settings::set(tx, &format!("n{number}"), "kept")?;
                match number % 3 {
                    0 => Ok(()),
                    1 => Err(Error::Query("no".to_owned())),
                    _ => std::panic::resume_unwind(Box::new("a bug in a closure")),
                }
            })
        };
        std::thread::scope(|scope| {
            for number in 0..60 {
                let store = &world.store;
                scope.spawn(move || match (number % 3, write(store, number)) {
                    (0, Ok(())) | (1, Err(Error::Query(_))) | (2, Err(Error::Panicked)) => {}
                    (_, other) => panic!("{number}: {other:?}"),
                });
            }
        });
        for number in 0..60 {
            let kept = world.store.read_blocking(|tx| settings::get(tx, &format!("n{number}"))).unwrap().is_some();
            assert_eq!(kept, number % 3 == 0, "{number}");
        }
    }
}

#[test]
fn a_reader_that_panics_gives_its_connection_back() {
    for database in databases() {
        let world = World::on(&database);
        for _ in 0..10 {
            let answer = world.store.read_blocking(|_| -> polyaxon_store::Result<()> {
                std::panic::resume_unwind(Box::new("a bug in a closure"))
            });
            assert!(matches!(answer, Err(Error::Panicked)));
        }
        let run = world.job().uuid;
        assert_eq!(world.get(run).uuid, run);
    }
}

#[tokio::test]
async fn queued_writes_share_transactions_and_wake_waiters() {
    for database in databases() {
        let world = World::on(&database);
        let run = world.job().uuid;
        let mut changed = world.store.changed();
        let before = *changed.borrow_and_update();
        let writes = (0..500).map(|number| {
            let store = world.store.clone();
            tokio::spawn(async move {
                let patch =
                    serde_json::from_value(json!({"outputs": {format!("m{number}"): number}, "merge": true})).unwrap();
                store.write(move |tx| runs::patch(tx, run, &patch, at(NOW))).await
            })
        });
        for write in writes.collect::<Vec<_>>() {
            write.await.unwrap().unwrap();
        }
        changed.changed().await.unwrap();
        let transactions = *changed.borrow_and_update() - before;
        assert!((1..=500).contains(&transactions), "{transactions}");
        let stored = world.store.read(move |tx| runs::get(tx, run)).await.unwrap().unwrap();
        assert_eq!(stored.outputs.unwrap().len(), 500);
    }
}

#[tokio::test]
async fn reads_and_refused_writes_wake_nobody() {
    for database in databases() {
        let world = World::on(&database);
        let changed = world.store.changed();
        let before = *changed.borrow();
        world.store.read(|tx| settings::get(tx, "x")).await.unwrap();
        let refused: Result<(), Error> = world
            .store
            .write(|tx| {
                settings::get(tx, "x")?;
                Err(Error::Query("no".to_owned()))
            })
            .await;
        assert!(refused.is_err());
        assert_eq!(*changed.borrow(), before);
    }
}
