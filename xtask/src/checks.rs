//! Every check of the project, in the order in which a failure costs the least time.

use anyhow::{Context as _, Result};

use crate::command::Command;
use crate::postgres::{self, Cluster};
use crate::python;
use crate::simulate;
use crate::workspace::{self, Profile, cargo};

/// Runs everything. The longest comes last: what can fail in the Rust tests has not failed then.
pub(crate) fn all() -> Result<()> {
    Command::new(cargo())
        .args(&["fmt", "--all", "--check"])
        .run()
        .context("the code is not formatted: cargo fmt --all")?;
    tidy()?;
    Command::new(cargo())
        .args(&["clippy", "--locked", "--workspace", "--all-targets", "--", "--deny=warnings"])
        .run()?;
    let cluster = Cluster::start()?;
    interop_on(&cluster, &[])?;
    tests(&cluster)?;
    simulate::for_tests()
}

/// Checks the rules of STYLE.md; they are tests of this program, so `cargo test` checks them too.
pub(crate) fn tidy() -> Result<()> {
    Command::new(cargo()).args(&["test", "--locked", "--package=xtask", "--quiet"]).run()
}

/// Prints how the recorded cases of the file format compare; fails on differences that nobody decided on.
pub(crate) fn conformance() -> Result<()> {
    Command::new(cargo()).args(&["run", "--quiet", "--locked", "--package=conformance", "--", "--corpus"]).run()
}

/// Tests the built program from outside: with the official client and with faults.
pub(crate) fn interop(arguments: &[String]) -> Result<()> {
    interop_on(&Cluster::start()?, arguments)
}

fn interop_on(cluster: &Cluster, arguments: &[String]) -> Result<()> {
    let program = workspace::build(Profile::Debug)?;
    let requirements = workspace::root().join("tests/requirements.txt");
    let programs = python::environment(&workspace::target_folder()?.join("test-python"), &requirements)?;
    Command::new(programs.join("python"))
        .args(&["-m", "pytest", "tests"])
        .args(arguments)
        .env("POLYAXON_PROGRAM", program)
        .env(postgres::ADDRESS, cluster.address())
        .first_in_path(&programs)?
        .run()
}

fn tests(cluster: &Cluster) -> Result<()> {
    let has_nextest = Command::new(cargo()).args(&["nextest", "--version"]).succeeds();
    let runner: &[&str] = if has_nextest { &["nextest", "run"] } else { &["test"] };
    Command::new(cargo())
        .args(runner)
        .args(&["--locked", "--workspace"])
        .env(postgres::ADDRESS, cluster.address())
        .run()
}
