//! The server dies, the supervisor dies, the disk is full.

use std::process::Command;

use polyaxon_executors::process::{Observation, Outcome, Phase, Status};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};

use crate::bench::{Bench, block_on, run_id, script};

#[test]
fn jobs_outlive_the_server_and_are_found_again() {
    block_on(async {
        let mut bench = Bench::new();
        let (alive, ended) = (run_id(1), run_id(2));
        bench
            .executor
            .launch(alive, &script(alive, "echo one; trap 'echo two; exit 4' TERM; sleep 1000 & wait"))
            .unwrap();
        bench.until_line(alive, "one").await;
        bench.executor.launch(ended, &script(ended, "exit 7")).unwrap();
        bench.restart();
        assert!(
            matches!(bench.executor.adopt(alive, 1).unwrap(), Observation::Active(status) if status.phase == Phase::Running)
        );
        bench.executor.adopt(ended, 1).unwrap();
        assert!(bench.executor.is_watched(alive));
        bench.stop(alive, None);
        assert!(matches!(bench.until_done(alive, 1).await.outcome, Some(Outcome::Stopped { .. })));
        assert_eq!(bench.lines(alive), ["one", "two"]);
        assert_eq!(bench.until_done(ended, 1).await.outcome, Some(Outcome::Exited { code: 7 }));
    });
}

#[test]
fn a_dead_supervisor_is_noticed_and_its_child_is_not_left_alone() {
    block_on(async {
        let mut bench = Bench::new();
        let run = run_id(1);
        bench.executor.launch(run, &script(run, "printf 'one\\ntwo'; exec sleep 1000")).unwrap();
        bench.until_line(run, "one").await;
        let status = active(&bench.executor.observe(run, 1).unwrap());
        kill_process(Pid::from_raw(status.supervisor.pid).unwrap(), Signal::KILL).unwrap();
        bench.until_ended(run).await;
        let Observation::Lost(status) = bench.executor.observe(run, 1).unwrap() else { panic!("not lost") };
        let child = status.child.clone().unwrap();
        assert!(child.is_alive());
        bench.executor.clear_lost(run, &status, std::time::Duration::from_secs(10)).await.unwrap();
        assert!(!child.is_alive());
        assert_eq!(bench.lines(run), ["one", "two"]);
    });
}

#[test]
fn a_full_disk_never_blocks_the_task_and_the_loss_is_told() {
    block_on(async {
        let mut bench = Bench::new();
        let run = run_id(1);
        let text =
            "echo ready; read line < go1; head -c 3000000 /dev/zero | tr '\\0' 'x'; echo; read line < go2; echo after";
        bench.layout.prepare(run).unwrap();
        let pipes = ["go1", "go2"].map(|name| bench.layout.artifacts(run).join(name));
        assert!(Command::new("mkfifo").args(&pipes).status().unwrap().success());
        bench.executor.launch(run, &script(run, text)).unwrap();
        bench.until_line(run, "ready").await;
        // A limit on the size of files looks to the supervisor like a disk without room.
        let supervisor = Pid::from_raw(active(&bench.executor.observe(run, 1).unwrap()).supervisor.pid);
        let limit = |bytes| Rlimit { current: Some(bytes), maximum: None };
        prlimit(supervisor, Resource::Fsize, limit(1_000_000)).unwrap();
        // Opening the second pipe waits until the task has printed everything and reads again: it was not blocked.
        for pipe in pipes {
            std::fs::write(&pipe, "go\n").unwrap();
        }
        let status = bench.until_done(run, 1).await;
        assert_eq!(status.outcome, Some(Outcome::Exited { code: 0 }));
        assert!(status.lost_log_bytes >= 2_000_000, "{}", status.lost_log_bytes);
        assert!(status.message.unwrap().contains("bytes of output were lost: File too large"));
        let lines = bench.lines(run);
        assert_eq!(lines[0], "ready");
        assert!(
            lines.iter().any(|line| line.starts_with("[polyaxon]") && line.contains("lost here")),
            "{:?}",
            &lines.last()
        );
    });
}

fn active(observation: &Observation) -> Status {
    match observation {
        Observation::Active(status) => status.clone(),
        other => panic!("not active: {other:?}"),
    }
}
