//! What ends by waiting: retry delays, timeouts, and states that nobody leaves.
//!
//! Must not know how waiting is done; a timer is an instant, and [`crate::state::Event::Woke`] says it came.

use std::time::Duration;

use polyaxon_model::kinds::{ManagedBy, Pending};
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;

use crate::state::{Place, RunState};

/// A run that is being stopped and of which nothing is heard.
pub const STOPPING_LIMIT: Duration = Duration::from_mins(30);
/// A run that makes no progress.
pub const WARNING_LIMIT: Duration = Duration::from_hours(72);
/// An upload that was announced and does not come.
pub const UPLOAD_LIMIT: Duration = Duration::from_hours(2);

/// A run that tells its statuses itself and gave signs of life before, unless somebody says otherwise
/// (`POLYAXON_TTL_HEARTBEAT`).
pub const HEARTBEAT_LIMIT: Duration = Duration::from_mins(30);

/// What a timer is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    Retry,
    /// A run of a schedule begins.
    Tick,
    Deadline,
    Stopping,
    Warning,
    Upload,
    Heartbeat,
}

/// The next timer of a run in this state.
pub fn next(run: &RunState) -> Option<(Timestamp, Timer)> {
    timers(run).into_iter().flatten().min_by_key(|(at, _)| *at)
}

fn timers(run: &RunState) -> [Option<(Timestamp, Timer)>; 6] {
    let open = !run.status.is_done_or_stopping();
    let retry = run.control.retry_at.filter(|_| run.status == Status::Retrying);
    let deadline = match (run.control.timeout_seconds, run.control.active_since) {
        (Some(seconds), Some(since)) if open => Some(since.plus(Duration::from_secs(seconds))),
        _ => None,
    };
    // A pipeline waits for its children, and they are timed.
    let silence = match run.status {
        _ if run.kind.is_pipeline() => None,
        Status::Stopping if run.managed_by.is_managed() => Some((STOPPING_LIMIT, Timer::Stopping)),
        status if status.is_warning() && run.managed_by.is_managed() => Some((WARNING_LIMIT, Timer::Warning)),
        _ => None,
    };
    let upload = run.pending == Some(Pending::Upload) && matches!(run.status, Status::Created | Status::Compiled);
    let beats = run.managed_by != ManagedBy::Agent && run.status.is_running();
    let heartbeat = match (run.beat_at, run.control.silence_seconds) {
        (Some(at), Some(seconds)) if beats => Some(at.plus(Duration::from_secs(seconds))),
        _ => None,
    };
    let tick = match run.control.place {
        Place::Tick { at } if run.control.is_held && run.status == Status::Created => Some((at, Timer::Tick)),
        _ => None,
    };
    [
        tick,
        retry.map(|at| (at, Timer::Retry)),
        deadline.map(|at| (at, Timer::Deadline)),
        silence.map(|(limit, timer)| (run.updated_at.plus(limit), timer)),
        upload.then(|| (run.updated_at.plus(UPLOAD_LIMIT), Timer::Upload)),
        heartbeat.map(|at| (at, Timer::Heartbeat)),
    ]
}
