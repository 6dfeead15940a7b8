//! The agent protocol: an executor outside of this process pulls its work here.
//!
//! Invariant: a run is with one executor at a time. Whoever pulls the state of the whole organisation is handed nothing
//! while the runtime of this process executes the runs.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use polyaxon_model::agent::Agent as Record;
use polyaxon_model::ids::{ExecutorId, RunId};
use polyaxon_model::kinds::LiveState;
use polyaxon_model::run::DEFAULT_OWNER;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use polyaxon_store::agents::{self, Poll};
use polyaxon_store::db::Tx;
use polyaxon_store::leases::{self, ANYBODY, Order};
use polyaxon_store::{cron, reconcile, snapshots};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::api::agents::{AgentPath, cleaner};
use crate::body::Body;
use crate::errors::{Error, Result};
use crate::query::Params;
use crate::state::{Agent, Server, now};

/// Take the runs that are to be started and stopped.
///
/// What is to be started, stopped, looked for and removed. Asking takes the runs that are ready; those of which
/// nothing is heard for a minute are given out again.
#[utoipa::path(get, path = "/orgs/{owner}/agents/state", tag = "agents", responses((status = 200, body = Object)))]
pub(crate) async fn get_state(State(server): State<Arc<Server>>) -> Result<Json<Value>> {
    let capacity = match server.options.agent {
        Agent::Local => 0,
        Agent::External => server.options.max_concurrency,
    };
    let (state, changed) = server
        .write(move |tx, now| {
            agents::poll_anybody(tx, now)?;
            collect(tx, ANYBODY, capacity, now)
        })
        .await?;
    tell(&server, &changed);
    Ok(Json(json!({ "state": state, "status": Status::Running, "live_state": LiveState::Live })))
}

/// Take the runs of a registered agent.
///
/// As the state of the whole organisation. Of several processes with the identity of one agent the one with the
/// greatest `instance` is the agent; others are answered 409.
#[utoipa::path(
    get, path = "/orgs/{owner}/agents/{uuid}/state", tag = "agents",
    params(("instance" = Option<i64>, Query, description = "A number that grows with every start of the agent.")),
    responses((status = 200, body = Object), (status = 409, body = Object)),
)]
pub(crate) async fn get_agent_state(
    State(server): State<Arc<Server>>,
    AgentPath(uuid): AgentPath,
    params: Params,
) -> Result<Json<Value>> {
    let instance = match params.text("instance").map(str::parse) {
        None => None,
        Some(Ok(number)) => Some(number),
        Some(Err(_)) => return Err(Error::field("instance", "instance must be a whole number.")),
    };
    let capacity = server.options.max_concurrency;
    let polled = server
        .write(move |tx, now| {
            let Poll::Accepted(agent) = agents::poll(tx, uuid, instance, now)? else { return Ok(None) };
            // One that was stopped or archived ends what it has; it starts nothing.
            let starts = agent.live_state == LiveState::Live && agent.status != Status::Stopped;
            let (mut state, changed) = collect(tx, uuid, if starts { capacity } else { 0 }, now)?;
            let deleting = strays_and_folders(tx, &agent, now)?;
            if let Some(Value::Array(items)) = state.get_mut("deleting") {
                items.extend(deleting);
            }
            Ok(Some((agent, state, changed)))
        })
        .await?;
    let Some((agent, state, changed)) = polled else {
        let newer = "A newer process of this agent asks for its work; this one must end.";
        return Err(Error::Detail(StatusCode::CONFLICT, newer.to_owned()));
    };
    tell(&server, &changed);
    let (status, live_state) = (agent.status, agent.live_state);
    Ok(Json(json!({ "state": state, "status": status, "live_state": live_state, "compatible_updates": {} })))
}

fn collect(
    tx: &mut dyn Tx,
    agent: ExecutorId,
    capacity: usize,
    now: Timestamp,
) -> polyaxon_store::Result<(Value, Vec<RunId>)> {
    let schedules = leases::on_schedule(tx, now)?;
    let stopping = leases::stop(tx, agent, STOPPED_AT_ONCE)?;
    let removed = leases::remove(tx, agent, STOPPED_AT_ONCE, now)?;
    let checks = leases::check(tx, agent, now)?;
    let queued = leases::start(tx, agent, capacity, now)?;
    let mut changed = schedules.runs;
    changed.extend(queued.orders.iter().chain(&removed.orders).map(|order| order.run));
    let none: [Value; 0] = [];
    let state = json!({
        "schedules": none,
        "hooks": none,
        "watchdogs": none,
        "tuners": none,
        "queued": queued.orders.iter().map(start_order).collect::<Vec<_>>(),
        "stopping": stopping.orders.iter().map(stop_order).collect::<Vec<_>>(),
        "deleting": removed.orders.iter().map(start_order).collect::<Vec<_>>(),
        "apply": none,
        "checks": checks.iter().map(stop_order).collect::<Vec<_>>(),
        "full": stopping.is_full || removed.is_full || capacity > 0 && (queued.is_full || schedules.more_soon),
    });
    Ok((state, changed))
}

/// No more runs are stopped or removed by one poll.
const STOPPED_AT_ONCE: usize = 200;

fn strays_and_folders(tx: &mut dyn Tx, agent: &Record, now: Timestamp) -> polyaxon_store::Result<Vec<Value>> {
    let mut items = Vec::new();
    for [instance, kind, name, namespace] in reconcile::take_strays(tx, agent.uuid)? {
        items.push(json!([instance, kind, name, null, namespace]));
    }
    // Nothing is marked as removed that the agent cannot be told how to remove.
    if cleaner::operation(agent.content.as_deref(), &[]).is_some() {
        let folders = leases::clean(tx, agent.uuid, now)?;
        if let Some(content) = cleaner::operation(agent.content.as_deref(), &folders).filter(|_| !folders.is_empty()) {
            let instance = format!("{DEFAULT_OWNER}.agent.runs.{}", agent.uuid);
            items.push(json!([instance, "job", "cleaner", content, null]));
        }
    }
    Ok(items)
}

pub(super) fn tell(server: &Server, changed: &[RunId]) {
    for run in changed {
        server.changes.notify(*run);
    }
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
    tell(&server, &pass.runs);
    let store = server.store.clone();
    let taken = tokio::task::spawn_blocking(move || snapshots::take(&store, now()));
    taken.await.map_err(Error::internal)??;
    Ok(Json(json!({ "state": state, "status": "running", "live_state": 1 })))
}
