//! The stage history of a version: reading it, and moving the version to another stage.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use polyaxon_model::stage::{StageCondition, StageRequest, StagesDocument};
use polyaxon_store::versions;

use crate::api::versions::VersionPath;
use crate::body::Body;
use crate::errors::{Error, Result};
use crate::state::{Server, now};

/// Read the stage of a version and its history.
#[utoipa::path(get, path = "/{name}/stages", tag = "versions", responses((status = 200, body = StagesDocument)))]
pub(crate) async fn get_stages(
    State(server): State<Arc<Server>>,
    VersionPath(key): VersionPath,
) -> Result<Json<StagesDocument>> {
    server.read(move |tx| versions::stages(tx, &key)).await.map(Json)
}

/// Move a version to a stage.
///
/// A condition without a type has no effect.
#[utoipa::path(
    post, path = "/{name}/stages", tag = "versions",
    request_body = StageRequest,
    responses((status = 201, body = StagesDocument)),
)]
pub(crate) async fn post_stage(
    State(server): State<Arc<Server>>,
    VersionPath(key): VersionPath,
    Body(request): Body<StageRequest>,
) -> Result<(StatusCode, Json<StagesDocument>)> {
    let condition = StageCondition::complete(request.condition.unwrap_or_default(), now())
        .map_err(|error| Error::field("condition", format!("condition.type: {error}")))?;
    let document = server
        .write(move |tx, now| match condition {
            Some(condition) => versions::set_stage(tx, &key, condition, now),
            None => versions::stages(tx, &key),
        })
        .await?;
    Ok((StatusCode::CREATED, Json(document)))
}
