//! `status.json`: what a supervisor knows about its attempt, for whoever looks, now or after a restart.
//!
//! A record names processes by pid, start time and boot, so that a number that is used again is never mistaken.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use polyaxon_model::time::Timestamp;
use rustix::process::{Pid, PidfdFlags};
use serde::{Deserialize, Serialize};

use super::error::{Error, Result};

const STATUS_FILE: &str = "status.json";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// 32 hex digits.
    pub run: String,
    pub attempt: u32,
    pub phase: Phase,
    /// The task that runs, or ran last.
    pub task: Option<String>,
    pub supervisor: ProcessId,
    /// The leader of the process group of the task that runs.
    pub child: Option<ProcessId>,
    /// Why it ended; set exactly when the phase is `done`.
    pub outcome: Option<Outcome>,
    /// A sentence for people about the outcome.
    pub message: Option<String>,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// Output that found no room on the disk.
    pub lost_log_bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// The supervisor is there, nothing runs yet.
    Starting,
    /// A task before the main one runs.
    Init,
    Running,
    Done,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Outcome {
    Exited {
        code: i32,
    },
    Killed {
        signal: i32,
    },
    /// It ran longer than it may.
    TimedOut,
    Stopped {
        reason: Option<String>,
    },
    /// A task could not be started; the reason is one word like `CommandNotFound`.
    NotStarted {
        reason: String,
    },
}

impl Outcome {
    pub fn is_success(&self) -> bool {
        *self == Outcome::Exited { code: 0 }
    }
}

/// One process, for as long as this machine is up and afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    pub pid: i32,
    /// Clock ticks between boot and its start.
    pub start: u64,
    pub boot: String,
}

impl ProcessId {
    pub fn current() -> ProcessId {
        ProcessId::of(rustix::process::getpid())
    }

    /// Of a process that is known to exist (a child that nobody has waited for).
    pub fn of(pid: Pid) -> ProcessId {
        let pid = pid.as_raw_nonzero().get();
        ProcessId { pid, start: start_time(pid).map_or(0, |(start, _)| start), boot: boot_id() }
    }

    /// Whether it lives. A process that has ended and was not waited for yet counts as dead.
    pub fn is_alive(&self) -> bool {
        match start_time(self.pid) {
            Some((start, state)) => start == self.start && !matches!(state, b'Z' | b'X') && boot_id() == self.boot,
            None => false,
        }
    }

    /// A descriptor for exactly this process; `None` when it is dead.
    pub fn open(&self) -> io::Result<Option<std::os::fd::OwnedFd>> {
        let Some(pid) = Pid::from_raw(self.pid) else { return Ok(None) };
        match rustix::process::pidfd_open(pid, PidfdFlags::NONBLOCK) {
            // The number may have been given to another process before it was opened: look again.
            Ok(descriptor) => Ok(self.is_alive().then_some(descriptor)),
            Err(rustix::io::Errno::SRCH) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Start time and state from `/proc/<pid>/stat`, whose second field may contain anything in parentheses.
fn start_time(pid: i32) -> Option<(u64, u8)> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let after_name = text.iter().rposition(|byte| *byte == b')')? + 2;
    let text = std::str::from_utf8(text.get(after_name..)?).ok()?;
    let mut fields = text.split(' ');
    let state = *fields.next()?.as_bytes().first()?;
    // `state` is field 3, the start time field 22.
    Some((fields.nth(18)?.parse().ok()?, state))
}

fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|text| text.trim().to_owned()).unwrap_or_default()
}

impl Status {
    /// Reads the record in a supervisor folder; `None` when there is none yet.
    pub fn read(folder: &Path) -> Result<Option<Status>> {
        let path = folder.join(STATUS_FILE);
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|source| Error::Damaged { path, source }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::read(&path, error)),
        }
    }

    /// Replaces the record in one step. The last one is on the disk before this returns.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let text = serde_json::to_vec(self)?;
        let (path, fresh) = (folder.join(STATUS_FILE), folder.join("status.json.new"));
        let replaced = File::create(&fresh).and_then(|mut file| {
            file.write_all(&text)?;
            if self.phase == Phase::Done {
                file.sync_data()?;
            }
            fs::rename(&fresh, &path)
        });
        // On a full disk the old file still has its block, and a record fits into one.
        replaced.or_else(
            |error| {
                if error.kind() == io::ErrorKind::NotFound { Err(error) } else { fs::write(&path, &text) }
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_more_than_its_number() {
        let own = ProcessId::current();
        assert!(own.is_alive());
        assert!(own.open().unwrap().is_some());
        assert!(!ProcessId { start: own.start + 1, ..own.clone() }.is_alive());
        assert!(!ProcessId { boot: "another".to_owned(), ..own.clone() }.is_alive());
        assert!(!ProcessId { pid: i32::MAX, ..own }.is_alive());
    }

    #[test]
    fn a_record_is_replaced_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Status::read(folder.path()).unwrap(), None);
        let status = Status {
            run: "9b0a3806e3f84ea1959a7842e34129ed".to_owned(),
            attempt: 2,
            phase: Phase::Done,
            task: Some("polyaxon-main".to_owned()),
            supervisor: ProcessId::current(),
            child: None,
            outcome: Some(Outcome::NotStarted { reason: "CommandNotFound".to_owned() }),
            message: None,
            started_at: Timestamp::from_micros(5),
            finished_at: None,
            lost_log_bytes: 0,
        };
        status.write(folder.path()).unwrap();
        status.write(folder.path()).unwrap();
        assert_eq!(Status::read(folder.path()).unwrap(), Some(status));
        fs::write(folder.path().join(STATUS_FILE), "{").unwrap();
        assert!(matches!(Status::read(folder.path()), Err(Error::Damaged { .. })));
    }
}
