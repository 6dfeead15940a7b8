//! Requests that a server sends to addresses which others chose, under the rule of [`crate::address`].
//!
//! Invariants: a name is resolved once, and the connection goes to an address that was checked, so that an answer of a
//! name server cannot change in between; redirects are checked like the first address; no proxy of the environment is
//! asked, for it would resolve the name again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Method, RequestBuilder, Response};
use url::Url;

use crate::address::{Allowed, Refusal, check_address, check_url};
use crate::http::install_crypto;

/// Why a request was not sent or its answer not read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{text}` is not an address: {source}")]
    Address { text: String, source: url::ParseError },
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("cannot prepare requests")]
    Prepare { source: reqwest::Error },
    #[error("{0}")]
    Failed(String),
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
}

/// Sends requests to public addresses, and to those that were allowed.
#[derive(Clone, Debug)]
pub struct Outgoing {
    client: Client,
    allowed: Arc<Allowed>,
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(30);
const REDIRECTS: usize = 5;

impl Outgoing {
    pub fn new(allowed: Allowed) -> Result<Outgoing, Error> {
        install_crypto();
        let allowed = Arc::new(allowed);
        let followed = Arc::clone(&allowed);
        let client = Client::builder()
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .redirect(Policy::custom(move |attempt| follow(attempt, &followed)))
            .dns_resolver(Checked { allowed: Arc::clone(&allowed) })
            .build()
            .map_err(|source| Error::Prepare { source })?;
        Ok(Outgoing { client, allowed })
    }

    /// A request that may be sent; bodies and headers are added by the caller.
    pub fn request(&self, method: Method, address: &str) -> Result<RequestBuilder, Error> {
        let url = Url::parse(address).map_err(|source| Error::Address { text: address.to_owned(), source })?;
        check_url(&url, &self.allowed)?;
        Ok(self.client.request(method, url))
    }

    /// Sends a request; an answer of any status is an answer.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, Error> {
        request.send().await.map_err(|error| failed(&error))
    }

    /// Reads an answer that is not too large.
    pub async fn read(&self, mut answer: Response, max_bytes: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| failed(&error))? {
            if bytes.len() + chunk.len() > max_bytes {
                return Err(Error::TooLarge(max_bytes));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

fn follow(attempt: Attempt, allowed: &Allowed) -> reqwest::redirect::Action {
    if attempt.previous().len() > REDIRECTS {
        return attempt.error("there are too many redirects");
    }
    match check_url(attempt.url(), allowed) {
        Ok(()) => attempt.follow(),
        Err(refusal) => attempt.error(refusal),
    }
}

/// The innermost cause says it; the words around it repeat the address, which may hold a secret.
fn failed(error: &reqwest::Error) -> Error {
    let mut reason = None;
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        reason = Some(error.to_string());
        cause = error.source();
    }
    Error::Failed(reason.unwrap_or_else(|| "the request failed".to_owned()))
}

/// Resolves names and refuses those with an address that the rule forbids.
#[derive(Debug)]
struct Checked {
    allowed: Arc<Allowed>,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = Arc::clone(&self.allowed);
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            check_resolved(name.as_str(), &found, &allowed)?;
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

/// One forbidden address among others is enough: nobody needs such a name.
fn check_resolved(name: &str, found: &[SocketAddr], allowed: &Allowed) -> Result<(), Refusal> {
    if allowed.has_host(name) {
        return Ok(());
    }
    found.iter().try_for_each(|address| check_address(address.ip(), allowed))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn a_name_with_one_forbidden_address_is_refused() {
        let at = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|text| SocketAddr::new(text.parse::<IpAddr>().unwrap(), 0)).collect()
        };
        let allowed = Allowed::read(["10.0.0.0/8", "hooks.example"]).unwrap();
        for (name, addresses, is_fine) in [
            ("a.example", vec!["8.8.8.8"], true),
            ("a.example", vec!["8.8.8.8", "127.0.0.1"], false),
            ("a.example", vec!["::ffff:169.254.169.254"], false),
            ("a.example", vec!["10.0.0.1"], true),
            ("hooks.example", vec!["127.0.0.1"], true),
        ] {
            assert_eq!(check_resolved(name, &at(&addresses), &allowed).is_ok(), is_fine, "{name} {addresses:?}");
        }
    }

    /// Answers every connection with one text; gives its port.
    async fn answering(answer: String) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let mut request = [0; 4096];
                let _ = connection.read(&mut request).await;
                let _ = connection.write_all(answer.as_bytes()).await;
            }
        });
        port
    }

    async fn get(outgoing: &Outgoing, url: &str) -> Result<String, Error> {
        let answer = outgoing.send(outgoing.request(Method::GET, url)?).await?;
        Ok(String::from_utf8(outgoing.read(answer, 100).await?).unwrap())
    }

    #[tokio::test]
    async fn redirects_and_names_are_checked_too() {
        let text = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello";
        let open = answering(text.into()).await;
        let outgoing = Outgoing::new(Allowed::read(["127.0.0.1"]).unwrap()).unwrap();
        assert_eq!(get(&outgoing, &format!("http://127.0.0.1:{open}/")).await.unwrap(), "hello");
        for (target, words) in [
            (format!("http://127.0.0.2:{open}/"), "loopback"),
            ("http://169.254.169.254/latest/".to_owned(), "link-local"),
            (format!("http://localhost:{open}/"), "belongs to the machine"),
        ] {
            let head =
                format!("HTTP/1.1 302 Found\r\nconnection: close\r\ncontent-length: 0\r\nlocation: {target}\r\n\r\n");
            let redirecting = answering(head).await;
            let error = get(&outgoing, &format!("http://127.0.0.1:{redirecting}/")).await.unwrap_err().to_string();
            assert!(error.contains(words), "{target}: {error}");
        }
        // A redirect to something that is no web address is not followed; its own answer is the answer.
        let head =
            "HTTP/1.1 302 Found\r\nconnection: close\r\ncontent-length: 0\r\nlocation: file:///etc/passwd\r\n\r\n";
        let redirecting = answering(head.into()).await;
        assert_eq!(get(&outgoing, &format!("http://127.0.0.1:{redirecting}/")).await.unwrap(), "");
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_this_machine_is_refused() {
        let outgoing = Outgoing::new(Allowed::default()).unwrap();
        let error = get(&outgoing, "http://localhost:1/").await.unwrap_err().to_string();
        assert!(error.contains("belongs to the machine"), "{error}");
        // The same with a client that skips the check of the address: the resolver has its own.
        let error = outgoing.send(outgoing.client.get("http://localhost:1/")).await.unwrap_err().to_string();
        assert!(error.contains("loopback"), "{error}");
    }

    #[tokio::test]
    async fn answers_have_a_largest_size() {
        let body = "x".repeat(101);
        let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let port = answering(head).await;
        let outgoing = Outgoing::new(Allowed::read(["127.0.0.1"]).unwrap()).unwrap();
        let error = get(&outgoing, &format!("http://127.0.0.1:{port}/")).await.unwrap_err();
        assert!(matches!(error, Error::TooLarge(100)), "{error}");
    }
}
