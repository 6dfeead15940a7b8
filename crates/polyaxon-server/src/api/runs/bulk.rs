//! Verbs on many runs of a project, in one transaction.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use polyaxon_engine::state::Event;
use polyaxon_model::ids::RunId;
use polyaxon_model::loose;
use polyaxon_store::standing;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::nothing;
use crate::api::projects::ProjectPath;
use crate::api::runs::actions::{Verb, destination};
use crate::body::{Body, REQUIRED};
use crate::errors::{Error, Result};
use crate::openapi::shapes::Empty;
use crate::state::Server;

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(examples(json!({ "uuids": ["8aac02e3a62a4f0aaa257c59da5eab80"] })))]
pub(crate) struct Uuids {
    #[serde(default)]
    uuids: Option<Vec<RunId>>,
    #[serde(default, deserialize_with = "loose::tags")]
    tags: Option<Vec<String>>,
    #[serde(default)]
    project: Option<String>,
}

/// Runs of other projects and unknown ones are skipped silently.
async fn perform(server: &Server, path: ProjectPath, uuids: Option<Vec<RunId>>, verb: Verb) -> Result<Json<Value>> {
    let uuids = uuids.ok_or_else(|| Error::field("uuids", REQUIRED))?;
    let changed = server
        .write(move |tx, now| {
            let mut changed = Vec::new();
            for run in uuids {
                if standing::of(tx, run)?.is_some_and(|standing| standing.project == path.project) {
                    verb.perform(tx, run, now)?;
                    changed.push(run);
                }
            }
            Ok(changed)
        })
        .await?;
    for run in changed {
        server.changes.notify(run);
    }
    Ok(nothing())
}

/// Stop many runs.
#[utoipa::path(
    post, path = "/stop", tag = "runs in bulk",
    request_body = Uuids,
    responses((status = 200, body = Empty)),
)]
pub(crate) async fn stop_runs(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
    Body(body): Body<Uuids>,
) -> Result<Json<Value>> {
    perform(&server, path, body.uuids, Verb::Apply(Event::StopRequested)).await
}

/// Skip many runs.
#[utoipa::path(
    post, path = "/skip", tag = "runs in bulk",
    request_body = Uuids,
    responses((status = 200, body = Empty)),
)]
pub(crate) async fn skip_runs(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
    Body(body): Body<Uuids>,
) -> Result<Json<Value>> {
    perform(&server, path, body.uuids, Verb::Apply(Event::SkipRequested)).await
}

/// Approve many runs.
#[utoipa::path(
    post, path = "/approve", tag = "runs in bulk",
    request_body = Uuids,
    responses((status = 200, body = Empty)),
)]
pub(crate) async fn approve_runs(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
    Body(body): Body<Uuids>,
) -> Result<Json<Value>> {
    perform(&server, path, body.uuids, Verb::Apply(Event::Approved)).await
}

/// Archive many runs.
#[utoipa::path(
    post, path = "/archive", tag = "runs in bulk",
    request_body = Uuids,
    responses((status = 200, body = Empty)),
)]
pub(crate) async fn archive_runs(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
    Body(body): Body<Uuids>,
) -> Result<Json<Value>> {
    perform(&server, path, body.uuids, Verb::Apply(Event::ArchiveRequested)).await
}

/// Restore many runs.
#[utoipa::path(
    post, path = "/restore", tag = "runs in bulk",
    request_body = Uuids,
    responses((status = 200, body = Empty)),
)]
pub(crate) async fn restore_runs(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
    Body(body): Body<Uuids>,
) -> Result<Json<Value>> {
    perform(&server, path, body.uuids, Verb::Apply(Event::RestoreRequested)).await
}

/// Delete many runs.
#[utoipa::path(
    delete, path = "/delete", tag = "runs in bulk",
    request_body = Uuids,
    responses((status = 200, body = Empty)),
)]
pub(crate) async fn delete_runs(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
    Body(body): Body<Uuids>,
) -> Result<Json<Value>> {
    perform(&server, path, body.uuids, Verb::Apply(Event::DeleteRequested)).await
}

/// Keep the results of many runs from being used as a cache.
#[utoipa::path(
    post, path = "/invalidate", tag = "runs in bulk",
    request_body = Uuids,
    responses((status = 200, body = Empty)),
)]
pub(crate) async fn invalidate_runs(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
    Body(body): Body<Uuids>,
) -> Result<Json<Value>> {
    perform(&server, path, body.uuids, Verb::Invalidate).await
}

/// Bookmark many runs.
#[utoipa::path(
    post, path = "/bookmark", tag = "runs in bulk",
    request_body = Uuids,
    responses((status = 200, body = Empty)),
)]
pub(crate) async fn bookmark_runs(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
    Body(body): Body<Uuids>,
) -> Result<Json<Value>> {
    perform(&server, path, body.uuids, Verb::Bookmark).await
}

/// Add tags to many runs.
#[utoipa::path(
    post, path = "/tag", tag = "runs in bulk",
    request_body = Uuids,
    responses((status = 200, body = Empty)),
)]
pub(crate) async fn tag_runs(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
    Body(body): Body<Uuids>,
) -> Result<Json<Value>> {
    perform(&server, path, body.uuids, Verb::Tag(body.tags.unwrap_or_default())).await
}

/// Move many runs to another project.
#[utoipa::path(
    post, path = "/transfer", tag = "runs in bulk",
    request_body = Uuids,
    responses((status = 200, body = Empty)),
)]
pub(crate) async fn transfer_runs(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
    Body(body): Body<Uuids>,
) -> Result<Json<Value>> {
    let project = destination(&server, body.project).await?;
    perform(&server, path, body.uuids, Verb::Transfer(project)).await
}
