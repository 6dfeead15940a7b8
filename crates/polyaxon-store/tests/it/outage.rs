//! A database server that goes away and comes back, and several processes on one.

use std::time::{Duration, Instant};

use polyaxon_store::{Error, Options, Store, settings};

use crate::testkit::{Database, Home, Scratch, World, databases, open};

/// A world on each server, with the database behind it.
fn on_servers(check: impl Fn(&World, &Scratch)) {
    for database in databases() {
        let Database::Postgres(_) = database else { continue };
        let world = World::on(&database);
        if let Home::Server(scratch) = &world.home {
            check(&world, scratch);
        }
    }
}

fn set(store: &Store, name: &str) -> polyaxon_store::Result<()> {
    let name = name.to_owned();
    store.write_blocking(move |tx| settings::set(tx, &name, "1"))
}

fn has(store: &Store, name: &str) -> polyaxon_store::Result<bool> {
    store.read_blocking(|tx| settings::get(tx, name)).map(|value| value.is_some())
}

fn eventually(mut check: impl FnMut() -> bool) {
    let start = Instant::now();
    while !check() {
        assert!(start.elapsed() < Duration::from_secs(20), "it never came true");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn connections_that_ended_while_nobody_used_them_are_replaced_unnoticed() {
    on_servers(|world, scratch| {
        set(&world.store, "before").unwrap();
        assert!(has(&world.store, "before").unwrap());
        scratch.end_connections();
        set(&world.store, "after").unwrap();
        assert!(has(&world.store, "after").unwrap());
    });
}

#[test]
fn a_server_that_is_away_is_said_quickly_and_found_again() {
    on_servers(|world, scratch| {
        scratch.allow_connections("FALSE");
        scratch.end_connections();
        let error = eventually_fails(|| set(&world.store, "lost"));
        assert!(matches!(error, Error::Unavailable { .. } | Error::Refused { .. }), "{error:?}");
        let start = Instant::now();
        for _ in 0..50 {
            assert!(set(&world.store, "lost").is_err());
            assert!(has(&world.store, "lost").is_err());
        }
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        scratch.allow_connections("TRUE");
        eventually(|| set(&world.store, "found").is_ok());
        assert!(has(&world.store, "found").unwrap());
        assert!(!has(&world.store, "lost").unwrap());
    });
}

fn eventually_fails(mut call: impl FnMut() -> polyaxon_store::Result<()>) -> Error {
    let mut failure = None;
    eventually(|| {
        failure = call().err();
        failure.is_some()
    });
    failure.unwrap()
}

/// Connections are ended over and over while threads write: whatever was acknowledged is there.
#[test]
fn no_acknowledged_write_is_lost_when_connections_end() {
    on_servers(|world, scratch| {
        let acknowledged: Vec<String> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..4)
                .map(|writer| {
                    let store = &world.store;
                    scope.spawn(move || {
                        let names = (0..150).map(|number| format!("w{writer}_{number}"));
                        names.filter(|name| set(store, name).is_ok()).collect::<Vec<_>>()
                    })
                })
                .collect();
            for _ in 0..10 {
                std::thread::sleep(Duration::from_millis(15));
                scratch.end_connections();
            }
            writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
        });
        eventually(|| has(&world.store, "w0_0").is_ok());
        assert!(acknowledged.len() > 100, "{}", acknowledged.len());
        for name in &acknowledged {
            assert!(has(&world.store, name).unwrap(), "{name}");
        }
    });
}

#[test]
fn two_processes_see_each_other_and_are_woken() {
    for database in databases() {
        let world = World::on(&database);
        let other = open(&world.home.url());
        let changed = other.changed();
        set(&world.store, "x").unwrap();
        assert!(has(&other, "x").unwrap());
        if matches!(database, Database::Postgres(_)) {
            eventually(|| changed.has_changed().unwrap());
        }
    }
}

#[test]
fn many_servers_that_start_at_once_migrate_once() {
    for database in databases() {
        let Database::Postgres(server) = database else { continue };
        let scratch = Scratch::create(&server);
        std::thread::scope(|scope| {
            for number in 0..6 {
                let scratch = &scratch;
                scope.spawn(move || set(&open(&scratch.url()), &format!("n{number}")).unwrap());
            }
        });
        assert!(has(&open(&scratch.url()), "n5").unwrap());
    }
}

#[test]
fn a_statement_that_was_refused_cannot_be_made_light_of() {
    for database in databases() {
        let Database::Postgres(_) = database else { continue };
        let world = World::on(&database);
        let answer = world.store.write_blocking(|tx| {
            settings::set(tx, "before", "1")?;
            let _ = tx.execute("INSERT INTO settings (name, value) VALUES ('a', NULL)", &[]);
            Ok(())
        });
        assert!(matches!(answer, Err(Error::Undone(_))), "{answer:?}");
        assert!(!has(&world.store, "before").unwrap());
        set(&world.store, "after").unwrap();
    }
}

#[test]
fn what_cannot_work_is_said_without_the_password() {
    let options = || Options { patience: Duration::from_millis(300), ..Options::default() };
    let nobody = Store::open_url("postgres://ann:s3cret@127.0.0.1:1/ml", options()).err().unwrap();
    let text = nobody.to_string();
    assert!(matches!(nobody, Error::Unavailable { .. }), "{nobody:?}");
    assert!(text.contains("postgres://ann@127.0.0.1:1/ml") && text.contains("refused"), "{text}");
    assert!(!format!("{nobody:?}{text}").contains("s3cret"));
    on_servers(|world, _| {
        let url = world.home.url().replace("/test_", "/no_such_");
        let missing = Store::open_url(&url, options()).err().unwrap().to_string();
        assert!(missing.contains("does not exist; create it with `createdb`"), "{missing}");
    });
}
