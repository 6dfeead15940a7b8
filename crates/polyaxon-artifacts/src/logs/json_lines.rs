//! Logs that another program brought along as JSON lines (`plxlogs/*.jsonl` of the official client).

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use polyaxon_model::time::Timestamp;
use serde::Deserialize;

use super::MAX_LINE_BYTES;
use super::read::RawLine;
use crate::error::{Error, Result};

pub(super) struct JsonLines {
    path: PathBuf,
    reader: BufReader<File>,
    buffer: Vec<u8>,
    ready: Option<RawLine>,
    after: u64,
}

#[derive(Deserialize)]
struct Line {
    timestamp: Timestamp,
    node: Option<String>,
    pod: Option<String>,
    container: Option<String>,
    value: Option<String>,
}

impl JsonLines {
    pub(super) fn open(path: &Path, after: u64) -> Result<JsonLines> {
        let file = File::open(path).map_err(|source| Error::read(path, source))?;
        Ok(JsonLines { path: path.to_owned(), reader: BufReader::new(file), buffer: Vec::new(), ready: None, after })
    }

    pub(super) fn peek(&mut self) -> Result<Option<u64>> {
        while self.ready.is_none() {
            self.buffer.clear();
            let mut limited = (&mut self.reader).take(4 * MAX_LINE_BYTES);
            let read = limited.read_until(b'\n', &mut self.buffer);
            if read.map_err(|source| Error::read(&self.path, source))? == 0 {
                return Ok(None);
            }
            // Blank lines are part of the format; what cannot be read is passed over.
            let Ok(line) = serde_json::from_slice::<Line>(&self.buffer) else { continue };
            let timestamp = u64::try_from(line.timestamp.as_micros()).unwrap_or(0);
            if timestamp > self.after {
                let Line { node, pod, container, value, .. } = line;
                let value = value.unwrap_or_default().into_bytes();
                self.ready = Some(RawLine { timestamp, node, pod, container, value });
            }
        }
        Ok(self.ready.as_ref().map(|line| line.timestamp))
    }

    pub(super) fn take(&mut self) -> Option<RawLine> {
        self.ready.take()
    }
}
