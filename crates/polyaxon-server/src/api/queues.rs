//! `/orgs/{owner}/queues…` and those of agents: where runs wait for an executor, and how busy executors are.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use polyaxon_model::ids::QueueId;
use polyaxon_model::listing::{ListPage, PageLimits};
use polyaxon_model::names;
use polyaxon_model::queue::{Queue, QueueBody, QueueStats};
use polyaxon_store::db::Tx;
use polyaxon_store::queues::{self, Leftovers};
use polyaxon_store::servers;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::body::{Body, REQUIRED};
use crate::errors::{Error, Result};
use crate::openapi::parameters::ListParameters;
use crate::openapi::shapes::NameRow;
use crate::query::{Address, Params, page};
use crate::state::Server;

/// `…/agents/{agent}/queues/{uuid}…`; both by id or by name.
#[derive(Clone, Debug)]
pub(crate) struct QueuePath {
    agent: String,
    queue: String,
}

#[derive(Deserialize)]
struct Segments {
    agent: String,
    #[serde(default)]
    uuid: String,
}

impl<S: Send + Sync> FromRequestParts<S> for QueuePath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let Path(Segments { agent, uuid }) = Path::<Segments>::from_request_parts(parts, state).await?;
        Ok(Self { agent, queue: uuid })
    }
}

/// List the queues of all agents.
#[utoipa::path(
    get, path = "/orgs/{owner}/queues", tag = "queues",
    params(ListParameters),
    responses((status = 200, body = ListPage<Queue>)),
)]
pub(crate) async fn list_all_queues(
    State(server): State<Arc<Server>>,
    address: Address,
    params: Params,
) -> Result<Json<ListPage<Value>>> {
    answer(&server, None, address, params, |queue| json!(queue)).await
}

/// List the names of the queues of all agents.
#[utoipa::path(
    get, path = "/orgs/{owner}/queues/names", tag = "queues",
    params(ListParameters),
    responses((status = 200, body = ListPage<NameRow>)),
)]
pub(crate) async fn list_all_queue_names(
    State(server): State<Arc<Server>>,
    address: Address,
    params: Params,
) -> Result<Json<ListPage<Value>>> {
    answer(&server, None, address, params, name).await
}

/// List the queues of an agent.
///
/// The agent inside of the server is called `local`.
#[utoipa::path(
    get, path = "/orgs/{owner}/agents/{agent}/queues", tag = "queues",
    params(ListParameters),
    responses((status = 200, body = ListPage<Queue>)),
)]
pub(crate) async fn list_queues(
    State(server): State<Arc<Server>>,
    path: QueuePath,
    address: Address,
    params: Params,
) -> Result<Json<ListPage<Value>>> {
    answer(&server, Some(path.agent), address, params, |queue| json!(queue)).await
}

/// List the names of the queues of an agent.
#[utoipa::path(
    get, path = "/orgs/{owner}/agents/{agent}/queues/names", tag = "queues",
    params(ListParameters),
    responses((status = 200, body = ListPage<NameRow>)),
)]
pub(crate) async fn list_queue_names(
    State(server): State<Arc<Server>>,
    path: QueuePath,
    address: Address,
    params: Params,
) -> Result<Json<ListPage<Value>>> {
    answer(&server, Some(path.agent), address, params, name).await
}

fn name(queue: &Queue) -> Value {
    json!({ "uuid": queue.uuid, "agent": queue.agent, "name": queue.name })
}

async fn answer(
    server: &Server,
    agent: Option<String>,
    address: Address,
    params: Params,
    show: impl Fn(&Queue) -> Value,
) -> Result<Json<ListPage<Value>>> {
    let paging = params.paging(PageLimits::LONG);
    let found = server
        .read(move |tx| {
            let agent = agent.map(|agent| queues::agent(tx, &agent)).transpose()?;
            queues::list(tx, agent, paging)
        })
        .await?;
    let rows = found.results.iter().map(show).collect();
    Ok(Json(page(&address, &params, paging, found.count, rows)))
}

/// Create a queue.
#[utoipa::path(
    post, path = "/orgs/{owner}/agents/{agent}/queues", tag = "queues",
    request_body = QueueBody,
    responses((status = 201, body = Queue)),
)]
pub(crate) async fn create_queue(
    State(server): State<Arc<Server>>,
    path: QueuePath,
    Body(body): Body<QueueBody>,
) -> Result<(StatusCode, Json<Queue>)> {
    let name = body.name.clone().ok_or_else(|| Error::field("name", REQUIRED))?;
    check_name(Some(&name))?;
    let uuid = QueueId::new(Uuid::new_v4());
    let queue = server
        .write(move |tx, now| {
            let agent = queues::agent(tx, &path.agent)?;
            queues::create(tx, uuid, agent, &name, &body, now)
        })
        .await?;
    Ok((StatusCode::CREATED, Json(queue)))
}

