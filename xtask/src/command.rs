//! A program to run from the root of the checkout; a failure names the whole command line.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use std::process::{self, Child, ExitStatus, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::workspace;

pub(crate) struct Command {
    inner: process::Command,
}

impl Command {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut inner = process::Command::new(program);
        inner.current_dir(workspace::root());
        Self { inner }
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, arguments: &[S]) -> Self {
        self.inner.args(arguments);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.inner.env(name, value);
        self
    }

    /// Puts a folder before all others in which the command looks for programs.
    pub(crate) fn first_in_path(mut self, folder: &Path) -> Result<Self> {
        let old = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&old));
        self.inner.env("PATH", std::env::join_paths(folders).context("the PATH cannot be extended")?);
        Ok(self)
    }

    /// Runs the command on this terminal; anything but success is an error.
    pub(crate) fn run(mut self) -> Result<()> {
        eprintln!("$ {self}");
        let status = self.inner.status().with_context(|| format!("cannot start `{self}`"))?;
        self.expect_success(status)
    }

    /// Starts the command and does not wait for it.
    pub(crate) fn start(
        mut self,
        prepare: impl FnOnce(&mut process::Command) -> &mut process::Command,
    ) -> Result<Child> {
        prepare(&mut self.inner).spawn().with_context(|| format!("cannot start `{self}`"))
    }

    /// Runs the command and returns what it printed; its errors go to this terminal.
    pub(crate) fn read(mut self) -> Result<String> {
        let output = self
            .inner
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("cannot start `{self}`"))?;
        self.expect_success(output.status)?;
        String::from_utf8(output.stdout).with_context(|| format!("`{self}` printed something that is not text"))
    }

    /// Whether the command can be started and succeeds; it prints nothing.
    pub(crate) fn succeeds(mut self) -> bool {
        let silent = self.inner.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        silent.status().is_ok_and(|status| status.success())
    }

    fn expect_success(&self, status: ExitStatus) -> Result<()> {
        if !status.success() {
            bail!("`{self}` failed ({status})");
        }
        Ok(())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = std::iter::once(self.inner.get_program()).chain(self.inner.get_args());
        let words: Vec<_> = words.map(OsStr::to_string_lossy).collect();
        formatter.write_str(&words.join(" "))
    }
}
