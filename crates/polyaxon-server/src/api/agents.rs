//! The agent protocol: an executor outside of this process pulls its work here.
//!
//! Invariant: a run is handed out once, and never while the runtime of this process executes the runs.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use polyaxon_model::run::{DEFAULT_OWNER, Run};
use polyaxon_store::db::Tx;
use polyaxon_store::{agent, lifecycle, runs};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::body::Body;
use crate::errors::Result;
use crate::state::{Agent, Server};

/// What is to be started and stopped. Asking takes the runs that are ready.
pub(crate) async fn get_state(State(server): State<Arc<Server>>) -> Result<Json<Value>> {
    let capacity = match server.options.agent {
        Agent::Local => None,
        Agent::External => Some(server.options.max_concurrency),
    };
    let (state, taken) = server
        .write(move |tx, now| {
            let Some(capacity) = capacity else { return Ok((json_state(&[], &[], false), Vec::new())) };
            let taken = lifecycle::admit(tx, capacity, now)?;
            let mut queued = Vec::with_capacity(taken.len());
            for run in &taken {
                queued.extend(runs::get(tx, *run)?.as_ref().map(start_order));
            }
            let stopping = stop_orders(tx)?;
            let is_full = lifecycle::count_active(tx)? >= capacity;
            Ok((json_state(&queued, &stopping, is_full), taken))
        })
        .await?;
    for run in taken {
        server.changes.notify(run);
    }
    Ok(Json(json!({ "state": state, "status": "running", "live_state": 1 })))
}

fn json_state(queued: &[Value], stopping: &[Value], is_full: bool) -> Value {
    json!({ "stopping": stopping, "queued": queued, "checks": [], "deleting": [], "full": is_full })
}

fn start_order(run: &Run) -> Value {
    json!([instance(&run.project, run.uuid), run.runtime, run.name, run.content, null])
}

fn stop_orders(tx: &mut dyn Tx) -> polyaxon_store::Result<Vec<Value>> {
    let stopping = agent::stopping(tx)?;
    Ok(stopping.iter().map(|order| json!([instance(&order.project, order.run), order.runtime, null])).collect())
}

fn instance(project: &str, run: polyaxon_model::ids::RunId) -> String {
    format!("{DEFAULT_OWNER}.{project}.runs.{run}")
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct CronRequest {
    #[serde(default)]
    state: Option<bool>,
}

/// Periodic work is done by timers of the runtime; there is nothing left to do when an agent asks for it.
pub(crate) async fn run_cron(Body(request): Body<CronRequest>) -> Json<Value> {
    let state = if request.state == Some(true) { json!({ "deleting": [] }) } else { json!({}) };
    Json(json!({ "state": state, "status": "running", "live_state": 1 }))
}
