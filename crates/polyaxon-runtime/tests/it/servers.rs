//! Two servers on one database: nothing is done twice, and what a dead one leaves is taken over.

use std::collections::HashSet;
use std::time::Duration;

use polyaxon_engine::admission::Capacity;
use polyaxon_engine::state::{Compiled, Event};
use polyaxon_model::status::Status;
use polyaxon_store::{admission, lifecycle, runs, servers};

use crate::bench::{Bench, block_on, now, script, server};

/// SQLite, and PostgreSQL when `POLYAXON_TEST_POSTGRES` names a server in which a database can be made.
fn everywhere(test: impl AsyncFn(Bench)) {
    block_on(async { test(Bench::idle(None).await).await });
    if let Ok(address) = std::env::var("POLYAXON_TEST_POSTGRES") {
        let name = format!("runtime_{}", uuid::Uuid::new_v4().simple());
        let (base, options) = address.split_once('?').unwrap_or((&address, ""));
        let url = format!("{}/{name}?{options}", &base[..base.rfind('/').expect("the address names a database")]);
        administer(&address, &format!("CREATE DATABASE {name}"));
        block_on(async { test(Bench::idle(Some(url)).await).await });
        administer(&address, &format!("DROP DATABASE {name} WITH (FORCE)"));
    }
}

fn administer(address: &str, sql: &str) {
    let mut client = postgres::Client::connect(address, postgres::NoTls).expect("the server answers");
    client.batch_execute(sql).expect("the statement is allowed");
}

#[test]
fn two_servers_share_the_runs_and_do_nothing_twice() {
    everywhere(async |mut first| {
        let marks = first.home.path().join("marks");
        std::fs::create_dir_all(&marks).expect("the test machine works");
        // Fails when somebody has begun the same run before.
        let text = format!("set -C; echo x > {}/$POLYAXON_RUN_INSTANCE && sleep 0.1", marks.display());
        let mut second = first.beside(2);
        first.start(2);
        second.start(2);
        let mut submitted = Vec::new();
        for number in 0..24 {
            let at = if number % 2 == 0 { &mut first } else { &mut second };
            submitted.push(at.submit(&script(&text)).await);
        }
        let mut holders = HashSet::new();
        for run in submitted {
            let ended = first.until_status(run, Status::Succeeded).await;
            assert_eq!(first.history(run).await.0, "created compiled queued scheduled starting running succeeded");
            for bench in [&first, &second] {
                if bench.layout.logs(ended.uuid).exists() {
                    holders.insert(bench.server);
                }
            }
        }
        assert_eq!(std::fs::read_dir(&marks).expect("the folder is there").count(), 24);
        assert_eq!(holders, HashSet::from([server(1), server(2)]));
        first.end().await;
        second.end().await;
    });
}

#[test]
fn the_work_of_a_dead_server_is_taken_over() {
    everywhere(async |mut living| {
        // It compiled one run and was given it, and was about to compile another, when it died a minute ago.
        let mut dead = living.beside(9);
        let (given, created) = (dead.submit(&script("true")).await, dead.submit(&script("true")).await);
        let died = now().minus(Duration::from_secs(61));
        let content = script("true").to_string();
        dead.store
            .write(move |tx| {
                servers::beat(tx, server(9), "http://dead", died)?;
                let compilation = runs::Compilation { content, ..runs::Compilation::default() };
                runs::set_compilation(tx, given, &compilation, died)?;
                lifecycle::apply(tx, given, &Event::Compiled(Compiled::default()), died)?;
                admission::admit(tx, server(9), &Capacity::of_slots(1), died)
            })
            .await
            .expect("the store answers");
        assert_eq!(dead.get(given).await.status, Status::Scheduled);
        living.start(1);
        living.until(created, |run| run.status.is_done()).await;
        living.until(given, |run| run.status.is_done()).await;
        assert_eq!(living.get(created).await.status, Status::Succeeded);
        let history = living.history(given).await.0;
        assert!(history.starts_with("created compiled queued scheduled queued scheduled"), "{history}");
        living.end().await;
    });
}
