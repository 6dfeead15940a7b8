//! Measures the program with the scripts of `bench/`.

use anyhow::Result;

use crate::command::Command;
use crate::workspace::{self, Profile};

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let program = workspace::build(Profile::Release)?;
    Command::new("python3").args(&["bench/bench.py", "--program"]).args(&[program]).args(arguments).run()
}
