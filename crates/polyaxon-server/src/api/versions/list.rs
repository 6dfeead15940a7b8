//! Lists of versions.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use polyaxon_model::listing::{ListPage, PageLimits};
use polyaxon_model::run::DEFAULT_OWNER;
use polyaxon_model::version::{Version, VersionView};
use polyaxon_store::version_list::{self, VersionQuery};
use serde_json::{Value, json};

use crate::api::versions::KindPath;
use crate::errors::Result;
use crate::openapi::parameters::ListParameters;
use crate::openapi::shapes::{NameRow, VersionRow};
use crate::query::{Address, Params, page};
use crate::state::{Server, now};

/// List the versions of a kind in a project.
#[utoipa::path(
    get, path = "/", tag = "versions",
    params(ListParameters),
    responses((status = 200, body = ListPage<VersionRow>)),
)]
pub(crate) async fn list_versions(
    State(server): State<Arc<Server>>,
    path: KindPath,
    address: Address,
    params: Params,
) -> Result<Json<ListPage<Value>>> {
    answer(&server, path, address, params, PageLimits::SHORT, |version| json!(version.view(VersionView::Row))).await
}

/// List the names of the versions of a kind in a project.
#[utoipa::path(
    get, path = "/names", tag = "versions",
    params(ListParameters),
    responses((status = 200, body = ListPage<NameRow>)),
)]
pub(crate) async fn list_version_names(
    State(server): State<Arc<Server>>,
    path: KindPath,
    address: Address,
    params: Params,
) -> Result<Json<ListPage<Value>>> {
    answer(&server, path, address, params, PageLimits::LONG, |version| json!({ "name": version.name })).await
}

/// List the versions of a kind in all projects.
///
/// The versions of all projects; rows name their project.
#[utoipa::path(
    get, path = "/orgs/{owner}/versions/{kind}", tag = "versions",
    params(ListParameters),
    responses((status = 200, body = ListPage<VersionRow>)),
)]
pub(crate) async fn list_all_versions(
    State(server): State<Arc<Server>>,
    path: KindPath,
    address: Address,
    params: Params,
) -> Result<Json<ListPage<Value>>> {
    let show = |version: &Version| {
        let mut row = json!(version.view(VersionView::Row));
        row["owner"] = DEFAULT_OWNER.into();
        row["project"] = version.project.as_str().into();
        row
    };
    answer(&server, path, address, params, PageLimits::SHORT, show).await
}

async fn answer(
    server: &Server,
    path: KindPath,
    address: Address,
    params: Params,
    limits: PageLimits,
    show: impl Fn(&Version) -> Value,
) -> Result<Json<ListPage<Value>>> {
    let paging = params.paging(limits);
    let wanted = VersionQuery {
        project: path.project,
        kind: path.kind,
        query: params.text("query").unwrap_or_default().to_owned(),
        sort: params.text("sort").unwrap_or_default().to_owned(),
        paging,
    };
    let found = server.read(move |tx| version_list::list(tx, &wanted, now())).await?;
    let rows = found.results.iter().map(show).collect();
    Ok(Json(page(&address, &params, paging, found.count, rows)))
}
