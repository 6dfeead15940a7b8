//! Logs the way the official client polls for them.
//!
//! Invariant: an answer is sent page by page while it is read, so its size does not matter to this server.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use polyaxon_artifacts::logs::{self, Cursor, PAGE_BYTES};
use polyaxon_model::ids::RunId;
use polyaxon_model::time::Timestamp;
use serde_json::json;

use crate::errors::StreamError;
use crate::openapi::parameters::LogParameters;
use crate::openapi::shapes::LogsDocument;
use crate::query::Params;
use crate::state::Server;
use crate::streams::download::{self, Chunks};
use crate::streams::run_folder::RunFolder;

/// What an answer covers and how it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// Everything after the cursor, for a client that follows a run that may still write. `last_time` goes back to the
    /// client while the run is active, so that it asks again.
    Live { after: Cursor, active: bool },
    /// A part of the logs of a run, cut off after so many bytes of its files.
    Part { after: Cursor, max_bytes: u64 },
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
    let logs = server.layout.logs(folder.run);
    let reading = match (params.text("last_time"), params.text("last_file")) {
        (Some(text), _) => {
            let time: Timestamp = text.parse().map_err(|error| bad_request("last_time", error))?;
            // The status was read before the logs are: what a done run wrote is all there.
            Reading::Live { after: Cursor::after(time), active: !folder.status.is_done() }
        }
        (None, Some(text)) => {
            let after: Cursor = text.parse().map_err(|error| bad_request("last_file", error))?;
            Reading::Part { after, max_bytes: part_bytes(&logs) }
        }
        (None, None) => Reading::Part { after: Cursor::START, max_bytes: part_bytes(&logs) },
    };
    let run = folder.run;
    let body = download::streamed(move |output| write_answer(output, &logs, run, reading));
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// How much one part of these logs holds.
fn part_bytes(logs: &Path) -> u64 {
    let entries = std::fs::read_dir(logs).into_iter().flatten().flatten();
    let total: u64 = entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum();
    (total / PARTS).max(SINGLE_ANSWER_BYTES)
}

fn write_answer(mut output: Chunks, logs: &Path, run: RunId, reading: Reading) -> io::Result<()> {
    let (mut cursor, mut left) = match reading {
        Reading::Live { after, .. } => (after, u64::MAX),
        Reading::Part { after, max_bytes } => (after, max_bytes),
    };
    let mut text = b"{\"logs\":[".to_vec();
    let mut separator: &[u8] = b"";
    let more = loop {
        let page = logs::page(logs, run, cursor).map_err(io::Error::other)?;
        for line in &page.lines {
            text.extend_from_slice(separator);
            serde_json::to_writer(&mut text, line)?;
            separator = b",";
            // Never more than the bytes on disk, which the parts were measured by: a byte that is no UTF-8 shows as
            // one character.
            left = left.saturating_sub(line.value.chars().count() as u64);
        }
        cursor = page.cursor;
        if !page.more || left == 0 {
            break page.more;
        }
        output.write_all(&text)?;
        text.clear();
    };
    let end = match reading {
        Reading::Live { active: true, .. } => {
            json!({ "last_time": cursor.timestamp(), "last_file": null, "files": [] })
        }
        // The client goes on while the file it got is not the last one of the list.
        Reading::Part { .. } if more => {
            let name = cursor.to_string();
            json!({ "last_time": null, "last_file": name, "files": [name, "rest"] })
        }
        _ => json!({ "last_time": null, "last_file": null, "files": [] }),
    };
    let end = end.to_string();
    text.extend_from_slice(b"],");
    text.extend_from_slice(&end.as_bytes()[1..]);
    output.write_all(&text)
}

fn bad_request(name: &str, error: impl std::fmt::Display) -> StreamError {
    StreamError::bad_request(format!("`{name}` cannot be read: {error}"))
}
