//! From submission to the end.

use polyaxon_engine::state::Event;
use polyaxon_model::status::Status;
use serde_json::json;

use crate::bench::{Bench, block_on, limited, script};

#[test]
fn a_run_goes_through_all_its_statuses() {
    block_on(async {
        let mut bench = Bench::new(4).await;
        let run = bench.submit(&script("echo hello")).await;
        let record = bench.until_status(run, Status::Succeeded).await;
        let (history, _) = bench.history(run).await;
        assert_eq!(history, "created compiled queued scheduled starting running succeeded");
        assert_eq!(bench.lines(run), ["hello"]);
        assert!(record.started_at.is_some() && record.duration.is_some());
        bench.end().await;
        assert!(!bench.layout.scratch(run).exists(), "the scratch folder goes with the run");
    });
}

#[test]
fn failures_are_told_and_bad_operations_never_start() {
    block_on(async {
        let mut bench = Bench::new(4).await;
        let mut missing = script("");
        missing["component"]["run"]["container"] = json!({"command": ["no-such-program"]});
        let mut template = script("echo {{ broken");
        template["name"] = json!("x");
        let mut dag = script("");
        dag["component"]["run"] = json!({"kind": "mpijob", "worker": {"replicas": 1, "container": {"image": "a"}}});
        for (operation, history, message) in [
            (script("exit 3"), "created compiled queued scheduled starting running failed", "exit code 3"),
            (script("kill -9 $$"), "created compiled queued scheduled starting running failed", "SIGKILL"),
            (missing, "created compiled queued scheduled starting failed", "`no-such-program` was not found"),
            (template, "created failed", "broken"),
            (dag, "created failed", "cannot be executed by this version yet"),
            (json!({"version": 1.1, "kind": "operation"}), "created failed", "Failed to compile"),
        ] {
            let run = bench.submit(&operation).await;
            bench.until_status(run, Status::Failed).await;
            let (told, why) = bench.history(run).await;
            assert_eq!(told, history, "{why}");
            assert!(why.contains(message), "{why}");
        }
    });
}

#[test]
fn capacity_holds_back_and_gives_out_in_order() {
    block_on(async {
        let mut bench = Bench::new(1).await;
        let first = bench.submit(&script("echo ready; trap 'exit 0' TERM; sleep 1000 & wait")).await;
        bench.until_status(first, Status::Running).await;
        let second = bench.submit(&script("true")).await;
        let third = bench.submit(&script("true")).await;
        bench.until_status(second, Status::Queued).await;
        bench.until_status(third, Status::Queued).await;
        bench.event(first, Event::StopRequested).await;
        bench.until_status(first, Status::Stopped).await;
        bench.until_status(third, Status::Succeeded).await;
        assert_eq!(bench.history(first).await.0, "created compiled queued scheduled starting running stopping stopped");
        assert!(bench.get(second).await.finished_at <= bench.get(third).await.started_at);
    });
}

#[test]
fn timeouts_and_stops_of_waiting_runs_end_them() {
    block_on(async {
        let mut bench = Bench::new(1).await;
        let slow = bench.submit(&limited("sleep 1000", json!({"timeout": 1}))).await;
        bench.until_status(slow, Status::Running).await;
        let waiting = bench.submit(&script("true")).await;
        bench.until_status(waiting, Status::Queued).await;
        bench.event(waiting, Event::StopRequested).await;
        bench.until_status(waiting, Status::Stopped).await;
        bench.until_status(slow, Status::Failed).await;
        let conditions = bench.conditions(slow).await;
        assert_eq!(conditions.last().and_then(|last| last.reason.as_deref()), Some("DeadlineExceeded"));
    });
}

#[test]
fn deleting_a_live_run_ends_it_and_hides_it() {
    block_on(async {
        let mut bench = Bench::new(1).await;
        let run = bench.submit(&script("sleep 1000")).await;
        bench.until_status(run, Status::Running).await;
        bench.event(run, Event::DeleteRequested).await;
        bench.until(run, |record| record.status == Status::Stopped).await;
    });
}

#[test]
fn three_hundred_runs_finish_with_their_logs() {
    block_on(async {
        let mut bench = Bench::new(8).await;
        let begin = std::time::Instant::now();
        let mut runs = Vec::new();
        for number in 0..300 {
            runs.push(bench.submit(&script(&format!("echo {number}"))).await);
        }
        for (number, run) in runs.into_iter().enumerate() {
            bench.until_status(run, Status::Succeeded).await;
            assert_eq!(bench.lines(run), [number.to_string()]);
        }
        eprintln!("300 runs in {:?}", begin.elapsed());
    });
}
