//! Reads a polyaxonfile from a URL: limited in time, redirects and size, and explained when a web page answers.

use std::time::{Duration, Instant};

use reqwest::redirect;

/// What a person should know when a URL cannot be read; lowercase, without period.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WebError {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

const TIMEOUT: Duration = Duration::from_secs(10);
const REDIRECTS: usize = 5;
const LARGEST: usize = 10 << 20;

/// The body of a URL.
pub(crate) async fn read(url: &str) -> Result<Vec<u8>, WebError> {
    match tokio::time::timeout(TIMEOUT, fetch(url)).await {
        Ok(result) => result,
        Err(_) => Err(failed(format!("{url} did not answer within {} s", TIMEOUT.as_secs()))),
    }
}

async fn fetch(url: &str) -> Result<Vec<u8>, WebError> {
    let parsed = url::Url::parse(url).map_err(|error| WebError {
        message: format!("`{url}` is not an address: {error}"),
        help: Some("an address looks like https://example.com/component.yaml".to_owned()),
    })?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err(WebError {
            message: format!("`{url}` has the scheme `{}`, expected http or https", parsed.scheme()),
            help: None,
        });
    }
    polyaxon_client::http::install_crypto();
    let mut builder = reqwest::Client::builder()
        .redirect(redirect::Policy::limited(REDIRECTS))
        .timeout(TIMEOUT)
        .user_agent(concat!("polyaxon/", env!("CARGO_PKG_VERSION")));
    if matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")) {
        builder = builder.no_proxy();
    }
    let client = builder.build().map_err(|error| failed(format!("cannot prepare the HTTP client: {error}")))?;
    let started = Instant::now();
    let mut response = client.get(parsed).send().await.map_err(|error| explain(url, &error, started))?;
    let status = response.status();
    if !status.is_success() {
        return Err(failed(format!("{url} answered {status}")));
    }
    let mut text = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| explain(url, &error, started))? {
        text.extend_from_slice(&chunk);
        if text.len() > LARGEST {
            return Err(failed(format!("{url} sends more than {} MB, which is no polyaxonfile", LARGEST >> 20)));
        }
    }
    let content_type = response.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.starts_with("text/html") || looks_like_html(&text) {
        return Err(WebError {
            message: format!("{url} answered with an HTML page, not with a polyaxonfile"),
            help: Some("the page may be a login, or the address may need its `raw` form".to_owned()),
        });
    }
    Ok(text)
}

fn looks_like_html(text: &[u8]) -> bool {
    let start = String::from_utf8_lossy(&text[..text.len().min(200)]).trim_start().to_ascii_lowercase();
    start.starts_with("<!doctype") || start.starts_with("<html")
}

fn explain(url: &str, error: &reqwest::Error, started: Instant) -> WebError {
    if error.is_redirect() {
        return failed(format!("{url} redirects more than {REDIRECTS} times"));
    }
    if error.is_timeout() {
        return failed(format!("{url} did not answer within {} s", started.elapsed().as_secs().max(1)));
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    failed(format!("cannot read {url}: {cause}"))
}

fn failed(message: String) -> WebError {
    WebError { message, help: None }
}
