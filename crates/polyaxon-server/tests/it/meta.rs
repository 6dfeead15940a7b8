//! What the server says of itself, and the rules that hold for every endpoint.

use axum::body::Body;
use axum::http::Request;
use polyaxon_server::{Limits, Options};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::server::TestServer;

#[tokio::test]
async fn the_server_names_itself() {
    let server = TestServer::new();
    for path in ["/healthz", "/healthz/"] {
        assert_eq!(server.call("GET", path, Value::Null).await.expect(200).text(), "");
    }
    assert_eq!(
        server.get("/api/v1/installation").await,
        json!({ "key": "0".repeat(32), "version": "2.18.0", "dist": "ce", "mode": "sandbox" })
    );
    assert_eq!(server.get("/api/v1/compatibility/0123/2-18-0/cli").await, json!({}));
    server.call("GET", "/api/v1/compatibility/0123/2.18.0/cli", Value::Null).await.expect(404);
}

#[tokio::test]
async fn the_page_is_everywhere_below_ui_and_loads_only_from_here() {
    let server = TestServer::new();
    for path in ["/", "/ui", "/ui/", "/ui/default/some-project/runs"] {
        let answer = server.call("GET", path, Value::Null).await.expect(200);
        assert!(answer.header("content-type").starts_with("text/html"), "{path}");
        assert!(answer.header("content-security-policy").contains("default-src 'none'"));
    }
}

#[tokio::test]
async fn errors_have_the_official_shapes() {
    let server = TestServer::new();
    server.project("p").await;
    for (method, path, body, status, expected) in [
        ("GET", "/nowhere", Value::Null, 404, json!({"detail": "Not found."})),
        ("GET", "/api/v1/default/x/y/z/unknown", Value::Null, 404, json!({"detail": "Not found."})),
        ("POST", "/api/v1/default/p", json!({}), 405, json!({"detail": "Method \"POST\" not allowed."})),
        ("GET", "/api/v1/default/p/archive", Value::Null, 405, json!({"detail": "Method \"GET\" not allowed."})),
        ("GET", "/api/v1/default/no", Value::Null, 404, json!({"detail": "No Project matches the given query."})),
        ("GET", "/api/v1/default/no/runs", Value::Null, 404, json!({"detail": "No Project matches the given query."})),
        (
            "GET",
            "/api/v1/default/p/runs/00000000000000000000000000000001",
            Value::Null,
            404,
            json!({"detail": "No Run matches the given query."}),
        ),
        ("GET", "/api/v1/default/p/runs/zzz", Value::Null, 404, json!({"detail": "Not found."})),
    ] {
        let answer = server.call(method, path, body).await.expect(status);
        assert_eq!(answer.json(), expected, "{method} {path}");
    }
}

#[tokio::test]
async fn resources_have_no_head() {
    let server = TestServer::new();
    server.call("HEAD", "/api/v1/installation", Value::Null).await.expect(405);
    server.call("HEAD", "/api/v1/default/projects/list/", Value::Null).await.expect(405);
    server.call("HEAD", "/healthz", Value::Null).await.expect(200);
}

#[tokio::test]
async fn bodies_that_are_no_json_or_too_large_are_refused() {
    let server = TestServer::with(Options { max_body_bytes: 1000, ..Options::default() });
    let send = async |text: String| {
        let request = Request::post("/api/v1/default/projects/create").header("content-type", "application/json");
        server.send(request.body(Body::from(text)).unwrap()).await
    };
    let broken = send("{bad".into()).await.expect(400).json();
    assert!(broken["detail"].as_str().unwrap().starts_with("JSON parse error - "), "{broken}");
    let large = send(json!({ "name": "p", "readme": "x".repeat(2000) }).to_string()).await.expect(413).json();
    assert!(large["detail"].as_str().unwrap().contains("length limit"), "{large}");
}

#[tokio::test]
async fn a_foreign_page_can_neither_write_nor_rebind() {
    let server = TestServer::new();
    let send = async |host: &str, origin: &str| {
        let request = Request::post("/api/v1/default/projects/create").header("host", host).header("origin", origin);
        server.send(request.body(Body::from(r#"{"name": "p"}"#)).unwrap()).await.status.as_u16()
    };
    assert_eq!(send("localhost:8000", "https://evil.example").await, 403);
    assert_eq!(send("evil.example", "https://evil.example").await, 403);
    assert_eq!(send("localhost:8000", "http://localhost:8000").await, 201);
}

#[tokio::test]
async fn every_answer_carries_the_id_of_its_request() {
    let server = TestServer::new();
    let answer = server.call("GET", "/healthz", Value::Null).await;
    assert_eq!(answer.header("x-request-id").len(), 36);
    let request = Request::get("/healthz").header("x-request-id", "mine").body(Body::empty()).unwrap();
    assert_eq!(server.send(request).await.header("x-request-id"), "mine");
}

#[tokio::test]
async fn a_connection_is_kept_when_nobody_wanted_the_body() {
    let server = TestServer::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(polyaxon_server::serve(listener, server.router(), Limits::default(), std::future::pending()));
    let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut exchange = async |pieces: &[&str], status: &str| {
        for piece in pieces {
            connection.write_all(piece.as_bytes()).await.unwrap();
            tokio::task::yield_now().await;
        }
        let mut answer = [0; 2048];
        let length = connection.read(&mut answer).await.unwrap();
        let text = String::from_utf8_lossy(&answer[..length]);
        assert!(text.starts_with(status), "{text}");
    };
    let head = "POST /api/v1/default/p/runs/x HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n";
    exchange(&[head, "{}"], "HTTP/1.1 405").await;
    exchange(&["GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"], "HTTP/1.1 200").await;
}
