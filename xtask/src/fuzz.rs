//! Runs the fuzz targets of `fuzz/`, starting from the corpus of the repository.

use anyhow::{Context as _, Result, bail};

use crate::command::Command;
use crate::workspace::{self, cargo};

/// The functions of `conformance::torture`.
const TARGETS: &[&str] = &["yaml", "decode", "template", "refs", "params"];
const SECONDS: &str = "120";

/// `cargo xtask fuzz [TARGET [SECONDS]]`: all targets without an argument.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    if !Command::new("rustup").args(&["run", "nightly", "cargo", "fuzz", "--version"]).succeeds() {
        bail!("fuzzing needs `rustup toolchain install nightly` and `cargo install cargo-fuzz`");
    }
    let seconds = arguments.get(1).map_or(SECONDS, String::as_str);
    let chosen = match arguments.first() {
        Some(target) => vec![target.as_str()],
        None => TARGETS.to_vec(),
    };
    for target in chosen {
        let inputs = workspace::root().join("fuzz/corpus").join(target);
        let inputs = inputs.to_str().context("the path of the checkout is not UTF-8")?;
        Command::new(cargo())
            .args(&["run", "--quiet", "--locked", "--package=conformance", "--", "--seeds", target, inputs])
            .run()?;
        Command::new("rustup")
            .args(&["run", "nightly", "cargo", "fuzz", "run", target, "--"])
            .args(&[&format!("-max_total_time={seconds}"), "-timeout=10", "-rss_limit_mb=1024", "-max_len=8192"])
            .run()?;
    }
    Ok(())
}
