//! A home folder, an executor on it, and short ways to run a shell script as a run.

use std::future::Future;
use std::time::Duration;

use polyaxon_artifacts::layout::Layout;
use polyaxon_artifacts::logs::{Cursor, page};
use polyaxon_compile::plan::process::{ProcessPlan, Task, TaskKind};
use polyaxon_executors::process::{Observation, ProcessExecutor, Status, StopRequest, Wakeups};
use polyaxon_model::ids::RunId;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Nothing in these tests takes long; this only ends a test that hangs.
const DEADLINE: Duration = Duration::from_mins(1);

pub(crate) struct Bench {
    /// Removed with the bench.
    _home: TempDir,
    pub(crate) layout: Layout,
    pub(crate) executor: ProcessExecutor,
    wakeups: Wakeups,
}

pub(crate) fn run_id(number: u128) -> RunId {
    format!("{number:032x}").parse().expect("32 hex digits")
}

pub(crate) fn block_on(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("the test machine works")
        .block_on(async { tokio::time::timeout(DEADLINE, test).await.expect("the test hangs") });
}

pub(crate) fn task(name: &str, script: &str) -> Task {
    Task {
        name: name.to_owned(),
        kind: if name == "polyaxon-main" { TaskKind::Main } else { TaskKind::Init },
        argv: vec!["/bin/sh".to_owned(), "-c".to_owned(), script.to_owned()],
        workdir: None,
        env: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
    }
}

pub(crate) fn plan(run: RunId, tasks: Vec<Task>) -> ProcessPlan {
    ProcessPlan {
        run: run.to_hex(),
        attempt: 1,
        tasks,
        context_root: String::new(),
        timeout_secs: None,
        grace_secs: 10,
        ports: vec![],
        notices: vec![],
    }
}

pub(crate) fn script(run: RunId, text: &str) -> ProcessPlan {
    plan(run, vec![task("polyaxon-main", text)])
}

impl Bench {
    pub(crate) fn new() -> Bench {
        let home = tempfile::tempdir().expect("the test machine works");
        let layout = Layout::new(home.path());
        let (executor, wakeups) = start(&layout);
        Bench { _home: home, layout, executor, wakeups }
    }

    /// Another server on the same home, after the first one is gone.
    pub(crate) fn restart(&mut self) {
        (self.executor, self.wakeups) = start(&self.layout);
    }

    /// Waits until `ready` has an answer, looking again at every wake-up.
    pub(crate) async fn until<T>(&mut self, mut ready: impl FnMut(&Bench) -> Option<T>) -> T {
        loop {
            if let Some(answer) = ready(self) {
                return answer;
            }
            self.wakeups.next().await.expect("the executor lives");
        }
    }

    pub(crate) async fn until_done(&mut self, run: RunId, attempt: u32) -> Status {
        self.until(|bench| match bench.executor.observe(run, attempt).expect("the test machine works") {
            Observation::Done(status) => Some(status),
            Observation::Lost(status) => panic!("lost: {status:?}"),
            Observation::Absent | Observation::Active(_) => None,
        })
        .await
    }

    pub(crate) async fn until_line(&mut self, run: RunId, line: &str) {
        self.until(|bench| bench.lines(run).iter().any(|value| value == line).then_some(())).await;
    }

    pub(crate) async fn until_ended(&mut self, run: RunId) {
        self.until(|bench| (!bench.executor.is_watched(run)).then_some(())).await;
    }

    pub(crate) async fn run(&mut self, plan: &ProcessPlan) -> Status {
        let run: RunId = plan.run.parse().expect("the test machine works");
        self.executor.launch(run, plan).expect("the test machine works");
        self.until_done(run, plan.attempt).await
    }

    pub(crate) fn stop(&self, run: RunId, grace_secs: Option<u64>) -> Observation {
        let request = StopRequest { attempt: 1, reason: Some("asked by a test".to_owned()), grace_secs };
        self.executor.stop(run, &request).expect("the test machine works")
    }

    pub(crate) fn lines(&self, run: RunId) -> Vec<String> {
        let (mut lines, mut cursor) = (Vec::new(), Cursor::START);
        loop {
            let page = page(&self.layout.logs(run), run, cursor).expect("the test machine works");
            lines.extend(page.lines.into_iter().map(|line| line.value));
            cursor = page.cursor;
            if !page.more {
                return lines;
            }
        }
    }
}

/// A test that fails must not leave its jobs behind.
impl Drop for Bench {
    fn drop(&mut self) {
        for folder in std::fs::read_dir(self.layout.scratches()).into_iter().flatten().flatten() {
            let Ok(Some(record)) = Status::read(&folder.path().join("supervisor")) else { continue };
            if record.supervisor.is_alive()
                && let Some(pid) = Pid::from_raw(record.supervisor.pid)
            {
                let _ = kill_process(pid, Signal::TERM);
            }
        }
    }
}

fn start(layout: &Layout) -> (ProcessExecutor, Wakeups) {
    ProcessExecutor::new(layout.clone(), env!("CARGO_BIN_EXE_supervise-test").into()).expect("the test machine works")
}
