//! Artifacts of runs, and the graph of runs.

use serde_json::{Value, json};

use crate::server::TestServer;

const RUNS: &str = "/api/v1/default/p/runs";

fn rows() -> Value {
    json!([
        { "name": "loss", "kind": "metric", "path": "events/metric/loss.plx", "summary": {"last": 0.1}, "is_input": false },
        { "name": "data", "kind": "data", "path": "s3://bucket/x", "summary": {"hash": "abc"}, "is_input": true },
    ])
}

#[tokio::test]
async fn artifacts_are_linked_listed_updated_and_removed() {
    let server = TestServer::new();
    server.project("p").await;
    let (a, b) = (server.run("p", "a").await, server.run("p", "b").await);
    for run in [&a, &b] {
        let answer =
            server.call("POST", &format!("{RUNS}/{run}/lineage/artifacts"), json!({ "artifacts": rows() })).await;
        assert_eq!(answer.expect(201).bytes, b"");
    }
    assert_eq!(server.get(&format!("{RUNS}/{a}/artifacts_lineage")).await["count"], 2);
    let loss = server.get(&format!("{RUNS}/{a}/lineage/artifacts/loss")).await;
    assert_eq!(
        loss,
        json!({ "name": "loss", "kind": "metric", "is_input": false, "path": "events/metric/loss.plx",
            "summary": {"last": 0.1}, "state": a, "run": a, "meta_info": { "run": { "name": "a", "uuid": a } } })
    );
    let state = async |run: &str| server.get(&format!("{RUNS}/{run}/lineage/artifacts/data")).await["state"].clone();
    assert_eq!(state(&a).await, state(&b).await);

    server
        .post(&format!("{RUNS}/{a}/lineage/artifacts"), json!({ "name": "loss", "kind": "metric", "summary": {} }))
        .await;
    let names = server.get(&format!("{RUNS}/{a}/lineage/artifacts/names")).await;
    assert_eq!(names["results"], json!([{ "name": "loss" }, { "name": "data" }]));
    assert_eq!(server.get(&format!("{RUNS}/lineage/artifacts")).await["count"], 4);
    let any = server.get(&format!("{RUNS}/lineage/artifacts?mode=any")).await;
    assert_eq!((&any["count"], any["results"].as_array().unwrap().len()), (&json!(3), 3), "{any}");
    assert_eq!(any["results"][0], json!({ "name": "data", "kind": "data", "is_input": true }));
    assert_eq!(server.get(&format!("{RUNS}/artifacts_lineage?query=run:{a}&sort=-path")).await["count"], 2);
    assert_eq!(server.get("/api/v1/orgs/default/runs/lineage/artifacts").await["count"], 4);
    assert_eq!(server.get(&format!("{RUNS}/{a}/artifacts_lineage/names")).await, names);
    assert_eq!(server.get(&format!("{RUNS}/{a}/artifacts_lineage/data")).await["kind"], "data");

    server.call("DELETE", &format!("{RUNS}/{a}/lineage/artifacts/loss"), Value::Null).await.expect(204);
    let gone = server.call("GET", &format!("{RUNS}/{a}/lineage/artifacts/loss"), Value::Null).await.expect(404);
    assert_eq!(gone.json(), json!({ "detail": "No ArtifactLineage matches the given query." }));
}

#[tokio::test]
async fn artifacts_that_are_wrong() {
    let server = TestServer::new();
    server.project("p").await;
    let path = format!("{RUNS}/{}/lineage/artifacts", server.run("p", "a").await);
    for body in [json!({}), json!({ "artifacts": [{ "name": "x", "kind": "nope" }] }), json!([{ "kind": "model" }])] {
        assert!(server.call("POST", &path, body).await.expect(400).json()[0].is_string());
    }
    server.call("POST", &path, json!([])).await.expect(201);
}

#[tokio::test]
async fn edges_are_replaced_and_seen_from_both_sides() {
    let server = TestServer::new();
    server.project("p").await;
    let (a, b) = (server.run("p", "a").await, server.run("p", "b").await);
    let edges = json!({ "edges": [{ "run": a, "is_upstream": true, "values": { "k": 1 } }] });
    server.call("POST", &format!("{RUNS}/{b}/lineage/edges"), edges).await.expect(201);
    let end = |run: &str, name: &str| json!({ "uuid": run, "name": name, "kind": "job", "runtime": null });
    assert_eq!(
        server.get(&format!("{RUNS}/{b}/lineage/upstream")).await["results"],
        json!([{ "values": { "k": 1 }, "kind": "manual", "statuses": null, "upstream": end(&a, "a") }])
    );
    assert_eq!(server.get(&format!("{RUNS}/{a}/lineage/downstream")).await["results"][0]["downstream"], end(&b, "b"));
    server.call("POST", &format!("{RUNS}/{b}/lineage/edges"), json!({ "edges": [] })).await.expect(201);
    assert_eq!(server.get(&format!("{RUNS}/{b}/lineage/upstream")).await["count"], 0);
    server.call("POST", &format!("{RUNS}/{b}/lineage/edges"), json!({})).await.expect(400);
    assert_eq!(server.get(&format!("{RUNS}/{b}/lineage/upstream?query=kind:dag&sort=-kind")).await["count"], 0);
    for list in ["upstream", "downstream", "clones"] {
        let wrong =
            server.call("GET", &format!("{RUNS}/{b}/lineage/{list}?query=bogus:1"), Value::Null).await.expect(400);
        let wrong = wrong.json()[0].as_str().unwrap().to_owned();
        assert!(wrong.starts_with("Error applying or resolving queryset, unknown field `bogus`"), "{wrong}");
    }
    let stranger = json!({ "edges": [{ "uuid": "9".repeat(32), "is_upstream": true }] });
    let refused = server.call("POST", &format!("{RUNS}/{b}/lineage/edges"), stranger).await.expect(400).json();
    assert_eq!(refused, json!({ "edges": [format!("Object with uuid={} does not exist.", "9".repeat(32))] }));
}

#[tokio::test]
async fn artifacts_are_filtered_and_sorted() {
    let server = TestServer::new();
    server.project("p").await;
    let path = format!("{RUNS}/{}/lineage/artifacts", server.run("p", "a").await);
    server.post(&path, json!({ "artifacts": rows() })).await;
    for (query, expected) in [
        ("query=kind:metric", vec!["loss"]),
        ("query=is_input:1", vec!["data"]),
        ("sort=-name", vec!["loss", "data"]),
        ("sort=name&limit=1&offset=1", vec!["loss"]),
    ] {
        let found = server.get(&format!("{path}?{query}")).await;
        let names: Vec<_> =
            found["results"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
        assert_eq!(names, expected, "{query}");
    }
    let wrong = server.call("GET", &format!("{path}?query=bogus:1"), Value::Null).await.expect(400).json();
    assert!(wrong[0].as_str().unwrap().starts_with("Error applying or resolving queryset, "), "{wrong}");
}
