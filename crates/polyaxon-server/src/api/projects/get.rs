//! Reading one project.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use polyaxon_model::project::Project;
use polyaxon_model::run_schema::ProjectDetail;
use polyaxon_store::{Error, projects};

use crate::api::projects::ProjectPath;
use crate::errors::Result;
use crate::state::Server;

/// Read a project.
#[utoipa::path(get, path = "/{owner}/{project}", tag = "projects", responses((status = 200, body = ProjectDetail)))]
pub(crate) async fn get_project(State(server): State<Arc<Server>>, path: ProjectPath) -> Result<Json<Project>> {
    let name = path.project;
    server.read(move |tx| projects::get(tx, &name)?.ok_or_else(|| Error::not_found("Project", &name))).await.map(Json)
}
