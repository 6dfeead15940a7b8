//! What commands hand back and the only place that prints: data to stdout, everything else to stderr.

pub(crate) mod log;
pub(crate) mod progress;
pub(crate) mod screen;
pub(crate) mod status_line;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod time;
pub(crate) mod tree;

use std::io::{IsTerminal, Write};

use polyaxon_spec::node::Node;
use serde_json::Value;

use crate::args::global::{Global, OutputFormat};
use crate::config;
use crate::failure::Failure;
use crate::output::style::Style;
use crate::output::table::Table;

/// The data of a command in every form that it can be printed in.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) json: Value,
    pub(crate) human: Human,
    /// What `-o name` prints, one a line.
    pub(crate) names: Vec<String>,
}

#[derive(Debug, Default)]
pub(crate) enum Human {
    #[default]
    Nothing,
    Text(String),
    Table(Table),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Data,
    Error,
}

/// What the terminal can do and what the user asked for.
#[derive(Clone, Debug)]
pub(crate) struct Printer {
    pub(crate) verbose: bool,
    pub(crate) can_ask: bool,
    data: Style,
    error: Style,
}

impl Printer {
    pub(crate) fn new(global: &Global) -> Printer {
        Printer {
            verbose: global.is_verbose(),
            can_ask: !global.no_input && std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
            data: Style::detect(global.color, std::io::stdout().is_terminal()),
            error: Style::detect(global.color, std::io::stderr().is_terminal()),
        }
    }

    pub(crate) fn style(&self, stream: Stream) -> &Style {
        match stream {
            Stream::Data => &self.data,
            Stream::Error => &self.error,
        }
    }

    /// One line of data.
    #[expect(clippy::unused_self, reason = "who prints must have been given the printer")]
    pub(crate) fn line(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = std::io::stdout().lock();
        written(stdout.write_all(text.as_bytes()).and_then(|()| stdout.write_all(b"\n")).and_then(|()| stdout.flush()))
    }

    /// Bytes as they are.
    #[expect(clippy::unused_self, reason = "who prints must have been given the printer")]
    pub(crate) fn raw(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut stdout = std::io::stdout().lock();
        written(stdout.write_all(bytes).and_then(|()| stdout.flush()))
    }

    /// A line for the person at the terminal.
    pub(crate) fn note(&self, text: &str) {
        self.error(text);
    }

    pub(crate) fn warning(&self, text: &str) {
        self.error(&format!("{} {text}", self.error.warning("warning:")));
    }

    /// If stderr is gone there is nobody to tell.
    #[expect(clippy::unused_self, reason = "who prints must have been given the printer")]
    pub(crate) fn error(&self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// Asks before something is destroyed; without a terminal it fails and names the option.
    pub(crate) fn confirm(&self, question: &str) -> Result<(), Failure> {
        if !self.can_ask {
            return Err(Failure::new(format!("{question} Nobody can be asked here"))
                .help("add --yes to go on without a question"));
        }
        let _ = write!(std::io::stderr().lock(), "{question} [y/N] ");
        let mut answer = String::new();
        let read = std::io::stdin().read_line(&mut answer);
        match (read, answer.trim().to_ascii_lowercase().as_str()) {
            (Ok(_), "y" | "yes") => Ok(()),
            _ => Err(Failure::new("aborted, nothing was changed")),
        }
    }

    /// Prints the data of a command in the format that was asked for.
    pub(crate) fn data(&self, output: &Output, format: &OutputFormat) -> Result<(), Failure> {
        match format {
            OutputFormat::Json => self.line(&pretty(&output.json)),
            OutputFormat::Jsonl => match output.json.get("results").and_then(Value::as_array) {
                Some(rows) => rows.iter().try_for_each(|row| self.line(&row.to_string())),
                None => self.line(&output.json.to_string()),
            },
            OutputFormat::Yaml => self.line(polyaxon_spec::yaml::emit(&Node::from_json(&output.json)).trim_end()),
            OutputFormat::Name => output.names.iter().try_for_each(|name| self.line(name)),
            OutputFormat::Path(path) => config::replace(path, pretty(&output.json).as_bytes())
                .map_err(|error| Failure::new(format!("cannot write {}: {error}", path.display()))),
            OutputFormat::Csv => match &output.human {
                Human::Table(table) => self.line(&table.csv()),
                _ => self.line(&pretty(&output.json)),
            },
            OutputFormat::Table | OutputFormat::Wide => match &output.human {
                Human::Nothing => Ok(()),
                Human::Text(text) => self.line(text),
                Human::Table(table) if table.is_empty() => Ok(()),
                Human::Table(table) => self.line(&table.text(&self.data, *format == OutputFormat::Wide)),
            },
        }
    }
}

/// An error of a program that has no settings of its own, such as those inside of jobs.
pub(crate) fn plain_error(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "error: {text}");
}

fn pretty(json: &Value) -> String {
    serde_json::to_string_pretty(json).unwrap_or_default()
}

fn written(result: std::io::Result<()>) -> Result<(), Failure> {
    match result {
        Ok(()) => Ok(()),
        // The reader has seen enough: `polyaxon ops ls | head -1` is no failure.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(Failure::new(format!("cannot write to stdout: {error}"))),
    }
}
