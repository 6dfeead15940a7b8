//! An empty home folder, a work folder beside it, and the program in that world.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Removed with everything in it; a server that was started for it is stopped first.
pub(crate) struct Home {
    folder: tempfile::TempDir,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_polyaxon"))
}

impl Home {
    pub(crate) fn new() -> Home {
        let home = Home { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir(home.path()).unwrap();
        std::fs::create_dir(home.work()).unwrap();
        home
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// Our own state.
    pub(crate) fn local(&self) -> PathBuf {
        self.path().join("local")
    }

    /// Writes a file in the work folder.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.work().join(name), text).unwrap();
    }

    /// The program with these arguments, in the work folder, with nothing of this machine's settings.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).current_dir(self.work()).stdin(Stdio::null()).env_clear();
        for name in ["PATH", "TMPDIR", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.env("HOME", self.path()).env("POLYAXON_HOME", self.path()).env("TZ", "UTC");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        Done::of(self.command(arguments).output().unwrap())
    }

    pub(crate) fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Done {
        Done::of(self.command(arguments).envs(environment.iter().copied()).output().unwrap())
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.local().join("server.json").exists() {
            self.run(&["server", "stop"]);
        }
    }
}

impl Done {
    pub(crate) fn of(output: Output) -> Done {
        Done {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Exit code, stdout and stderr as one text for a snapshot.
    pub(crate) fn transcript(&self) -> String {
        format!("exit {}\n--- stdout\n{}--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}
