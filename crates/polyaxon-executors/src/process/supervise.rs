//! The supervisor of one attempt, the body of `polyaxon internal supervise FOLDER`.
//!
//! It must start within milliseconds and outlive the server: no async runtime, its own session, nothing inherited.
//! Whoever comes second for the same attempt leaves at once, so starting it twice does no harm.

use std::error::Error as _;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use polyaxon_artifacts::layout::Layout;
use polyaxon_artifacts::logs::{Stamp, TaskLog};
use polyaxon_compile::plan::process::{ProcessPlan, Task, TaskKind};
use polyaxon_model::ids::RunId;
use polyaxon_model::time::Timestamp;
use rustix::fs::FlockOperation;
use rustix::process::{Pid, Signal};

use super::error::{Error, Result};
use super::executor::StopRequest;
use super::output::{Output, now_us};
use super::program::{self, NotStarted};
use super::record::{Outcome, Phase, ProcessId, Status};
use super::signals::StopSignal;
use super::socket::{Bell, Topic};
use super::task::{Limits, watch};
use super::verdict;

pub(super) const PLAN_FILE: &str = "plan.json";
const LOCK_FILE: &str = "lock";

/// How long to wait before the end is written again when even that finds no room.
const RETRY: Duration = Duration::from_secs(1);

/// Runs the plan in `folder` to its end. What happens to the tasks is no error: it is in the record.
pub fn supervise(folder: &Path) -> Result<()> {
    // Refused when it leads a group already; then it has a group of its own, which is what matters.
    let _ = rustix::process::setsid();
    let plan = read_plan(folder)?;
    let lock_path = folder.join(LOCK_FILE);
    let lock = File::create(&lock_path).map_err(|source| Error::write(&lock_path, source))?;
    if rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
        return Ok(());
    }
    if Status::read(folder)?.is_some_and(|status| status.attempt >= plan.attempt) {
        return Ok(());
    }
    let signal = StopSignal::install().map_err(|source| Error::Watch { source })?;
    let layout = Layout::of_supervisor(folder)
        .ok_or_else(|| Error::read(folder, io::Error::other("it is not a supervisor folder of a home")))?;
    let run: RunId =
        plan.run.parse().map_err(|_| Error::read(&folder.join(PLAN_FILE), io::Error::other("`run` is not a uuid")))?;
    let mut supervisor = Supervisor {
        folder: folder.to_owned(),
        artifacts: layout.artifacts(run),
        logs: layout.logs(run),
        bell: Bell::new(layout.supervise_socket(), plan.run.clone()),
        status: first_status(&plan),
        deadline: plan.timeout_secs.and_then(|secs| Instant::now().checked_add(Duration::from_secs(secs))),
        stamp: Stamp::after_existing(&layout.logs(run)),
        plan,
    };
    supervisor.write_status()?;
    supervisor.run(&signal)
}

fn read_plan(folder: &Path) -> Result<ProcessPlan> {
    let path = folder.join(PLAN_FILE);
    let text = fs::read(&path).map_err(|source| Error::read(&path, source))?;
    serde_json::from_slice(&text).map_err(|source| Error::Damaged { path, source })
}

fn first_status(plan: &ProcessPlan) -> Status {
    Status {
        run: plan.run.clone(),
        attempt: plan.attempt,
        phase: Phase::Starting,
        task: None,
        supervisor: ProcessId::current(),
        child: None,
        outcome: None,
        message: None,
        started_at: now(),
        finished_at: None,
        lost_log_bytes: 0,
    }
}

fn now() -> Timestamp {
    jiff::Timestamp::now().into()
}

struct Supervisor {
    folder: PathBuf,
    /// The run's folder in the artifacts store.
    artifacts: PathBuf,
    logs: PathBuf,
    bell: Bell,
    status: Status,
    deadline: Option<Instant>,
    stamp: Stamp,
    plan: ProcessPlan,
}

