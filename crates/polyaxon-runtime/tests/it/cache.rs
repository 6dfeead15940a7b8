//! Reuse of results (acceptance 9): hits, those that wait, what counts as equal, and what happens to originals.

use std::time::Duration;

use polyaxon_engine::cache::Refusal;
use polyaxon_engine::state::Event;
use polyaxon_model::JsonMap;
use polyaxon_model::kinds::{CloningKind, Pending};
use polyaxon_model::run::Run;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use polyaxon_store::cache::{self, explain::explain};
use serde_json::{Value as Json, json};

use crate::bench::{Bench, block_on, now, script};

/// An operation with the cache on, an input `x`, and a script that leaves a file.
fn cached(text: &str, x: i64, section: &Json) -> Json {
    let mut operation = script(&format!("echo worked >> {{{{ globals.run_outputs_path }}}}/file; {text}"));
    let mut policy = json!({"disable": false});
    for (key, value) in section.as_object().into_iter().flatten() {
        policy[key] = value.clone();
    }
    operation["cache"] = policy;
    operation["component"]["inputs"] = json!([{"name": "x", "type": "int"}]);
    operation["params"] = json!({"x": {"value": x}});
    operation
}

fn is_hit(record: &Run) -> bool {
    record.original.as_ref().is_some_and(|original| original.kind == CloningKind::Cache)
}

#[test]
fn an_equal_run_gives_its_result() {
    block_on(async {
        let mut bench = Bench::new(4).await;
        let outputs = || JsonMap::from_iter([("loss".to_owned(), json!(0))]);
        let first = bench.submit_with(&cached("true", 1, &json!({})), |new| new.outputs = Some(outputs())).await;
        bench.until_status(first, Status::Succeeded).await;
        let second = bench.submit(&cached("true", 1, &json!({}))).await;
        let record = bench.until_status(second, Status::Succeeded).await;
        assert!(is_hit(&record) && record.outputs == Some(outputs()), "{record:?}");
        let conditions = bench.conditions(second).await;
        assert_eq!(conditions.last().and_then(|last| last.reason.as_deref()), Some("CacheHit"));
        assert!(!bench.layout.artifacts(second).exists(), "a hit has no folder");
        // A third one leads to the run that did the work.
        let third = bench.submit(&cached("true", 1, &json!({}))).await;
        let record = bench.until_status(third, Status::Succeeded).await;
        assert_eq!(record.original.map(|original| original.uuid), Some(first));
        assert_eq!(bench.store.read(move |tx| cache::holder(tx, third)).await.expect("an answer"), first);
    });
}

#[test]
fn what_is_not_equal_runs() {
    block_on(async {
        let mut bench = Bench::new(4).await;
        let with_image = |image: &str, section: Json| {
            let mut operation = cached("true", 1, &section);
            operation["component"]["run"]["container"]["image"] = json!(image);
            operation
        };
        let containers = || json!({"sections": ["containers"]});
        let mut disabled = cached("true", 1, &json!({}));
        disabled["cache"] = json!({"disable": true});
        let mut alone = cached("true", 1, &json!({}));
        alone.as_object_mut().expect("an object").remove("cache");
        let cases = [
            (cached("true", 1, &json!({})), false),
            (cached("true", 2, &json!({})), false),
            (cached(":", 1, &json!({})), false),
            (cached("true", 1, &json!({"ttl": 0})), false),
            (cached("true", 1, &json!({"ttl": 3600})), true),
            (disabled, false),
            (alone, false),
            (cached("true", 3, &json!({"io": []})), false),
            (cached("true", 4, &json!({"io": []})), true),
            (cached("true", 5, &json!({"sections": []})), false),
            (cached(":", 5, &json!({"sections": []})), true),
            (with_image("a", json!({})), false),
            (with_image("b", json!({})), false),
            (with_image("b", json!({})), true),
            (with_image("a", containers()), true),
            (with_image("b", containers()), true),
        ];
        for (operation, expected) in cases {
            let run = bench.submit(&operation).await;
            let record = bench.until_status(run, Status::Succeeded).await;
            assert_eq!(is_hit(&record), expected, "{operation}");
        }
    });
}

/// A script that ends as the file `end` of the home says, as soon as it is there.
fn awaited(bench: &Bench) -> String {
    let end = bench.home.path().join("end");
    format!("while [ ! -e {0} ]; do sleep 0.02; done; exit $(cat {0})", end.display())
}

#[test]
fn one_that_waits_takes_the_result_or_runs_itself() {
    block_on(async {
        for (code, expected) in [("0", true), ("3", false)] {
            let mut bench = Bench::new(4).await;
            let operation = cached(&awaited(&bench), 1, &json!({}));
            let first = bench.submit(&operation).await;
            bench.until_status(first, Status::Running).await;
            let second = bench.submit(&operation).await;
            let waiting = bench.until(second, |record| record.pending == Some(Pending::Cache)).await;
            assert!(is_hit(&waiting) && waiting.status == Status::Created);
            let end = bench.home.path().join("end");
            std::fs::write(&end, code).expect("the home is writable");
            bench.until(first, |record| record.status.is_done()).await;
            let record = bench.until(second, |record| record.status.is_done()).await;
            assert_eq!(is_hit(&record), expected);
            assert_eq!(record.pending, None);
            let (history, _) = bench.history(second).await;
            assert_eq!(history.contains("running"), !expected, "{history}");
        }
    });
}

