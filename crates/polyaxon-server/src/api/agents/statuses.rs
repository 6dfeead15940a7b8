//! How an agent is: its statuses.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use polyaxon_model::agent::Agent;
use polyaxon_model::condition::StatusRequest;
use polyaxon_store::agents;
use serde_json::{Value, json};

use crate::api::agents::AgentPath;
use crate::body::Body;
use crate::errors::{Error, Result};
use crate::state::{Server, now};

/// Read the status of an agent and its history.
#[utoipa::path(
    get, path = "/orgs/{owner}/agents/{uuid}/statuses", tag = "agents",
    responses((status = 200, body = Object)),
)]
pub(crate) async fn get_agent_statuses(
    State(server): State<Arc<Server>>,
    AgentPath(uuid): AgentPath,
) -> Result<Json<Value>> {
    server.read(move |tx| agents::known(tx, uuid)).await.map(|agent| Json(document(&agent)))
}

/// Report the status of an agent.
///
/// A condition without a type has no effect.
#[utoipa::path(
    post, path = "/orgs/{owner}/agents/{uuid}/statuses", tag = "agents",
    request_body = StatusRequest,
    responses((status = 201, body = Object)),
)]
pub(crate) async fn post_agent_status(
    State(server): State<Arc<Server>>,
    AgentPath(uuid): AgentPath,
    Body(request): Body<StatusRequest>,
) -> Result<(StatusCode, Json<Value>)> {
    let condition = request.condition.unwrap_or_default().complete(now());
    let condition = condition.map_err(|error| Error::field("condition", format!("condition.type: {error}")))?;
    let agent = server
        .write(move |tx, now| match condition {
            Some(condition) => agents::report(tx, uuid, condition, now),
            None => agents::known(tx, uuid),
        })
        .await?;
    Ok((StatusCode::CREATED, Json(document(&agent))))
}

/// As for runs; the official client refuses any further field.
fn document(agent: &Agent) -> Value {
    json!({
        "uuid": agent.uuid,
        "status": agent.status,
        "status_conditions": agent.status_conditions,
        "meta_info": {},
    })
}
