//! What an audit finds in records that were made wrong, and what it repairs.

use polyaxon_store::Options;
use polyaxon_store::audit::{Finding, Repair, Severity, audit, repair};
use serde_json::json;

use crate::testkit::{Home, NOW, World, at, everywhere};

const LATER: &str = "2026-11-23T12:00:00Z";

impl World {
    fn break_with(&self, sql: &'static str) {
        self.store.write_blocking(move |tx| tx.execute(sql, &[]).map(drop)).unwrap();
    }

    fn findings(&self) -> Vec<Finding> {
        audit(&self.home.url(), Options::default(), at(LATER)).unwrap().findings
    }
}

fn names(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.check).collect()
}

#[test]
fn each_rule_that_is_broken_is_found() {
    for (sql, check, severity) in [
        ("UPDATE runs SET status = 'dancing'", "statuses", Severity::Error),
        ("UPDATE runs SET status = 'running'", "history", Severity::Error),
        ("UPDATE status_conditions SET seq = seq + 10", "history_gaps", Severity::Error),
        ("UPDATE runs SET finished_at = NULL", "times", Severity::Error),
        ("UPDATE runs SET attempt_live = TRUE", "attempts", Severity::Warning),
        ("DELETE FROM run_metrics", "metrics", Severity::Error),
    ] {
        everywhere(|world| {
            let run = world.job().uuid;
            world.patch(run, json!({"outputs": {"loss": 1}}), NOW);
            world.post(run, "succeeded", NOW);
            world.break_with("UPDATE actions SET done_at = 1");
            assert_eq!(world.findings(), Vec::new());
            world.break_with(sql);
            let findings = world.findings();
            let found = findings.iter().find(|finding| finding.check == check).expect(check);
            assert_eq!((found.severity, found.count), (severity, 1));
            assert_eq!(found.examples, [run.to_string()]);
        });
    }
}

#[test]
fn what_is_derived_or_pointless_is_repaired() {
    everywhere(|world| {
        let run = world.job().uuid;
        world.patch(run, json!({"outputs": {"loss": 1, "text": "a"}}), NOW);
        world.post(run, "succeeded", NOW);
        world.break_with("UPDATE run_metrics SET value = 7");
        world.break_with(
            "INSERT INTO actions (run_id, seq, action, created_at) SELECT id, 99, '{\"do\":\"compile\"}', 1 FROM runs",
        );
        assert_eq!(names(&world.findings()), ["actions", "metrics"]);
        let report = repair(&world.home.url(), Options::default(), at(LATER)).unwrap();
        assert!(report.findings.iter().all(|finding| finding.repair == Some(Repair::Done)));
        assert_eq!(world.findings(), Vec::new());
    });
}

#[test]
fn rows_of_a_file_that_refer_to_nothing_are_cut() {
    let world = World::new();
    let run = world.job().uuid;
    let Home::File(path) = &world.home else { return };
    let file = rusqlite::Connection::open(path).unwrap();
    file.execute_batch(
        "PRAGMA foreign_keys = OFF; INSERT INTO run_bookmarks VALUES (77, TRUE); UPDATE runs SET pipeline_id = 78;",
    )
    .unwrap();
    assert_eq!(names(&world.findings()), ["references", "references"]);
    repair(&world.home.url(), Options::default(), at(LATER)).unwrap();
    assert_eq!(world.findings(), Vec::new());
    assert_eq!(world.get(run).uuid, run);
    file.execute_batch("PRAGMA foreign_keys = OFF; UPDATE runs SET project_id = 79; DROP TRIGGER runs_updated")
        .unwrap();
    let findings = world.findings();
    assert_eq!(names(&findings), ["references", "run_changes"]);
    assert!(findings.iter().all(|finding| finding.repair.is_none()));
}
