//! `/{owner}/{project}/stats` and `…/runs/{uuid}/stats`: numbers over many runs, for charts.

mod request;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use polyaxon_model::time::Timestamp;
use polyaxon_store::db::Tx;
use polyaxon_store::snapshots::{self, Sampling, Taken};
use polyaxon_store::stats::{self, Whose};
use polyaxon_store::{Error as StoreError, projects};
use serde_json::{Value, json};

use crate::access;
use crate::api::projects::ProjectPath;
use crate::api::stats::request::{Analysis, Mode, Question};
use crate::errors::Result;
use crate::openapi::parameters::{SeriesParameters, StatsParameters};
use crate::query::Params;
use crate::run_path::RunPath;
use crate::state::{Server, now, present};

/// Read statistics of a project.
///
/// Only for pages: the header `X-Polyaxon-Service: ui` is needed.
#[utoipa::path(
    get, path = "/{owner}/{project}/stats", tag = "stats",
    params(StatsParameters, SeriesParameters),
    responses((status = 200, body = Value)),
)]
pub(crate) async fn get_project_stats(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
    headers: HeaderMap,
    params: Params,
) -> Result<Json<Value>> {
    access::permit_page(&headers)?;
    let now = now();
    let mode = Mode::read(&params)?;
    let name = path.project;
    let project =
        server.read(move |tx| projects::get(tx, &name)?.ok_or_else(|| StoreError::not_found("Project", &name))).await?;
    let project = project.uuid;
    let answer = match mode {
        Mode::Analytics => {
            let analysis = Analysis::read(&params, Whose::Project(project))?;
            server.read(move |tx| analyse(tx, &analysis, now)).await?
        }
        Mode::Stats => match server.read(move |tx| snapshots::latest(tx, project)).await? {
            Some(taken) => show(&taken),
            None => nothing_yet(),
        },
        Mode::Realtime => server.read(move |tx| stats::realtime(tx, project)).await?,
        Mode::Series => {
            let range = request::range(&params, now)?;
            let sampling = if params.flag("boundary") == Some(true) { Sampling::Boundary } else { Sampling::Spread };
            let series = server.read(move |tx| snapshots::series(tx, project, range, sampling)).await?;
            let rows: Vec<Value> = series.iter().map(show).collect();
            json!({ "count": rows.len(), "next": null, "previous": null, "results": rows })
        }
    };
    Ok(Json(answer))
}

/// Read statistics of the runs of a pipeline.
///
/// Every mode is taken for `analytics` here.
#[utoipa::path(
    get, path = "/{uuid}/stats", tag = "stats",
    params(StatsParameters),
    responses((status = 200, body = Value)),
)]
pub(crate) async fn get_run_stats(
    State(server): State<Arc<Server>>,
    path: RunPath,
    headers: HeaderMap,
    params: Params,
) -> Result<Json<Value>> {
    access::permit_page(&headers)?;
    Mode::read(&params)?;
    let analysis = Analysis::read(&params, Whose::Pipeline(path.run))?;
    server
        .read(move |tx| {
            present(tx, &path)?;
            analyse(tx, &analysis, now())
        })
        .await
        .map(Json)
}

fn analyse(tx: &mut dyn Tx, analysis: &Analysis, now: Timestamp) -> polyaxon_store::Result<Value> {
    let Analysis { scope, question, trunc } = analysis;
    match question {
        Question::Progress => stats::progress(tx, scope, now),
        Question::Count(group) => stats::count(tx, scope, *group, *trunc, now),
        Question::Aggregate(measure, aggregates) => stats::aggregate(tx, scope, (*measure, aggregates), *trunc, now),
    }
}

fn show(taken: &Taken) -> Value {
    let mut row = json!({ "created_at": taken.hour, "updated_at": taken.updated_at });
    if let (Some(row), Value::Object(parts)) = (row.as_object_mut(), json!(taken.snapshot)) {
        row.extend(parts);
    }
    row
}

fn nothing_yet() -> Value {
    json!({ "created_at": null, "run": null, "status": null, "tracking_time": null, "wait_time": null,
        "resources": null, "version": null })
}
