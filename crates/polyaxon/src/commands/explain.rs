//! `polyaxon explain`: what a code in a message means.

use polyaxon_spec::diagnostic::{Code, codes};

use crate::args::ExplainArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Context;
use crate::suggest::nearest;

pub(crate) fn run(context: &Context, args: &ExplainArgs) -> Result<Exit, Failure> {
    if args.all {
        for code in codes::ALL {
            context.printer.line(&line(code))?;
        }
        return Ok(Exit::Ok);
    }
    let asked = args.code.as_deref().unwrap_or_default();
    let id = normalised(asked);
    match codes::ALL.iter().find(|code| code.id == id) {
        Some(code) => {
            context.printer.line(&line(code))?;
            Ok(Exit::Ok)
        }
        None => {
            let near = nearest(&id, codes::ALL.iter().map(|code| code.id));
            let failure = Failure::new(format!("there is no code `{asked}`")).exit(Exit::NotFound);
            Err(match near {
                Some(near) => failure.help(format!("did you mean {near}? `polyaxon explain --all` lists every code")),
                None => failure.help("`polyaxon explain --all` lists every code"),
            })
        }
    }
}

fn line(code: &Code) -> String {
    format!("{}  {:<22} {}", code.id, code.class, code.meaning)
}

/// `plx202`, `PLX0202` and `202` mean the same.
fn normalised(text: &str) -> String {
    let upper = text.to_ascii_uppercase();
    match upper.trim_start_matches("PLX").parse::<u32>() {
        Ok(number) => format!("PLX{number:04}"),
        Err(_) => upper,
    }
}

#[cfg(test)]
mod tests {
    use super::normalised;

    #[test]
    fn a_code_may_be_written_short() {
        for text in ["PLX0202", "plx0202", "202", "plx202"] {
            assert_eq!(normalised(text), "PLX0202");
        }
        assert_eq!(normalised("E0001"), "E0001");
    }
}
