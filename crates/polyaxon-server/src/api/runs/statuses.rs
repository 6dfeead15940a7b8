//! The status history of a run: reading it, and reporting a status.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use polyaxon_engine::state::{Event, Force};
use polyaxon_model::condition::{StatusRequest, StatusesDocument};
use polyaxon_store::{Error as StoreError, leases, lifecycle, statuses};
use serde_json::Value;

use crate::api::nothing;
use crate::body::Body;
use crate::errors::{Error, Result};
use crate::openapi::shapes::Empty;
use crate::run_path::RunPath;
use crate::state::{Server, now, present};

/// Read the status of a run and its history.
#[utoipa::path(get, path = "/{uuid}/statuses", tag = "statuses", responses((status = 200, body = StatusesDocument)))]
pub(crate) async fn get_statuses(State(server): State<Arc<Server>>, path: RunPath) -> Result<Json<StatusesDocument>> {
    server
        .read(move |tx| {
            present(tx, &path)?;
            statuses::document(tx, path.run)?.ok_or_else(|| StoreError::not_found("Run", path.run))
        })
        .await
        .map(Json)
}

/// Say that a tracked run is still alive.
///
/// Any file, lineage or change of the run says so as well. A run that said so once and is then silent for long has
/// failed; one that never did may be silent.
#[utoipa::path(post, path = "/{uuid}/heartbeat", tag = "statuses", responses((status = 200, body = Empty)))]
pub(crate) async fn post_heartbeat(State(server): State<Arc<Server>>, path: RunPath) -> Result<Json<Value>> {
    let run = path.run;
    server.read(move |tx| present(tx, &path)).await?;
    server.note_life(run).await?;
    Ok(nothing())
}

/// Report a status of a run.
///
/// A condition without a type has no effect; one that the rules forbid is accepted and has none either.
#[utoipa::path(
    post, path = "/{uuid}/statuses", tag = "statuses",
    request_body = StatusRequest,
    responses((status = 201, body = StatusesDocument)),
)]
pub(crate) async fn post_status(
    State(server): State<Arc<Server>>,
    path: RunPath,
    Body(request): Body<StatusRequest>,
) -> Result<(StatusCode, Json<StatusesDocument>)> {
    let force = if request.force == Some(true) { Force::Yes } else { Force::No };
    let condition = request.condition.unwrap_or_default().complete(now());
    let condition = condition.map_err(|error| Error::field("condition", format!("condition.type: {error}")))?;
    let run = path.run;
    let document = server
        .write(move |tx, now| {
            present(tx, &path)?;
            if let Some(condition) = condition {
                let posted = lifecycle::apply(tx, path.run, &Event::Posted { condition, force }, now)?.next;
                if posted.status.is_done() && posted.control.is_attempt_live {
                    leases::ended(tx, path.run, now)?;
                }
            }
            statuses::document(tx, path.run)?.ok_or_else(|| StoreError::not_found("Run", path.run))
        })
        .await?;
    server.changes.notify(run);
    Ok((StatusCode::CREATED, Json(document)))
}
