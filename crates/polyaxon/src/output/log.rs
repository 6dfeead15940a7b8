//! Lines of a run's log: time, place on request, text byte for byte as the job wrote it.

use std::collections::VecDeque;

use polyaxon_client::logs::LogLine;

use crate::failure::Failure;
use crate::output::{Printer, Stream};

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LogFormat {
    pub(crate) hide_time: bool,
    pub(crate) all_containers: bool,
    pub(crate) all_info: bool,
    /// Objects as the server sent them, one a line.
    pub(crate) json: bool,
    /// Data goes somewhere else already, so lines are for the person only.
    pub(crate) on_stderr: bool,
}

pub(crate) struct LogPrinter {
    format: LogFormat,
    /// The last lines that were not shown: they explain why a run failed before its program started.
    hidden: VecDeque<String>,
}

const HIDDEN_LINES: usize = 20;
/// The containers whose lines a person wants to see; the official client has the same list.
const SHOWN: &[&str] = &["polyaxon-main", "tensorflow", "pytorch"];

impl LogPrinter {
    pub(crate) fn new(format: LogFormat) -> LogPrinter {
        LogPrinter { format, hidden: VecDeque::new() }
    }

    pub(crate) fn line(&mut self, printer: &Printer, line: &LogLine) -> Result<(), Failure> {
        if !self.format.all_containers && !self.format.all_info && !is_shown(line.container()) {
            self.hidden.push_back(format!("{}: {}", line.container(), line.text()));
            if self.hidden.len() > HIDDEN_LINES {
                self.hidden.pop_front();
            }
            return Ok(());
        }
        let text = self.text(printer, line);
        if self.format.on_stderr {
            printer.note(&text);
            return Ok(());
        }
        printer.line(&text)
    }

    /// Shows the lines of helpers after a failure.
    pub(crate) fn hidden(&self, printer: &Printer) {
        for line in &self.hidden {
            printer.note(line);
        }
    }

    fn text(&self, printer: &Printer, line: &LogLine) -> String {
        if self.format.json {
            return line.0.to_string();
        }
        let style = printer.style(if self.format.on_stderr { Stream::Error } else { Stream::Data });
        let mut text = String::new();
        if !self.format.hide_time {
            text += &style.dim(&clock(line.timestamp()));
            text.push(' ');
        }
        if self.format.all_info {
            let field = |key: &str| line.0.get(key).and_then(serde_json::Value::as_str).unwrap_or("-").to_owned();
            text += &style.dim(&format!("{} {} {}", field("node"), field("pod"), field("container")));
            text.push(' ');
        }
        text + line.text()
    }
}

fn is_shown(container: &str) -> bool {
    container.is_empty() || SHOWN.contains(&container)
}

/// The local time of day with milliseconds.
fn clock(timestamp: &str) -> String {
    match timestamp.parse::<jiff::Timestamp>() {
        Ok(time) => time.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S%.3f").to_string(),
        Err(_) => timestamp.to_owned(),
    }
}
