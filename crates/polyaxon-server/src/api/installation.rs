//! What this server is: liveness, installation and compatibility.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::errors::{Error, Result};
use crate::state::Server;

pub(crate) async fn healthz() -> StatusCode {
    StatusCode::OK
}

/// `dist: ce` makes the official CLI work without a login and with the owner `default`.
pub(crate) async fn get_installation(State(server): State<Arc<Server>>) -> Json<Value> {
    let options = &server.options;
    Json(json!({ "key": options.key, "version": options.version, "dist": "ce", "mode": "sandbox" }))
}

/// An empty answer: there is no range of client versions to warn about.
pub(crate) async fn get_compatibility(Path((_, version, _)): Path<(String, String, String)>) -> Result<Json<Value>> {
    let is_dashed = version.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if is_dashed && version.len() <= 16 { Ok(Json(json!({}))) } else { Err(Error::not_found()) }
}
