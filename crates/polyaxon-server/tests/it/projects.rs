//! Projects.

use serde_json::{Value, json};
use snapbox::{assert_data_eq, str};

use crate::server::{TestServer, redacted};

#[tokio::test]
async fn a_project_is_created_read_and_changed() {
    let server = TestServer::new();
    let body = json!({ "name": "p", "description": "d", "tags": ["a", "b", "a"], "is_public": true, "surprise": 1 });
    let created = server.call("POST", "/api/v1/default/projects/create", body).await.expect(201).json();
    assert_data_eq!(
        redacted(&created),
        str![[r#"
{
  "uuid": "[uuid]",
  "name": "p",
  "description": "d",
  "tags": [
    "a",
    "b"
  ],
  "user": null,
  "created_at": "[time]",
  "updated_at": "[time]",
  "readme": null
}
"#]]
    );
    let patched = server.call("PATCH", "/api/v1/default/p/", json!({ "name": "q", "readme": "# q" })).await.expect(200);
    assert_data_eq!(
        redacted(&patched.json()),
        str![[r##"
{
  "uuid": "[uuid]",
  "name": "q",
  "description": "d",
  "tags": [
    "a",
    "b"
  ],
  "user": null,
  "created_at": "[time]",
  "updated_at": "[time]",
  "bookmarked": false,
  "readme": "# q",
  "live_state": 1
}
"##]]
    );
    server.call("GET", "/api/v1/default/p", Value::Null).await.expect(404);
    let put = server.call("PUT", "/api/v1/default/q", json!({ "description": "x" })).await.expect(400);
    assert_eq!(put.json(), json!({ "name": ["This field is required."] }));
}

#[tokio::test]
async fn names_are_checked() {
    let server = TestServer::new();
    server.project("taken").await;
    for (body, expected) in [
        (json!({}), "This field is required."),
        (json!({ "name": "" }), "This field may not be blank."),
        (json!({ "name": "a/b" }), "Enter a valid “slug” consisting of letters, numbers, underscores or hyphens."),
        (json!({ "name": "runs" }), "`runs` is a reserved name, please choose another one."),
        (json!({ "name": "taken" }), "project with this name already exists."),
    ] {
        let answer = server.call("POST", "/api/v1/default/projects/create", body).await.expect(400);
        assert_eq!(answer.json(), json!({ "name": [expected] }));
    }
}

#[tokio::test]
async fn pages_are_linked() {
    let server = TestServer::new();
    for name in ["a", "b", "c"] {
        server.project(name).await;
    }
    let page = server.get("/api/v1/default/projects/list?limit=2").await;
    assert_eq!((&page["count"], page["results"].as_array().unwrap().len()), (&json!(3), 2));
    assert_eq!(page["next"], "http://localhost:8000/api/v1/default/projects/list?limit=2&offset=2");
    assert_eq!(page["previous"], Value::Null);
    let names = server.get("/api/v1/default/projects/names?offset=2&no_page=true").await;
    assert_eq!(names, json!({ "count": null, "next": null, "previous": null, "results": [{ "name": "a" }] }));
    let past = server.get("/api/v1/default/projects/list?offset=50").await;
    assert_eq!((&past["count"], &past["results"]), (&json!(3), &json!([])));
}

#[tokio::test]
async fn archived_and_deleted_projects() {
    let server = TestServer::new();
    server.project("p").await;
    let run = server.run("p", "r").await;
    server.post("/api/v1/default/p/archive", Value::Null).await;
    assert_eq!(server.get("/api/v1/default/p").await["live_state"], 0);
    assert_eq!(server.get("/api/v1/default/projects/list").await["count"], 0);
    server.call("POST", "/api/v1/default/p/runs", json!({ "is_managed": false })).await.expect(404);
    server.post("/api/v1/default/p/restore", Value::Null).await;
    assert_eq!(server.get(&format!("/api/v1/default/p/runs/{run}")).await["live_state"], 1);
    server.call("DELETE", "/api/v1/default/p", Value::Null).await.expect(204);
    server.call("GET", "/api/v1/default/p", Value::Null).await.expect(404);
    server.project("p").await;
}

#[tokio::test]
async fn bookmarks() {
    let server = TestServer::new();
    server.project("p").await;
    server.call("DELETE", "/api/v1/default/p/unbookmark", Value::Null).await.expect(404);
    server.call("POST", "/api/v1/default/p/bookmark", Value::Null).await.expect(201);
    assert_eq!(server.get("/api/v1/default/p").await["bookmarked"], true);
    for _ in 0..2 {
        server.call("DELETE", "/api/v1/default/p/unbookmark", Value::Null).await.expect(204);
    }
    assert_eq!(server.get("/api/v1/default/projects/list?bookmarks=True").await["count"], 0);
}
