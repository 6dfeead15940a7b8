//! What this server is: liveness, installation and compatibility.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::errors::{Error, Result};
use crate::openapi::shapes::{Empty, Installation};
use crate::state::Server;

/// Tell that the server is alive.
#[utoipa::path(
    get, path = "/healthz", tag = "server",
    responses((status = 200, description = "The server is alive; the body is empty")),
)]
pub(crate) async fn healthz() -> StatusCode {
    StatusCode::OK
}

/// Name this server: its key, version and edition.
///
/// `dist: ce` makes the official CLI work without a login and with the owner `default`.
#[utoipa::path(get, path = "/installation", tag = "server", responses((status = 200, body = Installation)))]
pub(crate) async fn get_installation(State(server): State<Arc<Server>>) -> Json<Value> {
    let options = &server.options;
    Json(json!({ "key": options.key, "version": options.version, "dist": "ce", "mode": "sandbox" }))
}

/// Tell which versions of clients fit this server.
///
/// An empty answer: there is no range of client versions to warn about.
#[utoipa::path(
    get, path = "/compatibility/{uuid}/{version}/{service}", tag = "server",
    responses((status = 200, body = Empty)),
)]
pub(crate) async fn get_compatibility(Path((uuid, version, _)): Path<(String, String, String)>) -> Result<Json<Value>> {
    let is_word = uuid.chars().all(|letter| letter.is_alphanumeric() || letter == '_') && uuid.len() <= 36;
    let is_dashed = version.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if is_word && is_dashed && version.len() <= 16 { Ok(Json(json!({}))) } else { Err(Error::not_found()) }
}
