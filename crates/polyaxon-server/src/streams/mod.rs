//! `/streams/v1`: what the artifacts store holds of a run: files, events, logs.

pub(crate) mod agents;
pub(crate) mod artifacts;
mod base64;
mod checks;
pub(crate) mod download;
mod event_package;
pub(crate) mod events;
mod feeds;
pub(crate) mod follow;
pub(crate) mod importance;
pub(crate) mod internal;
pub(crate) mod logs;
mod notebook;
pub(crate) mod notify;
mod range;
pub(crate) mod resumable;
pub(crate) mod run_folder;
mod series_cache;
mod store;
pub(crate) mod trees;
pub(crate) mod upload;

use std::sync::Arc;

use axum::Json;
use serde_json::{Value, json};

use crate::errors::{Error, StreamError};
use crate::streams::feeds::Feeds;
use crate::streams::run_folder::RunFolder;
use crate::streams::series_cache::SeriesCache;

/// What the requests of one server share beside the store.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub series: SeriesCache,
    pub feeds: Arc<Feeds>,
}

/// Runs blocking file work off the request threads.
pub(crate) async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StreamError> + Send + 'static,
) -> Result<T, StreamError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(failure) => Err(Error::internal(failure).into()),
    }
}

/// Read the objects of a run in a cluster.
///
/// What an operator archived of them; an empty object while there is nothing, for there is no cluster here.
#[utoipa::path(
    get, path = "/k8s_inspect", tag = "runs", operation_id = "inspect_run",
    responses((status = 200, body = Object)),
)]
pub(crate) async fn inspect(folder: RunFolder) -> Result<Json<Value>, StreamError> {
    in_background(move || {
        let spec = if folder.status.is_done() { agents::archived_spec(&folder.path) } else { None };
        Ok(Json(spec.unwrap_or_else(|| json!({}))))
    })
    .await
}
