//! Creating a project.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use polyaxon_model::ids::ProjectId;
use polyaxon_model::names;
use polyaxon_model::project::{ProjectBody, ProjectView};
use polyaxon_model::run_schema::ProjectCreated;
use polyaxon_store::projects;
use uuid::Uuid;

use crate::body::{Body, REQUIRED};
use crate::errors::{Error, Result};
use crate::state::Server;

/// Create a project.
#[utoipa::path(
    post, path = "/{owner}/projects/create", tag = "projects",
    request_body = ProjectBody,
    responses((status = 201, body = ProjectCreated)),
)]
pub(crate) async fn create_project(
    State(server): State<Arc<Server>>,
    Body(body): Body<ProjectBody>,
) -> Result<Response> {
    let name = body.name.as_deref().ok_or_else(|| Error::field("name", REQUIRED))?;
    names::check_project_name(name).map_err(|error| Error::field("name", error.to_string()))?;
    let uuid = ProjectId::new(Uuid::new_v4());
    let project = server.write(move |tx, now| projects::create(tx, uuid, &body, now)).await?;
    Ok((StatusCode::CREATED, Json(project.view(ProjectView::Created))).into_response())
}
