//! Stopping the server of a home by its process id, which the held lock proves to be its own.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::failure::Failure;
use crate::local::find::{Found, Record, find};
use crate::local::home::Home;

const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(10);

/// Asks the server to end and waits until it has; `None` when none runs.
pub(crate) fn stop(home: &Home) -> Result<Option<Record>, Failure> {
    let record = match find(home)? {
        Found::Absent => return Ok(None),
        Found::Live(record) => record,
        Found::Starting => {
            return Err(Failure::new("the local server is just starting, or its server.json was deleted")
                .help("try again in a moment"));
        }
    };
    let pid = i32::try_from(record.pid).ok().and_then(Pid::from_raw);
    let Some(pid) = pid else {
        return Err(Failure::new(format!(
            "{} is damaged: pid {}",
            home.layout().server_record().display(),
            record.pid
        )));
    };
    kill_process(pid, Signal::TERM)
        .map_err(|error| Failure::new(format!("cannot stop the server with pid {}: {error}", record.pid)))?;
    let end = Instant::now() + PATIENCE;
    while find(home)? != Found::Absent {
        if Instant::now() > end {
            return Err(Failure::new(format!(
                "the server with pid {} has not ended within {} s",
                record.pid,
                PATIENCE.as_secs()
            ))
            .help(format!("kill -9 {} is safe: jobs and their results survive it", record.pid)));
        }
        std::thread::sleep(POLL);
    }
    Ok(Some(record))
}
