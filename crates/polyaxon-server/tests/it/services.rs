//! What agents, operators and proxies ask of the streams service.

use axum::body::Body;
use axum::http::Request;
use polyaxon_compile::connection::Connection;
use polyaxon_server::{Agent, Options};
use serde_json::{Value, json};

use crate::server::{Answer, TestServer};

const AGENT: &str = "/streams/v1/n/default/agents/0123456789abcdef0123456789abcdef";

fn server() -> TestServer {
    let internal_token = Some("secret".to_owned());
    TestServer::with(Options { agent: Agent::External, internal_token, ..Options::default() })
}

async fn send(server: &TestServer, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn collecting_needs_the_internal_token() {
    let server = server();
    server.project("p").await;
    let run = server.run("p", "r").await;
    let logs = format!("/internal/v1/n/default/p/runs/{run}/job/logs");
    let collect = "/internal/v1/n/default/agents/0123456789abcdef0123456789abcdef/collect";
    for (authorization, status) in [
        ("InternalToken secret", 200),
        ("InternalToken wrong", 400),
        ("token secret", 400),
        ("InternalToken", 400),
        ("", 400),
    ] {
        for path in [logs.as_str(), collect] {
            let answer = send(&server, "POST", path, &[("authorization", authorization)]).await.expect(status);
            assert!(status == 200 || answer.json()["errors"].is_string(), "{}", answer.text());
        }
    }
    let unknown = "/internal/v1/n/default/p/runs/0123456789abcdef0123456789abcdef/job/logs";
    let answer = send(&server, "POST", unknown, &[("authorization", "InternalToken secret")]).await.expect(400);
    assert!(answer.json()["errors"].as_str().unwrap().starts_with("Run's logs were not collected"));
    let without = TestServer::new();
    send(&without, "POST", collect, &[("authorization", "InternalToken ")]).await.expect(400);
}

#[tokio::test]
async fn proxies_ask_whether_a_request_may_pass() {
    let server = server();
    let uri = |uri| [("x-origin-uri", uri), ("x-origin-method", "GET")];
    for (headers, status) in [
        (&uri("/streams/v1/n/default/p/runs/x/logs")[..], 200),
        (&uri("/sandbox/v1/n/default/p/runs/abc/exec?x=1")[..], 200),
        (&uri("/sandbox/v1/n/default")[..], 400),
        (&uri("/x")[..1], 403),
        (&uri("/x")[1..], 403),
    ] {
        for path in ["/auth-request/v1/", "/auth-request/v1"] {
            let answer = send(&server, "GET", path, headers).await.expect(status);
            let is_sandbox = headers[0].1.contains("exec");
            assert_eq!(answer.header("sandbox_token").len(), if is_sandbox { 64 } else { 0 }, "{headers:?}");
        }
    }
}

#[tokio::test]
async fn one_connection_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let connections = json!([
        { "name": "data", "kind": "host_path", "schema": { "hostPath": folder.path(), "mountPath": "/data" } },
        { "name": "chat", "kind": "slack", "schema": { "url": "https://hooks.example/geheim" }, "secret": { "name": "UNSET" } },
    ]);
    let connections: Vec<Connection> = serde_json::from_value(connections).unwrap();
    let server = TestServer::with(Options { connections: connections.into(), ..Options::default() });
    let path = format!("{AGENT}/connections_check");
    let check = |name: &str| server.post(&path, json!({ "connection": name }));
    let data = check("data").await;
    assert_eq!(data["status"], "passed", "{data}");
    let chat = check("chat").await;
    assert_eq!(chat["results"][0]["connection"]["configured_sources"], json!(["schema", "secret"]));
    let codes: Vec<_> = chat["results"][0]["checks"].as_array().unwrap().iter().map(|it| it["code"].clone()).collect();
    assert_eq!((&chat["status"], codes), (&json!("failed"), vec![json!("ok"), json!("connection_secret_missing")]));
    assert!(!chat.to_string().contains("geheim"), "addresses of chats are secrets: {chat}");
    assert!(check("cat").await.to_string().contains("artifacts_store, data, chat"));
}

