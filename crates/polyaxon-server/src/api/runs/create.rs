//! Creating a run: managed ones from an operation, unmanaged ones with or without.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use polyaxon_engine::state::{Birth, Place};
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::RunKind;
use polyaxon_model::new_run::NewRun;
use polyaxon_model::run_schema::RunCreated;
use polyaxon_model::run_view::RunView;
use polyaxon_store::projects;
use polyaxon_store::runs::{self, NewRecord};
use uuid::Uuid;

use crate::api::projects::ProjectPath;
use crate::api::runs::check_name;
use crate::api::runs::content::{self, Content, Registry};
use crate::body::Body;
use crate::errors::{Error, Result};
use crate::state::Server;

/// Create a run.
#[utoipa::path(post, path = "/", tag = "runs", request_body = NewRun, responses((status = 201, body = RunCreated)))]
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
        Some(text) => Some(read_content(&server, &path.project, text.to_owned()).await?),
    };
    let run = RunId::new(Uuid::new_v4());
    let news = server.changes.subscribe();
    let created = server
        .write(move |tx, now| {
            let project = projects::get(tx, &path.project)?
                .ok_or_else(|| polyaxon_store::Error::not_found("Project", &path.project))?;
            runs::create(tx, &record(run, project.uuid, new, content), now)
        })
        .await?;
    let created = server.compiled(created, news).await;
    Ok((StatusCode::CREATED, Json(created.view(RunView::Created))).into_response())
}

/// Big operations take their time to read, which must not hold up other requests.
pub(crate) async fn read_content(server: &Server, project: &str, text: String) -> Result<Content> {
    let (store, project) = (server.store.clone(), project.to_owned());
    let read = move || content::read(&text, Registry { store: &store, project: &project });
    tokio::task::spawn_blocking(read).await.map_err(Error::internal)?
}

/// The words of the request win over those of the operation.
fn record(run: RunId, project: polyaxon_model::ids::ProjectId, new: NewRun, content: Option<Content>) -> NewRecord {
    let birth = Birth {
        kind: content.as_ref().map_or(RunKind::Job, |content| content.kind),
        managed_by: new.manager(),
        pending: new.gate(),
        requires_approval: content.as_ref().is_some_and(|content| content.requires_approval),
        place: Place::Independent,
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
        record.inputs = Some(content.params);
        record.raw_content = Some(content.raw);
        record.content = Some(content.compiled);
        record.component_state = content.component_state;
    }
    record
}
