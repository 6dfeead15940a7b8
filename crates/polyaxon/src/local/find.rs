//! Whether a server lives for a home folder, and where. Reads the record only while the lock proves that it is true.

use std::fs::File;
use std::io::ErrorKind;

use rustix::process::{Flock, FlockType, fcntl_getlk};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::local::home::{Home, unwritable};

/// What the live server writes about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) pid: u32,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) url: String,
    pub(crate) version: String,
    pub(crate) started_at: String,
    /// The database, without a password.
    #[serde(default)]
    pub(crate) database: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Live(Record),
    /// The lock is held but the record is not written yet (or was deleted by hand).
    Starting,
    /// No server; a record that is still there is of a dead one.
    Absent,
}

pub(crate) fn find(home: &Home) -> Result<Found, Failure> {
    let holder = match holder(home)? {
        Holder::Nobody => return Ok(Found::Absent),
        Holder::Hidden => None,
        Holder::Process(pid) => Some(pid),
    };
    let text = std::fs::read(home.layout().server_record());
    let record: Option<Record> = text.ok().and_then(|text| serde_json::from_slice(&text).ok());
    // A new server holds the lock for a moment before it replaces the record of a dead one.
    Ok(match record.filter(|record| holder.is_none_or(|pid| pid == record.pid)) {
        Some(record) => Found::Live(record),
        None => Found::Starting,
    })
}

/// Who holds the lock of the server.
enum Holder {
    Nobody,
    Process(u32),
    /// A process that cannot be seen from here, for example from inside of a container.
    Hidden,
}

fn holder(home: &Home) -> Result<Holder, Failure> {
    let path = home.layout().server_lock();
    let file = match File::options().read(true).open(&path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Holder::Nobody);
        }
        Err(error) => return Err(unwritable(&path, &error)),
    };
    // Asking takes no lock, so a server that starts at this moment is not disturbed.
    let lock =
        fcntl_getlk(&file, &Flock::from(FlockType::WriteLock)).map_err(|error| unwritable(&path, &error.into()))?;
    Ok(match lock {
        None => Holder::Nobody,
        Some(lock) => match lock.pid.map(|pid| u32::try_from(pid.as_raw_nonzero().get())) {
            Some(Ok(pid)) => Holder::Process(pid),
            _ => Holder::Hidden,
        },
    })
}
