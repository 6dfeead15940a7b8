//! Odd requests, answered as the official server answers them: found by sending the same requests to both.

use serde_json::{Value, json};

use crate::server::{TestServer, operation, uuid};

/// Sends a request to a project `p` with an unmanaged run; `{run}` in the path and in texts is its uuid.
async fn check(cases: &[(&str, &str, Value, u16, Value)]) {
    let server = TestServer::new();
    server.project("p").await;
    let run = server.run("p", "first").await;
    let dashed = uuid::Uuid::parse_str(&run).unwrap().hyphenated().to_string();
    for (method, path, body, status, expected) in cases {
        let fill = |text: &str| text.replace("{run}", &run).replace("{dashed}", &dashed);
        let body = serde_json::from_str(&fill(&body.to_string())).unwrap();
        let answer = server.call(method, &fill(&format!("/api/v1/default/{path}")), body).await;
        assert_eq!(answer.status.as_u16(), *status, "{method} {path}: {}", answer.text());
        if !expected.is_null() {
            let shown = answer.json();
            let shown = match expected {
                Value::Object(fields) => fields.keys().map(|key| (key.clone(), shown[key].clone())).collect(),
                _ => shown,
            };
            assert_eq!(&shown, expected, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn numbers_are_texts_and_words_are_booleans() {
    check(&[
        (
            "POST",
            "projects/create",
            json!({ "name": "q", "description": 1, "tags": ["a", "a", 1] }),
            201,
            json!({ "description": "1", "tags": ["a", "1"] }),
        ),
        ("POST", "projects/create", json!({ "name": "q2", "tags": "" }), 201, json!({ "tags": [] })),
        ("POST", "projects/create", json!({ "name": "q3", "description": [] }), 400, Value::Null),
        ("POST", "p/runs", json!({ "is_managed": "no", "name": 5 }), 201, json!({ "name": "5", "managed_by": "user" })),
        ("POST", "p/runs", json!({ "is_managed": 0, "tags": [1, "b"] }), 201, json!({ "tags": ["1", "b"] })),
        ("PATCH", "p/runs/{run}", json!({ "tags": ["x"], "merge": "true" }), 200, json!({ "tags": ["x"] })),
        ("PATCH", "p/runs/{run}", json!({ "tags": [2], "merge": 1 }), 200, json!({ "tags": ["x", "2"] })),
        ("PATCH", "p/runs/{run}", json!({ "merge": "perhaps" }), 400, Value::Null),
        ("POST", "p/runs/tag", json!({ "uuids": ["{dashed}"], "tags": "y" }), 200, json!({})),
        (
            "POST",
            "p/runs/{run}/statuses",
            json!({ "condition": { "type": "running" }, "force": "true" }),
            201,
            json!({ "status": "running" }),
        ),
        ("POST", "p/versions/model", json!({ "name": "v", "description": 5 }), 201, json!({ "description": "5" })),
        ("GET", "p/runs/{run}", Value::Null, 200, json!({ "tags": ["x", "2", "y"] })),
    ])
    .await;
}

#[tokio::test]
async fn a_list_is_no_object() {
    let refusal = json!({ "non_field_errors": ["Invalid data. Expected an object with named fields."] });
    check(&[
        ("POST", "projects/create", json!([]), 400, refusal.clone()),
        ("POST", "p/runs", json!([{ "is_managed": false }]), 400, refusal.clone()),
        ("PATCH", "p/runs/{run}", json!([]), 400, refusal.clone()),
        ("POST", "p/runs/{run}/statuses", json!([]), 400, refusal.clone()),
        ("POST", "p/versions/model", json!([]), 400, refusal),
        ("POST", "p/runs/{run}/lineage/artifacts", json!([]), 201, Value::Null),
    ])
    .await;
}

#[tokio::test]
async fn a_run_that_is_not_there_is_told_before_what_is_wrong_with_the_body() {
    let missing = json!({ "detail": "No Run matches the given query." });
    let other = "f".repeat(32);
    for (method, path) in
        [("PUT", ""), ("POST", "/transfer"), ("POST", "/lineage/edges"), ("POST", "/lineage/artifacts")]
    {
        check(&[(method, &format!("p/runs/{other}{path}"), json!({}), 404, missing.clone())]).await;
    }
}

#[tokio::test]
async fn paths_have_uuids_without_dashes() {
    let missing = json!({ "detail": "Not found." });
    check(&[
        ("GET", "p/runs/{run}", Value::Null, 200, Value::Null),
        ("GET", "p/runs/{dashed}", Value::Null, 404, missing.clone()),
        ("POST", "p/runs/{dashed}/stop", Value::Null, 404, missing.clone()),
        ("GET", "p/runs?query=uuid:{dashed}", Value::Null, 200, json!({ "count": 1 })),
    ])
    .await;
    let server = TestServer::new();
    server.project("p").await;
    let run = server.run("p", "r").await;
    let dashed = uuid::Uuid::parse_str(&run).unwrap().hyphenated().to_string();
    server.call("GET", &format!("/api/v1/orgs/default/runs/{dashed}"), Value::Null).await.expect(404);
    server.call("GET", "/api/v1/compatibility/abc/2-18-0/cli", Value::Null).await.expect(200);
    server.call("GET", "/api/v1/compatibility/a-b/2-18-0/cli", Value::Null).await.expect(404);
}

#[tokio::test]
async fn wrong_methods() {
    let server = TestServer::new();
    for (method, path, status) in [
        ("OPTIONS", "/api/v1/installation", 405),
        ("OPTIONS", "/api/v1/default/projects/list", 405),
        ("HEAD", "/api/v1/installation", 405),
        ("PUT", "/api/v1/installation", 405),
        ("POST", "/streams/v1/polyaxon/default/p/runs/x/artifacts/tree", 400),
        ("PUT", "/streams/v1/polyaxon/default/p/runs/x/artifact", 400),
    ] {
        let answer = server.call(method, path, Value::Null).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}");
    }
}

#[tokio::test]
async fn params_are_inputs_before_the_run_is_compiled() {
    let server = TestServer::new();
    server.project("p").await;
    let inputs = async |body: Value| {
        let run = uuid(&server.post("/api/v1/default/p/runs", body).await);
        server.get(&format!("/api/v1/default/p/runs/{run}")).await["inputs"].clone()
    };
    let waiting = json!({ "content": operation().to_string(), "pending": "approval" });
    assert_eq!(inputs(waiting).await, json!({ "msg": "hi" }));
    let mut operation = operation();
    operation["params"] = json!({ "bogus": 1, "other": { "ref": "runs.x", "value": "outputs.y" } });
    assert_eq!(inputs(json!({ "content": operation.to_string() })).await, json!({ "bogus": 1 }));
    assert_eq!(inputs(json!({ "is_managed": false })).await, Value::Null);
}

#[tokio::test]
async fn clones_take_json_only_and_inherit_what_is_empty() {
    let server = TestServer::new();
    server.project("p").await;
    let body = json!({ "content": operation().to_string(), "name": "first", "tags": ["a"] });
    let run = uuid(&server.post("/api/v1/default/p/runs", body).await);
    let restart = format!("/api/v1/default/p/runs/{run}/restart");
    let clone = server.post(&restart, json!({ "name": "", "tags": [] })).await;
    assert_eq!((&clone["name"], &clone["tags"]), (&json!("first"), &json!(["a"])));
    let refusal = server.call("POST", &restart, json!({ "content": "params: {msg: yaml}" })).await.expect(400);
    assert!(refusal.text().starts_with("[\"Cloning was not successful, error: "), "{}", refusal.text());
}
