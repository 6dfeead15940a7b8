//! Runs made of runs: restart, copy, resume.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use polyaxon_engine::clone::{self, CloneError, ContentRule, NewClone, Source};
use polyaxon_engine::state::{Birth, Event, Place};
use polyaxon_model::builds::IMAGE;
use polyaxon_model::change::Change;
use polyaxon_model::ids::RunId;
use polyaxon_model::new_run::{CloneRequest, RunPatch};
use polyaxon_model::run::Run;
use polyaxon_model::run_schema::RunCloned;
use polyaxon_model::run_view::RunView;
use polyaxon_spec::clone::OverrideStrategy;
use polyaxon_store::pipelines::rerun;
use polyaxon_store::runs::NewRecord;
use polyaxon_store::{Error as StoreError, builds, lifecycle, projects, runs, submission};
use serde_json::Value;
use uuid::Uuid;

use crate::api::runs::check_name;
use crate::api::runs::content::{self, Content, Registry};
use crate::body::Body;
use crate::errors::{Error, Result};
use crate::run_path::RunPath;
use crate::state::{Server, present};

/// Start a new run with the operation of an earlier one.
#[utoipa::path(
    post, path = "/{uuid}/restart", tag = "runs",
    request_body = CloneRequest,
    responses((status = 201, body = RunCloned)),
)]
pub(crate) async fn restart_run(
    State(server): State<Arc<Server>>,
    path: RunPath,
    Body(request): Body<CloneRequest>,
) -> Result<Response> {
    create(&server, path, request, NewClone::Restart).await
}

/// Start a new run with the operation and the artifacts of an earlier one.
#[utoipa::path(
    post, path = "/{uuid}/copy", tag = "runs",
    request_body = CloneRequest,
    responses((status = 201, body = RunCloned)),
)]
pub(crate) async fn copy_run(
    State(server): State<Arc<Server>>,
    path: RunPath,
    Body(request): Body<CloneRequest>,
) -> Result<Response> {
    create(&server, path, request, NewClone::Copy).await
}

async fn create(server: &Server, path: RunPath, request: CloneRequest, kind: NewClone) -> Result<Response> {
    let request = checked(request)?;
    let mut original = original(server, path.clone()).await?;
    let plan = match clone::plan(kind, &Source::of(&original), &request) {
        // Nothing was done by a cache hit: the run that did the work is the one to do again.
        Err(CloneError::CacheHit(worker)) => {
            original = original_of(server, worker).await?;
            clone::plan(kind, &Source::of(&original), &request)
        }
        planned => planned,
    };
    let mut plan = plan.map_err(|error| Error::rule(error.to_string()))?;
    let managed_by = original.managed_by;
    let from = original.uuid;
    let content = clone_content(server, plan.content, original, request.content, OverrideStrategy::Source).await?;
    if let Some(rerun) = plan.rerun.take() {
        rerun.remember(&mut plan.meta_info);
        let (operation, project) = (content.operation(), path.project.clone());
        let checked = server.read(move |tx| rerun::check(tx, &operation, &rerun, &project)).await?;
        checked.map_err(Error::rule)?;
    }
    let run = RunId::new(Uuid::new_v4());
    let news = server.changes.subscribe();
    let created = server
        .write(move |tx, now| {
            let project = projects::get(tx, &path.project)?;
            let project = project.ok_or_else(|| StoreError::not_found("Project", &path.project))?.uuid;
            let birth = Birth {
                kind: content.kind,
                managed_by,
                pending: None,
                requires_approval: content.requires_approval,
                place: Place::Independent,
            };
            let mut record = NewRecord::new(run, project, birth);
            record.runtime = Some(content.runtime);
            record.name = plan.name;
            record.description = plan.description;
            record.tags = plan.tags;
            record.meta_info = plan.meta_info;
            record.inputs = Some(content.params);
            record.raw_content = Some(content.raw);
            record.content = Some(content.compiled);
            record.component_state = content.component_state;
            record.original = Some((plan.original, plan.cloning_kind));
            record.submission = submission::get(tx, from)?;
            let has_image = record.meta_info.contains_key(IMAGE);
            let created = runs::create(tx, &record, now)?;
            if has_image {
                builds::inherit(tx, from, created.uuid)?;
            }
            Ok(created)
        })
        .await?;
    let created = server.compiled(created, news).await;
    Ok((StatusCode::CREATED, Json(created.view(RunView::Cloned))).into_response())
}

