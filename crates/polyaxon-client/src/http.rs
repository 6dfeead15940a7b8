//! One request: address, headers, timeouts, retries of calls that change nothing, errors with the server's words.

use std::path::PathBuf;
use std::sync::Once;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use url::Url;

use crate::error::{Error, sentence};

/// Which server, as whom, and how patiently.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// `http://localhost:8000`; a trailing slash is dropped.
    pub host: String,
    pub authorization: Option<String>,
    pub verify_certificates: bool,
    pub ca_certificate: Option<PathBuf>,
    pub timeout: Duration,
    /// Sent as `X-Polyaxon-Service`.
    pub version: String,
    pub extra_header: Option<(String, String)>,
}

#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    host: String,
    timeout: Duration,
}

/// Owner and project of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub owner: String,
    pub project: String,
}

const ATTEMPTS: u32 = 3;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

impl Client {
    pub fn new(endpoint: Endpoint) -> Result<Client, Error> {
        install_crypto();
        let host = endpoint.host.trim_end_matches('/').to_owned();
        let url = Url::parse(&host).map_err(|error| Error::Host { host: host.clone(), reason: error.to_string() })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Error::Host { host, reason: "expected http:// or https://".to_owned() });
        }
        let mut builder = reqwest::Client::builder()
            .default_headers(headers(&endpoint))
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .user_agent(format!("polyaxon/{}", endpoint.version));
        if is_loopback(&url) {
            builder = builder.no_proxy();
        }
        builder = if url.scheme() == "http" {
            // Reading the system's certificates costs milliseconds that plain HTTP need not pay.
            builder.tls_certs_only([])
        } else if !endpoint.verify_certificates {
            builder.tls_danger_accept_invalid_certs(true)
        } else if let Some(path) = &endpoint.ca_certificate {
            let unusable = |reason: String| Error::Host { host: host.clone(), reason };
            let text = std::fs::read(path).map_err(|error| unusable(format!("{}: {error}", path.display())))?;
            let certificates = reqwest::Certificate::from_pem_bundle(&text)
                .map_err(|error| unusable(format!("{}: {error}", path.display())))?;
            builder.tls_certs_merge(certificates)
        } else {
            builder
        };
        let http = builder.build().map_err(|source| Error::Prepare { source })?;
        Ok(Client { http, host, timeout: endpoint.timeout })
    }

    pub fn host(&self) -> &str {
        &self.host
    }

    /// The page of a run in the web UI.
    pub fn run_url(&self, place: &Place, uuid: &str) -> String {
        format!("{}/ui/{}/{}/runs/{uuid}", self.host, place.owner, place.project)
    }

    pub(crate) fn api(&self, path: &str) -> String {
        format!("{}/api/v1/{path}", self.host)
    }

    pub(crate) fn streams(&self, namespace: &str, place: &Place, uuid: &str, path: &str) -> String {
        format!("{}/streams/v1/{namespace}/{}/{}/runs/{uuid}/{path}", self.host, place.owner, place.project)
    }

    pub(crate) async fn get(&self, url: &str, query: &[(&str, String)]) -> Result<Value, Error> {
        let mut attempt = 1;
        loop {
            match self.call(Method::GET, self.http.get(url).query(query).timeout(self.timeout)).await {
                // Connection refused is an answer; repeating only delays the message.
                Err(error @ Error::Broken { .. }) if attempt < ATTEMPTS => {
                    drop(error);
                    tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    pub(crate) async fn post(&self, url: &str, body: &Value) -> Result<Value, Error> {
        self.call(Method::POST, self.http.post(url).json(body).timeout(self.timeout)).await
    }

    pub(crate) async fn patch(&self, url: &str, body: &Value) -> Result<Value, Error> {
        self.call(Method::PATCH, self.http.patch(url).json(body).timeout(self.timeout)).await
    }

    pub(crate) async fn delete(&self, url: &str) -> Result<(), Error> {
        self.call(Method::DELETE, self.http.delete(url).timeout(self.timeout)).await.map(drop)
    }

    pub(crate) async fn post_multipart(&self, url: &str, form: reqwest::multipart::Form) -> Result<(), Error> {
        self.response(Method::POST, self.http.post(url).multipart(form)).await.map(drop)
    }

    /// A body that is read piece by piece; no limit on the whole, only on silence while connecting.
    pub(crate) async fn open(&self, url: &str, query: &[(&str, String)]) -> Result<Response, Error> {
        self.response(Method::GET, self.http.get(url).query(query)).await
    }

    /// A request with headers of its own.
    pub(crate) async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, String)],
        body: Option<reqwest::Body>,
    ) -> Result<Response, Error> {
        let mut request = self.http.request(method.clone(), url);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = match body {
            Some(body) => request.body(body),
            None => request.timeout(self.timeout),
        };
        self.response(method, request).await
    }

    async fn call(&self, method: Method, request: RequestBuilder) -> Result<Value, Error> {
        let response = self.response(method, request).await?;
        let url = response.url().to_string();
        let body = response.bytes().await.map_err(|source| self.broken(source))?;
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).map_err(|_| Error::Unreadable {
            url,
            excerpt: String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned(),
        })
    }

    async fn response(&self, method: Method, request: RequestBuilder) -> Result<Response, Error> {
        let response = request.send().await.map_err(|source| self.broken(source))?;
        let status = response.status().as_u16();
        if status < 400 {
            return Ok(response);
        }
        let url = response.url().to_string();
        let body = response.text().await.unwrap_or_default();
        Err(Error::Refused { method: method.to_string(), url, status, message: sentence(status, &body) })
    }

    pub(crate) fn broken(&self, source: reqwest::Error) -> Error {
        let host = self.host.clone();
        if source.is_timeout() {
            Error::Timeout { host, after: if source.is_connect() { CONNECT_TIMEOUT } else { self.timeout } }
        } else if source.is_connect() {
            Error::Unreachable { host, source }
        } else {
            Error::Broken { host, source }
        }
    }
}

/// Chooses the crypto provider once per process; reqwest panics without one.
pub fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that somebody chose already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

fn headers(endpoint: &Endpoint) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(version) = HeaderValue::from_str(&endpoint.version) {
        headers.insert("x-polyaxon-service", version);
    }
    if let Some(mut value) = endpoint.authorization.as_ref().and_then(|text| HeaderValue::from_str(text).ok()) {
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    if let Some((name, value)) = &endpoint.extra_header {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    headers
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
