//! Lists of runs.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use polyaxon_model::ids::ProjectId;
use polyaxon_model::listing::{ListPage, PageLimits};
use polyaxon_model::run_schema::RunRow;
use polyaxon_model::run_view::{RunView, ViewedRun};
use polyaxon_store::run_list::{self, RunQuery};
use polyaxon_store::{graph, projects};
use serde::Serialize;

use crate::api::projects::ProjectPath;
use crate::errors::Result;
use crate::openapi::parameters::{BookmarkParameters, ListParameters, ModeParameters};
use crate::query::{Address, Params, page};
use crate::state::{Server, now};

/// List the runs of a project.
#[utoipa::path(
    get, path = "/", tag = "runs",
    params(ListParameters, BookmarkParameters, ModeParameters),
    responses((status = 200, body = ListPage<RunRow>)),
)]
pub(crate) async fn list_runs(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
    address: Address,
    params: Params,
) -> Result<Response> {
    let project = server
        .read(move |tx| {
            projects::get(tx, &path.project)?
                .map(|project| project.uuid)
                .ok_or_else(|| polyaxon_store::Error::not_found("Project", &path.project))
        })
        .await?;
    answer(&server, Some(project), address, params).await
}

/// List the runs of all projects.
///
/// The runs of all projects; rows name their project.
#[utoipa::path(
    get, path = "/orgs/{owner}/runs", tag = "runs",
    params(ListParameters, BookmarkParameters, ModeParameters),
    responses((status = 200, body = ListPage<RunRow>)),
)]
pub(crate) async fn list_all_runs(
    State(server): State<Arc<Server>>,
    address: Address,
    params: Params,
) -> Result<Response> {
    answer(&server, None, address, params).await
}

async fn answer(server: &Server, project: Option<ProjectId>, address: Address, params: Params) -> Result<Response> {
    let view = match params.text("mode") {
        Some("timeline") => RunView::Timeline,
        Some("graph") => RunView::Graph,
        _ => RunView::Row,
    };
    let paging = params.paging(PageLimits::LONG);
    let wanted = RunQuery {
        project,
        query: params.text("query").unwrap_or_default().to_owned(),
        sort: params.text("sort").unwrap_or_default().to_owned(),
        bookmarked: params.flag("bookmarks"),
        paging,
    };
    let known = server.store.known();
    let found = server
        .read(move |tx| {
            let mut found = run_list::list(tx, &known, &wanted, now())?;
            if view == RunView::Graph {
                graph::fill(tx, &mut found.results)?;
            }
            Ok(found)
        })
        .await?;
    let rows = found.results.iter().map(|run| Row {
        run: run.view(view),
        project: if project.is_none() { Some(run.project.as_str()) } else { None },
    });
    Ok(Json(page(&address, &params, paging, found.count, rows.collect())).into_response())
}

/// Written straight from the records: pages have no greatest size.
#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    run: ViewedRun<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<&'a str>,
}
