//! Creating, changing, moving and removing versions.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use polyaxon_model::change::Change;
use polyaxon_model::ids::{StateId, VersionId};
use polyaxon_model::kinds::VersionKind;
use polyaxon_model::names;
use polyaxon_model::version::{LineageForm, VersionBody, VersionView};
use polyaxon_store::versions::{self, Key};
use serde_json::Value;
use uuid::Uuid;

use crate::api::nothing;
use crate::api::runs::actions::{TransferRequest, destination};
use crate::api::versions::content;
use crate::api::versions::read::lineage_form;
use crate::api::versions::{KindPath, VersionPath};
use crate::body::{Body, REQUIRED};
use crate::errors::{Error, Result};
use crate::openapi::shapes::{Empty, VersionDetail};
use crate::state::Server;

/// Create a version.
#[utoipa::path(
    post, path = "/", tag = "versions",
    request_body = VersionBody,
    responses((status = 201, body = VersionDetail)),
)]
pub(crate) async fn create_version(
    State(server): State<Arc<Server>>,
    path: KindPath,
    Body(body): Body<VersionBody>,
) -> Result<Response> {
    let name = body.name.clone().ok_or_else(|| Error::field("name", REQUIRED))?;
    check_name(&name)?;
    let project = path.project.ok_or_else(Error::not_found)?;
    let state = check_content(path.kind, body.content.clone().into_value()).await?;
    let key = Key { project, kind: path.kind, name };
    let uuid = VersionId::new(Uuid::new_v4());
    let version = server.write(move |tx, now| versions::create(tx, &key, uuid, &body, state, now)).await?;
    Ok((StatusCode::CREATED, Json(version.view(VersionView::Written(LineageForm::New)))).into_response())
}

/// Change fields of a version.
#[utoipa::path(
    patch, path = "/{name}", tag = "versions",
    request_body = VersionBody,
    responses((status = 200, body = VersionDetail)),
)]
pub(crate) async fn patch_version(
    State(server): State<Arc<Server>>,
    VersionPath(key): VersionPath,
    headers: HeaderMap,
    Body(body): Body<VersionBody>,
) -> Result<Response> {
    if let Some(name) = &body.name {
        check_name(name)?;
    }
    let state = match body.content.clone() {
        Change::Keep => None,
        content => check_content(key.kind, content.into_value()).await?,
    };
    let version = server.write(move |tx, now| versions::patch(tx, &key, &body, state, now)).await?;
    Ok(Json(version.view(VersionView::Written(lineage_form(&headers)))).into_response())
}

/// Change a version, naming it.
///
/// As a patch, but the name must be there.
#[utoipa::path(
    put, path = "/{name}", tag = "versions",
    request_body = VersionBody,
    responses((status = 200, body = VersionDetail)),
)]
pub(crate) async fn put_version(
    server: State<Arc<Server>>,
    path: VersionPath,
    headers: HeaderMap,
    Body(body): Body<VersionBody>,
) -> Result<Response> {
    if body.name.is_none() {
        return Err(Error::field("name", REQUIRED));
    }
    patch_version(server, path, headers, Body(body)).await
}

/// Delete a version.
#[utoipa::path(
    delete, path = "/{name}", tag = "versions",
    responses((status = 204, description = "The version is gone")),
)]
pub(crate) async fn delete_version(
    State(server): State<Arc<Server>>,
    VersionPath(key): VersionPath,
) -> Result<StatusCode> {
    server.write(move |tx, _| versions::delete(tx, &key)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Move a version to another project.
#[utoipa::path(
    post, path = "/{name}/transfer", tag = "versions",
    request_body = TransferRequest,
    responses((status = 200, body = Empty)),
)]
pub(crate) async fn transfer_version(
    State(server): State<Arc<Server>>,
    VersionPath(key): VersionPath,
    Body(request): Body<TransferRequest>,
) -> Result<Json<Value>> {
    // A version that is not there is the first thing to say.
    let known = key.clone();
    server.read(move |tx| versions::stages(tx, &known)).await?;
    let project = destination(&server, request.project).await?;
    server.write(move |tx, now| versions::transfer(tx, &key, &project, now)).await?;
    Ok(nothing())
}

fn check_name(name: &str) -> Result<()> {
    names::check_version_name(name).map_err(|error| Error::field("name", error.to_string()))
}

/// Checks a content and gives the state of a component.
async fn check_content(kind: VersionKind, content: Option<String>) -> Result<Option<StateId>> {
    let content = content.filter(|content| !content.trim().is_empty());
    let check = move || match (kind, content) {
        (VersionKind::Component, None) => {
            Err(Error::rule("A component version needs its `content`: the text of a Polyaxonfile."))
        }
        (VersionKind::Component, Some(text)) => content::component_state(&text).map(Some),
        (VersionKind::Model | VersionKind::Artifact, None) => Ok(None),
        (VersionKind::Model | VersionKind::Artifact, Some(text)) => content::check_mapping(&text).map(|()| None),
    };
    tokio::task::spawn_blocking(check).await.map_err(Error::internal)?
}
