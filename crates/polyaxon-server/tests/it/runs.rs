//! Creating, reading and changing runs.

use serde_json::{Value, json};
use snapbox::{assert_data_eq, str};

use crate::server::{TestServer, operation, redacted, uuid};

const RUNS: &str = "/api/v1/default/p/runs";

async fn server() -> TestServer {
    let server = TestServer::new();
    server.project("p").await;
    server
}

#[tokio::test]
async fn an_unmanaged_run_is_created_and_read() {
    let server = server().await;
    let body = json!({ "is_managed": false, "name": "m1", "tags": "a", "meta_info": { "x": 1 } });
    let created = server.call("POST", RUNS, body).await.expect(201).json();
    assert_data_eq!(
        redacted(&created),
        str![[r#"
{
  "uuid": "[uuid]",
  "kind": "job",
  "name": "m1",
  "description": null,
  "content": null,
  "is_managed": false,
  "managed_by": "user",
  "pending": null,
  "meta_info": {
    "x": 1
  },
  "tags": [
    "a"
  ],
  "settings": {}
}
"#]]
    );
    let detail = server.get(&format!("{RUNS}/{}", uuid(&created))).await;
    assert_data_eq!(
        redacted(&detail),
        str![[r#"
{
  "uuid": "[uuid]",
  "name": "m1",
  "created_at": "[time]",
  "updated_at": "[time]",
  "started_at": null,
  "finished_at": null,
  "schedule_at": null,
  "wait_time": null,
  "duration": null,
  "kind": "job",
  "runtime": null,
  "meta_info": {
    "x": 1
  },
  "status": "created",
  "pipeline": null,
  "original": null,
  "is_managed": false,
  "managed_by": "user",
  "pending": null,
  "inputs": null,
  "outputs": null,
  "tags": [
    "a"
  ],
  "settings": {
    "namespace": "polyaxon",
    "agent": null,
    "queue": null,
    "artifacts_store": null,
    "tensorboard": null,
    "build": null,
    "component": null,
    "models": [],
    "artifacts": []
  },
  "user": null,
  "owner": "default",
  "project": "p",
  "readme": null,
  "description": null,
  "raw_content": null,
  "content": null,
  "live_state": 1,
  "bookmarked": false,
  "resources": {
    "memory": 0.0,
    "cpu": 0.0,
    "gpu": 0.0,
    "custom": 0.0,
    "cost": 0.0
  }
}
"#]]
    );
    let anywhere = server.get(&format!("/api/v1/orgs/default/runs/{}", uuid(&created))).await;
    assert_eq!(anywhere, detail);
    let namespace = server.get(&format!("{RUNS}/{}/namespace", uuid(&created))).await;
    assert_eq!(namespace, json!({ "namespace": "polyaxon" }));
}

#[tokio::test]
async fn a_managed_run_waits_for_its_compilation() {
    let server = server().await;
    let body = json!({ "content": operation().to_string(), "tags": ["z"] });
    let created = server.call("POST", RUNS, body).await.expect(201).json();
    assert_eq!((&created["name"], &created["kind"]), (&json!("echo-op"), &json!("job")));
    let detail = server.get(&format!("{RUNS}/{}", uuid(&created))).await;
    let raw: Value = serde_json::from_str(detail["raw_content"].as_str().unwrap()).unwrap();
    assert_eq!(raw["component"]["run"]["container"]["args"], json!(["echo {{ msg }}"]));
    let run = uuid(&created).parse().unwrap();
    let open = server.store.read(move |tx| polyaxon_store::actions::open_of(tx, run)).await.unwrap();
    assert_eq!(open[0].action, polyaxon_engine::state::Action::Compile);
}

#[tokio::test]
async fn what_cannot_be_run_is_refused_with_a_sentence() {
    let server = server().await;
    for (body, expected) in [
        (json!({}), json!({ "non_field_errors": ["Run expects a `content`."] })),
        (
            json!({ "is_managed": false, "name": "not ok" }),
            json!({ "name": ["Enter a valid “slug” consisting of letters, numbers, underscores or hyphens."] }),
        ),
        (
            json!({ "is_managed": false, "pending": "maybe" }),
            json!({ "pending": ["`maybe` is not a pending gate, expected one of: approval, upload, build, cache"] }),
        ),
    ] {
        assert_eq!(server.call("POST", RUNS, body).await.expect(400).json(), expected);
    }
    let mut built = operation();
    built["build"] = json!({ "hubRef": "kaniko" });
    built["component"]["run"] =
        json!({ "kind": "dag", "operations": [{ "name": "a", "component": operation()["component"] }] });
    let mut unknown = operation();
    unknown["build"] = json!({ "hubRef": "nowhere:v1" });
    for text in ["nope", "{}", "- a\n- b", &built.to_string(), &unknown.to_string()] {
        let answer = server.call("POST", RUNS, json!({ "content": text })).await.expect(400).json();
        assert!(answer[0].is_string(), "{text}: {answer}");
    }
}

#[tokio::test]
async fn pipelines_that_cannot_begin_are_refused_with_all_problems() {
    let server = server().await;
    let component = operation()["component"].clone();
    let node = |name: &str, more: Value| {
        let mut node = json!({ "name": name, "component": component, "params": { "msg": { "value": "a" } } });
        node.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        node
    };
    let dag = |operations: Value| {
        json!({ "kind": "operation", "version": 1.1, "component": { "kind": "component", "version": 1.1,
            "run": { "kind": "dag", "operations": operations } } })
    };
    let wrong = json!({ "params": { "msg": { "ref": "ops.a", "value": "outputs.nothing" } } });
    let scheduled = json!({ "schedule": { "kind": "interval", "frequency": 60 } });
    let mut bad_cron = operation();
    bad_cron["schedule"] = json!({ "kind": "cron", "cron": "61 * * * *" });
    for (content, expected) in [
        (dag(json!([])), vec!["no operations"]),
        (
            dag(json!([node("a", json!({ "dependencies": ["b"] })), node("b", json!({ "dependencies": ["a"] }))])),
            vec!["in a circle"],
        ),
        (dag(json!([node("a", json!({ "dependencies": ["a"] }))])), vec!["depends on itself"]),
        (dag(json!([node("a", json!({ "dependencies": ["x", "y"] }))])), vec!["`x`", "`y`"]),
        (dag(json!([node("a", json!({})), node("a", json!({}))])), vec!["two operations named `a`"]),
        (dag(json!([node("a", json!({})), node("b", wrong.clone()), node("c", wrong)])), vec!["nothing", "nothing"]),
        (dag(json!([node("a", scheduled)])), vec!["schedule"]),
        (bad_cron, vec!["the minute `61` is not between 0 and 59"]),
    ] {
        let answer = server.call("POST", RUNS, json!({ "content": content.to_string() })).await.expect(400).json();
        let problems = answer.as_array().unwrap();
        assert_eq!(problems.len(), expected.len(), "{answer}");
        for (problem, expected) in problems.iter().zip(expected) {
            assert!(problem.as_str().unwrap().contains(expected), "{answer}");
        }
    }
}

#[tokio::test]
async fn the_submitters_world_is_kept_for_the_runtime_and_shown_to_nobody() {
    let server = server().await;
    let submission =
        json!({ "cwd": "/work", "env": { "PATH": "/bin" }, "code": { "commit": "abc123", "diff": "--- a" } });
    let body = json!({ "content": operation().to_string(), "submission": submission });
    let run = uuid(&server.post(RUNS, body).await);
    let restarted = uuid(&server.post(&format!("{RUNS}/{run}/restart"), json!({})).await);
    for run in [run, restarted] {
        let id = run.parse().unwrap();
        let stored = server.store.read(move |tx| polyaxon_store::submission::get(tx, id)).await.unwrap().unwrap();
        assert_eq!((stored.cwd.as_deref(), &stored.env["PATH"]), (Some("/work"), &json!("/bin")));
        assert!(!server.get(&format!("{RUNS}/{run}")).await.to_string().contains("abc123"));
    }
}

#[tokio::test]
async fn patches_replace_or_merge() {
    let server = server().await;
    let path = format!("{RUNS}/{}", server.run("p", "r").await);
    let patch = async |body: Value| server.call("PATCH", &path, body).await.expect(200).json();
    patch(json!({ "outputs": { "loss": 0.5, "acc": 0.1 }, "tags": ["a"] })).await;
    let merged = patch(json!({ "outputs": { "loss": 0.25 }, "tags": ["b", "a"], "merge": true })).await;
    assert_eq!((&merged["outputs"], &merged["tags"]), (&json!({"loss": 0.25, "acc": 0.1}), &json!(["a", "b"])));
    let replaced = patch(json!({ "outputs": { "only": 1 }, "uuid": "0", "content": "x", "surprise": 1 })).await;
    assert_eq!((&replaced["outputs"], &replaced["content"]), (&json!({"only": 1}), &Value::Null));
    server.call("PATCH", &path, json!({ "name": "not ok" })).await.expect(400);
    let put = server.call("PUT", &path, json!({})).await.expect(400).json();
    assert_eq!(put, json!({ "kind": ["This field is required."] }));
}

#[tokio::test]
async fn parallel_merges_lose_no_key() {
    let server = server().await;
    let path = format!("{RUNS}/{}", server.run("p", "r").await);
    let patches = (0..20).map(|number| {
        let body = json!({ "outputs": { format!("k{number}"): number }, "merge": true });
        server.call("PATCH", &path, body)
    });
    for answer in futures_util::future::join_all(patches).await {
        answer.expect(200);
    }
    assert_eq!(server.get(&path).await["outputs"].as_object().unwrap().len(), 20);
}

#[tokio::test]
async fn lists_have_rows_graphs_and_pages() {
    let server = server().await;
    let (a, b) = (server.run("p", "a").await, server.run("p", "b").await);
    server.post(&format!("{RUNS}/{b}/lineage/edges"), json!({ "edges": [{ "uuid": a, "is_upstream": true }] })).await;
    let rows = server.get(RUNS).await;
    let row = rows["results"][0].as_object().unwrap();
    assert!(row.contains_key("inputs") && !row.contains_key("project") && !row.contains_key("content"));
    let graph = server.get(&format!("{RUNS}?mode=graph&limit=1000")).await;
    let mut graphs: Vec<_> =
        graph["results"].as_array().unwrap().iter().map(|row| (row["name"].clone(), row["graph"].clone())).collect();
    graphs.sort_by_key(|(name, _)| name.to_string());
    assert_eq!(graphs, [(json!("a"), json!({ "downstream": [b] })), (json!("b"), json!({ "downstream": [] }))]);
    let all = server.get("/api/v1/orgs/default/runs").await;
    assert_eq!((&all["count"], &all["results"][0]["project"]), (&json!(2), &json!("p")));
}

#[tokio::test]
async fn offline_runs_are_imported_once() {
    let server = server().await;
    let body = json!({
        "uuid": "0123456789abcdef0123456789abcdef", "kind": "job", "runtime": "job", "created_at": "2026-03-01T00:00:00Z",
        "finished_at": "2026-03-01T00:00:05Z", "duration": 4, "status": "succeeded", "outputs": { "b": 2 },
        "status_conditions": [{ "type": "created", "status": "True" }, { "type": "succeeded", "status": "True" }],
    });
    server.call("POST", &format!("{RUNS}/sync"), body.clone()).await.expect(201);
    let run = server.get(&format!("{RUNS}/0123456789abcdef0123456789abcdef")).await;
    assert_eq!((&run["created_at"], &run["duration"]), (&json!("2026-03-01T00:00:00Z"), &json!(4.0)));
    assert_eq!((&run["status"], &run["managed_by"]), (&json!("succeeded"), &json!("user")));
    let statuses = server.get(&format!("{RUNS}/0123456789abcdef0123456789abcdef/statuses")).await;
    assert_eq!(statuses["status_conditions"].as_array().unwrap().len(), 2);
    let again = server.call("POST", &format!("{RUNS}/sync"), body).await.expect(400).json();
    assert_eq!(again, json!(["A run with uuid 0123456789abcdef0123456789abcdef already exists."]));
    let missing = server.call("POST", &format!("{RUNS}/sync"), json!({ "kind": "job" })).await.expect(400).json();
    assert_eq!(missing, json!({ "uuid": ["This field is required."] }));
}

#[tokio::test]
async fn lists_are_filtered_and_sorted() {
    let server = server().await;
    for (name, tags) in [("a", json!(["x"])), ("b", json!(["x", "y"])), ("c", json!([]))] {
        server.post(RUNS, json!({ "is_managed": false, "name": name, "tags": tags })).await;
    }
    for (query, expected) in [
        ("query=name:a%7Cc&sort=name", vec!["a", "c"]),
        ("query=tags:x&sort=-name", vec!["b", "a"]),
        ("query=status:running", vec![]),
        ("query=live_state:0", vec![]),
        ("sort=bogus", vec!["c", "b", "a"]),
    ] {
        let found = server.get(&format!("{RUNS}?{query}")).await;
        let names: Vec<_> =
            found["results"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
        assert_eq!(names, expected, "{query}");
    }
    for wrong in ["bogus:1", "name", "duration:abc"] {
        let refused = server.call("GET", &format!("{RUNS}?query={wrong}"), Value::Null).await.expect(400).json();
        assert!(refused[0].as_str().unwrap().starts_with("Error applying or resolving queryset, "), "{refused}");
    }
}
