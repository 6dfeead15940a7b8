//! What an agent has.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use polyaxon_store::agents;
use polyaxon_store::reconcile::{self, Found};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::agents::AgentPath;
use crate::api::agents::state::tell;
use crate::api::nothing;
use crate::body::Body;
use crate::errors::{Error, Result};
use crate::openapi::shapes::Empty;
use crate::state::Server;

/// What an agent has: `ops` with instance, kind, name and namespace of each of its processes.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub(crate) struct ReconcileRequest {
    #[serde(default)]
    reconcile: Reconcile,
}

#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub(crate) struct Reconcile {
    #[serde(default)]
    #[schema(value_type = Vec<Vec<String>>)]
    ops: Vec<[Value; 4]>,
}

/// Compare what an agent has with what it should have.
///
/// Runs that it has been missing twice are lost; what it has beyond them is told with its next state.
#[utoipa::path(
    patch, path = "/orgs/{owner}/agents/{uuid}/reconcile", tag = "agents",
    request_body = ReconcileRequest,
    responses((status = 200, body = Empty)),
)]
pub(crate) async fn reconcile_agent(
    State(server): State<Arc<Server>>,
    AgentPath(uuid): AgentPath,
    Body(request): Body<ReconcileRequest>,
) -> Result<Json<Value>> {
    let mut found = Vec::with_capacity(request.reconcile.ops.len());
    for item in request.reconcile.ops {
        let run = item[0].as_str().and_then(|instance| instance.rsplit('.').next()?.parse().ok());
        let run = run.ok_or_else(|| {
            let expected = "expected <owner>.<project>.runs.<uuid>";
            Error::field("reconcile", format!("reconcile.ops: {} is no instance of a run, {expected}", item[0]))
        })?;
        found.push(Found { run, item });
    }
    let changed = server
        .write(move |tx, now| {
            agents::known(tx, uuid)?;
            reconcile::reconcile(tx, uuid, &found, now)
        })
        .await?;
    tell(&server, &changed);
    Ok(nothing())
}
