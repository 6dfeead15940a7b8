//! `/api/v1`: JSON resources, one file per group of endpoints.

pub(crate) mod agents;
pub(crate) mod connections;
pub(crate) mod installation;
pub(crate) mod projects;
pub(crate) mod queues;
pub(crate) mod readiness;
pub(crate) mod runs;
pub(crate) mod stats;
pub(crate) mod versions;

use axum::Json;
use serde_json::{Map, Value};

/// The answer `{}` of endpoints that have nothing to tell.
pub(crate) fn nothing() -> Json<Value> {
    Json(Value::Object(Map::new()))
}
