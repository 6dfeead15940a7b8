//! Verbs on many runs.

use serde_json::{Value, json};

use crate::server::TestServer;

const RUNS: &str = "/api/v1/default/p/runs";

#[tokio::test]
async fn verbs_reach_the_runs_of_the_project_and_skip_others() {
    let server = TestServer::new();
    server.project("p").await;
    server.project("q").await;
    let (a, b, foreign) = (server.run("p", "a").await, server.run("p", "b").await, server.run("q", "c").await);
    let uuids = json!([a, b, foreign, "0123456789abcdef0123456789abcdef"]);
    server.post(&format!("{RUNS}/tag"), json!({ "uuids": uuids, "tags": ["new"] })).await;
    server.post(&format!("{RUNS}/tag"), json!({ "uuids": [a], "tags": ["more", "new"] })).await;
    assert_eq!(server.get(&format!("{RUNS}/{a}")).await["tags"], json!(["new", "more"]));
    for verb in ["approve", "invalidate", "bookmark", "skip"] {
        assert_eq!(server.post(&format!("{RUNS}/{verb}"), json!({ "uuids": uuids })).await, json!({}), "{verb}");
    }
    assert_eq!(server.status_of("p", &b).await, "skipped");
    assert_eq!(server.status_of("q", &foreign).await, "created");
    server.post(&format!("{RUNS}/archive"), json!({ "uuids": [a] })).await;
    assert_eq!(server.get(RUNS).await["count"], 1);
    server.post(&format!("{RUNS}/restore"), json!({ "uuids": [a] })).await;
    server.post(&format!("{RUNS}/transfer"), json!({ "uuids": [b], "project": "q" })).await;
    assert_eq!(server.status_of("q", &b).await, "skipped");
    server.call("DELETE", &format!("{RUNS}/delete"), json!({ "uuids": [a] })).await.expect(200);
    assert_eq!(server.get(RUNS).await["count"], 0);
}

#[tokio::test]
async fn requests_that_make_no_sense() {
    let server = TestServer::new();
    server.project("p").await;
    for (verb, body, expected) in [
        ("stop", json!({}), json!({ "uuids": ["This field is required."] })),
        (
            "stop",
            json!({ "uuids": ["zzz"] }),
            json!({ "uuids": ["uuids[0]: `zzz` is not a uuid, expected 32 hexadecimal digits"] }),
        ),
        ("transfer", json!({ "uuids": [] }), json!(["The destination project was not provided."])),
    ] {
        assert_eq!(server.call("POST", &format!("{RUNS}/{verb}"), body).await.expect(400).json(), expected);
    }
    assert_eq!(
        server.call("POST", &format!("{RUNS}/stop"), json!({ "uuids": [] })).await.expect(200).json(),
        json!({})
    );
    server.call("POST", &format!("{RUNS}/delete"), Value::Null).await.expect(405);
}
