//! One task from its start to its end: its output, its time limit, a request to stop, and the processes it leaves.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open, test_kill_process_group};

use super::output::Output;
use super::record::Outcome;
use super::signals::StopSignal;

/// How long processes that the task left behind may take to end.
const LEFTOVER_GRACE: Duration = Duration::from_secs(2);

/// How often a group without a leader is looked at: the kernel does not tell when it is empty.
const LEFTOVER_LOOK: Duration = Duration::from_millis(10);

/// When and why a task must end early.
#[derive(Debug)]
pub(super) struct Limits<'a> {
    pub(super) signal: &'a StopSignal,
    pub(super) deadline: Option<Instant>,
    pub(super) grace: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Stopped,
    TimedOut,
}

/// Watches the task until it has ended, its group is gone and its output is kept.
pub(super) fn watch(
    child: &mut Child,
    output: &mut Output<'_>,
    limits: &Limits<'_>,
    grace_of_stop: impl Fn() -> (Duration, Option<String>),
) -> std::io::Result<Outcome> {
    let pid = Pid::from_child(child);
    let ended = pidfd_open(pid, PidfdFlags::NONBLOCK)?;
    let mut ending = None;
    let mut reason = None;
    let mut kill_at: Option<Instant> = None;
    loop {
        let now = Instant::now();
        if kill_at.is_some_and(|at| at <= now) {
            let _ = kill_process_group(pid, Signal::KILL);
            kill_at = None;
        }
        if ending.is_none() && limits.deadline.is_some_and(|at| at <= now) {
            ending = Some(Ending::TimedOut);
            terminate(pid);
            kill_at = Some(now + limits.grace);
        }
        output.ring_when_due();
        let deadline = limits.deadline.filter(|_| ending.is_none());
        let next = [deadline, kill_at, output.rings_at()].into_iter().flatten().min();
        let [process, stop] = wait(&ended, limits.signal, output, next)?;
        if stop && limits.signal.take() && ending != Some(Ending::Stopped) {
            let (grace, why) = grace_of_stop();
            reason = why;
            let sooner = Instant::now() + grace;
            kill_at = Some(kill_at.map_or(sooner, |at| at.min(sooner)));
            ending = Some(Ending::Stopped);
            terminate(pid);
        }
        output.read_once();
        if process {
            break;
        }
    }
    let status = child.wait()?;
    output.drain();
    end_group(pid, output)?;
    Ok(match ending {
        None => of_status(status),
        Some(Ending::TimedOut) => Outcome::TimedOut,
        Some(Ending::Stopped) => Outcome::Stopped { reason },
    })
}

fn of_status(status: ExitStatus) -> Outcome {
    match (status.code(), status.signal()) {
        (Some(code), _) => Outcome::Exited { code },
        (None, signal) => Outcome::Killed { signal: signal.unwrap_or(0) },
    }
}

/// Asks the whole group to end; who is suspended is woken to hear it.
fn terminate(group: Pid) {
    let _ = kill_process_group(group, Signal::TERM);
    let _ = kill_process_group(group, Signal::CONT);
}

/// Waits for the end of the process, a signal, output, or `until`. Answers for the first two.
fn wait(
    ended: &OwnedFd,
    signal: &StopSignal,
    output: &Output<'_>,
    until: Option<Instant>,
) -> std::io::Result<[bool; 2]> {
    let descriptors = [Some(ended.as_fd()), Some(signal.descriptor()), output.stdout(), output.stderr()];
    let mut polled: Vec<PollFd<'_>> = descriptors
        .into_iter()
        .flatten()
        .map(|descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN))
        .collect();
    let timeout = until.map(|until| {
        let left = until.saturating_duration_since(Instant::now());
        Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) }
    });
    match poll(&mut polled, timeout.as_ref()) {
        Ok(_) => Ok([0, 1].map(|index| !polled[index].revents().is_empty())),
        Err(rustix::io::Errno::INTR) => Ok([false, false]),
        Err(error) => Err(error.into()),
    }
}

/// Ends what the task left running in its group. A run is over with its main process, as in a container.
fn end_group(group: Pid, output: &mut Output<'_>) -> std::io::Result<()> {
    let is_gone = || test_kill_process_group(group).is_err();
    if !is_gone() {
        terminate(group);
        let kill_at = Instant::now() + LEFTOVER_GRACE;
        let give_up_at = kill_at + LEFTOVER_GRACE;
        let mut is_killed = false;
        while !is_gone() && Instant::now() < give_up_at {
            if !is_killed && Instant::now() >= kill_at {
                let _ = kill_process_group(group, Signal::KILL);
                is_killed = true;
            }
            output.drain();
            std::thread::sleep(LEFTOVER_LOOK);
        }
    }
    // A process that left the group may hold the pipes for ever: what it writes from now on is not part of the run.
    output.drain();
    Ok(())
}
