//! Lists of runs.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use polyaxon_model::ids::ProjectId;
use polyaxon_model::listing::{ListPage, PageLimits};
use polyaxon_model::run_view::RunView;
use polyaxon_store::run_list::{self, RunQuery};
use polyaxon_store::{graph, projects};
use serde_json::{Value, json};

use crate::api::projects::ProjectPath;
use crate::errors::Result;
use crate::query::{Address, Params, page};
use crate::state::{Server, now};

pub(crate) async fn list_runs(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
    address: Address,
    params: Params,
) -> Result<Json<ListPage<Value>>> {
    let project = server
        .read(move |tx| {
            projects::get(tx, &path.project)?
                .map(|project| project.uuid)
                .ok_or_else(|| polyaxon_store::Error::not_found("Project", &path.project))
        })
        .await?;
    answer(&server, Some(project), address, params).await
}

/// The runs of all projects; rows name their project.
pub(crate) async fn list_all_runs(
    State(server): State<Arc<Server>>,
    address: Address,
    params: Params,
) -> Result<Json<ListPage<Value>>> {
    answer(&server, None, address, params).await
}

async fn answer(
    server: &Server,
    project: Option<ProjectId>,
    address: Address,
    params: Params,
) -> Result<Json<ListPage<Value>>> {
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
    let found = server
        .read(move |tx| {
            let mut found = run_list::list(tx, &wanted, now())?;
            if view == RunView::Graph {
                graph::fill(tx, &mut found.results)?;
            }
            Ok(found)
        })
        .await?;
    let rows = found.results.iter().map(|run| {
        let mut row = json!(run.view(view));
        if let (None, Some(fields)) = (project, row.as_object_mut()) {
            fields.insert("project".into(), json!(run.project));
        }
        row
    });
    Ok(Json(page(&address, &params, paging, found.count, rows.collect())))
}
