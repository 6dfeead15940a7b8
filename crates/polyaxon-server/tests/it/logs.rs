//! Logs: as the official client polls for them, and followed live.

use http_body_util::BodyExt;
use polyaxon_artifacts::logs::{Stamp, Stream, TaskLog};
use polyaxon_model::ids::RunId;
use serde_json::{Value, json};

use crate::server::{PATIENCE, TestServer};

const START: u64 = 1_767_225_600_000_000;

/// The log of one task, written the way a supervisor does.
struct Writer {
    log: TaskLog,
    stamp: Stamp,
    now: u64,
}

impl Writer {
    fn new(server: &TestServer, run: &str) -> Writer {
        let folder = server.layout.logs(run.parse::<RunId>().unwrap());
        std::fs::create_dir_all(&folder).unwrap();
        let mut stamp = Stamp::after_existing(&folder);
        let log = TaskLog::open(&folder, "polyaxon-main", &mut stamp, START).unwrap();
        Writer { log, stamp, now: START }
    }

    fn write(&mut self, text: &str) {
        self.now += 1_000_000;
        for chunk in text.as_bytes().chunks(60_000) {
            self.log.append(Stream::Stdout, chunk, &mut self.stamp, self.now);
        }
    }
}

fn path(run: &str) -> String {
    format!("/streams/v1/polyaxon/default/p/runs/{run}/logs")
}

fn values(answer: &Value) -> Vec<&str> {
    answer["logs"].as_array().unwrap().iter().map(|line| line["value"].as_str().unwrap()).collect()
}

async fn finish(server: &TestServer, run: &str) {
    let condition = json!({ "condition": { "type": "succeeded", "status": true } });
    server.post(&format!("/api/v1/default/p/runs/{run}/statuses"), condition).await;
}

#[tokio::test]
async fn a_run_without_logs() {
    let server = TestServer::new();
    server.project("p").await;
    let run = server.run("p", "r").await;
    assert_eq!(server.get(&path(&run)).await, json!({ "logs": [], "last_time": null, "last_file": null, "files": [] }));
}

#[tokio::test]
async fn a_live_run_gives_a_time_to_go_on_from_until_it_is_done() {
    let server = TestServer::new();
    server.project("p").await;
    let run = server.run("p", "r").await;
    let mut writer = Writer::new(&server, &run);
    writer.write("one\ntwo\n");
    let first = server.get(&format!("{}?last_time=2025-01-01T00:00:00%2B00:00&kind=job", path(&run))).await;
    assert_eq!(values(&first), ["one", "two"]);
    assert_eq!(first["logs"][0]["pod"], format!("plx-operation-{run}"));
    let time = first["last_time"].as_str().unwrap().to_owned();
    let idle = server.get(&format!("{}?last_time={time}", path(&run))).await;
    assert_eq!((values(&idle), idle["last_time"].as_str()), (vec![], Some(time.as_str())));
    writer.write("three\n");
    let next = server.get(&format!("{}?last_time={time}", path(&run))).await;
    assert_eq!(values(&next), ["three"]);
    finish(&server, &run).await;
    let end = server.get(&format!("{}?last_time={}", path(&run), next["last_time"].as_str().unwrap())).await;
    assert_eq!((values(&end), &end["last_time"]), (vec![], &Value::Null));
    let wrong = server.call("GET", &format!("{}?last_time=yesterday", path(&run)), Value::Null).await.expect(400);
    assert!(wrong.text().starts_with("`last_time` cannot be read: "), "{}", wrong.text());
}

#[tokio::test]
async fn long_logs_come_in_few_parts_that_the_client_walks_through() {
    let server = TestServer::new();
    server.project("p").await;
    let run = server.run("p", "r").await;
    // Short lines: as JSON they are many times larger than in the files.
    let mut writer = Writer::new(&server, &run);
    for _ in 0..40 {
        writer.write(&format!("{}\n", "x".repeat(99)).repeat(10_000));
    }
    finish(&server, &run).await;
    // The loop of the official client, which stops after five answers whatever they say.
    let (mut last_file, mut count) = (String::new(), 0);
    for _ in 0..5 {
        let answer = server.get(&format!("{}?kind=job&last_file={last_file}", path(&run))).await;
        count += answer["logs"].as_array().unwrap().len();
        let Some(name) = answer["last_file"].as_str() else { break };
        let files = answer["files"].as_array().unwrap();
        assert!(files.len() > 1 && files.last().unwrap() != name);
        name.clone_into(&mut last_file);
    }
    assert_eq!(count, 400_000);
}

