//! A pipeline as it is watched: everything once, then what changed, for any number of watchers.

use axum::body::Body;
use http_body_util::BodyExt;
use polyaxon_model::ids::RunId;
use polyaxon_store::db::Value as Sql;
use serde_json::{Value, json};

use crate::server::{PATIENCE, TestServer};

/// The lines of a stream as they come.
struct Lines {
    body: Body,
    text: String,
}

impl Lines {
    async fn open(server: &TestServer, run: &str, cursor: Option<i64>) -> Lines {
        let query = cursor.map_or(String::new(), |cursor| format!("?cursor={cursor}"));
        let path = format!("/api/v1/default/p/runs/{run}/pipeline/follow{query}");
        Lines { body: server.open(&path).await, text: String::new() }
    }

    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some((line, rest)) = self.text.split_once('\n') {
                let value = serde_json::from_str(line).unwrap();
                rest.to_owned().clone_into(&mut self.text);
                return Some(value);
            }
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await.expect("a line comes")?;
            self.text.push_str(std::str::from_utf8(&frame.unwrap().into_data().unwrap()).unwrap());
        }
    }

    /// Names and statuses up to the next cursor, and the cursor.
    async fn batch(&mut self) -> (Vec<String>, i64) {
        let mut told = Vec::new();
        loop {
            let line = self.next().await.expect("the stream goes on");
            if let Some(cursor) = line["cursor"].as_i64() {
                return (told, cursor);
            }
            match line["run"]["name"].as_str() {
                Some(name) => told.push(format!("{name} {}", line["run"]["status"].as_str().unwrap())),
                None => told.push(line.to_string()),
            }
        }
    }
}

async fn post(server: &TestServer, run: &str, status: &str) {
    let condition = json!({ "condition": { "type": status, "status": true, "reason": "Why", "message": "because" } });
    server.post(&format!("/api/v1/default/p/runs/{run}/statuses"), condition).await;
}

/// A run that others are put below.
async fn family(server: &TestServer) -> (String, Vec<String>) {
    server.project("p").await;
    let root = server.run("p", "root").await;
    let mut children = Vec::new();
    for name in ["inner", "leaf"] {
        children.push(server.run("p", name).await);
    }
    let other = server.run("p", "other").await;
    adopt(server, &children[0], &root).await;
    adopt(server, &children[1], &children[0]).await;
    children.push(other);
    (root, children)
}

async fn adopt(server: &TestServer, child: &str, parent: &str) {
    let (child, parent): (RunId, RunId) = (child.parse().unwrap(), parent.parse().unwrap());
    let sql = "UPDATE runs SET pipeline_id = (SELECT id FROM runs WHERE uuid = ?2) WHERE uuid = ?1";
    server.store.write(move |tx| tx.execute(sql, &[Sql::from(child), Sql::from(parent)])).await.unwrap();
}

#[tokio::test]
async fn watchers_get_the_tree_and_then_what_changed_in_it() {
    let server = TestServer::new();
    let (root, children) = family(&server).await;
    let mut lines = Lines::open(&server, &root, None).await;
    let (mut told, _) = lines.batch().await;
    told.sort();
    assert_eq!(told, ["inner created", "leaf created", "root created"]);
    post(&server, &children[1], "running").await;
    assert_eq!(lines.batch().await.0, ["leaf running"]);
    // What is beside the tree is not told.
    post(&server, &children[2], "running").await;
    post(&server, &children[1], "failed").await;
    let (told, cursor) = lines.batch().await;
    assert_eq!(told, ["leaf failed"]);
    // A second one shares the lines, and one that comes back with a cursor gets only what is new.
    let mut again = Lines::open(&server, &root, Some(cursor)).await;
    let late = server.run("p", "late").await;
    adopt(&server, &late, &children[0]).await;
    assert_eq!(again.batch().await.0, ["late created"]);
    assert_eq!(lines.batch().await.0, ["late created"]);
    post(&server, &root, "succeeded").await;
    for lines in [&mut lines, &mut again] {
        assert_eq!(lines.batch().await.0, ["root succeeded"]);
        assert_eq!(lines.next().await, Some(json!({ "done": "succeeded" })));
        assert_eq!(lines.next().await, None);
    }
}

#[tokio::test]
async fn a_cursor_is_also_good_for_a_server_that_reads_the_tree_anew() {
    let server = TestServer::new();
    let (root, children) = family(&server).await;
    let (_, cursor) = Lines::open(&server, &root, None).await.batch().await;
    // Nobody watches any more.
    post(&server, &children[1], "failed").await;
    let mut lines = Lines::open(&server, &root, Some(cursor)).await;
    let line = lines.next().await.unwrap();
    assert_eq!(line["run"]["name"], "leaf");
    assert_eq!((&line["run"]["reason"], &line["run"]["message"]), (&json!("Why"), &json!("because")));
    assert!(lines.next().await.unwrap()["cursor"].as_i64() > Some(cursor));
}

#[tokio::test]
async fn a_run_alone_is_a_tree_and_one_that_is_over_ends_at_once() {
    let server = TestServer::new();
    server.project("p").await;
    let run = server.run("p", "alone").await;
    post(&server, &run, "succeeded").await;
    let mut lines = Lines::open(&server, &run, None).await;
    assert_eq!(lines.batch().await.0, ["alone succeeded"]);
    assert_eq!(lines.next().await, Some(json!({ "done": "succeeded" })));
    assert_eq!(lines.next().await, None);
    let nowhere = format!("/api/v1/default/p/runs/{}/pipeline/follow", "f".repeat(32));
    server.call("GET", &nowhere, Value::Null).await.expect(404);
    let wrong = format!("/api/v1/default/p/runs/{run}/pipeline/follow?cursor=x");
    server.call("GET", &wrong, Value::Null).await.expect(400);
}
