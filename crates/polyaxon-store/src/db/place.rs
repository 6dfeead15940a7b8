//! Which database is meant, as people are told it.
//!
//! Invariant: a place never holds a password.

use std::fmt;
use std::path::{Path, PathBuf};

/// A database: a file, or one of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    File(PathBuf),
    /// `postgres://user@host:port/database`.
    Server(String),
}

impl Place {
    /// What to look at when nothing can be written.
    pub(crate) fn permissions(&self) -> &'static str {
        match self {
            Place::File(_) => "the permissions of the file and its folder",
            Place::Server(_) => "that its server is no replica, and the rights of the user",
        }
    }
}

impl From<&Path> for Place {
    fn from(path: &Path) -> Place {
        Place::File(path.to_owned())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File(path) => path.display().fmt(formatter),
            Place::Server(address) => formatter.write_str(address),
        }
    }
}
