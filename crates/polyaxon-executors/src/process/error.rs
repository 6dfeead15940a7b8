//! What can fail around supervisors, for the executor and for the supervisor itself.

use std::io;
use std::path::{Path, PathBuf};

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
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

    #[error("{} is damaged", path.display())]
    Damaged {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },

    #[error("cannot start the supervisor {}", program.display())]
    Spawn {
        program: PathBuf,
        #[source]
        source: io::Error,
    },

    #[error("attempt {running} of run {run} is still alive, so attempt {wanted} cannot start")]
    Busy { run: String, running: u32, wanted: u32 },

    #[error("cannot listen on {}", path.display())]
    Listen {
        path: PathBuf,
        #[source]
        source: io::Error,
    },

    #[error("cannot signal process {pid}")]
    Signal {
        pid: i32,
        #[source]
        source: io::Error,
    },

    #[error("cannot watch over processes")]
    Watch {
        #[source]
        source: io::Error,
    },
}

impl Error {
    pub(super) fn read(path: &Path, source: io::Error) -> Error {
        Error::Read { path: path.to_owned(), source }
    }

    pub(super) fn write(path: &Path, source: io::Error) -> Error {
        Error::Write { path: path.to_owned(), source }
    }
}