#[tokio::test]
async fn agents_are_checked_read_and_restarted() {
    let server = server();
    let check = server.post(&format!("{AGENT}/connections_check"), json!({})).await;
    assert_eq!((&check["status"], &check["results"][0]["checks"][0]["code"]), (&json!("passed"), &json!("ok")));
    let named = server.post(&format!("{AGENT}/connections_check"), json!({ "connection": "s3" })).await;
    assert_eq!(named["results"][0]["checks"][0]["code"], "connection_not_found");
    assert_eq!((&named["status"], &named["results"][0]["connection"]["name"]), (&json!("failed"), &json!("s3")));

    assert_eq!(server.get(&format!("{AGENT}/k8s_inspect")).await, json!({}));
    let folder = server.layout.store().join(".agents/0123456789abcdef0123456789abcdef");
    let write = |name: &str, text: &str| {
        std::fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
        std::fs::write(folder.join(name), text).unwrap();
    };
    write("outputs/spec.json", r#"{"pods": {}}"#);
    assert_eq!(server.get(&format!("{AGENT}/k8s_inspect")).await, json!({ "pods": {} }));

    assert_eq!(server.get(&format!("{AGENT}/logs?service=agent")).await["files"], json!([]));
    for number in [1, 2, 10] {
        write(&format!("logs/agent/{number}"), &json!({ "logs": [{ "value": format!("line {number}") }] }).to_string());
    }
    let second = server.get(&format!("{AGENT}/logs?service=agent&last_file=2")).await;
    assert_eq!((&second["last_file"], &second["files"]), (&json!("10"), &json!(["1", "2", "10"])));
    assert_eq!(second["logs"][0]["value"], "line 10");
    server.call("GET", &format!("{AGENT}/logs?service=../../x"), Value::Null).await.expect(400);

    let restart = format!("{AGENT}/k8s_restart");
    assert_eq!(server.post(&restart, json!({ "service": "operator" })).await, json!({ "status": "scheduled" }));
    for body in [json!({}), json!({ "service": "database" })] {
        let answer = server.call("POST", &restart, body).await.expect(400);
        assert_eq!(answer.json(), json!({ "errors": "Service name is required" }));
    }
}

#[tokio::test]
async fn notifications_are_asked_for_with_a_condition_and_connections() {
    let server = server();
    server.project("p").await;
    let run = server.run("p", "r").await;
    let path = format!("/streams/v1/n/default/p/runs/{run}/notify");
    let condition = json!({ "type": "succeeded", "status": true });
    for (body, text) in [
        (json!({}), "without condition"),
        (json!({ "condition": {}, "connections": ["slack"] }), "without condition"),
        (json!({ "condition": { "type": "bogus" }, "connections": ["slack"] }), "unknown status `bogus`"),
        (json!({ "name": "r", "condition": condition }), "without connections"),
        (json!({ "condition": condition, "connections": ["slack"] }), "did not declare connections"),
    ] {
        let answer = server.call("POST", &path, body).await.expect(400);
        assert!(answer.json()["errors"].as_str().unwrap().contains(text), "{}", answer.text());
    }
}

#[tokio::test]
async fn notifications_are_written_down_once_and_connections_are_listed_without_their_secrets() {
    let chat = json!({ "name": "chat", "kind": "slack", "tags": ["team"], "schema": { "url": "https://hooks.example/SECRET" } });
    let connections = [chat].into_iter().map(|json| serde_json::from_value(json).unwrap()).collect();
    let server = TestServer::with(Options { connections, ..Options::default() });
    server.project("p").await;
    let run = server.run("p", "r").await;
    let path = format!("/streams/v1/n/default/p/runs/{run}/notify");
    let condition = json!({ "type": "Succeeded", "status": true });
    let unknown = json!({ "condition": condition, "connections": ["chat", "other"] });
    let answer = server.call("POST", &path, unknown).await.expect(400);
    assert!(answer.text().contains("`other`"), "{}", answer.text());
    for _ in 0..2 {
        let body = json!({ "name": "r", "condition": condition, "connections": ["chat"] });
        let answer = server.call("POST", &path, body).await.expect(200);
        assert_eq!(answer.text(), "");
    }
    let uuid = run.parse().unwrap();
    let untold = server.store.read(move |tx| polyaxon_store::notifications::untold(tx, uuid)).await.unwrap();
    assert_eq!(untold.iter().map(|it| it.connection.as_str()).collect::<Vec<_>>(), ["chat"]);
    let list = server.get("/api/v1/orgs/default/connections").await;
    let row = &list["results"][0];
    assert_eq!(
        (&list["count"], &row["name"], &row["kind"], &row["tags"]),
        (&json!(1), &json!("chat"), &json!("slack"), &json!(["team"]))
    );
    assert!(!list.to_string().contains("SECRET"));
    for name in ["chat", row["uuid"].as_str().unwrap()] {
        assert_eq!(server.get(&format!("/api/v1/orgs/default/connections/{name}")).await, *row);
    }
    let names = server.get("/api/v1/orgs/default/connections/names?limit=1&offset=1").await;
    assert_eq!((&names["count"], &names["results"]), (&json!(1), &json!([])));
    server.call("GET", "/api/v1/orgs/default/connections/none", Value::Null).await.expect(404);
}

#[tokio::test]
async fn parameters_are_weighed() {
    let server = server();
    let body = json!({ "params": [{ "lr": 0.1 }, { "lr": 0.2 }, { "lr": 0.4 }], "metrics": [1.0, 2.0, 4.0] });
    let answer = server.post("/streams/v1/n/default/p/runs/multi/importance", body).await;
    assert_eq!(answer, json!({ "data": { "lr": { "importance": 1.0, "correlation": 1.0 } } }));
    let uneven = json!({ "params": [{ "lr": 0.1 }], "metrics": [] });
    server.call("POST", "/streams/v1/n/default/p/runs/multi/importance", uneven).await.expect(400);
}
