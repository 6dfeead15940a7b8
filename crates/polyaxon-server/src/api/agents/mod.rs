//! `/orgs/{owner}/agents…`: executors outside of this process. [`state`] is what they are told to do, [`records`] who
//! they are, [`statuses`] how they are, [`reconcile`] what they have.

mod cleaner;
pub(crate) mod reconcile;
pub(crate) mod records;
pub(crate) mod state;
pub(crate) mod statuses;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use polyaxon_model::ids::ExecutorId;
use serde::Deserialize;

use crate::errors::Error;

/// `…/agents/{uuid}…`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AgentPath(pub ExecutorId);

impl<S: Send + Sync> FromRequestParts<S> for AgentPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Segments {
            uuid: String,
        }
        let Path(segments) = Path::<Segments>::from_request_parts(parts, state).await?;
        segments.uuid.parse().map(Self).map_err(|_| Error::not_found())
    }
}
