//! Logs that another program brought along: JSON lines (`*.jsonl` of the official client) and the older separated form
//! (`*.plx`, `timestamp|node|pod|container|value`).

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use polyaxon_model::time::Timestamp;
use serde::Deserialize;

use super::MAX_LINE_BYTES;
use super::read::RawLine;
use crate::error::{Error, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Separated,
}

/// Files up to this size are sorted in memory; of longer ones the lines are taken to be in order.
const MAX_SORTED_BYTES: u64 = 16 << 20;

pub(super) struct Lines {
    path: PathBuf,
    form: Form,
    from: From,
    after: u64,
}

enum From {
    /// In reverse, the next one last.
    Memory(Vec<RawLine>),
    File {
        reader: BufReader<File>,
        buffer: Vec<u8>,
        ready: Option<RawLine>,
    },
}

#[derive(Deserialize)]
pub(super) struct Line {
    timestamp: Timestamp,
    node: Option<String>,
    pod: Option<String>,
    container: Option<String>,
    value: Option<String>,
}

impl Lines {
    pub(super) fn open(path: &Path, form: Form, after: u64) -> Result<Lines> {
        let read = |source| Error::read(path, source);
        let file = File::open(path).map_err(read)?;
        let length = file.metadata().map_err(read)?.len();
        let from = From::File { reader: BufReader::new(file), buffer: Vec::new(), ready: None };
        let mut lines = Lines { path: path.to_owned(), form, from, after };
        if length <= MAX_SORTED_BYTES {
            let mut sorted = Vec::new();
            while lines.peek()?.is_some() {
                sorted.extend(lines.take());
            }
            sorted.sort_by_key(|line| line.timestamp);
            sorted.reverse();
            lines.from = From::Memory(sorted);
        }
        Ok(lines)
    }

    pub(super) fn peek(&mut self) -> Result<Option<u64>> {
        let (reader, buffer, ready) = match &mut self.from {
            From::Memory(lines) => return Ok(lines.last().map(|line| line.timestamp)),
            From::File { reader, buffer, ready } => (reader, buffer, ready),
        };
        while ready.is_none() {
            buffer.clear();
            let mut limited = reader.take(4 * MAX_LINE_BYTES);
            if limited.read_until(b'\n', buffer).map_err(|source| Error::read(&self.path, source))? == 0 {
                return Ok(None);
            }
            // Blank lines and headers are part of the formats; what cannot be read is passed over.
            let line = match self.form {
                Form::Json => serde_json::from_slice::<Line>(buffer).ok().map(Line::into_raw),
                Form::Separated => separated(buffer),
            };
            *ready = line.filter(|line| line.timestamp > self.after);
        }
        Ok(ready.as_ref().map(|line| line.timestamp))
    }

    pub(super) fn take(&mut self) -> Option<RawLine> {
        match &mut self.from {
            From::Memory(lines) => lines.pop(),
            From::File { ready, .. } => ready.take(),
        }
    }
}

impl Line {
    pub(super) fn into_raw(self) -> RawLine {
        RawLine {
            timestamp: u64::try_from(self.timestamp.as_micros()).unwrap_or(0),
            node: self.node,
            pod: self.pod,
            container: self.container,
            value: self.value.unwrap_or_default().into_bytes(),
        }
    }
}

/// The value is the JSON object `{"_": "text"}`, in quotes (doubled inside) when the writer of the table liked it so.
fn separated(line: &[u8]) -> Option<RawLine> {
    #[derive(Deserialize)]
    struct Wrapped {
        #[serde(rename = "_")]
        text: Option<String>,
    }
    let line = String::from_utf8_lossy(line.trim_ascii_end());
    let mut cells = line.splitn(5, '|');
    let timestamp: Timestamp = cells.next()?.trim().parse().ok()?;
    let mut name = || cells.next().map(|cell| (!cell.is_empty()).then(|| cell.to_owned()));
    let (node, pod, container) = (name()?, name()?, name()?);
    let value = cells.next()?;
    let unquoted =
        value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).map(|value| value.replace("\"\"", "\""));
    let text = [Some(value), unquoted.as_deref()]
        .into_iter()
        .flatten()
        .find_map(|json| serde_json::from_str::<Wrapped>(json).ok());
    let value =
        text.map_or_else(|| unquoted.unwrap_or_else(|| value.to_owned()), |wrapped| wrapped.text.unwrap_or_default());
    Some(Line { timestamp, node, pod, container, value: Some(value) }.into_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str, form: Form) -> Vec<(u64, Option<String>, String)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, text).unwrap();
        let mut lines = Lines::open(&path, form, 1).unwrap();
        let mut found = Vec::new();
        while lines.peek().unwrap().is_some() {
            let line = lines.take().unwrap();
            found.push((line.timestamp, line.pod, String::from_utf8(line.value).unwrap()));
        }
        found
    }

    #[test]
    fn both_forms_are_read_and_sorted() {
        let json = "\n{\"timestamp\":\"1970-01-01T00:00:00.000005+00:00\",\"pod\":\"p\",\"value\":\"late\"}\nnoise\n\
                    {\"timestamp\":\"1970-01-01T00:00:00.000001+00:00\",\"value\":\"before\"}\n\
                    {\"timestamp\":\"1970-01-01T00:00:00.000003+00:00\",\"value\":\"early\"}";
        assert_eq!(all(json, Form::Json), [(3, None, "early".into()), (5, Some("p".into()), "late".into())]);
        let table = "timestamp|node|pod|container|value\n\
                     1970-01-01 00:00:00.000002+00:00|n|p|c|{\"_\":\"a|b\"}\n\
                     1970-01-01 00:00:00.000003+00:00|n||c|\"{\"\"_\"\":\"\"a\\nb\"\"}\"\n\
                     1970-01-01 00:00:00.000004+00:00|n|p|c|plain\n";
        let expected = [
            (2, Some("p".to_owned()), "a|b".to_owned()),
            (3, None, "a\nb".to_owned()),
            (4, Some("p".to_owned()), "plain".to_owned()),
        ];
        assert_eq!(all(table, Form::Separated), expected);
    }
}
