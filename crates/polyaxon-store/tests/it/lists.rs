//! Pages of runs, and the promise that a list of many runs does not look at all of them.

use polyaxon_model::kinds::ManagedBy;
use polyaxon_model::listing::{Counting, Paging};
use polyaxon_store::db::Value;
use polyaxon_store::run_list::RunQuery;
use polyaxon_store::runs::NewRecord;
use polyaxon_store::{bookmarks, runs};

use crate::testkit::{NOW, World, at};

fn page(limit: u32, offset: u64) -> RunQuery {
    let paging = Paging { limit, offset, counting: Counting::Count };
    RunQuery { project: None, query: String::new(), sort: String::new(), bookmarked: None, paging }
}

#[test]
fn pages_are_stable_and_complete() {
    let world = World::new();
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

#[test]
fn bookmarks_and_other_projects_are_told_apart() {
    let world = World::new();
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

#[test]
fn rows_do_not_carry_the_contents() {
    let world = World::new();
    world.create(NewRecord { raw_content: Some("{}".into()), ..world.record(ManagedBy::User) }, NOW);
    assert_eq!(world.find("", "").unwrap()[0].raw_content, None);
}

/// The queries that run most often, and the index that each must use.
#[test]
fn frequent_queries_use_their_index() {
    let world = World::new();
    for (sql, index) in [
        (
            "SELECT id FROM runs r WHERE r.project_id = 1 AND r.live_state = 1 AND +r.created_at >= 5 AND r.status = 'running' ORDER BY r.updated_at DESC NULLS LAST, r.id DESC NULLS LAST LIMIT 20",
            "runs_list",
        ),
        (
            "SELECT count(*) FROM runs r WHERE r.project_id = 1 AND r.live_state = 1 AND r.created_at >= 5",
            "runs_created",
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
        assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
    }
}
