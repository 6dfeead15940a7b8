//! Verbs on many runs of a project, in one transaction.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use polyaxon_engine::state::Event;
use polyaxon_model::ids::RunId;
use polyaxon_store::standing;
use serde::Deserialize;
use serde_json::Value;

use crate::api::nothing;
use crate::api::projects::ProjectPath;
use crate::api::runs::actions::{Verb, destination};
use crate::body::{Body, REQUIRED};
use crate::errors::{Error, Result};
use crate::state::Server;

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Uuids {
    #[serde(default)]
    uuids: Option<Vec<RunId>>,
    #[serde(default)]
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

pub(crate) async fn stop_runs(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
    Body(body): Body<Uuids>,
) -> Result<Json<Value>> {
    perform(&server, path, body.uuids, Verb::Apply(Event::StopRequested)).await
}

pub(crate) async fn skip_runs(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
    Body(body): Body<Uuids>,
) -> Result<Json<Value>> {
    perform(&server, path, body.uuids, Verb::Apply(Event::SkipRequested)).await
}

pub(crate) async fn approve_runs(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
    Body(body): Body<Uuids>,
) -> Result<Json<Value>> {
    perform(&server, path, body.uuids, Verb::Apply(Event::Approved)).await
}

pub(crate) async fn archive_runs(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
    Body(body): Body<Uuids>,
) -> Result<Json<Value>> {
    perform(&server, path, body.uuids, Verb::Apply(Event::ArchiveRequested)).await
}

pub(crate) async fn restore_runs(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
    Body(body): Body<Uuids>,
) -> Result<Json<Value>> {
    perform(&server, path, body.uuids, Verb::Apply(Event::RestoreRequested)).await
}

pub(crate) async fn delete_runs(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
    Body(body): Body<Uuids>,
) -> Result<Json<Value>> {
    perform(&server, path, body.uuids, Verb::Apply(Event::DeleteRequested)).await
}

pub(crate) async fn invalidate_runs(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
    Body(body): Body<Uuids>,
) -> Result<Json<Value>> {
    perform(&server, path, body.uuids, Verb::Invalidate).await
}

pub(crate) async fn bookmark_runs(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
    Body(body): Body<Uuids>,
) -> Result<Json<Value>> {
    perform(&server, path, body.uuids, Verb::Bookmark).await
}

pub(crate) async fn tag_runs(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
    Body(body): Body<Uuids>,
) -> Result<Json<Value>> {
    perform(&server, path, body.uuids, Verb::Tag(body.tags.unwrap_or_default())).await
}

pub(crate) async fn transfer_runs(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
    Body(body): Body<Uuids>,
) -> Result<Json<Value>> {
    let project = destination(&server, body.project).await?;
    perform(&server, path, body.uuids, Verb::Transfer(project)).await
}
