//! Start, end, stop and restart of attempts.

use std::time::Instant;

use polyaxon_executors::process::{Error, Observation, Outcome, Phase};
use snapbox::assert_data_eq;
use snapbox::prelude::*;
use snapbox::str;

use crate::bench::{Bench, block_on, plan, run_id, script, task};

#[test]
fn every_kind_of_end_is_told_apart() {
    block_on(async {
        let mut bench = Bench::new();
        let mut told = String::new();
        for (number, text) in [
            "true",
            "exit 3",
            "kill -9 $$",
            "kill -SEGV $$",
            "trap '' TERM HUP; kill -HUP $$; exit 0",
            "no-such-program",
            "sh -c 'kill -9 $$'; exit $?",
        ]
        .into_iter()
        .enumerate()
        {
            let status = bench.run(&script(run_id(number as u128), text)).await;
            assert_eq!(status.phase, Phase::Done);
            assert!(status.finished_at >= Some(status.started_at));
            told += &format!("{text:<40} {:?} {}\n", status.outcome.unwrap(), status.message.unwrap_or_default());
        }
        let mut missing = script(run_id(100), "");
        missing.tasks[0].argv = vec!["train.py".to_owned(), "--lr=1".to_owned()];
        let status = bench.run(&missing).await;
        told += &format!("{:<40} {:?}\n", "train.py", status.outcome.unwrap());
        assert_eq!(bench.lines(run_id(100)), [format!("[polyaxon] {}", status.message.unwrap())]);
        assert_data_eq!(
            told,
            str![[r#"
true                                     Exited { code: 0 } 
exit 3                                   Exited { code: 3 } the process ended with exit code 3
kill -9 $$                               Killed { signal: 9 } the process was killed by SIGKILL (signal 9); the system does this when memory runs out (see `dmesg`)
kill -SEGV $$                            Killed { signal: 11 } the process was killed by SIGSEGV (signal 11); it accessed memory that is not its own
trap '' TERM HUP; kill -HUP $$; exit 0   Exited { code: 0 } 
no-such-program                          Exited { code: 127 } the process ended with exit code 127 (a shell reports this when a command is not found)
sh -c 'kill -9 $$'; exit $?              Exited { code: 137 } the process ended with exit code 137 (a program in it was probably killed by SIGKILL)
train.py                                 NotStarted { reason: "CommandNotFound" }

"#]]
            .raw()
        );
    });
}

#[test]
fn tasks_run_one_after_the_other_and_a_failed_one_is_the_last() {
    block_on(async {
        let mut bench = Bench::new();
        let run = run_id(1);
        let mut good = plan(
            run,
            vec![
                task("init-a", "echo a > made; pwd"),
                task("init-b", "cat made"),
                task("polyaxon-main", "cat made; env"),
            ],
        );
        good.notices = vec!["container.image is not used".to_owned()];
        bench.run(&good).await;
        let folder = bench.layout.artifacts(run).canonicalize().unwrap().display().to_string();
        let lines = bench.lines(run);
        assert_eq!(lines[..4], [&folder, "a", "[polyaxon] container.image is not used", "a"]);
        // The environment is the plan's and nothing else (`PWD` and the like come from the shell itself).
        assert!(!lines.iter().any(|line| line.starts_with("CARGO")), "{lines:?}");

        let run = run_id(2);
        let bad = plan(run, vec![task("init-a", "exit 5"), task("polyaxon-main", "echo never")]);
        let status = bench.run(&bad).await;
        assert_eq!(status.outcome, Some(Outcome::Exited { code: 5 }));
        assert_eq!(status.message.as_deref(), Some("init task `init-a` ended with exit code 5"));
        assert_eq!(bench.lines(run), Vec::<String>::new());
    });
}

#[test]
fn a_stop_is_polite_first_and_certain_in_the_end() {
    block_on(async {
        let mut bench = Bench::new();
        let (polite, deaf, suspended) = (run_id(1), run_id(2), run_id(3));
        let wait = "echo ready; while :; do sleep 1000 & wait; done";
        bench.executor.launch(polite, &script(polite, &format!("trap 'echo bye; exit 0' TERM; {wait}"))).unwrap();
        bench.executor.launch(deaf, &script(deaf, &format!("trap '' TERM; {wait}"))).unwrap();
        bench.executor.launch(suspended, &script(suspended, "echo ready; kill -STOP $$")).unwrap();
        for run in [polite, deaf, suspended] {
            bench.until_line(run, "ready").await;
        }
        let begin = Instant::now();
        bench.stop(polite, None);
        bench.stop(deaf, Some(0));
        bench.stop(suspended, None);
        let stopped = Some(Outcome::Stopped { reason: Some("asked by a test".to_owned()) });
        for run in [polite, deaf, suspended] {
            assert_eq!(bench.until_done(run, 1).await.outcome, stopped);
        }
        assert_eq!(bench.lines(polite), ["ready", "bye"]);
        assert!(begin.elapsed().as_secs() < 8, "the grace time of 10 s was not needed");
        assert!(matches!(bench.stop(polite, None), Observation::Done(_)), "a second stop changes nothing");
    });
}

#[test]
fn a_stop_before_the_start_prevents_it() {
    block_on(async {
        let mut bench = Bench::new();
        let run = run_id(1);
        assert_eq!(bench.stop(run, None), Observation::Absent);
        let status = bench.run(&script(run, "echo never")).await;
        assert!(matches!(status.outcome, Some(Outcome::Stopped { .. })));
        assert_eq!(bench.lines(run), Vec::<String>::new());
    });
}

#[test]
fn the_time_limit_counts_for_all_tasks() {
    block_on(async {
        let mut bench = Bench::new();
        let run = run_id(1);
        let mut plan = plan(run, vec![task("init", "true"), task("polyaxon-main", "trap '' TERM; sleep 1000")]);
        plan.timeout_secs = Some(1);
        plan.grace_secs = 0;
        let status = bench.run(&plan).await;
        assert_eq!(status.outcome, Some(Outcome::TimedOut));
        assert_eq!(status.message.as_deref(), Some("the process was ended after the timeout of 1 s"));
    });
}

#[test]
fn launching_again_does_not_start_again_and_the_next_attempt_waits() {
    block_on(async {
        let mut bench = Bench::new();
        let run = run_id(1);
        let mut plan = script(run, "echo once; read line < go");
        let pipe = bench.layout.artifacts(run).join("go");
        bench.layout.prepare(run).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        bench.executor.launch(run, &plan).unwrap();
        bench.executor.launch(run, &plan).unwrap();
        bench.until_line(run, "once").await;
        bench.executor.launch(run, &plan).unwrap();
        plan.attempt = 2;
        assert!(matches!(bench.executor.launch(run, &plan), Err(Error::Busy { running: 1, wanted: 2, .. })));
        std::fs::write(&pipe, "go\n").unwrap();
        bench.until_done(run, 1).await;
        bench.until_ended(run).await;
        bench.executor.launch(run, &plan).unwrap();
        std::fs::write(&pipe, "go\n").unwrap();
        bench.until_done(run, 2).await;
        assert_eq!(bench.executor.observe(run, 1).unwrap(), Observation::Absent);
        assert_eq!(bench.lines(run), ["once", "once"]);
    });
}

#[test]
fn what_main_leaves_behind_ends_with_it() {
    block_on(async {
        let mut bench = Bench::new();
        let run = run_id(1);
        let text = "(trap '' HUP; echo $$ > pid; exec sleep 1000) & while [ ! -s pid ]; do :; done";
        let status = bench.run(&script(run, text)).await;
        assert_eq!(status.outcome, Some(Outcome::Exited { code: 0 }));
        let pid: i32 =
            std::fs::read_to_string(bench.layout.artifacts(run).join("pid")).unwrap().trim().parse().unwrap();
        let group = rustix::process::Pid::from_raw(pid).unwrap();
        assert!(rustix::process::test_kill_process_group(group).is_err(), "the group of {pid} still lives");
    });
}
