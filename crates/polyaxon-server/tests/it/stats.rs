//! Statistics.

use axum::body::Body;
use axum::http::{Request, header};
use polyaxon_store::snapshots;
use serde_json::{Value, json};

use crate::server::{Answer, TestServer};

const RUNS: &str = "/api/v1/default/p/runs";

impl TestServer {
    async fn ask(&self, path: &str) -> Answer {
        let request = Request::get(path).header(header::HOST, "localhost").header("x-polyaxon-service", "ui");
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn stats(&self, query: &str) -> Value {
        self.ask(&format!("/api/v1/default/p/stats?{query}")).await.expect(200).json()
    }

    /// A run as it was elsewhere.
    async fn past(&self, uuid: &str, fields: Value) {
        let mut body = json!({ "uuid": uuid.repeat(32), "kind": "job", "created_at": "2020-11-20T10:00:00Z" });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        self.post(&format!("{RUNS}/sync"), body).await;
    }
}

/// Three runs of long ago and one of today that waits.
async fn server() -> TestServer {
    let server = TestServer::new();
    server.project("p").await;
    server.past("1", json!({ "status": "succeeded", "duration": 50.0, "started_at": "2020-11-20T10:00:10Z" })).await;
    server.past("2", json!({ "status": "failed", "duration": 40.0, "created_at": "2020-11-22T23:00:00Z" })).await;
    server.past("3", json!({ "status": "running", "kind": "service", "created_at": "2020-11-23T01:00:00Z" })).await;
    server.run("p", "r").await;
    server
}

#[tokio::test]
async fn runs_are_counted_and_their_numbers_put_together() {
    let server = server().await;
    let all = "mode=analytics&query=created_at:_any_,created_at:%3C2020-11-24";
    for (query, expected) in [
        ("kind=annotations&aggregate=progress", json!({ "done": 2, "count": 3 })),
        ("kind=annotations&aggregate=progress&limit=2&offset=0&sort=created_at", json!({ "done": 2, "count": 2 })),
        ("kind=annotations&aggregate=progress&limit=1&offset=2&sort=created_at", json!({ "done": 0, "count": 1 })),
        ("kind=annotations&aggregate=progress&bookmarks=true", json!({ "done": 0, "count": 0 })),
        (
            "kind=annotations&aggregate=count&groupby=status",
            json!([{ "status": "failed", "count": 1 }, { "status": "running", "count": 1 }, { "status": "succeeded", "count": 1 }]),
        ),
        ("kind=annotations&aggregate=count&groupby=project", json!([{ "project_name": "p", "count": 3 }])),
        ("kind=annotations&aggregate=count&groupby=user", json!([{ "user_name": null, "count": 3 }])),
        (
            "kind=annotations&aggregate=avg,min,max,sum,total&groupby=duration",
            json!({ "duration__avg": 45.0, "duration__min": 40.0, "duration__max": 50.0, "duration__sum": 90.0, "duration__total": 4100.0 }),
        ),
        (
            "kind=annotations&aggregate=avg,total&groupby=wait_time",
            json!({ "wait_time__avg": null, "wait_time__total": null }),
        ),
        (
            "kind=series&aggregate=count&groupby=kind&trunc=created_at.week",
            json!([
                { "kind": "job", "trunc_time": "2020-11-16T00:00:00Z", "count": 2 },
                { "kind": "service", "trunc_time": "2020-11-23T00:00:00Z", "count": 1 },
            ]),
        ),
        (
            "kind=series&aggregate=avg,sum&groupby=duration&trunc=created_at.month",
            json!([{ "trunc_time": "2020-11-01T00:00:00Z", "duration__avg": 45.0, "duration__sum": 90.0 }]),
        ),
        (
            "kind=series&aggregate=max&groupby=duration&trunc=started_at.minute",
            json!([
                { "trunc_time": null, "duration__max": 40.0 },
                { "trunc_time": "2020-11-20T10:00:00Z", "duration__max": 50.0 },
            ]),
        ),
    ] {
        assert_eq!(server.stats(&format!("{all}&{query}")).await, expected, "{query}");
    }
}

#[tokio::test]
async fn questions_that_make_no_sense() {
    let server = server().await;
    let closed = server.call("GET", "/api/v1/default/p/stats?mode=stats", Value::Null).await.expect(403);
    assert_eq!(closed.json(), json!({ "detail": "Service requesting this endpoint not allowed." }));
    for (query, expected) in [
        ("", "Received an unsupported mode: None"),
        ("mode=x", "Received an unsupported mode: x"),
        ("mode=analytics", "Received an unsupported kind: None, expected one of: annotations, series"),
        (
            "mode=analytics&kind=annotations&aggregate=count&groupby=agent",
            "Received an unsupported stats specification: count - agent; runs are counted by one of: status, kind, user, project",
        ),
        (
            "mode=analytics&kind=annotations&aggregate=avg,odd&groupby=cpu",
            "Received an unsupported stats specification: avg,odd - cpu; `odd` is not one of: progress, count, avg, min, max, sum, total",
        ),
        (
            "mode=analytics&kind=annotations&aggregate=avg&groupby=status",
            "Received an unsupported stats specification: avg - status; aggregates are made of one of: wait_time, duration, cpu, memory, gpu, custom, cost",
        ),
        (
            "mode=analytics&kind=series&aggregate=count&groupby=kind",
            "Received an unsupported stats specification: count - kind; a series needs `trunc`",
        ),
        (
            "mode=analytics&kind=series&aggregate=count&groupby=kind&trunc=created_at.year",
            "Received an unsupported trunc value: created_at.year, expected created_at, started_at or finished_at, a dot, and one of: minute, hour, day, week, month",
        ),
        (
            "mode=analytics&kind=annotations&aggregate=progress&limit=x",
            "Received a wrong (limit/offset) specification. limit: x, offset: 0",
        ),
        (
            "mode=series&start_date=soon",
            "start_date: `soon` is not a date and time, expected ISO 8601 such as 2026-11-22T09:27:40.369Z",
        ),
    ] {
        let answer = server.ask(&format!("/api/v1/default/p/stats?{query}")).await.expect(400);
        assert_eq!(answer.json(), json!([expected]), "{query}");
    }
    let wrong =
        server.ask("/api/v1/default/p/stats?mode=analytics&kind=annotations&aggregate=progress&query=bogus:1").await;
    assert!(wrong.expect(400).json()[0].as_str().unwrap().starts_with("Error applying or resolving queryset, "));
    server.ask("/api/v1/default/none/stats?mode=stats").await.expect(404);
}

#[tokio::test]
async fn snapshots_are_taken_once_an_hour_while_runs_change() {
    let server = server().await;
    assert_eq!(server.stats("mode=stats").await["created_at"], Value::Null);
    assert_eq!(server.stats("mode=realtime").await, json!({ "pending": 1, "running": 1, "warning": 0 }));
    assert_eq!(server.stats("mode=series").await, json!({ "count": 0, "next": null, "previous": null, "results": [] }));
    let take = async |time: &str| {
        let (store, time) = (server.store.clone(), time.parse().unwrap());
        tokio::task::spawn_blocking(move || snapshots::take(&store, time)).await.unwrap().unwrap()
    };
    assert_eq!(take("2090-11-24T09:12:00Z").await, 1);
    assert_eq!(take("2090-11-24T09:13:00Z").await, 0, "nothing changed");
    let stats = server.stats("mode=stats").await;
    assert_eq!(stats["created_at"], "2090-11-24T09:00:00Z");
    assert_eq!(stats["updated_at"], "2090-11-24T09:12:00Z");
    assert_eq!(stats["run"], json!({ "1": 4 }));
    assert_eq!(stats["status"], json!({ "created": 1, "running": 1, "failed": 1, "succeeded": 1 }));
    assert_eq!(stats["tracking_time"], json!({ "1": 90.0, "rolling": { "avg": null, "min": null, "max": null } }));
    assert_eq!(stats["version"], json!({}));
    for (query, expected) in [
        ("", 0),
        ("&start_date=2090-11-24&end_date=2090-11-25", 1),
        ("&start_date=2090-11-24&end_date=2090-11-25&boundary=true", 1),
        ("&end_date=2090-11-26T00:00:00Z", 1),
    ] {
        assert_eq!(server.stats(&format!("mode=series{query}")).await["count"], expected, "{query}");
    }
}

#[tokio::test]
async fn the_runs_of_a_pipeline() {
    let server = server().await;
    let path = format!("{RUNS}/{}/stats", "1".repeat(32));
    let progress = server.ask(&format!("{path}?mode=realtime&kind=annotations&aggregate=progress")).await.expect(200);
    assert_eq!(progress.json(), json!({ "done": 0, "count": 0 }));
    server.ask(&path).await.expect(400);
    server
        .ask(&format!("{RUNS}/{}/stats?mode=analytics&kind=annotations&aggregate=progress", "9".repeat(32)))
        .await
        .expect(404);
    server.call("GET", &path, Value::Null).await.expect(403);
}
