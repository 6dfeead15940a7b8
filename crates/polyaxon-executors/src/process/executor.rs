//! The server's side: starts supervisors, tells what is, asks them to stop. Holds nothing that a restart would miss.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use polyaxon_artifacts::layout::Layout;
use polyaxon_artifacts::logs;
use polyaxon_compile::plan::process::ProcessPlan;
use polyaxon_model::ids::RunId;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::error::{Error, Result};
use super::output::now_us;
use super::record::{Phase, ProcessId, Status};
use super::supervise::PLAN_FILE;
use super::watch::{Wakeup, Wakeups, readable, until_end};
use super::{socket, watch};

const STOP_FILE: &str = "stop.json";

/// What is true about an attempt now.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// No supervisor has written anything: it was never started, or only just.
    Absent,
    Active(Status),
    Done(Status),
    /// The supervisor died without writing an end. The child it names may still live.
    Lost(Status),
}

/// A request to end an attempt early, kept beside the plan so that it cannot be missed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopRequest {
    pub attempt: u32,
    /// Shown to people.
    pub reason: Option<String>,
    /// Seconds between SIGTERM and SIGKILL; `None` is what the plan says.
    pub grace_secs: Option<u64>,
}

impl StopRequest {
    pub(super) fn read(folder: &Path, attempt: u32) -> Option<StopRequest> {
        let text = fs::read(folder.join(STOP_FILE)).ok()?;
        serde_json::from_slice(&text).ok().filter(|request: &StopRequest| request.attempt == attempt)
    }

    fn write(&self, folder: &Path) -> Result<()> {
        write_json(&folder.join(STOP_FILE), self)
    }
}

/// Cheap to clone; every clone is the same executor.
#[derive(Clone, Debug)]
pub struct ProcessExecutor {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    layout: Layout,
    /// Our own binary.
    program: PathBuf,
    /// Supervisors whose end is waited for, by pid.
    watched: Mutex<HashMap<RunId, i32>>,
    sender: mpsc::UnboundedSender<Wakeup>,
}

impl ProcessExecutor {
    /// Listens for supervisors of `layout`. `program` is the binary with the command `internal supervise`.
    /// Must be called inside of the async runtime.
    pub fn new(layout: Layout, program: PathBuf) -> Result<(ProcessExecutor, Wakeups)> {
        let path = layout.supervise_socket();
        fs::create_dir_all(layout.local()).map_err(|source| Error::write(layout.local(), source))?;
        let socket = socket::listen(&path).map_err(|source| Error::Listen { path, source })?;
        let (sender, receiver) = mpsc::unbounded_channel();
        watch::listen(socket, sender.clone())?;
        let inner = Inner { layout, program, watched: Mutex::default(), sender };
        Ok((ProcessExecutor { inner: Arc::new(inner) }, Wakeups { receiver }))
    }

    /// Starts the plan's attempt, unless it was started before.
    pub fn launch(&self, run: RunId, plan: &ProcessPlan) -> Result<()> {
        let layout = &self.inner.layout;
        let folder = layout.supervisor(run);
        layout.prepare(run).map_err(|source| Error::write(&folder, source))?;
        if let Some(status) = Status::read(&folder)? {
            if status.attempt >= plan.attempt {
                return self.watch(run, &status);
            }
            if status.phase != Phase::Done && status.supervisor.is_alive() {
                return Err(Error::Busy { run: plan.run.clone(), running: status.attempt, wanted: plan.attempt });
            }
        } else if self.is_watched(run) {
            return Ok(());
        }
        write_json(&folder.join(PLAN_FILE), plan)?;
        let child = self.spawn(&folder)?;
        let pid = Pid::from_child(&child);
        let descriptor =
            pidfd_open(pid, PidfdFlags::NONBLOCK).map_err(|error| Error::Watch { source: error.into() })?;
        self.watch_until_end(run, descriptor, pid.as_raw_nonzero().get(), Some(child))
    }

