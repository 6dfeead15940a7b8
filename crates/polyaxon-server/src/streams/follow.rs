//! Our own live streams: log lines and status conditions as they happen, one JSON object a line.
//!
//! Invariant: nobody polls. A follower subscribes first, looks second and waits third; it ends when the run is done or
//! the client goes away.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use polyaxon_artifacts::logs::{self, Cursor};
use polyaxon_model::ids::RunId;
use polyaxon_model::status::Status;
use polyaxon_store::statuses::{self, NumberedCondition};
use serde::Serialize;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::errors::{Result, StreamError};
use crate::metrics::Counted;
use crate::openapi::parameters::FollowParameters;
use crate::query::Params;
use crate::run_path::RunPath;
use crate::state::Server;
use crate::streams::Shared;
use crate::streams::download::receive;
use crate::streams::feeds::Follower;
use crate::streams::run_folder::RunFolder;

pub(crate) const LINES: &str = "application/x-ndjson";

/// Follow the logs of a run.
///
/// Log lines from `cursor` on, each page followed by the cursor after it; `{"done": "<status>"}` is the last line. A
/// blank line now and then shows that both sides are still there.
#[utoipa::path(
    get, path = "/logs/follow", tag = "logs",
    params(FollowParameters),
    responses((status = 200, description = "One JSON object a line: a log line, `cursor`, or `done`", body = String, content_type = "application/x-ndjson")),
)]
pub(crate) async fn follow_logs(
    State(server): State<Arc<Server>>,
    Extension(shared): Extension<Arc<Shared>>,
    folder: RunFolder,
    params: Params,
) -> std::result::Result<Response, StreamError> {
    let cursor = match params.text("cursor") {
        None => Cursor::START,
        Some(text) => text.parse().map_err(|error: logs::InvalidCursor| StreamError::bad_request(error.to_string()))?,
    };
    let follower = shared.feeds.follow(&server, folder.run, folder.status);
    // The next piece is only looked for when the connection takes it: a slow client holds no pages.
    let following = Following { follower, cursor, is_over: false, _counted: server.metrics.follow() };
    let body = futures_util::stream::unfold(following, |mut following| async {
        following.next().await.map(|text| (Ok::<_, Infallible>(text), following))
    });
    Ok(([(header::CONTENT_TYPE, LINES)], Body::from_stream(body)).into_response())
}

struct Following {
    follower: Follower,
    cursor: Cursor,
    is_over: bool,
    _counted: Counted,
}

impl Following {
    async fn next(&mut self) -> Option<Bytes> {
        while !self.is_over {
            // The status is read before the logs: whatever a run that is done has written is found afterwards.
            let news = self.follower.news();
            let page = self.follower.page(self.cursor, news).await?;
            self.cursor = page.to;
            if !page.text.is_empty() {
                return Some(page.text.clone());
            }
            if news.status.is_none_or(Status::is_done) {
                self.is_over = true;
                return Some(format!("{}\n", json!({ "done": news.status? })).into());
            }
            if timeout(SILENCE, self.follower.changed()).await.is_err() {
                return Some(Bytes::from_static(b"\n"));
            }
        }
        None
    }
}

/// A connection whose other end is gone without a word shows it when something is sent.
const SILENCE: Duration = Duration::from_secs(30);

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
    let _counted = server.metrics.follow();
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
            () = watch.changed() => {}
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