#[tokio::test]
async fn logs_of_older_programs_are_read_in_every_form() {
    let server = TestServer::new();
    server.project("p").await;
    let run = server.run("p", "r").await;
    let top = server.layout.artifacts(run.parse::<RunId>().unwrap());
    let write = |name: &str, text: &str| {
        let place = top.join(name);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, text).unwrap();
    };
    let line = |second: u32, value: &str| json!({ "timestamp": format!("2026-01-01T00:00:0{second}+00:00"), "container": "polyaxon-main", "value": value, "node": null });
    write(".tmpplxlogs/a.jsonl", &format!("\n{}\n{}", line(1, "early"), line(2, "late")));
    let live = server.get(&format!("{}?last_time=2026-01-01T00:00:01Z", path(&run))).await;
    assert_eq!((values(&live), &live["last_time"]), (vec!["late"], &json!("2026-01-01T00:00:02Z")));

    // Chunks are handed out one by one, as the official client walks them.
    for (name, lines) in [("10.5", vec![line(3, "b")]), ("9.5", vec![line(1, "a1"), line(2, "a2")])] {
        write(&format!("plxlogs/{name}"), &json!({ "logs": lines }).to_string());
    }
    let first = server.get(&path(&run)).await;
    assert_eq!((values(&first), &first["last_file"]), (vec!["a1", "a2"], &json!("9.5")));
    assert_eq!((&first["files"], &first["last_time"]), (&json!(["9.5", "10.5"]), &Value::Null));
    assert!(first["logs"][0].get("node").is_none());
    let second = server.get(&format!("{}?last_file=9.5&force=true", path(&run))).await;
    assert_eq!((values(&second), &second["last_file"]), (vec!["b"], &json!("10.5")));
    let end = server.get(&format!("{}?last_file=10.5", path(&run))).await;
    assert_eq!((values(&end), &end["last_file"]), (vec![], &Value::Null));

    write("plxlogs/p.plx", "timestamp|node|pod|container|value\n2026-01-01 00:00:02+00:00|n|p|c|{\"_\":\"table|x\"}\n");
    write("plxlogs/q.jsonl", &format!("{}\n{}", line(3, "json 3"), line(1, "json 1")));
    let all = server.get(&path(&run)).await;
    assert_eq!((values(&all), &all["last_file"]), (vec!["json 1", "table|x", "json 3"], &Value::Null));
}

#[tokio::test]
async fn followers_are_woken_and_end_with_the_run() {
    let server = TestServer::new();
    server.project("p").await;
    let run = server.run("p", "r").await;
    let mut writer = Writer::new(&server, &run);
    writer.write("one\n");
    let mut body = server.open(&format!("{}/follow", path(&run))).await;
    let mut lines: Vec<Value> = Vec::new();
    let mut next = async |lines: &mut Vec<Value>| {
        let chunk = tokio::time::timeout(PATIENCE, body.frame()).await.unwrap()?.unwrap().into_data().unwrap();
        for line in chunk.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            lines.push(serde_json::from_slice(line).unwrap());
        }
        Some(())
    };
    next(&mut lines).await.unwrap();
    assert_eq!(lines[0]["value"], "one");
    let cursor = lines[1]["cursor"].as_str().unwrap().to_owned();
    writer.write("two\n");
    server.changes.notify(run.parse().unwrap());
    next(&mut lines).await.unwrap();
    assert_eq!(lines[2]["value"], "two");
    finish(&server, &run).await;
    while next(&mut lines).await.is_some() {}
    assert_eq!(lines.last().unwrap(), &json!({ "done": "succeeded" }));

    let rest = server.call("GET", &format!("{}/follow?cursor={cursor}", path(&run)), Value::Null).await.expect(200);
    assert_eq!(rest.header("content-type"), "application/x-ndjson");
    assert_eq!(rest.text().lines().count(), 3, "{}", rest.text());
    server.call("GET", &format!("{}/follow?cursor=x", path(&run)), Value::Null).await.expect(400);
}

#[tokio::test]
async fn many_followers_share_what_is_read_and_slow_ones_delay_nobody() {
    let server = TestServer::new();
    server.project("p").await;
    let run = server.run("p", "r").await;
    let mut writer = Writer::new(&server, &run);
    writer.write(&"an old line\n".repeat(20_000));
    // Read by nobody until the end: it must not hold up the others.
    let slow = server.open(&format!("{}/follow", path(&run))).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let body = server.open(&format!("{}/follow", path(&run))).await;
        tasks.spawn(async move {
            let bytes = tokio::time::timeout(PATIENCE, body.collect()).await.unwrap().unwrap().to_bytes();
            String::from_utf8(bytes.to_vec()).unwrap()
        });
    }
    for number in 0..50 {
        writer.write(&format!("line {number}\n"));
        server.changes.notify(run.parse().unwrap());
        tokio::task::yield_now().await;
    }
    finish(&server, &run).await;
    let expected = tasks.join_next().await.unwrap().unwrap();
    let read =
        |text: &str| text.lines().filter(|line| line.contains("\"value\"")).map(str::to_owned).collect::<Vec<_>>();
    let lines = read(&expected);
    assert_eq!(lines.len(), 20_050);
    assert!(lines[20_049].contains("line 49") && expected.ends_with("{\"done\":\"succeeded\"}\n"));
    while let Some(text) = tasks.join_next().await {
        assert!(read(&text.unwrap()) == lines, "every follower gets every line once");
    }
    let late = tokio::time::timeout(PATIENCE, slow.collect()).await.unwrap().unwrap().to_bytes();
    assert!(read(std::str::from_utf8(&late).unwrap()) == lines);
}

#[tokio::test]
async fn followers_of_a_run_that_is_deleted_are_let_go() {
    let server = TestServer::new();
    server.project("p").await;
    let run = server.run("p", "r").await;
    let body = server.open(&format!("{}/follow", path(&run))).await;
    server.call("DELETE", &format!("/api/v1/default/p/runs/{run}"), Value::Null).await;
    let rest = tokio::time::timeout(PATIENCE, body.collect()).await.unwrap().unwrap().to_bytes();
    assert!(rest.is_empty() || rest.ends_with(b"}\n"), "{rest:?}");
}
