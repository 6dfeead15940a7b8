//! Changing and deleting a run.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use polyaxon_engine::state::Event;
use polyaxon_model::change::Change;
use polyaxon_model::new_run::RunPatch;
use polyaxon_model::run::Run;
use polyaxon_model::run_schema::RunDetail;
use polyaxon_store::{beats, lifecycle, run_settings, runs};

use crate::api::runs::check_name;
use crate::body::{Body, REQUIRED};
use crate::errors::{Error, Result};
use crate::run_path::RunPath;
use crate::state::{Server, known};

/// Change fields of a run.
///
/// One read-modify-write in one transaction: parallel merges lose no key.
#[utoipa::path(
    patch, path = "/{uuid}", tag = "runs",
    request_body = RunPatch,
    responses((status = 200, body = RunDetail)),
)]
pub(crate) async fn patch_run(
    State(server): State<Arc<Server>>,
    path: RunPath,
    Body(patch): Body<RunPatch>,
) -> Result<Json<Run>> {
    if let Change::Set(name) = &patch.name {
        check_name(Some(name))?;
    }
    let run = path.run;
    let silence = server.options.heartbeat_silence;
    let patched = server
        .write(move |tx, now| {
            known(tx, &path)?;
            let mut patched = runs::patch(tx, path.run, &patch, now)?;
            beats::note(tx, path.run, silence, now)?;
            run_settings::fill(tx, &mut patched)?;
            Ok(patched)
        })
        .await?;
    server.changes.notify(run);
    Ok(Json(patched))
}

/// Change a run, naming its kind.
///
/// As a patch, but the kind must be there.
#[utoipa::path(
    put, path = "/{uuid}", tag = "runs",
    request_body = RunPatch,
    responses((status = 200, body = RunDetail)),
)]
pub(crate) async fn put_run(
    server: State<Arc<Server>>,
    path: RunPath,
    Body(patch): Body<RunPatch>,
) -> Result<Json<Run>> {
    if patch.kind.is_none() {
        server.read(move |tx| known(tx, &path)).await?;
        return Err(Error::field("kind", REQUIRED));
    }
    patch_run(server, path, Body(patch)).await
}

/// Delete a run, and stop it.
#[utoipa::path(delete, path = "/{uuid}", tag = "runs", responses((status = 204, description = "The run is gone")))]
pub(crate) async fn delete_run(State(server): State<Arc<Server>>, path: RunPath) -> Result<StatusCode> {
    let run = path.run;
    server
        .write(move |tx, now| {
            known(tx, &path)?;
            lifecycle::apply(tx, path.run, &Event::DeleteRequested, now)
        })
        .await?;
    server.changes.notify(run);
    Ok(StatusCode::NO_CONTENT)
}
