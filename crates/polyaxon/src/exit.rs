//! The exit codes, in one place. Scripts rely on them: a number is never reused.

use std::process::ExitCode;

use polyaxon_model::status::Status;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Ok,
    /// Anything without a code of its own.
    Failure,
    /// A wrong command line, an invalid file, a body that the server calls invalid.
    Usage,
    NotFound,
    Auth,
    Conflict,
    Unreachable,
    Timeout,
    RunFailed,
    RunStopped,
    /// Skipped, or not started because something before it failed.
    RunSkipped,
    Interrupted,
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Ok => 0,
            Exit::Failure => 1,
            Exit::Usage => 2,
            Exit::NotFound => 3,
            Exit::Auth => 4,
            Exit::Conflict => 5,
            Exit::Unreachable => 6,
            Exit::Timeout => 7,
            Exit::RunFailed => 10,
            Exit::RunStopped => 11,
            Exit::RunSkipped => 12,
            Exit::Interrupted => 130,
        }
    }

    /// The outcome of a run that somebody waited for; statuses that are not final count as success.
    pub(crate) fn of_run(status: Status) -> Exit {
        match status {
            Status::Failed => Exit::RunFailed,
            Status::Stopped => Exit::RunStopped,
            Status::Skipped | Status::UpstreamFailed => Exit::RunSkipped,
            _ => Exit::Ok,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}
