//! The single place where it is decided who may do what.
//!
//! Today everyone who reaches the server may do everything, so the one danger is a web page in the user's browser that
//! talks to the loopback address: its requests are recognised by `Host`, `Origin` and `Sec-Fetch-Site` and refused.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::HeaderName;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::errors::Error;
use crate::state::Server;

/// The header in which official clients name themselves.
pub(crate) const SERVICE_HEADER: HeaderName = HeaderName::from_static("x-polyaxon-service");

/// Who can reach the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Bound to a loopback address: only this machine.
    Loopback,
    /// Bound to an address that others can reach: host names are not checked.
    Network,
}

impl Reach {
    pub fn of(address: IpAddr) -> Self {
        if address.is_loopback() { Self::Loopback } else { Self::Network }
    }
}

/// Middleware: refuses requests that a foreign web page made the browser send.
pub(crate) async fn guard(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    match permit(server.options.reach, request.method(), request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(reason) => Error::Detail(StatusCode::FORBIDDEN, reason).into_response(),
    }
}

/// Refuses who is not a page: statistics are costly, and only pages ask for them.
pub(crate) fn permit_page(headers: &HeaderMap) -> Result<(), Error> {
    if headers.get(SERVICE_HEADER).is_some_and(|service| service == "ui") {
        return Ok(());
    }
    Err(Error::Detail(StatusCode::FORBIDDEN, "Service requesting this endpoint not allowed.".into()))
}

fn permit(reach: Reach, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), String> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let host = text(header::HOST).or_else(|| uri.authority().map(|authority| authority.as_str()));
    if let (Reach::Loopback, Some(host)) = (reach, host) {
        // A name that only resolves to loopback (DNS rebinding) would make a foreign page same-origin with us.
        if !is_loopback_name(host_name(host)) {
            return Err(format!(
                "This server listens on the loopback address only and does not answer to the host name `{host}`; \
                 use localhost or 127.0.0.1."
            ));
        }
    }
    if !changes_something(method, uri) {
        return Ok(());
    }
    if let Some(origin) = text(header::ORIGIN) {
        let name = origin.split_once("://").map(|(_, authority)| authority);
        let allowed = name.is_some_and(|name| Some(name) == host || is_loopback_name(host_name(name)));
        if !allowed {
            return Err(format!("A page of the origin `{origin}` may not change anything on this server."));
        }
    } else if headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
        return Err("A page of another site may not change anything on this server.".into());
    }
    Ok(())
}

/// Reading the agent state hands out runs, so it counts as a change although it is a GET.
fn changes_something(method: &Method, uri: &Uri) -> bool {
    let safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    !safe || uri.path().trim_end_matches('/').ends_with("/agents/state")
}

/// Whether pages of this origin may read answers (CORS): those served from this machine.
pub(crate) fn may_read_across(origin: &HeaderValue) -> bool {
    let name = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    name.is_some_and(|(_, authority)| is_loopback_name(host_name(authority)))
}

/// The name of `name:port`, also of `[::1]:port`.
fn host_name(authority: &str) -> &str {
    match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => authority.rsplit_once(':').map_or(authority, |(name, _)| name),
    }
}

fn is_loopback_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: Method, path: &str, pairs: &[(&'static str, &'static str)], expected: bool) {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        let uri: Uri = path.parse().unwrap();
        let result = permit(Reach::Loopback, &method, &uri, &headers);
        assert_eq!(result.is_ok(), expected, "{method} {path} {pairs:?}: {result:?}");
    }

    #[test]
    fn only_pages_of_this_machine_may_write() {
        let host = ("host", "127.0.0.1:8000");
        check(Method::POST, "/x", &[host], true);
        check(Method::POST, "/x", &[host, ("origin", "http://127.0.0.1:8000")], true);
        check(Method::POST, "/x", &[host, ("origin", "http://localhost:5173")], true);
        check(Method::POST, "/x", &[host, ("origin", "https://evil.example")], false);
        check(Method::POST, "/x", &[host, ("origin", "null")], false);
        check(Method::POST, "/x", &[host, ("sec-fetch-site", "cross-site")], false);
        check(Method::GET, "/x", &[host, ("origin", "https://evil.example")], true);
        check(Method::GET, "/api/v1/orgs/d/agents/state", &[host, ("sec-fetch-site", "cross-site")], false);
    }

    #[test]
    fn only_loopback_names_are_answered() {
        for (name, expected) in [
            ("localhost", true),
            ("LOCALHOST:1", true),
            ("[::1]:80", true),
            ("127.8.8.8:80", true),
            ("polyaxon.localhost:80", true),
            ("rebind.example:80", false),
            ("127.0.0.1.rebind.example", false),
            ("localhost.evil.example", false),
        ] {
            check(Method::GET, "/x", &[("host", name)], expected);
        }
        check(Method::GET, "/x", &[], true);
    }
}
