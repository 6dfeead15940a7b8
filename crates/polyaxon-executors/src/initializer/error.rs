//! Why an initialisation step failed.

use std::io;
use std::path::{Path, PathBuf};

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("unknown initializer `{0}`; expected git, file, path, artifacts or tensorboard")]
    UnknownProgram(String),

    #[error("unknown option `{0}`")]
    UnknownOption(String),

    #[error("option `--{0}` is required")]
    MissingOption(&'static str),

    #[error("option `--{0}` needs a value")]
    MissingValue(String),

    #[error("option `--{option}`: {reason}")]
    BadOption { option: &'static str, reason: String },

    #[error("cannot write {}", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },

    #[error("`{}` does not exist, so there is nothing to copy to `{}`", from.display(), to.display())]
    NothingToCopy { from: PathBuf, to: PathBuf },

    #[error("cannot copy `{}`", from.display())]
    Copy {
        from: PathBuf,
        #[source]
        source: polyaxon_artifacts::Error,
    },

    #[error("Error parsing git url. `{url}` {reason}")]
    GitUrl { url: String, reason: &'static str },

    #[error("git flag `{flag}` is refused: {reason}")]
    GitFlag { flag: String, reason: &'static str },

    #[error("git is not installed on this machine, or not on the PATH of the run")]
    NoGit {
        #[source]
        source: io::Error,
    },

    #[error(
        "Error cloning git repo. Please check the git init container's logs for more details. (`git {command}` ended with {status})"
    )]
    Git { command: String, status: std::process::ExitStatus },
}

impl Error {
    pub(super) fn write(path: &Path, source: io::Error) -> Error {
        Error::Write { path: path.to_owned(), source }
    }
}
