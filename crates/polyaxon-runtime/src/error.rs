//! Why the runtime could not start, or could not perform an action. Such an action stays open and is tried again.

use std::path::PathBuf;

use polyaxon_model::ids::RunId;

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the store did not answer")]
    Store(#[from] polyaxon_store::Error),

    #[error("the process executor failed")]
    Executor(#[from] polyaxon_executors::process::Error),

    #[error("cannot use {}", path.display())]
    Files {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },

    #[error("run {0} is not in the store")]
    UnknownRun(RunId),

    #[error("this server does not execute runs")]
    NoExecutor,

    #[error("a worker ended without an answer")]
    Worker,
}
