//! `polyaxon completion`: the script of a shell, generated from the arguments themselves.

use clap::CommandFactory;

use crate::args::{Cli, CompletionArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Context;

pub(crate) fn run(context: &Context, args: &CompletionArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "polyaxon", &mut script);
    context.printer.line(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Exit::Ok)
}
