//! The single place where it is decided who may do what.
//!
//! Today everyone who reaches the server may do everything, so the one danger is a web page in the user's browser that
//! talks to the server for its own ends: its requests are recognised by `Host`, `Origin` and `Sec-Fetch-Site` and
//! refused. What a page of another origin may read is decided here too (CORS).

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::HeaderName;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::errors::Error;
use crate::state::Server;

/// The header in which official clients name themselves.
pub(crate) const SERVICE_HEADER: HeaderName = HeaderName::from_static("x-polyaxon-service");

/// Who can reach the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Bound to a loopback address: only this machine.
    Loopback,
    /// Bound to an address that others can reach.
    Network,
}

impl Reach {
    pub fn of(address: IpAddr) -> Self {
        if address.is_loopback() { Self::Loopback } else { Self::Network }
    }
}

/// Under which names the server is spoken to.
#[derive(Clone, Debug)]
pub struct Doors {
    pub reach: Reach,
    /// Further host names, of this server and of pages that may use it; `*.name` means every name below.
    pub allowed_hosts: Vec<String>,
}

impl Doors {
    /// Whether this server answers to a host name. A name of the public internet can be made to resolve to this
    /// machine (DNS rebinding), which would make a foreign page same-origin with us; nobody can do that with an address,
    /// a name without dots or a name that is reserved for private networks.
    fn answers_to(&self, name: &str) -> bool {
        let is_ours = match self.reach {
            Reach::Loopback => is_loopback_name(name),
            Reach::Network => is_loopback_name(name) || is_address(name) || is_private_name(name),
        };
        is_ours || self.is_allowed(name)
    }

    /// Whether pages that were loaded from a host may read and change everything.
    fn trusts(&self, name: &str) -> bool {
        is_loopback_name(name) || self.is_allowed(name)
    }

    fn is_allowed(&self, name: &str) -> bool {
        let name = plain(name);
        self.allowed_hosts.iter().map(|allowed| plain(allowed)).any(|allowed| match allowed.strip_prefix("*.") {
            Some(domain) => name.strip_suffix(domain).is_some_and(|below| below.ends_with('.')),
            None => name == allowed,
        })
    }

    /// Whether pages of this origin may read answers.
    pub(crate) fn may_read_across(&self, origin: &HeaderValue) -> bool {
        let name = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
        name.is_some_and(|(_, authority)| self.trusts(host_name(authority)))
    }
}

/// Middleware: refuses requests that a foreign web page made the browser send.
pub(crate) async fn guard(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    let mut response = match permit(&server.options.doors, request.method(), request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(reason) => Error::Detail(StatusCode::FORBIDDEN, reason).into_response(),
    };
    // Nothing here is meant to be guessed at, or to be a part of somebody else's page.
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-site"),
    ] {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Refuses who is not a page: statistics are costly, and only pages ask for them.
pub(crate) fn permit_page(headers: &HeaderMap) -> Result<(), Error> {
    if headers.get(SERVICE_HEADER).is_some_and(|service| service == "ui") {
        return Ok(());
    }
    Err(Error::Detail(StatusCode::FORBIDDEN, "Service requesting this endpoint not allowed.".into()))
}

fn permit(doors: &Doors, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), String> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let named = headers.get_all(header::HOST).iter().map(|value| value.to_str().unwrap_or_default());
    for host in named.chain(uri.authority().map(|authority| authority.as_str())) {
        if !doors.answers_to(host_name(host)) {
            return Err(match doors.reach {
                Reach::Loopback => format!(
                    "This server listens on the loopback address only and does not answer to the host name `{host}`; \
                     use localhost or 127.0.0.1, or start it with `--allow-host {}`.",
                    host_name(host)
                ),
                Reach::Network => format!(
                    "This server does not answer to the host name `{host}`; use its address, or start it with \
                     `--allow-host {}`.",
                    host_name(host)
                ),
            });
        }
    }
    if !changes_something(method, uri, headers) {
        return Ok(());
    }
    if headers.contains_key(header::ORIGIN) {
        let origin = text(header::ORIGIN).unwrap_or_default();
        let name = origin.split_once("://").map(|(_, authority)| authority);
        let allowed = name.is_some_and(|name| Some(name) == text(header::HOST) || doors.trusts(host_name(name)));
        if !allowed {
            return Err(format!("A page of the origin `{origin}` may not change anything on this server."));
        }
    } else if headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
        return Err("A page of another site may not change anything on this server.".into());
    }
    Ok(())
}

