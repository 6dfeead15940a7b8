//! Runs as processes of this machine.
//!
//! Each attempt has a small supervisor process ([`supervise`]), which starts the tasks of a plan one after the other,
//! keeps their output, and writes what happened to `status.json`. It does not need the server: the server may die and
//! come back, and finds by pid and start time what still lives ([`ProcessExecutor`]).

mod error;
mod executor;
mod output;
mod program;
mod record;
mod signals;
mod socket;
mod supervise;
mod task;
mod verdict;
mod watch;

pub use error::{Error, Result};
pub use executor::{Observation, ProcessExecutor, StopRequest};
pub use record::{Outcome, Phase, ProcessId, Status};
pub use supervise::supervise;
pub use watch::{Wakeup, Wakeups};
