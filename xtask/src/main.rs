//! Development tasks: the only entry point for building, testing and measuring. It never becomes part of the product.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a development tool talks to its terminal")]

mod bench;
mod checks;
mod codegen;
mod command;
mod fuzz;
mod postgres;
mod python;
mod quickstart;
mod simulate;
#[cfg(test)]
mod tidy;
mod workspace;

use std::process::ExitCode;

const HELP: &str = "\
Development tasks

  cargo xtask quickstart    build the program and run examples/quick-start/operation.yaml with it
  cargo xtask test          install what the tests need and run every check
  cargo xtask tidy          check the rules of STYLE.md that a program can check
  cargo xtask interop       test the program with the official client and with faults
  cargo xtask conformance   compare the recorded cases of the file format, as a table
  cargo xtask codegen       write the JSON Schema and the reference documentation from the tables
  cargo xtask fuzz          feed the readers with broken input: `fuzz [TARGET [SECONDS]]`
  cargo xtask simulate      play seeds of the simulator: `simulate [--seed N] [--from N] [--steps M] [--seconds S]`
  cargo xtask bench         measure the program; add `--official PROGRAM` to compare
  cargo xtask bench language    measure reading, checking and composing of large files
  cargo xtask bench engine  measure pipelines and searches: `bench engine [--only NAME]`
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let task = arguments.next();
    let rest: Vec<String> = arguments.collect();
    let result = match task.as_deref() {
        Some("quickstart") => quickstart::run(),
        Some("test") => checks::all(),
        Some("tidy") => checks::tidy(),
        Some("interop") => checks::interop(&rest),
        Some("conformance") => checks::conformance(),
        Some("fuzz") => fuzz::run(&rest),
        Some("codegen") => codegen::run(),
        Some("simulate") => simulate::run(&rest),
        Some("bench") => bench::run(&rest),
        None | Some("help" | "--help" | "-h") => {
            print!("{HELP}");
            Ok(())
        }
        Some(other) => Err(anyhow::anyhow!("unknown task `{other}`\n\n{HELP}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
