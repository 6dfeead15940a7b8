//! A stand-in for the product's binary: the hidden commands that the runtime starts.

use std::path::Path;
use std::process::ExitCode;

use polyaxon_executors::initializer::{Environment, initialize};
use polyaxon_executors::process::supervise;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let succeeded = match arguments.first().map(String::as_str) {
        Some("internal") => supervise(Path::new(&arguments[2])).is_ok(),
        Some("initializer") => initialize(&arguments[1..], &Environment::of_process(), &mut std::io::stdout()).is_ok(),
        _ => false,
    };
    if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
