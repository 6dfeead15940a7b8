//! Changing a project.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use polyaxon_model::names;
use polyaxon_model::project::{Project, ProjectBody};
use polyaxon_model::run_schema::ProjectDetail;
use polyaxon_store::projects;

use crate::api::projects::ProjectPath;
use crate::body::{Body, REQUIRED};
use crate::errors::{Error, Result};
use crate::state::Server;

/// Change fields of a project.
#[utoipa::path(
    patch, path = "/{owner}/{project}", tag = "projects",
    request_body = ProjectBody,
    responses((status = 200, body = ProjectDetail)),
)]
pub(crate) async fn patch_project(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
    Body(body): Body<ProjectBody>,
) -> Result<Json<Project>> {
    if let Some(name) = &body.name {
        names::check_project_name(name).map_err(|error| Error::field("name", error.to_string()))?;
    }
    server.write(move |tx, now| projects::patch(tx, &path.project, &body, now)).await.map(Json)
}

/// Change a project, naming it.
///
/// As a patch, but the name must be there.
#[utoipa::path(
    put, path = "/{owner}/{project}", tag = "projects",
    request_body = ProjectBody,
    responses((status = 200, body = ProjectDetail)),
)]
pub(crate) async fn put_project(
    server: State<Arc<Server>>,
    path: ProjectPath,
    Body(body): Body<ProjectBody>,
) -> Result<Json<Project>> {
    if body.name.is_none() {
        return Err(Error::field("name", REQUIRED));
    }
    patch_project(server, path, Body(body)).await
}