/// Read a queue.
#[utoipa::path(
    get, path = "/orgs/{owner}/agents/{agent}/queues/{uuid}", tag = "queues",
    responses((status = 200, body = Queue)),
)]
pub(crate) async fn get_queue(State(server): State<Arc<Server>>, path: QueuePath) -> Result<Json<Queue>> {
    let read = move |tx: &mut dyn Tx| {
        let agent = queues::agent(tx, &path.agent)?;
        queues::known(tx, agent, &path.queue)
    };
    server.read(read).await.map(Json)
}

/// Change a queue.
///
/// A lower limit ends nothing: what is active drains. A higher one takes effect at once.
#[utoipa::path(
    patch, path = "/orgs/{owner}/agents/{agent}/queues/{uuid}", tag = "queues",
    request_body = QueueBody,
    responses((status = 200, body = Queue)),
)]
pub(crate) async fn patch_queue(
    State(server): State<Arc<Server>>,
    path: QueuePath,
    Body(body): Body<QueueBody>,
) -> Result<Json<Queue>> {
    check_name(body.name.as_deref())?;
    let write = move |tx: &mut dyn Tx, now| {
        let agent = queues::agent(tx, &path.agent)?;
        queues::patch(tx, agent, &path.queue, &body, now)
    };
    server.write(write).await.map(Json)
}

/// Change a queue; the name must be there.
#[utoipa::path(
    put, path = "/orgs/{owner}/agents/{agent}/queues/{uuid}", tag = "queues",
    request_body = QueueBody,
    responses((status = 200, body = Queue)),
)]
pub(crate) async fn put_queue(
    server: State<Arc<Server>>,
    path: QueuePath,
    Body(body): Body<QueueBody>,
) -> Result<Json<Queue>> {
    if body.name.is_none() {
        return Err(Error::field("name", REQUIRED));
    }
    patch_queue(server, path, Body(body)).await
}

/// Remove a queue.
///
/// One in which runs wait is kept, unless `reassign=true` moves them to the default queue of the agent.
#[utoipa::path(
    delete, path = "/orgs/{owner}/agents/{agent}/queues/{uuid}", tag = "queues",
    params(("reassign" = Option<bool>, Query, description = "Move waiting runs to the default queue.")),
    responses((status = 204)),
)]
pub(crate) async fn delete_queue(
    State(server): State<Arc<Server>>,
    path: QueuePath,
    params: Params,
) -> Result<StatusCode> {
    let leftovers = if params.flag("reassign") == Some(true) { Leftovers::ToDefault } else { Leftovers::Refuse };
    server
        .write(move |tx, now| {
            let agent = queues::agent(tx, &path.agent)?;
            queues::remove(tx, agent, &path.queue, leftovers, now)
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Read how busy a queue is.
#[utoipa::path(
    get, path = "/orgs/{owner}/agents/{agent}/queues/{uuid}/stats", tag = "queues",
    responses((status = 200, body = QueueStats)),
)]
pub(crate) async fn get_queue_stats(State(server): State<Arc<Server>>, path: QueuePath) -> Result<Json<QueueStats>> {
    let read = move |tx: &mut dyn Tx| {
        let agent = queues::agent(tx, &path.agent)?;
        queues::stats(tx, agent, &path.queue)
    };
    server.read(read).await.map(Json)
}

/// Read what the servers have for runs.
///
/// Slots, processors, memory and GPUs of each server that executes runs, and what active runs hold of them.
#[utoipa::path(get, path = "/orgs/{owner}/capacity", tag = "queues", responses((status = 200, body = Object)))]
pub(crate) async fn get_capacity(State(server): State<Arc<Server>>) -> Result<Json<Value>> {
    let now = crate::state::now();
    let usage = server.read(move |tx| servers::usage(tx, now)).await?;
    let row = |usage: &servers::Usage| json!({ "uuid": usage.server, "address": usage.address, "capacity": usage.capacity, "load": usage.load });
    Ok(Json(json!({ "results": usage.iter().map(row).collect::<Vec<_>>() })))
}

fn check_name(name: Option<&str>) -> Result<()> {
    match name {
        Some(name) => names::check_run_name(name).map_err(|error| Error::field("name", error.to_string())),
        None => Ok(()),
    }
}
