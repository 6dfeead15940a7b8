//! Logs the way the official client polls for them.
//!
//! Invariant: an answer is sent page by page while it is read, so its size does not matter to this server.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use polyaxon_artifacts::logs::{self, Cursor, PAGE_BYTES, PAGE_LINES, Reader};
use polyaxon_model::artifact::TEMPORARY_LOGS;
use polyaxon_model::ids::RunId;
use polyaxon_model::time::Timestamp;
use serde_json::{Value, json};

use crate::errors::StreamError;
use crate::openapi::parameters::LogParameters;
use crate::openapi::shapes::LogsDocument;
use crate::query::Params;
use crate::state::Server;
use crate::streams::download::{self, Chunks};
use crate::streams::in_background;
use crate::streams::run_folder::RunFolder;

/// What an answer covers and how it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reading {
    /// Everything after the cursor, for a client that follows a run that may still write. `last_time` goes back to the
    /// client while the run is active, so that it asks again.
    Live { after: Cursor, active: bool },
    /// A part of the logs of a run, after what `last_file` names.
    Part { last_file: Option<String> },
}

/// The client asks at most five times, so the parts of long logs grow with them.
const PARTS: u64 = 4;

/// Logs up to this size are sent in one answer.
const SINGLE_ANSWER_BYTES: u64 = 8 * PAGE_BYTES as u64;

/// Read the logs of a run, in parts.
#[utoipa::path(
    get, path = "/logs", tag = "logs",
    params(LogParameters),
    responses((status = 200, body = LogsDocument)),
)]
pub(crate) async fn get_logs(
    State(server): State<Arc<Server>>,
    folder: RunFolder,
    params: Params,
) -> Result<Response, StreamError> {
    let reading = match (params.text("last_time"), params.text("last_file")) {
        (Some(text), _) => {
            let time: Timestamp = text.parse().map_err(|error| bad_request("last_time", error))?;
            // The status was read before the logs are: what a done run wrote is all there.
            Reading::Live { after: Cursor::after(time), active: !folder.status.is_done() }
        }
        (None, last_file) => Reading::Part { last_file: last_file.map(str::to_owned) },
    };
    let (run, logs) = (folder.run, server.layout.logs(folder.run));
    let answer = in_background(move || open(&logs, &folder.path.join(TEMPORARY_LOGS), run, reading)).await?;
    let body = download::streamed(move |output| answer.write(output));
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// An answer of which the first part is known to be readable.
enum Answer {
    Lines {
        reader: Reader,
        max_bytes: u64,
        end: End,
    },
    /// One file of the oldest form.
    Chunk {
        lines: Vec<Value>,
        name: Option<String>,
        names: Vec<String>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Give a time to go on from.
    Active,
    /// Name a place to go on from, if there is more.
    Part,
    Done,
}

fn open(logs: &Path, temporary: &Path, run: RunId, reading: Reading) -> Result<Answer, StreamError> {
    let fails = |error: polyaxon_artifacts::Error| StreamError::from(crate::errors::Error::internal(error));
    match reading {
        Reading::Live { after, active } => {
            let end = if active { End::Active } else { End::Done };
            let reader = Reader::open(logs, run, after).map_err(fails)?;
            let reader =
                if reader.has_sources() { reader } else { Reader::open(temporary, run, after).map_err(fails)? };
            Ok(Answer::Lines { reader, max_bytes: u64::MAX, end })
        }
        Reading::Part { last_file } => {
            // A place that is not one of ours is the same as none: better all lines again than none.
            let cursor = last_file.as_deref().and_then(|place| place.parse().ok()).unwrap_or(Cursor::START);
            let reader = Reader::open(logs, run, cursor).map_err(fails)?;
            let names = if reader.has_sources() { Vec::new() } else { logs::chunk_names(logs) };
            if names.is_empty() {
                return Ok(Answer::Lines { reader, max_bytes: part_bytes(logs), end: End::Part });
            }
            let name = logs::chunk_after(&names, last_file.as_deref()).map(str::to_owned);
            let lines = name.as_deref().map_or(Ok(Vec::new()), |name| logs::read_chunk(logs, name)).map_err(fails)?;
            Ok(Answer::Chunk { lines, name, names })
        }
    }
}

/// How much one part of these logs holds.
fn part_bytes(logs: &Path) -> u64 {
    let entries = std::fs::read_dir(logs).into_iter().flatten().flatten();
    let total: u64 = entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum();
    (total / PARTS).max(SINGLE_ANSWER_BYTES)
}

impl Answer {
    fn write(self, mut output: Chunks) -> io::Result<()> {
        match self {
            Answer::Lines { reader, max_bytes, end } => write_lines(output, reader, max_bytes, end),
            Answer::Chunk { lines, name, names } => {
                let answer = json!({ "last_time": null, "last_file": name, "logs": lines, "files": names });
                output.write_all(answer.to_string().as_bytes())
            }
        }
    }
}

fn write_lines(mut output: Chunks, mut reader: Reader, max_bytes: u64, end: End) -> io::Result<()> {
    let mut left = max_bytes;
    let mut text = b"{\"logs\":[".to_vec();
    let mut separator: &[u8] = b"";
    let (more, cursor) = loop {
        let page = reader.page(PAGE_LINES, PAGE_BYTES).map_err(io::Error::other)?;
        for line in &page.lines {
            text.extend_from_slice(separator);
            serde_json::to_writer(&mut text, line)?;
            separator = b",";
            // Never more than the bytes on disk, which the parts were measured by: a byte that is no UTF-8 shows as
            // one character.
            left = left.saturating_sub(line.value.chars().count() as u64);
        }
        if !page.more || left == 0 {
            break (page.more, page.cursor);
        }
        output.write_all(&text)?;
        text.clear();
    };
    let end = match end {
        End::Active => json!({ "last_time": cursor.timestamp(), "last_file": null, "files": [] }),
        // The client goes on while the file it got is not the last one of the list.
        End::Part if more => {
            let name = cursor.to_string();
            json!({ "last_time": null, "last_file": name, "files": [name, "rest"] })
        }
        End::Part | End::Done => json!({ "last_time": null, "last_file": null, "files": [] }),
    };
    let end = end.to_string();
    text.extend_from_slice(b"],");
    text.extend_from_slice(&end.as_bytes()[1..]);
    output.write_all(&text)
}

fn bad_request(name: &str, error: impl std::fmt::Display) -> StreamError {
    StreamError::bad_request(format!("`{name}` cannot be read: {error}"))
}
