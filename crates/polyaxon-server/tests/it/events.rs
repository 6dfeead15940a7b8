//! Event series and system metrics.

use polyaxon_model::ids::RunId;
use serde_json::{Value, json};

use crate::server::TestServer;

const LOSS: &str = "timestamp|step|metric\n2026-01-01T00:00:00+00:00|0|0.5\n2026-01-01T00:00:01.5+00:00|1|0.25\n";

fn write(server: &TestServer, run: &str, path: &str, text: &str) {
    let run: RunId = run.parse().unwrap();
    let place = server.layout.artifacts(run).join(path);
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    std::fs::write(place, text).unwrap();
}

fn base(run: &str) -> String {
    format!("/streams/v1/polyaxon/default/p/runs/{run}")
}

#[tokio::test]
async fn series_are_columns_or_text_in_the_order_asked_for() {
    let server = TestServer::new();
    server.project("p").await;
    let run = server.run("p", "r").await;
    write(&server, &run, "events/metric/loss.plx", LOSS);
    write(&server, &run, "events/metric/acc.plx", "step|timestamp|metric\n");
    let both = server.get(&format!("{}/events/metric?names=loss,missing,acc&force=false", base(&run))).await;
    assert_eq!(
        both,
        json!({ "data": [
            { "name": "loss", "kind": "metric", "data": {
                "step": [0, 1],
                "timestamp": ["2026-01-01 00:00:00+00:00", "2026-01-01 00:00:01.500000+00:00"],
                "metric": [0.5, 0.25] } },
            { "name": "acc", "kind": "metric", "data": { "step": [], "timestamp": [], "metric": [] } },
        ] })
    );
    let text = server.get(&format!("{}/events/metric?names=loss&orient=csv", base(&run))).await;
    assert_eq!(text["data"][0]["data"], LOSS);
    let sampled = server.get(&format!("{}/events/metric?names=loss&sample=1", base(&run))).await;
    assert_eq!(sampled["data"][0]["data"]["step"], json!([1]));
    for nothing in ["names=", "names=loss&orient=sideways"] {
        assert_eq!(server.get(&format!("{}/events/metric?{nothing}", base(&run))).await, json!({ "data": [] }));
    }
    for (wrong, text) in [
        ("events/bogus?names=a", "received an unrecognisable event bogus."),
        ("events/metric", "A `names` query param is required"),
        ("events/metric?names=../../../x", "Invalid path: traversal detected"),
    ] {
        let answer = server.call("GET", &format!("{}/{wrong}", base(&run)), Value::Null).await.expect(400);
        assert!(answer.text().starts_with(text), "{}", answer.text());
    }
}

#[tokio::test]
async fn many_runs_are_read_at_once() {
    let server = TestServer::new();
    server.project("p").await;
    let (a, b) = (server.run("p", "a").await, server.run("p", "b").await);
    write(&server, &a, "events/metric/loss.plx", LOSS);
    for path in ["default/p", "orgs/default", "orgs/default/teams/t"] {
        let answer =
            server.get(&format!("/streams/v1/n/{path}/runs/multi/events/metric?names=loss&runs={a},{b}")).await;
        assert_eq!((&answer["data"][&a][0]["name"], &answer["data"][&b]), (&json!("loss"), &json!([])), "{path}");
    }
    let wrong = "/streams/v1/n/default/p/runs/multi/events/metric?names=loss";
    server.call("GET", wrong, Value::Null).await.expect(400);
}

#[tokio::test]
async fn resources_are_all_of_them_unless_named() {
    let server = TestServer::new();
    server.project("p").await;
    let run = server.run("p", "r").await;
    assert_eq!(server.get(&format!("{}/resources", base(&run))).await, json!({ "data": [] }));
    write(&server, &run, "resources/metric/cpu.plx", LOSS);
    write(&server, &run, "resources/metric/mem.plx", LOSS);
    let all = server.get(&format!("{}/resources", base(&run))).await;
    assert_eq!((&all["data"][0]["name"], &all["data"][1]["name"]), (&json!("cpu"), &json!("mem")));
    let one = server.get(&format!("{}/resources?names=mem", base(&run))).await;
    assert_eq!(one["data"].as_array().unwrap().len(), 1);
    assert_eq!(server.get(&format!("{}/k8s_inspect", base(&run))).await, json!({}));
}

#[tokio::test]
async fn a_package_brings_the_files_that_events_refer_to() {
    let server = TestServer::new();
    server.project("p").await;
    let run = server.run("p", "r").await;
    let cell = "step|timestamp|image\n0|2026-01-01T00:00:00+00:00|{\"path\":\"assets/image/a_0.png\"}\n";
    write(&server, &run, "events/image/a.plx", cell);
    write(&server, &run, "assets/image/a_0.png", "png");
    let path = format!("{}/events/image?names=a&pkg_assets=true", base(&run));
    let answer = server.call("GET", &path, Value::Null).await.expect(200);
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(answer.bytes.as_slice()));
    let names: Vec<String> =
        archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect();
    assert_eq!(names, ["events/image/a.plx", "assets/image/a_0.png"]);
}
