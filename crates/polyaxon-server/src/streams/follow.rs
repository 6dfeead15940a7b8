//! Our own live streams: log lines and status conditions as they happen, one JSON object a line.
//!
//! Invariant: nobody polls. A follower subscribes first, looks second and waits third; it ends when the run is done or
//! the client goes away.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use polyaxon_artifacts::logs::{self, Cursor, Page};
use polyaxon_model::ids::RunId;
use polyaxon_store::statuses::{self, NumberedCondition};
use serde::Serialize;
use serde_json::json;
use tokio::sync::mpsc;

use crate::errors::{Result, StreamError};
use crate::openapi::parameters::FollowParameters;
use crate::query::Params;
use crate::run_path::RunPath;
use crate::state::{Server, Wake};
use crate::streams::download::receive;
use crate::streams::run_folder::RunFolder;

pub(crate) const LINES: &str = "application/x-ndjson";

/// Follow the logs of a run.
///
/// Log lines from `cursor` on, each page followed by the cursor after it; `{"done": "<status>"}` is the last line.
#[utoipa::path(
    get, path = "/logs/follow", tag = "logs",
    params(FollowParameters),
    responses((status = 200, description = "One JSON object a line: a log line, `cursor`, or `done`", body = String, content_type = "application/x-ndjson")),
)]
pub(crate) async fn follow_logs(
    State(server): State<Arc<Server>>,
    folder: RunFolder,
    params: Params,
) -> std::result::Result<Response, StreamError> {
    let cursor = match params.text("cursor") {
        None => Cursor::START,
        Some(text) => text.parse().map_err(|error: logs::InvalidCursor| StreamError::bad_request(error.to_string()))?,
    };
    let (output, response) = lines();
    tokio::spawn(async move { send_logs(&server, &folder, cursor, &output).await });
    Ok(response)
}

async fn send_logs(server: &Arc<Server>, folder: &RunFolder, mut cursor: Cursor, output: &Output) -> Option<()> {
    let path = RunPath { project: folder.project.clone(), run: folder.run };
    let mut watch = server.watch(folder.run);
    // The status that the request was checked with is older than the watch: an end between the two wakes nobody.
    let mut status = server.standing(&path).await.ok()?.status;
    loop {
        loop {
            let page = read_page(server, folder.run, cursor).await?;
            cursor = page.cursor;
            output.send_page(&page).await?;
            if !page.more {
                break;
            }
        }
        if status.is_done() {
            return output.send(&json!({ "done": status })).await;
        }
        // The status is read before the logs: whatever a run that is done has written is found afterwards.
        loop {
            let wake = tokio::select! {
                wake = watch.changed() => wake,
                () = output.closed() => return None,
            };
            let before = std::mem::replace(&mut status, server.standing(&path).await.ok()?.status);
            if wake == Wake::Run || status != before {
                break;
            }
        }
    }
}

async fn read_page(server: &Arc<Server>, run: RunId, cursor: Cursor) -> Option<Page> {
    let folder = server.layout.logs(run);
    match tokio::task::spawn_blocking(move || logs::page(&folder, run, cursor)).await {
        Ok(Ok(page)) => Some(page),
        Ok(Err(error)) => {
            tracing::warn!(%error, %run, "cannot read logs");
            None
        }
        Err(_) => None,
    }
}

/// Follow the statuses of a run.
///
/// The conditions of a run, those that exist first; ends when the run is done.
#[utoipa::path(
    get, path = "/{uuid}/statuses/follow", tag = "statuses",
    responses((status = 200, description = "One condition a line", body = String, content_type = "application/x-ndjson")),
)]
pub(crate) async fn follow_statuses(State(server): State<Arc<Server>>, path: RunPath) -> Result<Response> {
    server.standing(&path).await?;
    let (output, response) = lines();
    tokio::spawn(async move { send_conditions(&server, path.run, &output).await });
    Ok(response)
}

async fn send_conditions(server: &Arc<Server>, run: RunId, output: &Output) -> Option<()> {
    let mut watch = server.watch(run);
    let mut last: Option<NumberedCondition> = None;
    loop {
        let from = last.as_ref().map_or(0, |condition| condition.seq);
        let news = server.store.read(move |tx| statuses::since(tx, run, from)).await.ok()?;
        // The last condition is read again, for it may have been replaced by one with newer words.
        for condition in news.into_iter().filter(|condition| last.as_ref() != Some(condition)).collect::<Vec<_>>() {
            output.send(&condition.condition).await?;
            last = Some(condition);
        }
        if last.as_ref().is_none_or(|last| last.condition.status.is_done()) {
            return Some(());
        }
        tokio::select! {
            _ = watch.changed() => {}
            () = output.closed() => return None,
        }
    }
}

/// The write side of a stream of lines. `None` means that the client went away.
struct Output {
    sender: mpsc::Sender<std::result::Result<Bytes, Infallible>>,
}

impl Output {
    async fn send(&self, line: &impl Serialize) -> Option<()> {
        let mut text = serde_json::to_vec(line).ok()?;
        text.push(b'\n');
        self.sender.send(Ok(text.into())).await.ok()
    }

    /// One chunk for the whole page.
    async fn send_page(&self, page: &Page) -> Option<()> {
        if page.lines.is_empty() {
            return Some(());
        }
        let mut text = Vec::new();
        for line in &page.lines {
            serde_json::to_writer(&mut text, line).ok()?;
            text.push(b'\n');
        }
        text.extend_from_slice(json!({ "cursor": page.cursor.to_string() }).to_string().as_bytes());
        text.push(b'\n');
        self.sender.send(Ok(text.into())).await.ok()
    }

    async fn closed(&self) {
        self.sender.closed().await;
    }
}

/// A response, and the output that fills it line by line.
fn lines() -> (Output, Response) {
    let (sender, receiver) = mpsc::channel(4);
    let body = Body::from_stream(receive(receiver));
    (Output { sender }, ([(header::CONTENT_TYPE, LINES)], body).into_response())
}
