//! Reading one run.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use polyaxon_model::ids::RunId;
use polyaxon_model::run::{DEFAULT_NAMESPACE, Run};
use polyaxon_model::run_schema::RunDetail;
use polyaxon_store::db::Tx;
use polyaxon_store::{Error as StoreError, run_settings, runs};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::errors::Result;
use crate::openapi::shapes::Namespace;
use crate::run_path::{RunPath, read_run};
use crate::state::{Server, known};

/// Read a run.
#[utoipa::path(get, path = "/{uuid}", tag = "runs", responses((status = 200, body = RunDetail)))]
pub(crate) async fn get_run(State(server): State<Arc<Server>>, path: RunPath) -> Result<Json<Run>> {
    server
        .read(move |tx| {
            known(tx, &path)?;
            detail(tx, path.run)
        })
        .await
        .map(Json)
}

/// The whole detail document of a run.
fn detail(tx: &mut dyn Tx, run: RunId) -> polyaxon_store::Result<Run> {
    let mut run = runs::get(tx, run)?.ok_or_else(|| StoreError::not_found("Run", run))?;
    run_settings::fill(tx, &mut run)?;
    Ok(run)
}

#[derive(Deserialize)]
pub(crate) struct AnyRun {
    uuid: String,
}

/// Read a run of any project.
///
/// The same without knowing the project.
#[utoipa::path(get, path = "/orgs/{owner}/runs/{uuid}", tag = "runs", responses((status = 200, body = RunDetail)))]
pub(crate) async fn get_run_anywhere(State(server): State<Arc<Server>>, Path(path): Path<AnyRun>) -> Result<Json<Run>> {
    let run: RunId = read_run(&path.uuid)?;
    server.read(move |tx| detail(tx, run)).await.map(Json)
}

/// Name the namespace of a run, a part of the addresses of its streams.
#[utoipa::path(get, path = "/{uuid}/namespace", tag = "runs", responses((status = 200, body = Namespace)))]
pub(crate) async fn get_namespace(State(server): State<Arc<Server>>, path: RunPath) -> Result<Json<Value>> {
    let run = get_run(State(server), path).await?.0;
    let namespace = run.settings.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE);
    Ok(Json(json!({ "namespace": namespace })))
}
