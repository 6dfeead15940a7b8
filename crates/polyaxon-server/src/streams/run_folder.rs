//! The run that a streams path names, and its folder in the artifacts store.

use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::Method;
use axum::http::request::Parts;
use polyaxon_model::artifact::RelativePath;
use polyaxon_model::ids::RunId;
use polyaxon_model::status::Status;
use polyaxon_store::cache;

use crate::errors::StreamError;
use crate::run_path::RunPath;
use crate::state::Server;

/// A run that exists; its folder may not.
#[derive(Clone, Debug)]
pub(crate) struct RunFolder {
    pub run: RunId,
    pub status: Status,
    pub path: PathBuf,
}

impl RunFolder {
    /// How answers name a file: from the root of the store.
    pub(crate) fn shown(&self, relative: &RelativePath) -> String {
        format!("{}/{relative}", self.run)
    }
}

impl FromRequestParts<Arc<Server>> for RunFolder {
    type Rejection = StreamError;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, StreamError> {
        let path = RunPath::from_request_parts(parts, server).await?;
        let status = server.standing(&path).await?.status;
        // A run that reused a result is read where that result is.
        let run = if parts.method == Method::GET || parts.method == Method::HEAD {
            server.read(move |tx| cache::holder(tx, path.run)).await?
        } else {
            path.run
        };
        Ok(Self { run, status, path: server.layout.artifacts(run) })
    }
}