/// Whether a request comes from a service of this installation: `Authorization: InternalToken …`. Without a token of its
/// own the server trusts no one.
pub(crate) fn is_internal(server: &Server, headers: &HeaderMap) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|text| text.trim().strip_prefix("InternalToken ")).map(str::trim);
    match (&server.options.internal_token, given) {
        (Some(token), Some(given)) => is_same(token.as_bytes(), given.as_bytes()),
        _ => false,
    }
}

/// Compares in a time that does not tell where two secrets differ: their hashes are compared, to the end.
fn is_same(secret: &[u8], given: &[u8]) -> bool {
    let pairs = Sha256::digest(secret).into_iter().zip(Sha256::digest(given));
    pairs.fold(0, |difference, (one, other)| difference | std::hint::black_box(one ^ other)) == 0
}

/// Reading the agent state hands out runs, and a socket goes both ways: they count as changes although they are GETs.
fn changes_something(method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    let safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    let path = uri.path().trim_end_matches('/');
    let takes_runs = path.ends_with("/state") && path.contains("/agents/");
    !safe || takes_runs || headers.contains_key(header::UPGRADE)
}

/// The name of `name:port`, also of `[::1]:port`.
fn host_name(authority: &str) -> &str {
    match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => authority.rsplit_once(':').map_or(authority, |(name, _)| name),
    }
}

fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn is_loopback_name(name: &str) -> bool {
    let name = plain(name);
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn is_address(name: &str) -> bool {
    name.parse::<IpAddr>().is_ok()
}

/// A name that nobody can register: one word, or below a domain that is kept for private networks and clusters.
fn is_private_name(name: &str) -> bool {
    let name = plain(name);
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_word = !name.is_empty() && !name.contains('.') && name.bytes().any(|byte| byte.is_ascii_alphabetic());
    is_word
        || name.contains('.') && ["local", "lan", "internal", "home", "corp", "svc", "test"].contains(&last)
        || name.ends_with(".home.arpa")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: Method, path: &str, pairs: &[(&'static str, &'static str)], expected: bool) {
        check_at(Reach::Loopback, method, path, pairs, expected);
    }

    #[track_caller]
    fn check_at(reach: Reach, method: Method, path: &str, pairs: &[(&'static str, &'static str)], expected: bool) {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let uri: Uri = path.parse().unwrap();
        let doors = Doors { reach, allowed_hosts: vec!["ml.example.com".into(), "*.team.example".into()] };
        let result = permit(&doors, &method, &uri, &headers);
        assert_eq!(result.is_ok(), expected, "{reach:?} {method} {path} {pairs:?}: {result:?}");
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
        check(Method::GET, "/api/v1/orgs/d/agents/0a/state", &[host, ("sec-fetch-site", "cross-site")], false);
    }

    #[test]
    fn secrets_are_compared_whole() {
        assert!(is_same(b"secret", b"secret"));
        assert!(!is_same(b"secret", b"secret2") && !is_same(b"secret", b"") && !is_same(b"secret", b"Secret"));
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

    #[test]
    fn sockets_are_opened_by_trusted_pages_only() {
        let host = ("host", "localhost:8000");
        for (origin, expected) in [("http://localhost:8000", true), ("https://evil.example", false), ("null", false)] {
            check(Method::GET, "/x", &[host, ("upgrade", "websocket"), ("origin", origin)], expected);
        }
        check(Method::GET, "/x", &[host, ("upgrade", "websocket")], true);
    }

    #[test]
    fn in_a_network_names_that_anybody_can_register_are_not_answered() {
        for (name, expected) in [
            ("192.168.1.7:8000", true),
            ("[2001:db8::1]:8000", true),
            ("gpu-box:8000", true),
            ("gpu-box.local", true),
            ("polyaxon.default.svc", true),
            ("localhost", true),
            ("ml.example.com:443", true),
            ("ML.example.com.", true),
            ("a.team.example", true),
            ("team.example", false),
            ("xml.example.com", false),
            ("rebind.example", false),
            ("192.168.1.7.rebind.example", false),
            ("3232235777", false),
            ("", false),
        ] {
            check_at(Reach::Network, Method::GET, "/x", &[("host", name)], expected);
        }
        let twice = [("host", "gpu-box"), ("host", "rebind.example")];
        check_at(Reach::Network, Method::GET, "/x", &twice, false);
        check_at(Reach::Network, Method::GET, "http://rebind.example/x", &[("host", "gpu-box")], false);
        let write = |origin| [("host", "gpu-box:8000"), ("origin", origin)];
        for (origin, expected) in [
            ("http://gpu-box:8000", true),
            ("https://ml.example.com", true),
            ("http://localhost:5173", true),
            ("http://gpu-box:9000", false),
            ("https://evil.example", false),
        ] {
            check_at(Reach::Network, Method::POST, "/x", &write(origin), expected);
        }
    }
}
