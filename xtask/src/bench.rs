//! Measures the program with the scripts of `bench/`.

use anyhow::Result;

use crate::command::Command;
use crate::workspace::{self, Profile, cargo};

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let program = workspace::build(Profile::Release)?;
    match arguments.split_first() {
        Some((first, rest)) if first == "language" => {
            Command::new(cargo()).args(&["build", "--locked", "--package=conformance", "--release"]).run()?;
            Command::new("python3").args(&["bench/language.py", "--program"]).args(&[program]).args(rest).run()
        }
        Some((first, rest)) if first == "api" => {
            let store = ["build", "--locked", "--package=polyaxon-store", "--release", "--example=seed"];
            Command::new(cargo()).args(&store).run()?;
            let seed = program.with_file_name("examples").join("seed");
            let api = Command::new("python3").args(&["bench/api.py", "--program"]).args(&[program]);
            api.args(&["--seed"]).args(&[seed]).args(rest).run()
        }
        Some((first, rest)) if first == "engine" => {
            let scale = ["build", "--locked", "--package=simulator", "--release", "--example=scale"];
            Command::new(cargo()).args(&scale).run()?;
            let scale = program.with_file_name("examples").join("scale");
            let engine = Command::new("python3").args(&["bench/engine.py", "--program"]).args(&[program]);
            engine.args(&["--scale"]).args(&[scale]).args(rest).run()
        }
        _ => Command::new("python3").args(&["bench/bench.py", "--program"]).args(&[program]).args(arguments).run(),
    }
}
