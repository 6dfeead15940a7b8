//! Versions of components, models and artifacts.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use snapbox::{assert_data_eq, str};

use crate::server::{TestServer, operation, redacted};

const VERSIONS: &str = "/api/v1/default/p/versions";

fn component() -> Value {
    operation()["component"].clone()
}

async fn server() -> TestServer {
    let server = TestServer::new();
    server.project("p").await;
    server
}

fn names(page: &Value) -> Vec<&str> {
    page["results"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_component_is_registered_read_changed_and_removed() {
    let server = server().await;
    let path = format!("{VERSIONS}/component");
    let body = json!({ "name": "v1", "description": "d", "tags": ["a", "a"], "kind": "component", "content": component().to_string() });
    let created = server.call("POST", &path, body).await.expect(201).json();
    assert_eq!(created["content"], component().to_string());
    let mut shown = created.clone();
    shown["content"] = Value::Null;
    assert_data_eq!(
        redacted(&shown),
        str![[r#"
{
  "uuid": "[uuid]",
  "name": "v1",
  "description": "d",
  "tags": [
    "a"
  ],
  "user": null,
  "created_at": "[time]",
  "updated_at": "[time]",
  "stage": "testing",
  "state": "[uuid]",
  "kind": "component",
  "owner": "default",
  "project": "p",
  "content": null,
  "readme": null,
  "run": null,
  "meta_info": {}
}
"#]]
    );
    let detail = server.get(&format!("{path}/v1")).await;
    assert_eq!((&detail["artifacts"], &detail["state"]), (&json!([]), &created["state"]));
    let patch = json!({ "description": "dd", "kind": "model", "merge": true, "tags": "b" });
    let patched = server.call("PATCH", &format!("{path}/v1"), patch).await.expect(200).json();
    assert_eq!(
        (&patched["description"], &patched["tags"], &patched["kind"]),
        (&json!("dd"), &json!(["b"]), &json!("component"))
    );
    assert_eq!(patched["state"], created["state"]);
    let other = component().to_string().replace("busybox", "debian");
    let patched = server.call("PATCH", &format!("{path}/v1"), json!({ "content": other })).await.expect(200).json();
    assert_ne!(patched["state"], created["state"]);
    server.call("DELETE", &format!("{path}/v1"), Value::Null).await.expect(204);
    let gone = server.call("GET", &format!("{path}/v1"), Value::Null).await.expect(404);
    assert_eq!(gone.json(), json!({ "detail": "No ProjectVersion matches the given query." }));
}

#[tokio::test]
async fn a_model_is_promoted_from_a_run() {
    let server = server().await;
    let run = server.run("p", "train").await;
    let run_path = format!("/api/v1/default/p/runs/{run}");
    let lineage =
        json!([{ "name": "model", "kind": "model", "path": "outputs/m" }, { "name": "loss", "kind": "metric" }]);
    server.post(&format!("{run_path}/lineage/artifacts"), lineage).await;
    let path = format!("{VERSIONS}/model");
    let body = json!({ "name": "1.0-rc.1", "run": run, "artifacts": ["model"], "content": "{\"f1\":0.9}" });
    let created = server.post(&path, body).await;
    assert_eq!(created["meta_info"]["run"], json!({ "project": "p", "name": "train", "uuid": run }));
    assert_eq!(created["meta_info"].get("artifacts"), None);
    let shown = server.get(&run_path).await;
    assert_eq!(shown["meta_info"], json!({ "is_promoted": true }));
    let reference = json!([{ "name": "1.0-rc.1", "state": null, "project": "p", "owner": "default" }]);
    assert_eq!((&shown["settings"]["models"], &shown["settings"]["artifacts"]), (&reference, &json!([])));
    assert_eq!(server.call("PATCH", &run_path, json!({ "name": "t" })).await.json()["settings"]["models"], reference);

    let version = format!("{path}/1.0-rc.1");
    for (service, keys) in [
        (None, vec!["run", "artifacts", "lineage"]),
        (Some("2.18.0"), vec!["run", "lineage"]),
        (Some("1.17.0"), vec!["run", "artifacts"]),
    ] {
        let mut request = Request::get(&version).header(header::HOST, "localhost");
        if let Some(service) = service {
            request = request.header("x-polyaxon-service", service);
        }
        let detail = server.send(request.body(Body::empty()).unwrap()).await.expect(200).json();
        assert_eq!(detail["artifacts"], json!(["model"]));
        assert_eq!(detail["meta_info"].as_object().unwrap().keys().collect::<Vec<_>>(), keys, "{service:?}");
    }
    let detail = server.get(&version).await;
    assert_eq!(
        detail["meta_info"]["artifacts"],
        json!([{ "name": "model", "kind": "model", "is_input": null, "path": "outputs/m", "summary": {}, "state": run }])
    );
    assert_eq!(detail["meta_info"]["lineage"][0]["meta_info"]["run"]["uuid"], json!(run));

    let other = server.run("p", "other").await;
    let moved = server.call("PATCH", &version, json!({ "run": other })).await.expect(200).json();
    assert_eq!(moved["meta_info"].as_object().unwrap().keys().collect::<Vec<_>>(), ["run"]);
    assert_eq!(server.get(&run_path).await["meta_info"], json!({}));
    let other_path = format!("/api/v1/default/p/runs/{other}");
    assert_eq!(server.get(&other_path).await["meta_info"], json!({ "is_promoted": true }));
    server.call("DELETE", &version, Value::Null).await.expect(204);
    assert_eq!(server.get(&other_path).await["meta_info"], json!({}));
}

#[tokio::test]
async fn versions_that_make_no_sense() {
    let server = server().await;
    let run = server.run("p", "r").await;
    let model = format!("{VERSIONS}/model");
    server.post(&model, json!({ "name": "v1" })).await;
    server.post(&model, json!({ "name": "v0" })).await;
    let taken = "A version with name v1 already exists on the requested project.";
    for (method, path, body, expected) in [
        ("POST", "model", json!({}), json!({ "name": ["This field is required."] })),
        ("POST", "model", json!({ "name": "v1" }), json!([taken])),
        ("PATCH", "model/v0", json!({ "name": "v1" }), json!([taken])),
        ("PUT", "model/v0", json!({ "description": "x" }), json!({ "name": ["This field is required."] })),
        (
            "POST",
            "model",
            json!({ "name": "v3", "content": {"a": 1} }),
            json!({ "content": ["invalid type: map, expected a string"] }),
        ),
        (
            "POST",
            "model",
            json!({ "name": "v3", "run": "zzz" }),
            json!({ "run": ["`zzz` is not a uuid, expected 32 hexadecimal digits"] }),
        ),
        (
            "POST",
            "model",
            json!({ "name": "v3", "run": "0".repeat(32) }),
            json!({ "run": ["Object with uuid=00000000000000000000000000000000 does not exist."] }),
        ),
        (
            "POST",
            "model",
            json!({ "name": "v3", "artifacts": ["x"] }),
            json!(["A run is required to link the artifacts: `x`."]),
        ),
        (
            "POST",
            "model",
            json!({ "name": "v3", "run": run, "artifacts": ["x"] }),
            json!(["Some artifacts could not be found in the lineage of the run: `x`."]),
        ),
        (
            "POST",
            "component",
            json!({ "name": "v1" }),
            json!(["A component version needs its `content`: the text of a Polyaxonfile."]),
        ),
        (
            "POST",
            "component",
            json!({ "name": "v1", "content": "- not\n- a mapping" }),
            json!([
                "a polyaxonfile must be a mapping of fields to values; start with `kind: operation` or `kind: component`."
            ]),
        ),
        ("POST", "model/v1/transfer", json!({}), json!(["The destination project was not provided."])),
        (
            "POST",
            "model/v1/transfer",
            json!({ "project": "q" }),
            json!(["The destination project `q` does not exist."]),
        ),
        (
            "POST",
            "model/v1/stages",
            json!({ "condition": { "type": "gone" } }),
            json!({ "condition": ["condition.type: `gone` is not a stage, expected one of: testing, staging, production, disabled"] }),
        ),
    ] {
        let answer = server.call(method, &format!("{VERSIONS}/{path}"), body.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (400, expected), "{method} {path} {body}");
    }
    for body in [json!({ "name": "v 2" }), json!({ "name": "" }), json!({ "name": "x".repeat(129) })] {
        assert!(server.call("POST", &model, body).await.expect(400).json()["name"].is_array());
    }
    server.call("GET", &format!("{VERSIONS}/bogus"), Value::Null).await.expect(404);
    server.call("GET", "/api/v1/default/none/versions/model", Value::Null).await.expect(404);
    let answer = server.call("POST", "/api/v1/default/none/versions/model", json!({ "name": "v1" })).await.expect(404);
    assert_eq!(answer.json(), json!({ "detail": "No Project matches the given query." }));
}

#[tokio::test]
async fn versions_are_listed_filtered_and_sorted() {
    let server = server().await;
    let path = format!("{VERSIONS}/model");
    for (name, tags) in [("a", json!(["x"])), ("b", json!(["x", "y"])), ("c", json!(null))] {
        server.post(&path, json!({ "name": name, "tags": tags })).await;
    }
    server.post(&format!("{path}/b/stages"), json!({ "condition": { "type": "production" } })).await;
    let page = server.get(&format!("{path}?limit=2&sort=-name")).await;
    assert_eq!((&page["count"], names(&page)), (&json!(3), vec!["c", "b"]));
    let keys: Vec<_> = page["results"][0].as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        keys,
        ["uuid", "name", "description", "tags", "user", "created_at", "updated_at", "stage", "state", "kind"]
    );
    for (query, expected) in [
        ("", vec!["b", "c", "a"]),
        ("?query=stage:production", vec!["b"]),
        ("?query=tags:x&sort=name", vec!["a", "b"]),
        ("?query=tags:x,tags:y", vec!["b"]),
        ("?query=tags:nil", vec!["c"]),
        ("?query=name:~b%25&sort=name", vec!["a", "c"]),
        ("?query=run:nil,project:p,kind:model,state:nil&sort=created_at", vec!["a", "b", "c"]),
        ("?query=teams:x", vec![]),
    ] {
        assert_eq!(names(&server.get(&format!("{path}{query}")).await), expected, "{query}");
    }
    assert_eq!(server.get(&format!("{path}/names?limit=1")).await["results"], json!([{ "name": "b" }]));
    assert_eq!(server.get(&format!("{VERSIONS}/artifact")).await["count"], 0);
    server.call("GET", &format!("{path}?query=bogus:1"), Value::Null).await.expect(400);
    server.project("q").await;
    server.post("/api/v1/default/q/versions/model", json!({ "name": "d" })).await;
    let all = server.get("/api/v1/orgs/default/versions/model?sort=-name&limit=1").await;
    assert_eq!((&all["count"], &all["results"][0]["project"]), (&json!(4), &json!("q")));
}

#[tokio::test]
async fn stages_are_recorded_and_versions_move() {
    let server = server().await;
    server.project("q").await;
    let path = format!("{VERSIONS}/artifact/v1");
    server.post(&format!("{VERSIONS}/artifact"), json!({ "name": "v1" })).await;
    let stages = server.get(&format!("{path}/stages")).await;
    assert_data_eq!(
        serde_json::to_string_pretty(&stages["stage_conditions"][0]).unwrap(),
        str![[r#"
{
  "type": "testing",
  "status": "True",
  "reason": "ArtifactVersionCreated",
  "message": "A new artifact version is created",
  "last_update_time": "[..]",
  "last_transition_time": "[..]"
}
"#]]
    );
    for kind in ["staging", "Staging", "production"] {
        let body = json!({ "condition": { "type": kind, "reason": "R", "message": kind } });
        let answer = server.call("POST", &format!("{path}/stages"), body).await.expect(201).json();
        assert_eq!(answer["stage"], kind.to_lowercase());
    }
    server.call("POST", &format!("{path}/stages"), json!({})).await.expect(201);
    let stages = server.get(&format!("{path}/stages")).await;
    let told: Vec<_> =
        stages["stage_conditions"].as_array().unwrap().iter().map(|entry| entry["message"].as_str().unwrap()).collect();
    assert_eq!(told, ["A new artifact version is created", "Staging", "production"]);
    // The column alone can be written as well.
    assert_eq!(server.call("PATCH", &path, json!({ "stage": "disabled" })).await.json()["stage"], "disabled");
    assert_eq!(server.get(&format!("{path}/stages")).await["stage_conditions"].as_array().unwrap().len(), 3);

    assert_eq!(server.post(&format!("{path}/transfer"), json!({ "project": "p" })).await, json!({}));
    assert_eq!(server.post(&format!("{path}/transfer"), json!({ "project": "q" })).await, json!({}));
    server.call("GET", &path, Value::Null).await.expect(404);
    assert_eq!(server.get("/api/v1/default/q/versions/artifact/v1").await["project"], "q");
    server.post(&format!("{VERSIONS}/artifact"), json!({ "name": "v1" })).await;
    let taken = server.call("POST", &format!("{path}/transfer"), json!({ "project": "q" })).await.expect(400).json();
    assert_eq!(taken, json!(["A version with name v1 already exists on the requested project."]));
}
