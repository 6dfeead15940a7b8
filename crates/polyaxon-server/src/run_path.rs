//! The run that a path names.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use polyaxon_model::ids::RunId;
use serde::Deserialize;

use crate::errors::Error;

/// `…/{project}/runs/{uuid}…`. The owner is not read: there is only one.
#[derive(Clone, Debug)]
pub(crate) struct RunPath {
    pub project: String,
    pub run: RunId,
}

impl<S: Send + Sync> FromRequestParts<S> for RunPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Segments {
            project: String,
            uuid: String,
        }
        let Path(segments) = Path::<Segments>::from_request_parts(parts, state).await?;
        Ok(Self { project: segments.project, run: read_run(&segments.uuid)? })
    }
}

/// A word that is no uuid names nothing, just as an unknown path; nor does a uuid with dashes, which only queries read.
pub(crate) fn read_run(segment: &str) -> Result<RunId, Error> {
    let run = if segment.contains('-') { None } else { segment.parse().ok() };
    run.ok_or_else(Error::not_found)
}
