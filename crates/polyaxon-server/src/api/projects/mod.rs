//! `/{owner}/projects/…` and `/{owner}/{project}`.

pub(crate) mod actions;
pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod patch;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use serde::Deserialize;

use crate::errors::Error;

/// `…/{project}…`. The owner is not read: there is only one.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ProjectPath {
    pub project: String,
}

impl<S: Send + Sync> FromRequestParts<S> for ProjectPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Path(path) = Path::<Self>::from_request_parts(parts, state).await?;
        Ok(path)
    }
}
