//! Pages of runs, and the promise that a list of many runs does not look at all of them.

use polyaxon_engine::state::Event;
use polyaxon_model::kinds::ManagedBy;
use polyaxon_model::listing::{Counting, Paging};
use polyaxon_store::db::Value;
use polyaxon_store::run_list::RunQuery;
use polyaxon_store::runs::NewRecord;
use polyaxon_store::{bookmarks, runs};
use serde_json::json;

use crate::testkit::{NOW, World, at, databases};

fn page(limit: u32, offset: u64) -> RunQuery {
    let paging = Paging { limit, offset, counting: Counting::Count };
    RunQuery { project: None, query: String::new(), sort: String::new(), bookmarked: None, paging }
}

#[test]
fn pages_are_stable_and_complete() {
    for database in databases() {
        let world = World::on(&database);
        let records: Vec<_> = (0..25).map(|_| world.record(ManagedBy::User)).collect();
        world
            .store
            .write_blocking(move |tx| records.iter().try_for_each(|record| runs::create(tx, record, at(NOW)).map(drop)))
            .unwrap();
        let mut seen = Vec::new();
        for offset in [0, 10, 20, 30] {
            let part = world.list(&page(10, offset)).unwrap();
            assert_eq!(part.count, Some(25));
            seen.extend(part.results.into_iter().map(|run| run.uuid));
        }
        let total = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!((total, seen.len()), (25, 25));
    }
}

#[test]
fn bookmarks_and_other_projects_are_told_apart() {
    for database in databases() {
        let world = World::on(&database);
        let run = world.job().uuid;
        world.job();
        world.store.write_blocking(move |tx| bookmarks::add_run(tx, run)).unwrap();
        let wanted = RunQuery { bookmarked: Some(true), ..page(10, 0) };
        let marked = world.list(&wanted).unwrap();
        assert_eq!((marked.results.len(), marked.results[0].uuid, marked.results[0].bookmarked), (1, run, true));
        let elsewhere = polyaxon_model::ids::ProjectId::new(uuid::Uuid::new_v4());
        let wanted = RunQuery { project: Some(elsewhere), ..page(10, 0) };
        assert_eq!(world.list(&wanted).unwrap().count, Some(0));
    }
}

#[test]
fn rows_do_not_carry_the_contents() {
    for database in databases() {
        let world = World::on(&database);
        world.create(NewRecord { raw_content: Some("{}".into()), ..world.record(ManagedBy::User) }, NOW);
        assert_eq!(world.find("", "").unwrap()[0].raw_content, None);
    }
}

/// The queries that run most often, and the index that each must use.
#[test]
fn frequent_queries_use_their_index() {
    let world = World::new();
    for (sql, index) in [
        (
            "SELECT id FROM runs r WHERE r.project_id = 1 AND r.live_state = 1 AND +r.created_at >= 5 AND r.status = 'running' ORDER BY r.updated_at DESC, r.id DESC LIMIT 20",
            "runs_list",
        ),
        (
            "SELECT count(*) FROM runs r WHERE r.project_id = 1 AND r.live_state = 1 AND r.created_at >= 5",
            "runs_created",
        ),
        ("SELECT r.id FROM runs r WHERE TRUE AND r.project_id = 1 AND r.live_state = 1", "COVERING INDEX runs_"),
        ("SELECT r.id FROM runs r WHERE r.status = 'succeeded'", "COVERING INDEX runs_status"),
        ("SELECT r.id, r.created_at FROM runs r WHERE r.created_at IS NOT NULL", "COVERING INDEX runs_"),
        ("SELECT r.id, r.updated_at FROM runs r WHERE r.updated_at IS NOT NULL", "COVERING INDEX runs_"),
        ("SELECT run_id, value FROM run_metrics WHERE name = 'loss'", "PRIMARY KEY (name=?)"),
        (
            "WITH changed (id) AS (VALUES (CAST(1 AS BIGINT)), (CAST(2 AS BIGINT))) SELECT r.id FROM changed \
             CROSS JOIN runs r WHERE r.id = changed.id AND (r.status = 'succeeded')",
            "SEARCH r USING INTEGER PRIMARY KEY",
        ),
        (
            "WITH changed (id) AS (VALUES (CAST(1 AS BIGINT)), (CAST(2 AS BIGINT))) SELECT m.run_id, m.value \
             FROM changed CROSS JOIN run_metrics m WHERE m.name = 'loss' AND m.run_id = changed.id",
            "SEARCH m USING PRIMARY KEY (name=? AND run_id=?)",
        ),
        ("SELECT DISTINCT run_id FROM run_changes WHERE seq > 5", "SEARCH run_changes USING INTEGER PRIMARY KEY"),
        (
            "SELECT r.id FROM runs r WHERE r.project_id = 1 AND r.live_state = 1 AND r.status = 'failed' \
             ORDER BY r.name ASC NULLS FIRST, r.id ASC NULLS FIRST LIMIT 20",
            "runs_by_name",
        ),
        ("SELECT uuid FROM runs WHERE status = 'queued' AND pending IS NULL ORDER BY created_at", "runs_status"),
        ("SELECT count(*) FROM runs WHERE attempt_live AND executor_id = 'x'", "runs_attempts"),
        ("SELECT id FROM actions WHERE done_at IS NULL AND claimed_by = 'x' AND id > 5 ORDER BY id", "actions_open"),
        ("SELECT id FROM actions WHERE run_id = 5 AND done_at IS NULL", "actions_open_of_run"),
        (
            "SELECT condition FROM status_conditions WHERE run_id = 5 ORDER BY seq DESC LIMIT 1",
            "sqlite_autoindex_status_conditions_1",
        ),
    ] {
        let plan = world
            .store
            .read_blocking(|tx| {
                let rows = tx.query(&format!("EXPLAIN QUERY PLAN {sql}"), &[])?;
                rows.into_iter()
                    .map(|mut row| {
                        let (_, _, _) = (row.take::<Value>()?, row.take::<Value>()?, row.take::<Value>()?);
                        row.take::<String>()
                    })
                    .collect::<polyaxon_store::Result<Vec<_>>>()
            })
            .unwrap()
            .join("; ");
        let sorts = plan.contains("FOR ORDER BY");
        assert!(plan.contains(index) && !sorts, "{sql}\n{plan}");
    }
}

