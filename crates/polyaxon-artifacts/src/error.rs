//! What can go wrong with bytes on disk. One variant per thing that failed, with its subject.

use std::io;
use std::path::{Path, PathBuf};

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("invalid path: traversal detected in `{path}`")]
    Traversal { path: String },

    #[error("`{path}` is not a regular file")]
    NotAFile { path: String },

    #[error("cannot read {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },

    #[error("cannot write {}", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },

    #[error("bad archive: {reason}")]
    BadArchive { reason: String },

    #[error("the archive is too large: {what} is over the limit of {limit}")]
    ArchiveTooLarge { what: &'static str, limit: u64 },

    #[error("the disk is full: {needed} bytes are needed and {available} are free")]
    NoRoom { needed: u64, available: u64 },

    #[error("bad event file {}: {reason}", path.display())]
    BadEvents { path: PathBuf, reason: String },
}

impl Error {
    pub(crate) fn read(path: &Path, source: io::Error) -> Error {
        Error::Read { path: path.to_owned(), source }
    }

    pub(crate) fn write(path: &Path, source: io::Error) -> Error {
        Error::Write { path: path.to_owned(), source }
    }

    /// Whether there is no room left on the disk (or in the quota), so that the same call can succeed later.
    pub fn is_full_disk(&self) -> bool {
        match self {
            Error::NoRoom { .. } => true,
            Error::Write { source, .. } => {
                matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            }
            _ => false,
        }
    }

    /// Whether the thing asked for does not exist, which callers answer with 404 instead of an error.
    pub fn is_missing(&self) -> bool {
        matches!(self, Error::Read { source, .. }
            if matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory))
    }
}
