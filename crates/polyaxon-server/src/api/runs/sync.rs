//! Importing a run that lived elsewhere, with its own id, times and history.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use polyaxon_model::condition::{PostedCondition, StatusCondition};
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::{ManagedBy, RunKind, Runtime};
use polyaxon_model::run::Run;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use polyaxon_model::{JsonMap, loose};
use polyaxon_store::{Error as StoreError, import, projects};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::api::projects::ProjectPath;
use crate::api::runs::check_name;
use crate::body::Body;
use crate::errors::{Error, Result};
use crate::state::{Server, now};

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(examples(json!({ "uuid": "8aac02e3a62a4f0aaa257c59da5eab80", "kind": "job", "created_at": "2026-11-22T09:27:40Z" })))]
pub(crate) struct Imported {
    uuid: RunId,
    kind: RunKind,
    created_at: Timestamp,
    #[serde(default)]
    updated_at: Option<Timestamp>,
    #[serde(default)]
    started_at: Option<Timestamp>,
    #[serde(default)]
    finished_at: Option<Timestamp>,
    #[serde(default)]
    wait_time: Option<f64>,
    #[serde(default)]
    duration: Option<f64>,
    #[serde(default)]
    runtime: Option<Runtime>,
    #[serde(default, deserialize_with = "loose::text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    description: Option<String>,
    #[serde(default, deserialize_with = "loose::tags")]
    tags: Option<Vec<String>>,
    #[serde(default)]
    status: Option<Status>,
    #[serde(default)]
    status_conditions: Option<Vec<PostedCondition>>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    meta_info: Option<JsonMap>,
    #[serde(default, deserialize_with = "loose::flag")]
    is_managed: Option<bool>,
    #[serde(default)]
    managed_by: Option<ManagedBy>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    inputs: Option<JsonMap>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    outputs: Option<JsonMap>,
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    raw_content: Option<String>,
}

/// Import a run that lived elsewhere.
#[utoipa::path(post, path = "/sync", tag = "runs", request_body = Imported, responses((status = 201, body = Object)))]
pub(crate) async fn sync_run(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
    Body(imported): Body<Imported>,
) -> Result<(StatusCode, Json<Value>)> {
    check_name(imported.name.as_deref())?;
    let uuid = imported.uuid;
    let history = read_history(imported.status_conditions.clone().unwrap_or_default(), imported.created_at)?;
    let run = record(imported, &history);
    let answer = shown(&run, &history);
    let is_new = server
        .write(move |tx, now| {
            let project = projects::get(tx, &path.project)?;
            let project = project.ok_or_else(|| StoreError::not_found("Project", &path.project))?;
            import::import(tx, project.uuid, &run, &history, now)
        })
        .await?;
    if is_new {
        Ok((StatusCode::CREATED, Json(answer)))
    } else {
        Err(Error::rule(format!("A run with uuid {uuid} already exists.")))
    }
}

/// Conditions without a time happened when the run was created, as far as anyone can tell.
fn read_history(posted: Vec<PostedCondition>, created_at: Timestamp) -> Result<Vec<StatusCondition>> {
    let mut history = Vec::with_capacity(posted.len());
    for (position, condition) in posted.into_iter().enumerate() {
        let condition = condition
            .complete(created_at)
            .map_err(|error| Error::field("status_conditions", format!("status_conditions[{position}]: {error}")))?;
        history.extend(condition);
    }
    Ok(history)
}

fn record(imported: Imported, history: &[StatusCondition]) -> Run {
    let told = history.last().map(|condition| condition.status);
    let managed_by = imported.managed_by.unwrap_or(match imported.is_managed {
        Some(true) => ManagedBy::Agent,
        _ => ManagedBy::User,
    });
    Run {
        uuid: imported.uuid,
        name: imported.name,
        created_at: imported.created_at,
        updated_at: imported.updated_at.unwrap_or_else(now),
        started_at: imported.started_at,
        finished_at: imported.finished_at,
        schedule_at: None,
        wait_time: imported.wait_time,
        duration: imported.duration,
        kind: imported.kind,
        runtime: imported.runtime,
        meta_info: imported.meta_info.unwrap_or_default(),
        status: imported.status.or(told).unwrap_or(Status::Created),
        pipeline: None,
        original: None,
        managed_by,
        pending: None,
        inputs: imported.inputs,
        outputs: imported.outputs,
        tags: imported.tags,
        settings: Default::default(),
        project: String::new(),
        readme: None,
        description: imported.description,
        raw_content: imported.raw_content,
        content: imported.content,
        live_state: Default::default(),
        bookmarked: false,
        resources: Default::default(),
        graph: None,
    }
}

fn shown(run: &Run, history: &[StatusCondition]) -> Value {
    json!({
        "uuid": run.uuid,
        "name": run.name,
        "description": run.description,
        "tags": run.tags,
        "created_at": run.created_at,
        "updated_at": run.updated_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "wait_time": run.wait_time,
        "duration": run.duration,
        "kind": run.kind,
        "runtime": run.runtime,
        "meta_info": run.meta_info,
        "status": run.status,
        "status_conditions": history,
        "is_managed": run.is_managed(),
        "managed_by": run.managed_by,
        "inputs": run.inputs,
        "outputs": run.outputs,
        "content": run.content,
        "raw_content": run.raw_content,
    })
}
