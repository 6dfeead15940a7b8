//! Programs that run inside jobs (`internal supervise`, `initializer`, `docker generate`), before anything heavy happens.

use std::error::Error;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use polyaxon_executors::initializer::{self, Environment};
use polyaxon_executors::process::supervise;

use crate::exit::Exit;
use crate::output::plain_error;

/// Runs a hidden program when the arguments name one.
pub(crate) fn dispatch(arguments: &[OsString]) -> Option<ExitCode> {
    let result = match (word(arguments, 1)?, word(arguments, 2)) {
        ("internal", Some("supervise")) => supervised(arguments),
        ("initializer", _) => {
            initializer::initialize(&rest(arguments, 2), &Environment::of_process(), &mut std::io::stdout())
                .map_err(Into::into)
        }
        ("docker", Some("generate")) => {
            initializer::generate_dockerfile(&rest(arguments, 3), &Environment::of_process(), &mut std::io::stdout())
                .map_err(Into::into)
        }
        _ => return None,
    };
    Some(match result {
        Ok(()) => Exit::Ok.into(),
        Err(error) => {
            report(&*error);
            Exit::Failure.into()
        }
    })
}

fn supervised(arguments: &[OsString]) -> Result<(), Box<dyn Error>> {
    match arguments.get(3) {
        Some(folder) => supervise(Path::new(folder)).map_err(Into::into),
        None => Err("polyaxon internal supervise needs a folder".into()),
    }
}

fn word(arguments: &[OsString], at: usize) -> Option<&str> {
    arguments.get(at)?.to_str()
}

fn rest(arguments: &[OsString], from: usize) -> Vec<String> {
    arguments.iter().skip(from).map(|argument| argument.to_string_lossy().into_owned()).collect()
}

/// The error and its causes; these programs write into the log of a run.
fn report(error: &dyn Error) {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text += &format!(": {source}");
        cause = source.source();
    }
    plain_error(&text);
}
