//! What peers may do to the socket: slowness, size, number, half-closed connections; numbers and readiness.

use std::time::Duration;

use axum::http::{Request, header};
use polyaxon_server::{Doors, Limits, Options, Reach};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::server::{PATIENCE, TestServer};

/// A server on a socket of this machine.
struct Socket {
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

async fn listen(server: &TestServer, limits: Limits) -> Socket {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let ended = async { stopped.await.unwrap_or_default() };
    let served = tokio::spawn(polyaxon_server::serve(listener, server.router(), limits, ended));
    Socket { address, stop, served }
}

impl Socket {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends text and reads whatever comes until the server closes the connection.
    async fn exchange(&self, text: &str) -> String {
        let mut connection = self.connect().await;
        connection.write_all(text.as_bytes()).await.unwrap();
        all_of(&mut connection).await
    }
}

async fn all_of(connection: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset after the answer is an end too.
    let _ = timeout(PATIENCE, connection.read_to_end(&mut answer)).await.expect("the server closes it");
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads until the text has come.
async fn expect(connection: &mut TcpStream, text: &str) {
    let mut all = Vec::new();
    while !String::from_utf8_lossy(&all).contains(text) {
        let read = timeout(PATIENCE, connection.read_buf(&mut all)).await;
        assert!(read.expect("it answers").unwrap() > 0, "{}", String::from_utf8_lossy(&all));
    }
}

fn limits() -> Limits {
    Limits { head: Duration::from_millis(100), ..Limits::default() }
}

#[tokio::test]
async fn heads_that_do_not_arrive_end_the_connection() {
    let server = TestServer::new();
    let socket = listen(&server, limits()).await;
    for text in ["", "GET /heal", "GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: "] {
        let answer = socket.exchange(text).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused() {
    let server = TestServer::new();
    let socket = listen(&server, limits()).await;
    let large = "x".repeat(200_000);
    for (text, status) in [
        (format!("GET /{large} HTTP/1.1\r\nhost: localhost\r\n\r\n"), "HTTP/1.1 4"),
        (format!("GET / HTTP/1.1\r\nhost: localhost\r\nx: {large}\r\n\r\n"), "HTTP/1.1 431"),
        (format!("GET / HTTP/1.1\r\nhost: localhost\r\n{}\r\n", "x: y\r\n".repeat(200)), "HTTP/1.1 431"),
        ("nonsense\r\n\r\n".to_owned(), "HTTP/1.1 400"),
    ] {
        let mut connection = socket.connect().await;
        // The server may answer and close before everything is sent.
        let _ = connection.write_all(text.as_bytes()).await;
        expect(&mut connection, status).await;
    }
}

#[tokio::test]
async fn one_connection_too_many_is_told_so() {
    let server = TestServer::new();
    let socket = listen(&server, Limits { connections: 1, ..limits() }).await;
    let mut first = socket.connect().await;
    first.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    expect(&mut first, "HTTP/1.1 200").await;
    let mut second = socket.connect().await;
    let answer = all_of(&mut second).await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after"), "{answer}");
    let body = answer.split("\r\n\r\n").nth(1).unwrap();
    assert!(serde_json::from_str::<Value>(body).is_ok(), "{body}");
}

#[tokio::test]
async fn a_follower_that_closes_its_side_is_gone() {
    let server = TestServer::new();
    server.project("p").await;
    let run = server.run("p", "r").await;
    let socket = listen(&server, limits()).await;
    let mut follower = socket.connect().await;
    let path = format!("/streams/v1/polyaxon/default/p/runs/{run}/logs/follow");
    follower.write_all(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes()).await.unwrap();
    expect(&mut follower, "HTTP/1.1 200").await;
    assert_eq!(number(&server, "polyaxon_followers").await, 1.0);
    follower.shutdown().await.unwrap();
    let gone = async {
        while number(&server, "polyaxon_followers").await > 0.0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, gone).await.expect("nobody follows any more");
}

#[tokio::test]
async fn a_shutdown_waits_for_answers_but_not_for_followers() {
    let server = TestServer::new();
    server.project("p").await;
    let run = server.run("p", "r").await;
    let socket = listen(&server, Limits { grace: Duration::from_millis(200), ..Limits::default() }).await;
    let mut follower = socket.connect().await;
    let path = format!("/api/v1/default/p/runs/{run}/statuses/follow");
    follower.write_all(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes()).await.unwrap();
    expect(&mut follower, "HTTP/1.1 200").await;
    let mut posting = socket.connect().await;
    posting
        .write_all(
            b"POST /api/v1/default/projects/create HTTP/1.1\r\nhost: localhost\r\ncontent-length: 13\r\n\r\n{\"name\":",
        )
        .await
        .unwrap();
    // The request is in flight as soon as the server has read its head; an answered request proves that it reads.
    socket.exchange("GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    socket.stop.send(()).unwrap();
    posting.write_all(b"\"q\" }").await.unwrap();
    expect(&mut posting, "HTTP/1.1 201").await;
    timeout(PATIENCE, socket.served).await.expect("it ends").unwrap().unwrap();
    TcpStream::connect(socket.address).await.unwrap_err();
}

#[tokio::test]
async fn pages_are_answered_by_their_origin() {
    let doors = Doors { reach: Reach::Network, allowed_hosts: vec!["ml.example.com".into()] };
    let server = TestServer::with(Options { doors, ..Options::default() });
    for (host, origin, status, allowed) in [
        ("gpu-box:8000", "https://ml.example.com", 200, "https://ml.example.com"),
        ("gpu-box:8000", "https://evil.example", 200, ""),
        ("rebind.example", "https://rebind.example", 403, ""),
    ] {
        let request = Request::get("/api/v1/installation").header(header::HOST, host).header(header::ORIGIN, origin);
        let answer = server.send(request.body(axum::body::Body::empty()).unwrap()).await.expect(status);
        assert_eq!(answer.header("access-control-allow-origin"), allowed, "{host} {origin}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-site");
    }
}

#[tokio::test]
async fn readiness_names_what_is_missing() {
    let server = TestServer::new();
    let ready = server.get("/readyz").await;
    assert_eq!(ready["ready"], json!(true), "{ready}");
    std::fs::rename(server.layout.local(), server.layout.local().with_extension("gone")).unwrap();
    let answer = server.call("GET", "/readyz", Value::Null).await.expect(503).json();
    let disk = answer["checks"].as_array().unwrap().iter().find(|check| check["name"] == "disk").unwrap();
    assert_eq!(disk["ready"], json!(false), "{answer}");
    assert!(disk["message"].as_str().unwrap().contains("cannot be read"), "{answer}");
    server.call("GET", "/healthz", Value::Null).await.expect(200);
}

#[tokio::test]
async fn numbers_have_few_labels() {
    let server = TestServer::new();
    server.project("p").await;
    server.run("p", "r").await;
    for path in ["/api/v1/default/p", "/api/v1/default/q", "/api/v1/default/p/runs/zzz", "/nowhere/at/all"] {
        server.call("GET", path, Value::Null).await;
    }
    server.call("BREW", "/api/v1/default/p", Value::Null).await;
    let text = server.call("GET", "/metrics", Value::Null).await.expect(200).text();
    for line in [
        r#"polyaxon_http_requests_total{route="/api/v1/{owner}/{project}",method="GET",status="200"} 1"#,
        r#"polyaxon_http_requests_total{route="/api/v1/{owner}/{project}",method="GET",status="404"} 1"#,
        r#"polyaxon_http_requests_total{route="/api/v1/{owner}/{project}",method="OTHER",status="405"} 1"#,
        r#"polyaxon_http_requests_total{route="unknown",method="GET",status="404"} 1"#,
        r#"polyaxon_http_request_duration_seconds_count{route="/api/v1/{owner}/{project}/runs",method="POST"} 1"#,
        r#"polyaxon_runs{status="created"} 1"#,
        r#"polyaxon_runs{status="queued"} 0"#,
        "polyaxon_actions_open 0",
        "polyaxon_store_writes_waiting 0",
        "polyaxon_followers 0",
        "# EOF",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("zzz") && !text.contains("nowhere"), "{text}");
}

async fn number(server: &TestServer, name: &str) -> f64 {
    let text = server.call("GET", "/metrics", Value::Null).await.text();
    let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).expect("the number is there");
    line.rsplit(' ').next().unwrap().parse().unwrap()
}
