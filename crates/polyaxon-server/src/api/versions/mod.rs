//! `/{owner}/{project}/versions/{kind}…`: versions of components, models and artifacts.

pub(crate) mod content;
pub(crate) mod list;
pub(crate) mod read;
pub(crate) mod stages;
pub(crate) mod write;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use polyaxon_model::kinds::VersionKind;
use polyaxon_store::versions::Key;
use serde::Deserialize;

use crate::errors::{self, Error};

/// The kind that a path names, with its project when it names one. Another word names nothing.
#[derive(Clone, Debug)]
pub(crate) struct KindPath {
    pub project: Option<String>,
    pub kind: VersionKind,
    name: Option<String>,
}

/// The version that a path names.
#[derive(Clone, Debug)]
pub(crate) struct VersionPath(pub Key);

impl<S: Send + Sync> FromRequestParts<S> for KindPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Segments {
            project: Option<String>,
            kind: String,
            name: Option<String>,
        }
        let Path(segments) = Path::<Segments>::from_request_parts(parts, state).await?;
        match segments.kind.parse() {
            Ok(kind) => Ok(Self { project: segments.project, kind, name: segments.name }),
            Err(_) => Err(errors::unknown_path(parts.method.clone()).await),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for VersionPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let KindPath { project, kind, name } = KindPath::from_request_parts(parts, state).await?;
        let key = project.zip(name).map(|(project, name)| Key { project, kind, name });
        key.map(Self).ok_or_else(Error::not_found)
    }
}
