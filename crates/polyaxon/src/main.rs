//! The one binary: parse, run, render the error, exit.

mod afterwards;
mod args;
mod argv;
mod backup;
mod commands;
mod config;
mod env;
mod exit;
mod failure;
mod follow;
mod forest;
mod hidden;
mod local;
mod lsp;
mod output;
mod report;
mod run_reference;
mod session;
mod settings;
mod source;
mod submission;
mod suggest;
mod upload;
mod watch;

use std::process::ExitCode;

/// Gives memory back after a large pipeline, which the allocator of the system keeps.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    report::explain_panics();
    let arguments: Vec<_> = std::env::args_os().collect();
    if let Some(code) = hidden::dispatch(&arguments) {
        return code;
    }
    let cli = match args::parse(arguments) {
        Ok(cli) => cli,
        Err(exit) => return exit.into(),
    };
    let context = session::Context { printer: output::Printer::new(&cli.global), global: cli.global };
    commands::execute(&context, cli.command).into()
}
