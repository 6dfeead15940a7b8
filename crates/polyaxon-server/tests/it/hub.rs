//! `hubRef`: operations over component versions of the server.

use serde_json::{Value, json};

use crate::server::{TestServer, operation, uuid};

const RUNS: &str = "/api/v1/default/p/runs";

/// A project `train` with two component versions, and a project `p` for runs.
async fn server() -> TestServer {
    let server = TestServer::new();
    server.project("p").await;
    server.project("train").await;
    for (name, image) in [("v1", "busybox"), ("v2", "debian")] {
        let content = operation()["component"].to_string().replace("busybox", image);
        server.post("/api/v1/default/train/versions/component", json!({ "name": name, "content": content })).await;
    }
    server
}

fn referring(reference: &str) -> Value {
    json!({ "version": 1.1, "kind": "operation", "hubRef": reference, "params": { "msg": { "value": "hi" } } })
}

async fn submit(server: &TestServer, operation: &Value) -> Value {
    let run = uuid(&server.post(RUNS, json!({ "content": operation.to_string() })).await);
    server.get(&format!("{RUNS}/{run}")).await
}

fn image(run: &Value) -> String {
    let content: Value = serde_json::from_str(run["content"].as_str().unwrap()).unwrap();
    content["run"]["container"]["image"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_reference_is_resolved_and_recorded() {
    let server = server().await;
    for (reference, expected) in
        [("train:v1", "busybox"), ("default/train:v2", "debian"), ("train", "debian"), ("train:latest", "debian")]
    {
        assert_eq!(image(&submit(&server, &referring(reference)).await), expected, "{reference}");
    }
    let run = submit(&server, &referring("train:v1")).await;
    let raw: Value = serde_json::from_str(run["raw_content"].as_str().unwrap()).unwrap();
    assert_eq!((&raw["hubRef"], &raw["component"]["name"]), (&json!("train:v1"), &json!("echo")));
    let version = server.get("/api/v1/default/train/versions/component/v1").await;
    let reference = json!({ "name": "v1", "state": version["state"], "project": "train", "owner": "default" });
    assert_eq!(run["settings"]["component"], json!({ "state": version["state"], "versions": [reference], "count": 2 }));
    let rows = server.get(&format!("{RUNS}?query=component_state:{}", version["state"].as_str().unwrap())).await;
    assert_eq!(rows["count"], 2);
    assert_eq!(rows["results"][0]["settings"]["component"], json!({ "state": version["state"] }));
    let again = server.post(&format!("{RUNS}/{}/restart", uuid(&run)), json!({})).await;
    assert_eq!(again["settings"]["component"], json!({ "state": version["state"] }));
}

#[tokio::test]
async fn a_name_without_version_may_be_a_version_of_the_own_project() {
    let server = server().await;
    let content = operation()["component"].to_string().replace("busybox", "alpine");
    server.post("/api/v1/default/p/versions/component", json!({ "name": "own", "content": content })).await;
    assert_eq!(image(&submit(&server, &referring("own")).await), "alpine");
}

#[tokio::test]
async fn a_component_that_comes_along_is_used() {
    let server = server().await;
    let mut operation = operation();
    operation["hubRef"] = "elsewhere:v9".into();
    let run = submit(&server, &operation).await;
    assert_eq!(image(&run), "busybox");
    let state = server.get("/api/v1/default/train/versions/component/v1").await["state"].clone();
    assert_eq!(run["settings"]["component"]["state"], state, "the state is that of the content");
    assert_eq!(submit(&server, &crate::server::operation()).await["settings"]["component"], Value::Null);
}

#[tokio::test]
async fn what_is_built_in_needs_no_registration_and_gives_way_to_what_is_registered() {
    let server = server().await;
    for reference in ["notebook", "polyaxon/notebook:latest"] {
        let run = submit(&server, &json!({ "kind": "operation", "hubRef": reference })).await;
        assert_eq!(run["kind"], "service", "{reference}");
        assert!(run["settings"]["component"]["state"].is_string(), "{run}");
    }
    server.project("notebook").await;
    let content = operation()["component"].to_string();
    server.post("/api/v1/default/notebook/versions/component", json!({ "name": "v1", "content": content })).await;
    assert_eq!(image(&submit(&server, &referring("notebook")).await), "busybox");
}

#[tokio::test]
async fn what_is_missing_is_named_with_what_there_is() {
    let server = server().await;
    for (reference, expected) in [
        (
            "train:v9",
            "cannot read `hubRef: train:v9`: the project `train` has no component version `v9`; its component versions are: v2, v1.",
        ),
        (
            "nope:v1",
            "cannot read `hubRef: nope:v1`: there is no project `nope` on this server; projects with component versions are: train; built in are: ",
        ),
        (
            "p",
            "cannot read `hubRef: p`: the project `p` has no component version `latest`; it has none; register one with `polyaxon components register`.",
        ),
    ] {
        let answer =
            server.call("POST", RUNS, json!({ "content": referring(reference).to_string() })).await.expect(400);
        assert!(answer.json()[0].as_str().unwrap().starts_with(expected), "{}", answer.text());
    }
    let by_path = json!({ "kind": "operation", "pathRef": "./a.yaml" });
    let answer = server.call("POST", RUNS, json!({ "content": by_path.to_string() })).await.expect(400).json();
    assert!(answer[0].as_str().unwrap().contains("the server does not read files"), "{answer}");
}
