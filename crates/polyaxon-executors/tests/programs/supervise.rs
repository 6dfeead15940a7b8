//! A stand-in for the product's binary: only the hidden command that supervises.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let folder = std::env::args_os().nth(3).unwrap_or_default();
    match polyaxon_executors::process::supervise(Path::new(&folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
