//! Whether a server lives for a home folder, and where. Reads the record only while the lock proves that it is true.

use std::fs::{File, TryLockError};

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
    if !is_locked(home)? {
        return Ok(Found::Absent);
    }
    let record = std::fs::read(home.layout().server_record()).ok().and_then(|text| serde_json::from_slice(&text).ok());
    Ok(record.map_or(Found::Starting, Found::Live))
}

fn is_locked(home: &Home) -> Result<bool, Failure> {
    let path = home.layout().server_lock();
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => return Ok(false),
        Err(error) => return Err(unwritable(&path, &error)),
    };
    // A shared lock never makes two of us think that the other is the server.
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(unwritable(&path, &error)),
    }
}
