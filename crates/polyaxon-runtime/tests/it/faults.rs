//! The server ends while jobs run; supervisors die; attempts are retried.

use std::sync::atomic::{AtomicBool, Ordering};

use polyaxon_engine::state::Event;
use polyaxon_executors::process::Status as Record;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::bench::{Bench, block_on, limited, now, script};

#[test]
fn jobs_go_on_without_the_server_and_are_taken_up_again() {
    block_on(async {
        let mut bench = Bench::new(4).await;
        let ends = bench.submit(&script("mkfifo go; echo one; read line < go; echo two; exit 4")).await;
        let lives = bench.submit(&script("sleep 1000")).await;
        bench.until_line(ends, "one").await;
        bench.until_status(ends, Status::Running).await;
        bench.until_status(lives, Status::Running).await;
        bench.end().await;
        let waits = bench.submit(&script("echo late")).await;
        // The job opens the pipe when it reads; writing to it waits for that.
        let pipe = bench.layout.artifacts(ends).join("go");
        let gone = supervisor(&bench, ends);
        std::fs::write(&pipe, "go\n").unwrap();
        until_dead(gone.supervisor.pid).await;
        let restarted_at = now();
        bench.start(4);
        let record = bench.until_status(ends, Status::Failed).await;
        assert!(record.finished_at.is_some_and(|at| at < restarted_at), "the end is dated when it happened");
        assert_eq!(bench.history(ends).await.0, "created compiled queued scheduled starting running failed");
        assert_eq!(bench.lines(ends), ["one", "two"]);
        bench.until_status(waits, Status::Succeeded).await;
        assert_eq!(bench.get(lives).await.status, Status::Running);
        bench.event(lives, Event::StopRequested).await;
        bench.until_status(lives, Status::Stopped).await;
    });
}

#[test]
fn a_run_whose_supervisor_is_killed_fails_as_lost() {
    block_on(async {
        let mut bench = Bench::new(4).await;
        let run = bench.submit(&script("echo before; exec sleep 1000")).await;
        bench.until_line(run, "before").await;
        bench.until_status(run, Status::Running).await;
        let record = supervisor(&bench, run);
        kill_process(Pid::from_raw(record.supervisor.pid).unwrap(), Signal::KILL).unwrap();
        bench.until_status(run, Status::Failed).await;
        let last = bench.conditions(run).await.pop().unwrap();
        assert_eq!(last.reason.as_deref(), Some("ResourceLost"));
        assert!(!record.child.unwrap().is_alive(), "the job must not go on without a supervisor");
        assert_eq!(bench.lines(run), ["before"]);
    });
}

#[test]
fn a_failed_attempt_waits_for_its_retry_also_over_a_restart() {
    block_on(async {
        let mut bench = Bench::new(4).await;
        let run = bench.submit(&limited("echo try; exit 1", json!({"maxRetries": 1}))).await;
        bench.until_status(run, Status::Retrying).await;
        bench.end().await;
        bench.start(4);
        assert_eq!(bench.get(run).await.status, Status::Retrying);
        bench.until_status(run, Status::Failed).await;
        assert_eq!(bench.lines(run), ["try", "try"]);
        let (history, _) = bench.history(run).await;
        let attempt = "compiled queued scheduled starting running";
        assert_eq!(history, format!("created {attempt} retrying {attempt} failed"));
    });
}

/// An hour before the time until then.
static CLOCK_IS_SET_BACK: AtomicBool = AtomicBool::new(false);

fn unsteady_clock() -> Timestamp {
    let is_back = CLOCK_IS_SET_BACK.load(Ordering::Relaxed);
    now().minus(std::time::Duration::from_hours(u64::from(is_back)))
}

#[test]
fn a_clock_that_is_set_back_holds_no_timer_up() {
    block_on(async {
        let mut bench = Bench::new(4).await;
        bench.end().await;
        bench.start_with(4, unsteady_clock);
        let run = bench.submit(&limited("exit 1", json!({"maxRetries": 1}))).await;
        bench.until_status(run, Status::Retrying).await;
        CLOCK_IS_SET_BACK.store(true, Ordering::Relaxed);
        bench.until_status(run, Status::Failed).await;
        assert!(bench.get(run).await.duration.is_some_and(|duration| duration >= 0.0));
    });
}

fn supervisor(bench: &Bench, run: polyaxon_model::ids::RunId) -> Record {
    Record::read(&bench.layout.supervisor(run)).expect("the record is readable").expect("there is a record")
}

/// Waits for the end of a process that is no child of a watcher any more.
async fn until_dead(pid: i32) {
    let Some(pid) = Pid::from_raw(pid) else { return };
    let wait = move || {
        let Ok(descriptor) = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) else { return };
        let mut polled = [rustix::event::PollFd::new(&descriptor, rustix::event::PollFlags::IN)];
        rustix::event::poll(&mut polled, None).expect("a process can be waited for");
    };
    tokio::task::spawn_blocking(wait).await.expect("waiting does not panic");
}
