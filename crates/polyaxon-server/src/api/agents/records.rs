//! Registered agents: create, read, list, change, remove, and what an agent says about itself.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use polyaxon_model::agent::{Agent, AgentBody};
use polyaxon_model::ids::ExecutorId;
use polyaxon_model::listing::{ListPage, PageLimits};
use polyaxon_model::names;
use polyaxon_store::agents;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::agents::AgentPath;
use crate::api::agents::state::tell;
use crate::body::{Body, REQUIRED};
use crate::errors::{Error, Result};
use crate::openapi::parameters::ListParameters;
use crate::openapi::shapes::NameRow;
use crate::query::{Address, Params, page};
use crate::state::Server;

/// Register an agent.
#[utoipa::path(
    post, path = "/orgs/{owner}/agents", tag = "agents",
    request_body = AgentBody,
    responses((status = 201, body = Agent)),
)]
pub(crate) async fn create_agent(
    State(server): State<Arc<Server>>,
    Body(body): Body<AgentBody>,
) -> Result<(StatusCode, Json<Agent>)> {
    let name = body.name.clone().ok_or_else(|| Error::field("name", REQUIRED))?;
    check_name(Some(&name))?;
    let uuid = ExecutorId::new(Uuid::new_v4());
    let agent = server.write(move |tx, now| agents::create(tx, uuid, &name, &body, now)).await?;
    Ok((StatusCode::CREATED, Json(agent)))
}

/// List the agents.
#[utoipa::path(
    get, path = "/orgs/{owner}/agents", tag = "agents",
    params(ListParameters),
    responses((status = 200, body = ListPage<Agent>)),
)]
pub(crate) async fn list_agents(
    State(server): State<Arc<Server>>,
    address: Address,
    params: Params,
) -> Result<Json<ListPage<Value>>> {
    answer(&server, address, params, |agent| json!(agent)).await
}

/// List the names of the agents.
#[utoipa::path(
    get, path = "/orgs/{owner}/agents/names", tag = "agents",
    params(ListParameters),
    responses((status = 200, body = ListPage<NameRow>)),
)]
pub(crate) async fn list_agent_names(
    State(server): State<Arc<Server>>,
    address: Address,
    params: Params,
) -> Result<Json<ListPage<Value>>> {
    answer(&server, address, params, |agent| json!({ "uuid": agent.uuid, "name": agent.name })).await
}

async fn answer(
    server: &Server,
    address: Address,
    params: Params,
    show: impl Fn(&Agent) -> Value,
) -> Result<Json<ListPage<Value>>> {
    let paging = params.paging(PageLimits::LONG);
    let found = server.read(move |tx| agents::list(tx, paging)).await?;
    let rows = found.results.iter().map(show).collect();
    Ok(Json(page(&address, &params, paging, found.count, rows)))
}

/// Read an agent.
#[utoipa::path(get, path = "/orgs/{owner}/agents/{uuid}", tag = "agents", responses((status = 200, body = Agent)))]
pub(crate) async fn get_agent(State(server): State<Arc<Server>>, AgentPath(uuid): AgentPath) -> Result<Json<Agent>> {
    server.read(move |tx| agents::known(tx, uuid)).await.map(Json)
}

/// Change an agent.
#[utoipa::path(
    patch, path = "/orgs/{owner}/agents/{uuid}", tag = "agents",
    request_body = AgentBody,
    responses((status = 200, body = Agent)),
)]
pub(crate) async fn patch_agent(
    State(server): State<Arc<Server>>,
    AgentPath(uuid): AgentPath,
    Body(body): Body<AgentBody>,
) -> Result<Json<Agent>> {
    change(&server, uuid, body).await.map(Json)
}

/// Change an agent; the name must be there.
#[utoipa::path(
    put, path = "/orgs/{owner}/agents/{uuid}", tag = "agents",
    request_body = AgentBody,
    responses((status = 200, body = Agent)),
)]
pub(crate) async fn put_agent(
    State(server): State<Arc<Server>>,
    AgentPath(uuid): AgentPath,
    Body(body): Body<AgentBody>,
) -> Result<Json<Agent>> {
    if body.name.is_none() {
        return Err(Error::field("name", REQUIRED));
    }
    change(&server, uuid, body).await.map(Json)
}

/// Remove an agent.
///
/// What it had not begun goes back to the queue; what it had begun becomes `unknown`.
#[utoipa::path(delete, path = "/orgs/{owner}/agents/{uuid}", tag = "agents", responses((status = 204)))]
pub(crate) async fn delete_agent(State(server): State<Arc<Server>>, AgentPath(uuid): AgentPath) -> Result<StatusCode> {
    let changed = server.write(move |tx, now| agents::remove(tx, uuid, now)).await?;
    tell(&server, &changed);
    Ok(StatusCode::NO_CONTENT)
}

/// Read the configuration of an agent.
#[utoipa::path(
    get, path = "/orgs/{owner}/agents/{uuid}/config", tag = "agents",
    responses((status = 200, body = Agent)),
)]
pub(crate) async fn get_agent_config(server: State<Arc<Server>>, path: AgentPath) -> Result<Json<Agent>> {
    get_agent(server, path).await
}

/// Change the configuration of an agent.
#[utoipa::path(
    patch, path = "/orgs/{owner}/agents/{uuid}/config", tag = "agents",
    request_body = AgentBody,
    responses((status = 200, body = Agent)),
)]
pub(crate) async fn patch_agent_config(
    State(server): State<Arc<Server>>,
    AgentPath(uuid): AgentPath,
    Body(body): Body<AgentBody>,
) -> Result<Json<Agent>> {
    change(&server, uuid, body).await.map(Json)
}

/// Tell the configuration and version of an agent.
///
/// The first word of an agent that starts. Its name and its live state are not its own to say.
#[utoipa::path(
    patch, path = "/orgs/{owner}/agents/{uuid}/sync", tag = "agents",
    request_body = AgentBody,
    responses((status = 200, body = Agent)),
)]
pub(crate) async fn sync_agent(
    State(server): State<Arc<Server>>,
    AgentPath(uuid): AgentPath,
    Body(body): Body<AgentBody>,
) -> Result<Json<Agent>> {
    change(&server, uuid, AgentBody { name: None, live_state: None, ..body }).await.map(Json)
}

async fn change(server: &Server, uuid: ExecutorId, body: AgentBody) -> Result<Agent> {
    check_name(body.name.as_deref())?;
    server.write(move |tx, now| agents::patch(tx, uuid, &body, now)).await
}

fn check_name(name: Option<&str>) -> Result<()> {
    match name {
        Some(name) => names::check_run_name(name).map_err(|error| Error::field("name", error.to_string())),
        None => Ok(()),
    }
}
