//! The agent protocol: an executor outside of this process pulls its work here.
//!
//! Invariant: a run is with one executor at a time. Whoever pulls the state of the whole organisation is handed nothing
//! while the runtime of this process executes the runs.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use polyaxon_model::ids::RunId;
use polyaxon_model::run::DEFAULT_OWNER;
use polyaxon_store::leases::{self, ANYBODY, Order};
use polyaxon_store::{cron, db::Tx, snapshots};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::body::Body;
use crate::errors::{Error, Result};
use crate::state::{Agent, Server, now};

/// Take the runs that are to be started and stopped.
///
/// What is to be started, stopped, looked for and removed. Asking takes the runs that are ready.
#[utoipa::path(get, path = "/orgs/{owner}/agents/state", tag = "agents", responses((status = 200, body = Object)))]
pub(crate) async fn get_state(State(server): State<Arc<Server>>) -> Result<Json<Value>> {
    let capacity = match server.options.agent {
        Agent::Local => 0,
        Agent::External => server.options.max_concurrency,
    };
    let (state, changed) = server
        .write(move |tx, now| {
            let stopping = leases::stop(tx, ANYBODY, capacity)?;
            let removed = leases::remove(tx, ANYBODY, capacity, now)?;
            let checks = leases::check(tx, ANYBODY, now)?;
            let queued = leases::start(tx, ANYBODY, capacity, now)?;
            let changed: Vec<RunId> = queued.orders.iter().chain(&removed.orders).map(|order| order.run).collect();
            let state = json!({
                "stopping": stopping.orders.iter().map(stop_order).collect::<Vec<_>>(),
                "queued": queued.orders.iter().map(start_order).collect::<Vec<_>>(),
                "checks": checks.iter().map(stop_order).collect::<Vec<_>>(),
                "deleting": removed.orders.iter().map(start_order).collect::<Vec<_>>(),
                "full": capacity > 0 && (queued.is_full || stopping.is_full || removed.is_full),
            });
            Ok((state, changed))
        })
        .await?;
    for run in changed {
        server.changes.notify(run);
    }
    Ok(Json(json!({ "state": state, "status": "running", "live_state": 1 })))
}

fn start_order(order: &Order) -> Value {
    json!([instance(order), order.runtime, order.name, order.content, order.namespace])
}

fn stop_order(order: &Order) -> Value {
    json!([instance(order), order.runtime, order.namespace])
}

fn instance(order: &Order) -> String {
    format!("{DEFAULT_OWNER}.{}.runs.{}", order.project, order.run)
}

#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub(crate) struct CronRequest {
    #[serde(default)]
    state: Option<bool>,
}

/// Do the periodic work now.
///
/// Does now what is due by time alone. With `state`, the folders that the asking executor shall remove are told.
#[utoipa::path(
    post, path = "/orgs/{owner}/agents/cron", tag = "agents",
    request_body = CronRequest,
    responses((status = 200, body = Object)),
)]
pub(crate) async fn run_cron(
    State(server): State<Arc<Server>>,
    Body(request): Body<CronRequest>,
) -> Result<Json<Value>> {
    let lost_after = server.options.executor_lost;
    let (pass, state) = server
        .write(move |tx: &mut dyn Tx, now| {
            let pass = cron::perform(tx, lost_after, now)?;
            let state = match request.state {
                Some(true) => json!({ "deleting": leases::clean(tx, ANYBODY, now)? }),
                _ => json!({}),
            };
            Ok((pass, state))
        })
        .await?;
    for run in pass.runs {
        server.changes.notify(run);
    }
    let store = server.store.clone();
    let taken = tokio::task::spawn_blocking(move || snapshots::take(&store, now()));
    taken.await.map_err(Error::internal)??;
    Ok(Json(json!({ "state": state, "status": "running", "live_state": 1 })))
}
