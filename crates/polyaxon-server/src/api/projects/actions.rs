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
use crate::state::Server;

pub(crate) async fn delete_project(State(server): State<Arc<Server>>, path: ProjectPath) -> Result<StatusCode> {
    set(&server, path, LiveState::Deleting).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn archive_project(State(server): State<Arc<Server>>, path: ProjectPath) -> Result<Json<Value>> {
    set(&server, path, LiveState::Archived).await?;
    Ok(nothing())
}

pub(crate) async fn restore_project(State(server): State<Arc<Server>>, path: ProjectPath) -> Result<Json<Value>> {
    set(&server, path, LiveState::Live).await?;
    Ok(nothing())
}

async fn set(server: &Server, path: ProjectPath, state: LiveState) -> Result<()> {
    server.write(move |tx, now| lifecycle::set_project_live_state(tx, &path.project, state, now)).await
}

pub(crate) async fn bookmark_project(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
) -> Result<(StatusCode, Json<Value>)> {
    server.write(move |tx, _| bookmarks::add_project(tx, &path.project)).await?;
    Ok((StatusCode::CREATED, nothing()))
}

pub(crate) async fn unbookmark_project(State(server): State<Arc<Server>>, path: ProjectPath) -> Result<StatusCode> {
    server.write(move |tx, _| bookmarks::remove_project(tx, &path.project)).await?;
    Ok(StatusCode::NO_CONTENT)
}