/// `World::list` compares each answer with that of a store that knows nothing yet.
#[test]
fn what_is_known_follows_every_change() {
    for database in databases() {
        let world = World::on(&database);
        let runs: Vec<_> = (0..40).map(|_| world.create(world.record(ManagedBy::User), NOW).uuid).collect();
        let look = || {
            for query in
                ["", "metrics.loss:<0.5", "status:running|failed,metrics.loss:>0.1", "live_state:0", "inputs.a:1"]
            {
                for sort in ["", "-metrics.loss", "metrics.loss,-created_at", "name", "-inputs.a"] {
                    let wanted = RunQuery { query: query.to_owned(), sort: sort.to_owned(), ..page(7, 3) };
                    world.list(&wanted).unwrap();
                }
            }
            let count = |query: &str| world.list(&RunQuery { query: query.to_owned(), ..page(1, 0) }).unwrap().count;
            (count(""), count("metrics.loss:<0.5"), count("status:running"), count("live_state:0"))
        };
        assert_eq!(look(), (Some(40), Some(0), Some(0), Some(0)));
        for (number, run) in runs.iter().enumerate() {
            let outputs = json!({"outputs": {"loss": number as f64 / 40.0}, "inputs": {"a": number % 3}});
            world.patch(*run, outputs, NOW);
        }
        assert_eq!(look(), (Some(40), Some(20), Some(0), Some(0)));
        world.patch(runs[0], json!({"outputs": {"loss": "none", "acc": 1}}), NOW);
        world.patch(runs[1], json!({"outputs": {"acc": 1}, "merge": true}), NOW);
        world.patch(runs[2], json!({"outputs": {"loss": 7}, "merge": true}), NOW);
        world.patch(runs[3], json!({"outputs": null}), NOW);
        world.post(runs[4], "running", NOW);
        world.apply(runs[5], Event::ArchiveRequested, NOW);
        world.apply(runs[6], Event::DeleteRequested, NOW);
        assert_eq!(look(), (Some(38), Some(15), Some(1), Some(1)));
        let gone = runs[6];
        world.store.write_blocking(move |tx| runs::mark_deleted(tx, gone, at(NOW))).unwrap();
        world.close_actions(gone);
        world.store.write_blocking(move |tx| runs::purge(tx, at("2027-01-01T00:00:00Z"), 100)).unwrap();
        world.create(world.record(ManagedBy::User), NOW);
        assert_eq!(look(), (Some(39), Some(15), Some(1), Some(1)));
    }
}

/// Orders that the database makes are the same for many runs as for few.
#[test]
fn long_lists_are_ordered_by_texts() {
    for database in databases() {
        let world = World::on(&database);
        let records: Vec<_> = (0..600)
            .map(|number| NewRecord {
                name: Some(format!("r-{:03}", number * 7 % 600)),
                ..world.record(ManagedBy::User)
            })
            .collect();
        world
            .store
            .write_blocking(move |tx| records.iter().try_for_each(|record| runs::create(tx, record, at(NOW)).map(drop)))
            .unwrap();
        let wanted = RunQuery { sort: "-name".to_owned(), query: "kind:job".to_owned(), ..page(2, 1) };
        let found = world.list(&wanted).unwrap();
        let names: Vec<_> = found.results.iter().map(|run| run.name.as_deref().unwrap()).collect();
        assert_eq!((found.count, names), (Some(600), vec!["r-598", "r-597"]));
    }
}
