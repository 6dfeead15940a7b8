//! The programs that run before the main task: `polyaxon initializer …` and `polyaxon docker generate …`.
//!
//! They need no server: what they learn is left as files ([`lineage`]) that the server picks up. They write what a
//! person should know to the given output, and fail with one clear sentence.

mod arguments;
mod dockerfile;
mod error;
mod file;
mod git;
pub mod lineage;
mod path;
mod tensorboard;

use std::io::Write;
use std::path::PathBuf;

use arguments::Arguments;
pub use error::{Error, Result};

/// What the programs know of the run they work for.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `POLYAXON_CONTEXT_ROOT`; without it nothing is reported.
    pub context_root: Option<PathBuf>,
    /// `POLYAXON_GIT_CREDENTIALS`: `user:token`.
    pub git_credentials: Option<String>,
    /// `POLYAXON_GIT_CREDENTIALS_STORE`: a file in git's format.
    pub git_credentials_store: Option<PathBuf>,
    /// `POLYAXON_SSH_PATH`: the folder with the key.
    pub ssh_path: Option<PathBuf>,
    /// `POLYAXON_SSH_PRIVATE_KEY`: the name of the key in it.
    pub ssh_private_key: Option<String>,
}

impl Environment {
    /// Reads the variables of this process.
    pub fn of_process() -> Environment {
        let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Environment {
            context_root: text("POLYAXON_CONTEXT_ROOT").map(PathBuf::from),
            git_credentials: text("POLYAXON_GIT_CREDENTIALS"),
            git_credentials_store: text("POLYAXON_GIT_CREDENTIALS_STORE").map(PathBuf::from),
            ssh_path: text("POLYAXON_SSH_PATH").map(PathBuf::from),
            ssh_private_key: text("POLYAXON_SSH_PRIVATE_KEY"),
        }
    }
}

/// `polyaxon initializer ARGUMENTS`: the first argument names the program.
pub fn initialize(arguments: &[String], environment: &Environment, output: &mut dyn Write) -> Result<()> {
    let Some((program, rest)) = arguments.split_first() else { return Err(Error::UnknownProgram(String::new())) };
    match program.as_str() {
        "git" => git::clone(&Arguments::parse(rest, git::OPTIONS)?, environment, output),
        "file" => file::write(&Arguments::parse(rest, file::OPTIONS)?, environment, output),
        "path" | "artifacts" => path::copy(&Arguments::parse(rest, path::OPTIONS)?, output),
        "tensorboard" => tensorboard::prepare(&Arguments::parse(rest, tensorboard::OPTIONS)?, output),
        other => Err(Error::UnknownProgram(other.to_owned())),
    }
}

/// `polyaxon docker generate ARGUMENTS`.
pub fn generate_dockerfile(arguments: &[String], environment: &Environment, output: &mut dyn Write) -> Result<()> {
    dockerfile::generate(&Arguments::parse(arguments, dockerfile::OPTIONS)?, environment, output)
}
