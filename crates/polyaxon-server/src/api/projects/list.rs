//! Lists of projects.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use polyaxon_model::listing::{ListPage, PageLimits};
use polyaxon_model::project::{Project, ProjectView};
use polyaxon_model::run_schema::ProjectRow;
use polyaxon_store::projects::{self, ProjectQuery};
use serde_json::{Value, json};

use crate::errors::{Error, Result};
use crate::openapi::parameters::{BookmarkParameters, ListParameters};
use crate::openapi::shapes::NameRow;
use crate::query::{Address, Params, page};
use crate::state::{Server, now};

/// List the projects.
#[utoipa::path(
    get, path = "/{owner}/projects/list", tag = "projects",
    params(ListParameters, BookmarkParameters),
    responses((status = 200, body = ListPage<ProjectRow>)),
)]
pub(crate) async fn list_projects(
    State(server): State<Arc<Server>>,
    address: Address,
    params: Params,
) -> Result<Json<ListPage<Value>>> {
    answer(&server, address, params, PageLimits::SHORT, |project| json!(project.view(ProjectView::Row))).await
}

/// List the names of the projects.
#[utoipa::path(
    get, path = "/{owner}/projects/names", tag = "projects",
    params(ListParameters, BookmarkParameters),
    responses((status = 200, body = ListPage<NameRow>)),
)]
pub(crate) async fn list_project_names(
    State(server): State<Arc<Server>>,
    address: Address,
    params: Params,
) -> Result<Json<ListPage<Value>>> {
    answer(&server, address, params, PageLimits::LONG, |project| json!({ "name": project.name })).await
}

async fn answer(
    server: &Server,
    address: Address,
    params: Params,
    limits: PageLimits,
    show: impl Fn(&Project) -> Value,
) -> Result<Json<ListPage<Value>>> {
    let paging = params.paging(limits);
    let wanted = ProjectQuery {
        query: params.text("query").unwrap_or_default().to_owned(),
        sort: params.text("sort").unwrap_or_default().to_owned(),
        bookmarked: params.flag("bookmarks"),
        paging,
    };
    let found = server.store.read(move |tx| projects::list(tx, &wanted, now())).await.map_err(Error::from)?;
    let rows = found.results.iter().map(show).collect();
    Ok(Json(page(&address, &params, paging, found.count, rows)))
}