impl Supervisor {
    fn run(&mut self, signal: &StopSignal) -> Result<()> {
        let tasks = std::mem::take(&mut self.plan.tasks);
        let mut outcome = Outcome::NotStarted { reason: "NoTasks".to_owned() };
        for task in &tasks {
            // The request may have come before the signal could be caught, or between two tasks.
            if let Some(request) = StopRequest::read(&self.folder, self.plan.attempt) {
                outcome = Outcome::Stopped { reason: request.reason };
                break;
            }
            outcome = self.run_task(task, signal).unwrap_or_else(|error| {
                self.status.message =
                    Some(format!("{error}: {}", error.source().map_or_else(String::new, ToString::to_string)));
                Outcome::NotStarted { reason: "NotSupervised".to_owned() }
            });
            if !outcome.is_success() {
                break;
            }
        }
        self.finish(&tasks, outcome)
    }

    fn run_task(&mut self, task: &Task, signal: &StopSignal) -> Result<Outcome> {
        self.status.task = Some(task.name.clone());
        self.status.phase = if task.kind == TaskKind::Init { Phase::Init } else { Phase::Running };
        let mut log = match TaskLog::open(&self.logs, &task.name, &mut self.stamp, now_us()) {
            Ok(log) => log,
            Err(error) => {
                self.status.message = Some(format!("cannot write logs to {}: {error}", self.logs.display()));
                return Ok(Outcome::NotStarted { reason: "LogsUnwritable".to_owned() });
            }
        };
        if task.kind == TaskKind::Main && self.plan.attempt <= 1 {
            for notice in &self.plan.notices {
                log.notice(&format!("[polyaxon] {notice}"), &mut self.stamp, now_us());
            }
        }
        let mut child = match program::start(task, &self.artifacts) {
            Ok(child) => child,
            Err(NotStarted { reason, message }) => {
                log.notice(&format!("[polyaxon] {message}"), &mut self.stamp, now_us());
                self.status.message = Some(message);
                return Ok(Outcome::NotStarted { reason: reason.to_owned() });
            }
        };
        self.status.child = Some(ProcessId::of(Pid::from_child(&child)));
        // Losing this record is harmless while the supervisor lives, and it tries again with the next one.
        let _ = self.write_status();
        let grace = Duration::from_secs(self.plan.grace_secs);
        let limits = Limits { signal, deadline: self.deadline, grace };
        let (folder, attempt) = (self.folder.clone(), self.plan.attempt);
        let grace_of_stop = || match StopRequest::read(&folder, attempt) {
            Some(request) => (request.grace_secs.map_or(grace, Duration::from_secs), request.reason),
            None => (grace, None),
        };
        let mut output = Output::new(&mut child, log, &mut self.stamp, &self.bell);
        let outcome = watch(&mut child, &mut output, &limits, grace_of_stop).map_err(|source| {
            // Nobody would watch over it any more.
            let _ = rustix::process::kill_process_group(Pid::from_child(&child), Signal::KILL);
            Error::Watch { source }
        })?;
        let (lost, why) = output.finish();
        self.bell.ring(Topic::Logs);
        self.status.child = None;
        self.status.lost_log_bytes += lost;
        if lost > 0 {
            self.status.message = Some(format!("{lost} bytes of output were lost: {why}"));
        }
        Ok(outcome)
    }

    fn finish(&mut self, tasks: &[Task], outcome: Outcome) -> Result<()> {
        let task = tasks.iter().find(|task| Some(&task.name) == self.status.task.as_ref());
        let name = task.map(|task| task.name.as_str()).unwrap_or_default();
        let is_init = task.is_some_and(|task| task.kind == TaskKind::Init);
        let timeout = self.plan.timeout_secs.map(Duration::from_secs);
        let verdict = verdict::message(&outcome, name, is_init, timeout);
        self.status.message = match (verdict, self.status.message.take()) {
            (Some(verdict), Some(before)) => Some(format!("{verdict}; {before}")),
            (verdict, before) => verdict.or(before),
        };
        self.status.phase = Phase::Done;
        self.status.outcome = Some(outcome);
        self.status.finished_at = Some(now());
        // Only this process knows how the task ended: it stays until that is written, or nobody is left to read it.
        while let Err(error) = self.write_status() {
            if !self.folder.exists() {
                return Err(error);
            }
            std::thread::sleep(RETRY);
        }
        Ok(())
    }

    fn write_status(&self) -> Result<()> {
        self.status.write(&self.folder).map_err(|source| Error::write(&self.folder, source))?;
        self.bell.ring(Topic::Phase);
        Ok(())
    }
}
