//! Creating a run: managed ones from an operation, unmanaged ones with or without.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use polyaxon_engine::state::Birth;
use polyaxon_model::artifact::UNCOMMITTED_DIFF;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::{ArtifactKind, RunKind};
use polyaxon_model::lineage::NewArtifact;
use polyaxon_model::new_run::{CodeReference, NewRun};
use polyaxon_model::run_view::RunView;
use polyaxon_store::runs::{self, NewRecord};
use polyaxon_store::{lineage, projects};
use serde_json::json;
use uuid::Uuid;

use crate::api::projects::ProjectPath;
use crate::api::runs::check_name;
use crate::api::runs::content::{self, Content};
use crate::body::Body;
use crate::errors::{Error, Result};
use crate::state::Server;

pub(crate) async fn create_run(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
    Body(new): Body<NewRun>,
) -> Result<Response> {
    check_name(new.name.as_deref())?;
    let text = new.content.as_deref().filter(|text| !text.trim().is_empty());
    let content = match text {
        None if new.manager().is_managed() => return Err(Error::object("Run expects a `content`.")),
        None => None,
        Some(text) => Some(read_content(text.to_owned()).await?),
    };
    let run = RunId::new(Uuid::new_v4());
    let code = new.submission.as_ref().and_then(|submission| submission.code.clone());
    if let Some(diff) = code.as_ref().and_then(|code| code.diff.clone()) {
        store_diff(&server, run, diff).await?;
    }
    let created = server
        .write(move |tx, now| {
            let project = projects::get(tx, &path.project)?
                .ok_or_else(|| polyaxon_store::Error::not_found("Project", &path.project))?;
            let created = runs::create(tx, &record(run, project.uuid, new, content), now)?;
            if let Some(reference) = code.as_ref().and_then(code_lineage) {
                lineage::add(tx, run, &[reference])?;
            }
            Ok(created)
        })
        .await
        .inspect_err(|_| {
            // The diff was stored first, so that an acknowledged run has all of it. A leftover harms nobody.
            let _ = server.layout.remove(run);
        })?;
    server.changes.notify(run);
    Ok((StatusCode::CREATED, Json(created.view(RunView::Created))).into_response())
}

/// Big operations take their time to read, which must not hold up other requests.
pub(crate) async fn read_content(text: String) -> Result<Content> {
    tokio::task::spawn_blocking(move || content::read(&text)).await.map_err(Error::internal)?
}

/// The words of the request win over those of the operation.
fn record(run: RunId, project: polyaxon_model::ids::ProjectId, new: NewRun, content: Option<Content>) -> NewRecord {
    let birth = Birth {
        kind: content.as_ref().map_or(RunKind::Job, |content| content.kind),
        managed_by: new.manager(),
        pending: new.gate(),
        requires_approval: content.as_ref().is_some_and(|content| content.requires_approval),
    };
    let mut record = NewRecord::new(run, project, birth);
    record.name = new.name;
    record.description = new.description;
    record.tags = new.tags;
    record.meta_info = new.meta_info.unwrap_or_default();
    record.submission = new.submission;
    if let Some(content) = content {
        record.runtime = Some(content.runtime);
        record.name = record.name.or(content.name);
        record.description = record.description.or(content.description);
        record.tags = record.tags.or(content.tags);
        record.raw_content = Some(content.raw);
        record.content = Some(content.compiled);
    }
    record
}

/// The lineage row of the code that a run was submitted from, in the form of the official client.
fn code_lineage(code: &CodeReference) -> Option<NewArtifact> {
    let commit = code.commit.clone().filter(|commit| !commit.is_empty())?;
    let summary = json!({
        "commit": commit, "branch": code.branch, "url": code.url, "is_dirty": code.is_dirty, "head": commit,
    });
    Some(NewArtifact {
        name: commit,
        kind: ArtifactKind::Coderef,
        path: code.diff.is_some().then(|| UNCOMMITTED_DIFF.to_owned()),
        summary: summary.as_object().cloned(),
        is_input: Some(true),
        state: None,
        run: None,
        connection: None,
        meta_info: None,
    })
}

async fn store_diff(server: &Arc<Server>, run: RunId, diff: String) -> Result<()> {
    let place = server.layout.artifacts(run).join(UNCOMMITTED_DIFF);
    let stored = tokio::task::spawn_blocking(move || {
        if let Some(folder) = place.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&place, diff)
    });
    match stored.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            let text = format!("the uncommitted changes cannot be stored: {error}");
            Err(Error::Detail(StatusCode::INSUFFICIENT_STORAGE, text))
        }
        Err(failure) => Err(Error::internal(failure)),
    }
}
