//! Plays seeds of the simulator, optimized and with every assertion on.

use anyhow::{Result, bail};

use crate::command::Command;
use crate::workspace::cargo;

/// How long new seeds are played when nothing is said.
const SECONDS: &str = "60";

/// `simulate [--seed N] [--steps M] [--seconds S]`: one seed again with M steps before its end, or new ones for S seconds.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut settings = vec![("SIMULATOR_SECONDS", SECONDS), ("SIMULATOR_STEPS", "18446744073709551615")];
    for pair in arguments.chunks(2) {
        match pair {
            [name, value] if name == "--seed" => settings.push(("SIMULATOR_SEED", value)),
            [name, value] if name == "--from" => settings.push(("SIMULATOR_FROM", value)),
            [name, value] if name == "--steps" => settings.push(("SIMULATOR_LENGTH", value)),
            [name, value] if name == "--seconds" => settings.push(("SIMULATOR_SECONDS", value)),
            _ => bail!("expected `[--seed N] [--from N] [--steps M] [--seconds S]`, not `{}`", arguments.join(" ")),
        }
    }
    play(&settings)
}

fn play(settings: &[(&str, &str)]) -> Result<()> {
    let mut command = Command::new(cargo()).args(&[
        "test",
        "--locked",
        "--profile=simulation",
        "--package=simulator",
        "--test=seeds",
        "--",
        "--nocapture",
        "invariants_hold_for_every_seed",
    ]);
    for (name, value) in settings {
        command = command.env(name, value);
    }
    command.run()
}