#[test]
fn one_that_waits_runs_when_it_is_approved_or_the_original_is_deleted() {
    block_on(async {
        let mut bench = Bench::new(4).await;
        let operation = cached(&awaited(&bench), 1, &json!({}));
        let first = bench.submit(&operation).await;
        bench.until_status(first, Status::Running).await;
        let approved = bench.submit(&operation).await;
        bench.until(approved, |record| record.pending == Some(Pending::Cache)).await;
        bench.event(approved, Event::Approved).await;
        let record = bench.until_status(approved, Status::Running).await;
        assert!(!is_hit(&record));
        let left = bench.submit(&operation).await;
        bench.until(left, |record| record.pending == Some(Pending::Cache)).await;
        bench.event(approved, Event::DeleteRequested).await;
        bench.event(first, Event::DeleteRequested).await;
        let record = bench.until_status(left, Status::Running).await;
        assert!(!is_hit(&record));
    });
}

#[test]
fn what_is_invalidated_is_not_reused() {
    block_on(async {
        let mut bench = Bench::new(4).await;
        let first = bench.submit(&cached("true", 1, &json!({}))).await;
        bench.until_status(first, Status::Succeeded).await;
        let hit = bench.submit(&cached("true", 1, &json!({}))).await;
        bench.until_status(hit, Status::Succeeded).await;
        bench.store.write(move |tx| cache::invalidate(tx, first, now())).await.expect("the store answers");
        let after = bench.submit(&cached("true", 1, &json!({}))).await;
        assert!(!is_hit(&bench.until_status(after, Status::Succeeded).await));
    });
}

#[test]
fn the_oldest_hit_inherits_what_a_deleted_original_leaves() {
    fn later() -> Timestamp {
        now().plus(Duration::from_mins(5))
    }
    block_on(async {
        let mut bench = Bench::new(4).await;
        let first = bench.submit(&cached("true", 1, &json!({}))).await;
        bench.until_status(first, Status::Succeeded).await;
        let mut hits = Vec::new();
        for _ in 0..2 {
            let hit = bench.submit(&cached("true", 1, &json!({}))).await;
            bench.until_status(hit, Status::Succeeded).await;
            hits.push(hit);
        }
        bench.event(first, Event::DeleteRequested).await;
        bench.end().await;
        bench.start_with(4, later);
        bench.until(hits[0], |record| record.original.is_none()).await;
        let second = bench.get(hits[1]).await;
        assert_eq!(second.original.map(|original| original.uuid), Some(hits[0]));
        let file = bench.layout.outputs(hits[0]).join("file");
        // The files follow at once, and nothing of the record tells when.
        let arrival = async {
            while bench.layout.artifacts(first).exists() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), arrival).await.expect("the files are handed over");
        assert_eq!(std::fs::read_to_string(file).expect("the file was handed over"), "worked\n");
        // What is there goes on being reused.
        let third = bench.submit(&cached("true", 1, &json!({}))).await;
        let record = bench.until_status(third, Status::Succeeded).await;
        assert_eq!(record.original.map(|original| original.uuid), Some(hits[0]));
    });
}

#[test]
fn misses_are_explained() {
    block_on(async {
        let mut bench = Bench::new(4).await;
        let first = bench.submit(&cached("true", 1, &json!({}))).await;
        bench.until_status(first, Status::Succeeded).await;
        let mut alone = cached("true", 1, &json!({}));
        alone.as_object_mut().expect("an object").remove("cache");
        let cases = [
            (cached("true", 2, &json!({})), None, None, vec!["inputs.x"]),
            (cached(":", 1, &json!({})), None, None, vec!["container.args"]),
            (alone, Some("off_by_default"), None, vec![]),
            (cached("true", 1, &json!({"ttl": 0})), None, Some(first), vec![]),
        ];
        for (operation, rule, rejected, differences) in cases {
            let run = bench.submit(&operation).await;
            bench.until_status(run, Status::Succeeded).await;
            let found = bench.store.read(move |tx| explain(tx, run, &|_| true)).await.expect("an answer");
            assert_eq!(found.refusal.as_ref().map(Refusal::word), rule, "{operation}");
            assert!(rejected.is_none() || found.rejected.is_some(), "{operation}");
            let (_, nearest) = found.nearest.expect("there is an earlier run");
            let parts: Vec<&str> = nearest.iter().map(|found| found.part.as_str()).collect();
            assert_eq!(parts, differences, "{operation}");
        }
    });
}
