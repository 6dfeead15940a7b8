//! Plays seeds of the simulator in the test program that `cargo xtask test` has built.

use anyhow::{Result, bail};

use crate::command::Command;
use crate::workspace::cargo;

/// How long new seeds are played when nothing is said, and at most by `cargo xtask test`.
const SECONDS: &str = "60";
/// What `cargo xtask test` plays: so many steps, after the seeds that are tests by themselves.
const STEPS: &str = "1000000";
const FROM: &str = "25";

/// `simulate [--seed N] [--steps M] [--seconds S]`: one seed again with M steps before its end, or new ones for S seconds.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut settings = vec![("SIMULATOR_SECONDS", SECONDS)];
    for pair in arguments.chunks(2) {
        match pair {
            [name, value] if name == "--seed" => settings.push(("SIMULATOR_SEED", value)),
            [name, value] if name == "--from" => settings.push(("SIMULATOR_FROM", value)),
            [name, value] if name == "--steps" => settings.push(("SIMULATOR_LENGTH", value)),
            [name, value] if name == "--seconds" => settings.push(("SIMULATOR_SECONDS", value)),
            _ => bail!("expected `[--seed N] [--from N] [--steps M] [--seconds S]`, not `{}`", arguments.join(" ")),
        }
    }
    if let Some((name, value)) = settings.iter().find(|(_, value)| value.parse::<u64>().is_err()) {
        bail!("{name} is `{value}`, expected a whole number");
    }
    play(&settings)
}

/// The steps of every test run, as many of them as there is time for.
pub(crate) fn for_tests() -> Result<()> {
    play(&[("SIMULATOR_SECONDS", SECONDS), ("SIMULATOR_STEPS", STEPS), ("SIMULATOR_FROM", FROM)])
}

fn play(settings: &[(&str, &str)]) -> Result<()> {
    // The whole workspace, so that nothing is built with other features than for the tests.
    let arguments = ["test", "--locked", "--quiet", "--workspace", "--test=seeds", "--", "--nocapture"];
    let mut command = Command::new(cargo()).args(&arguments).args(&["invariants_hold_for_every_seed"]);
    for (name, value) in settings {
        command = command.env(name, value);
    }
    command.run()
}
