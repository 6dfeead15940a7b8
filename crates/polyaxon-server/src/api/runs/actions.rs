//! Verbs on one run: stop, skip, approve, invalidate, archive, restore, bookmark, transfer.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use polyaxon_engine::state::Event;
use polyaxon_model::ids::RunId;
use polyaxon_model::time::Timestamp;
use polyaxon_store::db::Tx;
use polyaxon_store::{bookmarks, cache, lifecycle, projects, runs};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::nothing;
use crate::body::Body;
use crate::errors::{Error, Result};
use crate::openapi::shapes::Empty;
use crate::run_path::RunPath;
use crate::state::{Server, known};

/// What can be asked of runs, one or many.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verb {
    Apply(Event),
    Invalidate,
    Bookmark,
    /// Adds tags to those that are there.
    Tag(Vec<String>),
    /// Moves to the project of this name.
    Transfer(String),
}

impl Verb {
    /// Carries the verb out on one run.
    pub(crate) fn perform(&self, tx: &mut dyn Tx, run: RunId, now: Timestamp) -> polyaxon_store::Result<()> {
        match self {
            Self::Apply(event) => lifecycle::apply(tx, run, event, now).map(drop),
            Self::Invalidate => cache::invalidate(tx, run, now),
            Self::Bookmark => bookmarks::add_run(tx, run),
            Self::Tag(tags) => {
                let patch = polyaxon_model::new_run::RunPatch {
                    tags: polyaxon_model::change::Change::Set(tags.clone()),
                    merge: Some(true),
                    ..Default::default()
                };
                runs::patch(tx, run, &patch, now).map(drop)
            }
            Self::Transfer(name) => {
                let project = projects::get(tx, name)?;
                let project = project.ok_or_else(|| polyaxon_store::Error::not_found("Project", name))?;
                runs::transfer(tx, run, project.uuid, now)
            }
        }
    }
}

async fn perform(server: Arc<Server>, path: RunPath, verb: Verb) -> Result<Json<Value>> {
    let run = path.run;
    server
        .write(move |tx, now| {
            known(tx, &path)?;
            verb.perform(tx, path.run, now)
        })
        .await?;
    server.changes.notify(run);
    Ok(nothing())
}

/// Stop a run.
#[utoipa::path(post, path = "/{uuid}/stop", tag = "runs", responses((status = 200, body = Empty)))]
pub(crate) async fn stop_run(State(server): State<Arc<Server>>, path: RunPath) -> Result<Json<Value>> {
    perform(server, path, Verb::Apply(Event::StopRequested)).await
}

/// Skip a run that has not ended.
#[utoipa::path(post, path = "/{uuid}/skip", tag = "runs", responses((status = 200, body = Empty)))]
pub(crate) async fn skip_run(State(server): State<Arc<Server>>, path: RunPath) -> Result<Json<Value>> {
    perform(server, path, Verb::Apply(Event::SkipRequested)).await
}

/// Approve a run that waits for it.
#[utoipa::path(post, path = "/{uuid}/approve", tag = "runs", responses((status = 200, body = Empty)))]
pub(crate) async fn approve_run(State(server): State<Arc<Server>>, path: RunPath) -> Result<Json<Value>> {
    perform(server, path, Verb::Apply(Event::Approved)).await
}

/// Archive a run: hide it, and stop it.
#[utoipa::path(post, path = "/{uuid}/archive", tag = "runs", responses((status = 200, body = Empty)))]
pub(crate) async fn archive_run(State(server): State<Arc<Server>>, path: RunPath) -> Result<Json<Value>> {
    perform(server, path, Verb::Apply(Event::ArchiveRequested)).await
}

/// Restore an archived run.
#[utoipa::path(post, path = "/{uuid}/restore", tag = "runs", responses((status = 200, body = Empty)))]
pub(crate) async fn restore_run(State(server): State<Arc<Server>>, path: RunPath) -> Result<Json<Value>> {
    perform(server, path, Verb::Apply(Event::RestoreRequested)).await
}

/// Keep the results of a run from being used as a cache.
#[utoipa::path(post, path = "/{uuid}/invalidate", tag = "runs", responses((status = 200, body = Empty)))]
pub(crate) async fn invalidate_run(State(server): State<Arc<Server>>, path: RunPath) -> Result<Json<Value>> {
    perform(server, path, Verb::Invalidate).await
}

/// Bookmark a run.
#[utoipa::path(post, path = "/{uuid}/bookmark", tag = "runs", responses((status = 201, body = Empty)))]
pub(crate) async fn bookmark_run(
    State(server): State<Arc<Server>>,
    path: RunPath,
) -> Result<(StatusCode, Json<Value>)> {
    Ok((StatusCode::CREATED, perform(server, path, Verb::Bookmark).await?))
}

/// Remove the bookmark of a run.
#[utoipa::path(
    delete, path = "/{uuid}/unbookmark", tag = "runs",
    responses((status = 204, description = "The bookmark is gone")),
)]
pub(crate) async fn unbookmark_run(State(server): State<Arc<Server>>, path: RunPath) -> Result<StatusCode> {
    server
        .write(move |tx, _| {
            known(tx, &path)?;
            bookmarks::remove_run(tx, path.run)
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(examples(json!({ "project": "other" })))]
pub(crate) struct TransferRequest {
    pub project: Option<String>,
}

/// Move a run to another project.
#[utoipa::path(
    post, path = "/{uuid}/transfer", tag = "runs",
    request_body = TransferRequest,
    responses((status = 200, body = Empty)),
)]
pub(crate) async fn transfer_run(
    State(server): State<Arc<Server>>,
    path: RunPath,
    Body(request): Body<TransferRequest>,
) -> Result<Json<Value>> {
    server.standing(&path).await?;
    let project = destination(&server, request.project).await?;
    perform(server, path, Verb::Transfer(project)).await
}

/// A destination that exists and may be written to.
pub(crate) async fn destination(server: &Server, project: Option<String>) -> Result<String> {
    let name = project.filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Error::rule("The destination project was not provided."))?;
    let key = name.clone();
    match server.read(move |tx| projects::get(tx, &key)).await? {
        Some(_) => Ok(name),
        None => Err(Error::rule(format!("The destination project `{name}` does not exist."))),
    }
}