/// Run a run that has ended again, keeping its history and artifacts.
///
/// The same run again: its content is replaced, its history and artifacts stay.
#[utoipa::path(
    post, path = "/{uuid}/resume", tag = "runs",
    request_body = CloneRequest,
    responses((status = 201, body = RunCloned)),
)]
pub(crate) async fn resume_run(
    State(server): State<Arc<Server>>,
    path: RunPath,
    Body(request): Body<CloneRequest>,
) -> Result<Response> {
    let request = checked(request)?;
    let run = original(&server, path.clone()).await?;
    let rule = clone::check_resume(&Source::of(&run), &request).map_err(|error| Error::rule(error.to_string()))?;
    let id = run.uuid;
    let content = clone_content(&server, rule, run, request.content, OverrideStrategy::Override).await?;
    let mut meta_info = request.meta_info.unwrap_or_default();
    meta_info.remove("recompile");
    let patch = RunPatch {
        name: request.name.map_or(Change::Keep, Change::Set),
        description: request.description.map_or(Change::Keep, Change::Set),
        tags: request.tags.map_or(Change::Keep, Change::Set),
        runtime: Change::Set(content.runtime),
        kind: Some(content.kind),
        ..RunPatch::default()
    };
    let merged = RunPatch { meta_info: Change::Set(meta_info), merge: Some(true), ..RunPatch::default() };
    let news = server.changes.subscribe();
    let resumed = server
        .write(move |tx, now| {
            let status = present(tx, &path)?.status;
            if !status.is_done() {
                return Ok(Err(CloneError::NotDone(status)));
            }
            runs::set_raw_content(tx, id, &content.raw, content.component_state, now)?;
            runs::patch(tx, id, &patch, now)?;
            runs::patch(tx, id, &merged, now)?;
            lifecycle::apply(tx, id, &Event::ResumeRequested, now)?;
            runs::get(tx, id)?.ok_or_else(|| StoreError::not_found("Run", id)).map(Ok)
        })
        .await?
        .map_err(|error| Error::rule(error.to_string()))?;
    let resumed = server.compiled(resumed, news).await;
    Ok((StatusCode::CREATED, Json(resumed.view(RunView::Cloned))).into_response())
}

/// What is empty is taken over from the original, as if it were not there.
fn checked(mut request: CloneRequest) -> Result<CloneRequest> {
    request.name = request.name.filter(|name| !name.is_empty());
    request.tags = request.tags.filter(|tags| !tags.is_empty());
    check_name(request.name.as_deref())?;
    Ok(request)
}

async fn original(server: &Server, path: RunPath) -> Result<Run> {
    server
        .read(move |tx| {
            present(tx, &path)?;
            runs::get(tx, path.run)?.ok_or_else(|| StoreError::not_found("Run", path.run))
        })
        .await
}

async fn original_of(server: &Server, run: RunId) -> Result<Run> {
    server.read(move |tx| runs::get(tx, run)?.ok_or_else(|| StoreError::not_found("Run", run))).await
}

async fn clone_content(
    server: &Server,
    rule: ContentRule,
    source: Run,
    given: Option<Value>,
    strategy: OverrideStrategy,
) -> Result<Content> {
    let store = server.store.clone();
    let read = tokio::task::spawn_blocking(move || {
        let registry = Registry { store: &store, project: &source.project };
        match (rule, given) {
            (ContentRule::Replace, Some(Value::String(text))) => content::read(&text, registry),
            (ContentRule::Replace, Some(object)) => content::read(&object.to_string(), registry),
            (_, given) => {
                let raw = source.raw_content.as_deref().unwrap_or_default();
                content::read_override(raw, given.as_ref(), strategy, registry)
            }
        }
    });
    read.await.map_err(Error::internal)?
}
