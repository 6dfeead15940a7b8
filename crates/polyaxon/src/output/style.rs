//! Colours, symbols and links of the terminal: sixteen colours, never colour alone, nothing when it is not wanted.

use polyaxon_model::status::Status;

use crate::args::global::Color;
use crate::env;

#[derive(Clone, Debug)]
pub(crate) struct Style {
    coloured: bool,
    is_terminal: bool,
}

impl Style {
    /// `--color`, then NO_COLOR and TERM=dumb, then FORCE_COLOR and CLICOLOR_FORCE, then whether it is a terminal.
    pub(crate) fn detect(choice: Color, is_terminal: bool) -> Style {
        let forced = [env::FORCE_COLOR, env::CLICOLOR_FORCE]
            .into_iter()
            .any(|variable| env::text(variable).is_some_and(|value| value != "0"));
        let dumb = env::text(env::TERM).is_some_and(|term| term == "dumb");
        let coloured = match choice {
            Color::Always => true,
            Color::Never => false,
            Color::Auto if env::os(env::NO_COLOR).is_some() || dumb => false,
            Color::Auto => forced || is_terminal,
        };
        Style { coloured, is_terminal: is_terminal && !dumb }
    }

    pub(crate) fn is_coloured(&self) -> bool {
        self.coloured
    }

    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    pub(crate) fn error(&self, text: &str) -> String {
        self.paint("1;31", text)
    }

    pub(crate) fn warning(&self, text: &str) -> String {
        self.paint("1;33", text)
    }

    pub(crate) fn help(&self, text: &str) -> String {
        self.paint("1;36", text)
    }

    pub(crate) fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn dim(&self, text: &str) -> String {
        self.paint("2", text)
    }

    /// A status as symbol and word, coloured.
    pub(crate) fn status(&self, word: &str) -> String {
        match word.parse::<Status>() {
            Ok(status) => self.paint(look(status).0, &symbol(word)),
            Err(_) => word.to_owned(),
        }
    }

    /// Any text in the colour of a status.
    pub(crate) fn as_status(&self, status: Status, text: &str) -> String {
        self.paint(look(status).0, text)
    }

    /// A clickable address on a terminal, the plain address elsewhere.
    pub(crate) fn link(&self, url: &str) -> String {
        if self.is_terminal { format!("\x1b]8;;{url}\x1b\\{url}\x1b]8;;\x1b\\") } else { url.to_owned() }
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.coloured { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// The word for the end of a run that a policy of its pipeline stopped.
pub(crate) const PRUNED: &str = "pruned";

/// A status as symbol and word, for tables that colour their cells.
pub(crate) fn symbol(word: &str) -> String {
    let status = if word == PRUNED { Ok(Status::Stopped) } else { word.parse::<Status>() };
    match status {
        Ok(status) => format!("{} {word}", look(status).1),
        Err(_) => word.to_owned(),
    }
}

/// The symbol of a status and a word for it, also for terminals that know nothing but ASCII.
pub(crate) fn glyph(status: Status, word: &str, unicode: bool) -> String {
    let symbol = match look(status).1 {
        symbol if unicode => symbol,
        "✔" => "+",
        "✖" => "x",
        "■" => "-",
        "●" => "*",
        "▲" => "!",
        _ => "o",
    };
    format!("{symbol} {word}")
}

/// Colour and symbol of a status.
fn look(status: Status) -> (&'static str, &'static str) {
    match status {
        Status::Succeeded => ("32", "✔"),
        Status::Failed | Status::UpstreamFailed => ("31", "✖"),
        Status::Stopped | Status::Skipped | Status::Stopping => ("90", "■"),
        Status::Starting | Status::Running | Status::Processing => ("36", "●"),
        Status::Warning | Status::Unschedulable | Status::Unknown | Status::Retrying => ("93", "▲"),
        _ => ("33", "○"),
    }
}
