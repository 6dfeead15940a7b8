//! `polyaxon tuner serve`: suggestions for other programs, until they have enough.

use std::io::BufRead as _;

use polyaxon_tuning::protocol::Conversation;

use crate::args::tuner::{TunerArgs, TunerCommand};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Context;

pub(crate) fn run(context: &Context, args: &TunerArgs) -> Result<Exit, Failure> {
    match args.command {
        TunerCommand::Serve(_) => serve(context),
    }
}

fn serve(context: &Context) -> Result<Exit, Failure> {
    let mut conversation = Conversation::default();
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| Failure::new(format!("cannot read a request: {error}")))?;
        if line.trim().is_empty() {
            continue;
        }
        match conversation.answer(&line) {
            Some(answer) => context.printer.line(&answer)?,
            None => break,
        }
    }
    Ok(Exit::Ok)
}
