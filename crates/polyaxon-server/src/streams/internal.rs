//! What operators and proxies of an installation ask for: collecting what a run left, and permission for a request.
//!
//! Invariant: collecting needs the internal token; who may do what is decided in [`crate::access`].

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::access;
use crate::errors::JsonProblem;
use crate::openapi::shapes::Empty;
use crate::run_path::RunPath;
use crate::state::Server;

/// Collect the logs of a run that has ended.
///
/// For operators, with the internal token. The logs of this server are where they belong as soon as they are written.
#[utoipa::path(
    post, path = "/{owner}/{project}/runs/{uuid}/{kind}/logs", tag = "agents",
    responses((status = 200, description = "The logs are kept"), (status = 400, description = "The token is wrong, or there is no such run")),
)]
pub(crate) async fn collect_run_logs(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    path: RunPath,
) -> Result<StatusCode, JsonProblem> {
    permit(&server, &headers)?;
    match server.standing(&path).await {
        Ok(_) => Ok(StatusCode::OK),
        Err(_) => {
            Err(JsonProblem::new(format!("Run's logs were not collected, resource was not found for run {}", path.run)))
        }
    }
}

/// Collect the logs of an agent.
///
/// For operators, with the internal token. There are no services of agents apart from this server.
#[utoipa::path(
    post, path = "/{owner}/agents/{uuid}/collect", tag = "agents",
    responses((status = 200, body = Empty), (status = 400, description = "The token is wrong")),
)]
pub(crate) async fn collect_agent(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
) -> Result<Json<Value>, JsonProblem> {
    permit(&server, &headers)?;
    Ok(Json(json!({})))
}

fn permit(server: &Server, headers: &HeaderMap) -> Result<(), JsonProblem> {
    if access::is_internal(server, headers) {
        return Ok(());
    }
    let text =
        "Request requires an authenticated internal service: expected the header `Authorization: InternalToken …`";
    Err(JsonProblem::new(text))
}

const ORIGIN_URI: HeaderName = HeaderName::from_static("x-origin-uri");
const ORIGIN_METHOD: HeaderName = HeaderName::from_static("x-origin-method");
const SANDBOX_TOKEN: HeaderName = HeaderName::from_static("sandbox_token");
const SANDBOX: &str = "/sandbox/v1/";

/// Ask whether a request may pass.
///
/// For proxies in front of this server, which name the request in `X-Origin-URI` and `X-Origin-Method`. A request for a
/// sandbox is given the token of its run in `SANDBOX_TOKEN`.
#[utoipa::path(
    get, path = "/auth-request/v1", tag = "server",
    responses((status = 200, description = "It may"), (status = 400, description = "It names no sandbox"), (status = 403, description = "It may not")),
)]
pub(crate) async fn authorize(State(server): State<Arc<Server>>, headers: HeaderMap) -> Response {
    let text =
        |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty());
    let Some(uri) = text(ORIGIN_URI) else {
        return (StatusCode::FORBIDDEN, "Request must comply with an HTTP_X_ORIGIN_URI").into_response();
    };
    if text(ORIGIN_METHOD).is_none() {
        return (StatusCode::FORBIDDEN, "Request must comply with an HTTP_X_ORIGIN_METHOD").into_response();
    }
    let path = uri.split(['?', '#']).next().unwrap_or_default();
    if !path.starts_with(SANDBOX) {
        return StatusCode::OK.into_response();
    }
    let Some(run) = sandbox_run(path) else {
        return (StatusCode::BAD_REQUEST, "A valid sandbox path param is required").into_response();
    };
    let Some(secret) = &server.options.internal_token else {
        return (StatusCode::INTERNAL_SERVER_ERROR, "Sandbox internal token not configured").into_response();
    };
    let token = keyed_hash(secret.as_bytes(), format!("sandbox:v1:{run}").as_bytes());
    let token = HeaderValue::from_str(&token).expect("hexadecimal digits are a header value");
    ([(SANDBOX_TOKEN, token)], StatusCode::OK).into_response()
}

/// The run of `/sandbox/v1/{namespace}/{owner}/{project}/runs/{uuid}/{rest}`.
fn sandbox_run(path: &str) -> Option<&str> {
    let mut parts = path.strip_prefix(SANDBOX)?.split('/');
    let namespace = parts.next()?;
    let (_owner, _project, runs, run, rest) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    (!namespace.is_empty() && runs == "runs" && !run.is_empty() && !rest.is_empty()).then_some(run)
}

/// HMAC with SHA-256 (RFC 2104), in hexadecimal digits.
fn keyed_hash(key: &[u8], message: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("a key may have any length");
    hex::encode(mac.chain_update(message).finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keyed_hashes_are_those_of_the_standard() {
        // RFC 4231, cases 2 and 6.
        assert_eq!(
            keyed_hash(b"Jefe", b"what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            keyed_hash(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn sandboxes_are_named_by_their_run() {
        for (path, run) in [
            ("/sandbox/v1/n/default/p/runs/abc/exec", Some("abc")),
            ("/sandbox/v1/n/default/p/runs/abc/", None),
            ("/sandbox/v1/n/default/p/jobs/abc/exec", None),
            ("/sandbox/v1//default/p/runs/abc/exec", None),
            ("/sandbox/v1/n", None),
        ] {
            assert_eq!(sandbox_run(path), run, "{path}");
        }
    }
}
