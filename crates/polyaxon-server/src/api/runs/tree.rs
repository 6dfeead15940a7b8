//! Watching a run together with everything below it: an addition of ours.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use polyaxon_model::tree::TreeLine;
use tokio::time::timeout;

use crate::errors::{Error, Result};
use crate::metrics::Counted;
use crate::openapi::parameters::TreeParameters;
use crate::query::Params;
use crate::run_path::RunPath;
use crate::state::Server;
use crate::streams::follow::LINES;
use crate::streams::trees::{Piece, Trees, Watcher};

/// Watch a run and everything below it.
///
/// One JSON object a line: `run` is a run as it is now, those that exist first; `removed` is one that was deleted;
/// `cursor` says that everything so far is known, and a later connection that names it is told only what came after;
/// `done` is the last line. Statuses that last less than a moment may be left out. A blank line now and then shows that
/// both sides are still there.
#[utoipa::path(
    get, path = "/{uuid}/pipeline/follow", tag = "statuses",
    params(TreeParameters),
    responses((status = 200, description = "One object a line", body = TreeLine, content_type = "application/x-ndjson")),
)]
pub(crate) async fn follow_pipeline(
    State(server): State<Arc<Server>>,
    Extension(trees): Extension<Arc<Trees>>,
    path: RunPath,
    params: Params,
) -> Result<Response> {
    server.standing(&path).await?;
    let cursor = params.text("cursor").map(str::parse).transpose();
    let cursor = cursor.map_err(|_| Error::field("cursor", "A cursor is a number that an earlier answer gave."))?;
    let watcher = trees.watch(&server, path.run, cursor).await?;
    let watching = Watching { watcher, _counted: server.metrics.follow() };
    let body = futures_util::stream::unfold(watching, |mut watching| async {
        watching.next().await.map(|text| (Ok::<_, Infallible>(text), watching))
    });
    Ok(([(header::CONTENT_TYPE, LINES)], Body::from_stream(body)).into_response())
}

struct Watching {
    watcher: Watcher,
    _counted: Counted,
}

impl Watching {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            match self.watcher.piece() {
                Piece::Text(text) => return Some(text),
                Piece::Over => return None,
                Piece::Nothing => {}
            }
            if timeout(SILENCE, self.watcher.changed()).await.is_err() {
                return Some(Bytes::from_static(b"\n"));
            }
        }
    }
}

/// A connection whose other end is gone without a word shows it when something is sent.
const SILENCE: Duration = Duration::from_secs(30);
