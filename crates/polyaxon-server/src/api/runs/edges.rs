//! The graph of runs: what a run stands on, what stands on it, its clones.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::EdgeKind;
use polyaxon_model::lineage::{CloneRow, EdgeRow};
use polyaxon_model::listing::{ListPage, PageLimits};
use polyaxon_store::edges::{self, EdgeQuery, NewEdge, Side};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::body::{Body, REQUIRED};
use crate::errors::{Error, Result};
use crate::openapi::parameters::ListParameters;
use crate::query::{Address, Params, page};
use crate::run_path::RunPath;
use crate::state::{Server, now, present};

/// List the runs that a run depends on.
#[utoipa::path(
    get, path = "/{uuid}/lineage/upstream", tag = "lineage",
    params(ListParameters),
    responses((status = 200, body = ListPage<EdgeRow>)),
)]
pub(crate) async fn list_upstream(
    server: State<Arc<Server>>,
    path: RunPath,
    address: Address,
    params: Params,
) -> Result<Json<ListPage<EdgeRow>>> {
    list(server, path, address, params, Side::Upstream).await
}

/// List the runs that depend on a run.
#[utoipa::path(
    get, path = "/{uuid}/lineage/downstream", tag = "lineage",
    params(ListParameters),
    responses((status = 200, body = ListPage<EdgeRow>)),
)]
pub(crate) async fn list_downstream(
    server: State<Arc<Server>>,
    path: RunPath,
    address: Address,
    params: Params,
) -> Result<Json<ListPage<EdgeRow>>> {
    list(server, path, address, params, Side::Downstream).await
}

async fn list(
    State(server): State<Arc<Server>>,
    path: RunPath,
    address: Address,
    params: Params,
    side: Side,
) -> Result<Json<ListPage<EdgeRow>>> {
    let wanted = wanted(&params);
    let paging = wanted.paging;
    let found = server
        .read(move |tx| {
            present(tx, &path)?;
            edges::list(tx, path.run, side, &wanted, now())
        })
        .await?;
    Ok(Json(page(&address, &params, paging, found.count, found.results)))
}

fn wanted(params: &Params) -> EdgeQuery {
    EdgeQuery {
        query: params.text("query").unwrap_or_default().to_owned(),
        sort: params.text("sort").unwrap_or_default().to_owned(),
        paging: params.paging(PageLimits::SHORT),
    }
}

/// List the runs that were made of a run.
#[utoipa::path(
    get, path = "/{uuid}/lineage/clones", tag = "lineage",
    params(ListParameters),
    responses((status = 200, body = ListPage<CloneRow>)),
)]
pub(crate) async fn list_clones(
    State(server): State<Arc<Server>>,
    path: RunPath,
    address: Address,
    params: Params,
) -> Result<Json<ListPage<CloneRow>>> {
    let wanted = wanted(&params);
    let paging = wanted.paging;
    let found = server
        .read(move |tx| {
            present(tx, &path)?;
            edges::clones(tx, path.run, &wanted, now())
        })
        .await?;
    Ok(Json(page(&address, &params, paging, found.count, found.results)))
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(examples(json!({ "edges": [{ "uuid": "8aac02e3a62a4f0aaa257c59da5eab80", "is_upstream": true }] })))]
pub(crate) struct EdgesRequest {
    #[serde(default)]
    edges: Option<Vec<EdgeRequest>>,
}

/// The official server reads `run`, the official client sends `uuid`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
struct EdgeRequest {
    #[serde(default)]
    run: Option<RunId>,
    #[serde(default)]
    uuid: Option<RunId>,
    #[serde(default)]
    is_upstream: Option<bool>,
    #[serde(default)]
    values: Option<Value>,
}

/// Replace the edges of a run.
///
/// Replaces all edges of the run.
#[utoipa::path(
    post, path = "/{uuid}/lineage/edges", tag = "lineage",
    request_body = EdgesRequest,
    responses((status = 201, description = "The edges are stored")),
)]
pub(crate) async fn set_edges(
    State(server): State<Arc<Server>>,
    path: RunPath,
    Body(request): Body<EdgesRequest>,
) -> Result<StatusCode> {
    server.standing(&path).await?;
    let requests = request.edges.ok_or_else(|| Error::field("edges", REQUIRED))?;
    let edges = requests.into_iter().map(read_edge).collect::<Result<Vec<NewEdge>>>()?;
    server
        .write(move |tx, _| {
            present(tx, &path)?;
            edges::replace(tx, path.run, &edges)
        })
        .await?;
    Ok(StatusCode::CREATED)
}

fn read_edge(request: EdgeRequest) -> Result<NewEdge> {
    let other = request.run.or(request.uuid);
    Ok(NewEdge {
        other: other.ok_or_else(|| Error::field("edges", "Every edge needs the `uuid` of the other run."))?,
        side: if request.is_upstream == Some(true) { Side::Upstream } else { Side::Downstream },
        kind: EdgeKind::Manual,
        values: request.values,
        statuses: None,
    })
}
