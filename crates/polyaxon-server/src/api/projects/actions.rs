//! Deleting, archiving, restoring and bookmarking a project.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use polyaxon_model::kinds::LiveState;
use polyaxon_store::{bookmarks, lifecycle};
use serde_json::Value;

use crate::api::nothing;
use crate::api::projects::ProjectPath;
use crate::errors::Result;
use crate::openapi::shapes::Empty;
use crate::state::Server;

/// Delete a project and its runs.
#[utoipa::path(
    delete, path = "/{owner}/{project}", tag = "projects",
    responses((status = 204, description = "The project is gone")),
)]
pub(crate) async fn delete_project(State(server): State<Arc<Server>>, path: ProjectPath) -> Result<StatusCode> {
    set(&server, path, LiveState::Deleting).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Archive a project: hide it and stop its runs.
#[utoipa::path(post, path = "/{owner}/{project}/archive", tag = "projects", responses((status = 200, body = Empty)))]
pub(crate) async fn archive_project(State(server): State<Arc<Server>>, path: ProjectPath) -> Result<Json<Value>> {
    set(&server, path, LiveState::Archived).await?;
    Ok(nothing())
}

/// Restore an archived project and its runs.
#[utoipa::path(post, path = "/{owner}/{project}/restore", tag = "projects", responses((status = 200, body = Empty)))]
pub(crate) async fn restore_project(State(server): State<Arc<Server>>, path: ProjectPath) -> Result<Json<Value>> {
    set(&server, path, LiveState::Live).await?;
    Ok(nothing())
}

async fn set(server: &Server, path: ProjectPath, state: LiveState) -> Result<()> {
    server.write(move |tx, now| lifecycle::set_project_live_state(tx, &path.project, state, now)).await
}

/// Bookmark a project.
#[utoipa::path(post, path = "/{owner}/{project}/bookmark", tag = "projects", responses((status = 201, body = Empty)))]
pub(crate) async fn bookmark_project(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
) -> Result<(StatusCode, Json<Value>)> {
    server.write(move |tx, _| bookmarks::add_project(tx, &path.project)).await?;
    Ok((StatusCode::CREATED, nothing()))
}

/// Remove the bookmark of a project.
#[utoipa::path(
    delete, path = "/{owner}/{project}/unbookmark", tag = "projects",
    responses((status = 204, description = "The bookmark is gone")),
)]
pub(crate) async fn unbookmark_project(State(server): State<Arc<Server>>, path: ProjectPath) -> Result<StatusCode> {
    server.write(move |tx, _| bookmarks::remove_project(tx, &path.project)).await?;
    Ok(StatusCode::NO_CONTENT)
}