    fn spawn(&self, folder: &Path) -> Result<Child> {
        let errors = folder.join("supervisor.log");
        let errors = File::create(&errors).map_err(|source| Error::write(&errors, source))?;
        let mut command = Command::new(&self.inner.program);
        command
            .arg0("polyaxon")
            .args(["internal", "supervise"])
            .arg(folder)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors);
        command.spawn().map_err(|source| Error::Spawn { program: self.inner.program.clone(), source })
    }

    /// The runs whose supervisor is expected to end.
    pub fn watched_runs(&self) -> Vec<RunId> {
        self.watched().keys().copied().collect()
    }

    /// What is true about an attempt now.
    pub fn observe(&self, run: RunId, attempt: u32) -> Result<Observation> {
        self.observe_where(run, |status| status.attempt == attempt)
    }

    /// What is true about the last attempt that a supervisor wrote of.
    pub fn observe_last(&self, run: RunId) -> Result<Observation> {
        self.observe_where(run, |_| true)
    }

    /// Looks once more if it changes while it is looked at.
    fn observe_where(&self, run: RunId, is_meant: impl Fn(&Status) -> bool) -> Result<Observation> {
        let folder = self.inner.layout.supervisor(run);
        let read = || Ok(Status::read(&folder)?.filter(&is_meant));
        let Some(status) = read()? else { return Ok(Observation::Absent) };
        if status.phase == Phase::Done {
            return Ok(Observation::Done(status));
        }
        if status.supervisor.is_alive() {
            return Ok(Observation::Active(status));
        }
        // It may have written its end and died between the two looks.
        match read()? {
            Some(status) if status.phase == Phase::Done => Ok(Observation::Done(status)),
            _ => Ok(Observation::Lost(status)),
        }
    }

    /// [`ProcessExecutor::observe`] for an attempt that an earlier server started: from now on its end wakes this one.
    pub fn adopt(&self, run: RunId, attempt: u32) -> Result<Observation> {
        let observation = self.observe(run, attempt)?;
        if let Observation::Active(status) = &observation {
            self.watch(run, status)?;
            // It may have ended before it was watched.
            return self.observe(run, attempt);
        }
        Ok(observation)
    }

    /// Whether this executor waits for the end of a supervisor of `run`.
    pub fn is_watched(&self, run: RunId) -> bool {
        self.watched().contains_key(&run)
    }

    /// Asks an attempt to end: SIGTERM to its group, SIGKILL after the grace time. Answers what was true before.
    pub fn stop(&self, run: RunId, request: &StopRequest) -> Result<Observation> {
        let folder = self.inner.layout.supervisor(run);
        fs::create_dir_all(&folder).map_err(|source| Error::write(&folder, source))?;
        request.write(&folder)?;
        let observation = self.observe(run, request.attempt)?;
        if let Observation::Active(status) = &observation {
            let pid = status.supervisor.pid;
            let opened = status.supervisor.open().map_err(|source| Error::Signal { pid, source })?;
            if let Some(descriptor) = opened {
                match pidfd_send_signal(descriptor, Signal::TERM) {
                    Ok(()) | Err(rustix::io::Errno::SRCH) => {}
                    Err(error) => return Err(Error::Signal { pid, source: error.into() }),
                }
            }
        }
        Ok(observation)
    }

    /// Cleans up after a supervisor that died: ends the child it left, and makes its logs whole.
    pub async fn clear_lost(&self, run: RunId, status: &Status, grace: Duration) -> Result<()> {
        if let Some(child) = &status.child {
            let signal_error = |source| Error::Signal { pid: child.pid, source };
            if let Some(descriptor) = child.open().map_err(signal_error)? {
                end_orphan(child, descriptor, grace).await.map_err(signal_error)?;
            }
        }
        let folder = self.inner.layout.logs(run);
        logs::repair(&folder, now_us()).map_err(|source| Error::write(&folder, source))
    }

    /// Forgets a run: its scratch folder goes, its artifacts stay.
    pub fn cleanup(&self, run: RunId) -> Result<()> {
        let folder = self.inner.layout.scratch(run);
        self.inner.layout.remove_scratch(run).map_err(|source| Error::write(&folder, source))
    }

    fn watch(&self, run: RunId, status: &Status) -> Result<()> {
        if status.phase == Phase::Done || self.is_watched(run) {
            return Ok(());
        }
        match status.supervisor.open() {
            Ok(Some(descriptor)) => self.watch_until_end(run, descriptor, status.supervisor.pid, None),
            Ok(None) => Ok(()),
            Err(source) => Err(Error::Watch { source }),
        }
    }

    fn watch_until_end(&self, run: RunId, descriptor: OwnedFd, pid: i32, child: Option<Child>) -> Result<()> {
        self.watched().insert(run, pid);
        let inner = Arc::clone(&self.inner);
        until_end(descriptor, child, move || {
            let mut watched = inner.watched.lock().unwrap_or_else(PoisonError::into_inner);
            // A later attempt may be watched under the same run by now.
            if watched.get(&run) == Some(&pid) {
                watched.remove(&run);
            }
            drop(watched);
            let _ = inner.sender.send(Wakeup::Ended(run));
        })
    }

    fn watched(&self) -> std::sync::MutexGuard<'_, HashMap<RunId, i32>> {
        self.inner.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn end_orphan(child: &ProcessId, descriptor: OwnedFd, grace: Duration) -> io::Result<()> {
    let Some(group) = Pid::from_raw(child.pid) else { return Ok(()) };
    let ended = readable(descriptor)?;
    for (signal, patience) in [(Signal::TERM, grace), (Signal::KILL, Duration::from_secs(5))] {
        let _ = kill_process_group(group, signal);
        if tokio::time::timeout(patience, ended.readable()).await.is_ok() {
            break;
        }
    }
    // Whoever else was in the group.
    let _ = kill_process_group(group, Signal::KILL);
    Ok(())
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let fresh = path.with_extension("new");
    serde_json::to_vec(value)
        .map_err(io::Error::from)
        .and_then(|text| fs::write(&fresh, text))
        .and_then(|()| fs::rename(&fresh, path))
        .map_err(|source| Error::write(path, source))
}
