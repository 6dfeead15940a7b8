//! Statuses and the verbs on one run.

use polyaxon_engine::state::Event;
use polyaxon_model::kinds::EdgeKind;
use polyaxon_server::{Agent, Options};
use polyaxon_store::edges::{self, NewEdge, Side};
use serde_json::{Value, json};
use snapbox::{assert_data_eq, str};

use crate::server::{PATIENCE, TestServer, operation, redacted, uuid};
use http_body_util::BodyExt;

const RUNS: &str = "/api/v1/default/p/runs";

async fn server() -> TestServer {
    let server = TestServer::new();
    server.project("p").await;
    server
}

impl TestServer {
    async fn set_status(&self, run: &str, condition: Value) {
        let path = format!("{RUNS}/{run}/statuses");
        self.call("POST", &path, json!({ "condition": condition })).await.expect(201);
    }

    async fn act(&self, run: &str, verb: &str) {
        let answer = self.call("POST", &format!("{RUNS}/{run}/{verb}"), Value::Null).await.expect(200);
        assert_eq!(answer.json(), json!({}));
    }
}

#[tokio::test]
async fn statuses_are_reported_and_final_ones_stay() {
    let server = server().await;
    let run = server.run("p", "r").await;
    server.set_status(&run, json!({ "type": "RUNNING", "status": true, "reason": "Test", "message": "m" })).await;
    server.set_status(&run, json!({ "type": "created", "status": true })).await;
    server.set_status(&run, json!({})).await;
    server.set_status(&run, json!({ "type": "succeeded", "status": true })).await;
    server.set_status(&run, json!({ "type": "failed", "status": true })).await;
    assert_data_eq!(
        redacted(&server.get(&format!("{RUNS}/{run}/statuses")).await),
        str![[r#"
{
  "uuid": "[uuid]",
  "status": "succeeded",
  "status_conditions": [
    {
      "type": "created",
      "status": "True",
      "reason": "ModelManager",
      "message": "Run is created",
      "last_update_time": "[time]",
      "last_transition_time": "[time]"
    },
    {
      "type": "running",
      "status": true,
      "reason": "Test",
      "message": "m",
      "last_update_time": "[time]",
      "last_transition_time": "[time]"
    },
    {
      "type": "succeeded",
      "status": true,
      "last_update_time": "[time]",
      "last_transition_time": "[time]"
    }
  ],
  "meta_info": {}
}
"#]]
    );
    let forced = json!({ "condition": { "type": "failed", "status": true }, "force": true });
    server.call("POST", &format!("{RUNS}/{run}/statuses"), forced).await.expect(201);
    assert_eq!(server.status_of("p", &run).await, "failed");
    let detail = server.get(&format!("{RUNS}/{run}")).await;
    assert!(detail["started_at"].is_string() && detail["finished_at"].is_string() && detail["duration"].is_number());
    let wrong = json!({ "condition": { "type": "flying" } });
    let refused = server.call("POST", &format!("{RUNS}/{run}/statuses"), wrong).await.expect(400).json();
    assert!(refused["condition"][0].as_str().unwrap().starts_with("condition.type: `flying` is not a run status"));
}

#[tokio::test]
async fn stop_and_skip() {
    let server = server().await;
    let (created, skipped, queued) =
        (server.run("p", "a").await, server.run("p", "b").await, server.queued_run("p").await);
    server.act(&created, "stop").await;
    assert_eq!(server.status_of("p", &created).await, "stopped");
    server.act(&skipped, "skip").await;
    assert_eq!(server.status_of("p", &skipped).await, "skipped");
    server.act(&queued, "stop").await;
    assert_eq!(server.status_of("p", &queued).await, "stopping");
    server.set_status(&queued, json!({ "type": "running", "status": true })).await;
    assert_eq!(server.status_of("p", &queued).await, "stopping");
    server.set_status(&queued, json!({ "type": "stopped", "status": true })).await;
    assert_eq!(server.status_of("p", &queued).await, "stopped");
}

#[tokio::test]
async fn one_approval_is_enough() {
    let server = server().await;
    let mut gated = operation();
    gated["isApproved"] = json!(false);
    let run = uuid(&server.post(RUNS, json!({ "content": gated.to_string() })).await);
    assert_eq!(server.get(&format!("{RUNS}/{run}")).await["pending"], "approval");
    server.act(&run, "approve").await;
    assert_eq!(server.get(&format!("{RUNS}/{run}")).await["pending"], Value::Null);
    let compiled = polyaxon_engine::state::Compiled { requires_approval: true, ..Default::default() };
    server.apply(&run, Event::Compiled(compiled)).await;
    assert_eq!(server.status_of("p", &run).await, "queued");
}

#[tokio::test]
async fn the_answer_to_a_creation_waits_for_the_compilation() {
    let server = TestServer::start(Options { compilation_wait: PATIENCE, ..Options::default() });
    server.project("p").await;
    let mut changed = server.store.changed();
    let compiler = async {
        loop {
            changed.changed().await.unwrap();
            let open = server.store.read(|tx| polyaxon_store::actions::open(tx, 0, 1)).await.unwrap();
            if let [action] = open.as_slice() {
                server.apply(&action.run.to_hex(), Event::Compiled(Default::default())).await;
                server.changes.notify(action.run);
                break;
            }
        }
    };
    let create = server.post(RUNS, json!({ "content": operation().to_string() }));
    let (created, ()) = tokio::join!(create, compiler);
    assert_eq!(server.status_of("p", &uuid(&created)).await, "queued");
}

#[tokio::test]
async fn restart_copy_and_resume() {
    let server = server().await;
    let run = server.queued_run("p").await;
    let patch = json!({ "content": { "params": { "msg": { "value": "over" } } }, "name": "again", "tags": ["re"] });
    let restarted = server.call("POST", &format!("{RUNS}/{run}/restart"), patch).await.expect(201).json();
    assert_eq!(restarted["original"], json!({ "uuid": run, "name": "echo-op", "kind": "restart" }));
    assert_eq!((&restarted["name"], &restarted["tags"]), (&json!("again"), &json!(["re"])));
    let detail = server.get(&format!("{RUNS}/{}", uuid(&restarted))).await;
    let raw: Value = serde_json::from_str(detail["raw_content"].as_str().unwrap()).unwrap();
    assert_eq!(raw["params"]["msg"]["value"], "over");

    let copied = server.call("POST", &format!("{RUNS}/{run}/copy"), json!({})).await.expect(201).json();
    assert_eq!(copied["original"]["kind"], "copy");
    assert_eq!(copied["meta_info"], json!({ "copy_artifacts": { "dirs": [run] } }));
    let clones = server.get(&format!("{RUNS}/{run}/lineage/clones")).await;
    let kinds: Vec<_> = clones["results"].as_array().unwrap().iter().map(|row| row["cloning_kind"].clone()).collect();
    assert_eq!(kinds, [json!("restart"), json!("copy")]);

    let early = server.call("POST", &format!("{RUNS}/{run}/resume"), json!({})).await.expect(400).json();
    assert!(early[0].as_str().unwrap().starts_with("Cannot resume this run"), "{early}");
    server.set_status(&run, json!({ "type": "failed", "status": true })).await;
    let resumed =
        server.call("POST", &format!("{RUNS}/{run}/resume"), json!({ "name": "more" })).await.expect(201).json();
    assert_eq!(
        (&resumed["uuid"], &resumed["name"], &resumed["finished_at"]),
        (&json!(run), &json!("more"), &Value::Null)
    );
    assert_eq!(server.status_of("p", &run).await, "resuming");
}

#[tokio::test]
async fn clones_that_cannot_be() {
    let server = server().await;
    let (tracked, managed) = (server.run("p", "r").await, server.queued_run("p").await);
    for (run, body) in
        [(&tracked, json!({})), (&managed, json!({ "content": "{bad" })), (&managed, json!({"content": "[1]"}))]
    {
        let refused = server.call("POST", &format!("{RUNS}/{run}/restart"), body.clone()).await.expect(400).json();
        assert!(refused[0].as_str().unwrap().starts_with("Cloning was not successful, error: "), "{body}: {refused}");
    }
}

#[tokio::test]
async fn only_dags_are_restarted_in_part() {
    let server = server().await;
    let job = server.queued_run("p").await;
    let command = json!({ "run": { "kind": "job", "container": { "image": "i" } } });
    let operations = ["a", "b"].map(|name| json!({ "name": name, "component": command }));
    let component = json!({ "kind": "component", "run": { "kind": "dag", "operations": operations } });
    let dag = json!({ "content": json!({ "kind": "operation", "component": component }).to_string() });
    let dag = uuid(&server.call("POST", RUNS, dag).await.expect(201).json()).clone();
    for (run, body, expected) in [
        (&job, json!({ "from": ["a"] }), "Only dags have operations that can be started again."),
        (&dag, json!({ "from": ["aa"] }), "The dag has no operation `aa`; did you mean `a`?"),
        (&dag, json!({ "from": ["a"], "only": ["a"] }), "`from` and `only` exclude each other."),
    ] {
        let refused = server.call("POST", &format!("{RUNS}/{run}/restart"), body).await.expect(400);
        assert_eq!(refused.json(), json!([expected]));
    }
    let restarted = server.call("POST", &format!("{RUNS}/{dag}/restart"), json!({ "from": ["a"] })).await.expect(201);
    assert_eq!(restarted.json()["meta_info"]["rerun"], json!({ "of": dag, "from": ["a"] }));
}

#[tokio::test]
async fn archive_restore_delete_bookmark_and_transfer() {
    let server = server().await;
    server.project("q").await;
    let run = server.run("p", "r").await;
    server.act(&run, "archive").await;
    assert_eq!(server.get(RUNS).await["count"], 0);
    server.act(&run, "restore").await;
    assert_eq!(server.get(RUNS).await["count"], 1);

    server.call("DELETE", &format!("{RUNS}/{run}/unbookmark"), Value::Null).await.expect(404);
    server.call("POST", &format!("{RUNS}/{run}/bookmark"), Value::Null).await.expect(201);
    assert_eq!(server.get(&format!("{RUNS}?bookmarks=true")).await["count"], 1);
    server.call("DELETE", &format!("{RUNS}/{run}/unbookmark"), Value::Null).await.expect(204);
    server.act(&run, "invalidate").await;

    for (body, expected) in [
        (json!({}), "The destination project was not provided."),
        (json!({ "project": "no" }), "The destination project `no` does not exist."),
    ] {
        let refused = server.call("POST", &format!("{RUNS}/{run}/transfer"), body).await.expect(400);
        assert_eq!(refused.json(), json!([expected]));
    }
    server.call("POST", &format!("{RUNS}/{run}/transfer"), json!({ "project": "q" })).await.expect(200);
    server.call("GET", &format!("{RUNS}/{run}"), Value::Null).await.expect(404);

    let moved = format!("/api/v1/default/q/runs/{run}");
    server.call("DELETE", &moved, Value::Null).await.expect(204);
    assert_eq!(server.get(&moved).await["live_state"], -1);
    server.call("GET", &format!("{moved}/statuses"), Value::Null).await.expect(404);
    server.call("DELETE", &moved, Value::Null).await.expect(204);
}

#[tokio::test]
async fn an_external_agent_is_handed_each_run_once_and_frees_its_slot() {
    let server = TestServer::with(Options { agent: Agent::External, max_concurrency: 1, ..Options::default() });
    server.project("p").await;
    let run = server.queued_run("p").await;
    let state = server.get("/api/v1/orgs/default/agents/state").await;
    assert_eq!((&state["status"], &state["live_state"]), (&json!("running"), &json!(1)));
    let order = &state["state"]["queued"][0];
    assert_eq!(order[0], format!("default.p.runs.{run}"));
    assert_eq!((&order[1], &order[2], &order[4]), (&json!("job"), &json!("echo-op"), &Value::Null));
    assert_eq!(server.status_of("p", &run).await, "scheduled");
    server.act(&run, "stop").await;
    let state = server.get("/api/v1/orgs/default/agents/state").await;
    assert_eq!(state["state"]["queued"], json!([]));
    assert_eq!(state["state"]["stopping"], json!([[format!("default.p.runs.{run}"), "job", null]]));
    assert_eq!(state["state"]["full"], true);
    let next = server.queued_run("p").await;
    server.set_status(&run, json!({ "type": "stopped", "status": true })).await;
    let state = server.get("/api/v1/orgs/default/agents/state").await;
    assert_eq!(state["state"]["queued"][0][0], format!("default.p.runs.{next}"));
    let cron = server.post("/api/v1/orgs/default/agents/cron", json!({ "state": true })).await;
    assert_eq!(cron, json!({ "state": { "deleting": [] }, "status": "running", "live_state": 1 }));
}

#[tokio::test]
async fn statuses_can_be_followed_to_the_end() {
    let server = server().await;
    let run = server.run("p", "r").await;
    let mut body = server.open(&format!("{RUNS}/{run}/statuses/follow")).await;
    let mut types = Vec::new();
    for status in ["running", "succeeded"] {
        let line = tokio::time::timeout(PATIENCE, body.frame()).await.unwrap().unwrap().unwrap().into_data().unwrap();
        types.push(serde_json::from_slice::<Value>(&line).unwrap()["type"].clone());
        server.set_status(&run, json!({ "type": status, "status": true })).await;
    }
    let rest = tokio::time::timeout(PATIENCE, body.collect()).await.unwrap().unwrap().to_bytes();
    for line in rest.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        types.push(serde_json::from_slice::<Value>(line).unwrap()["type"].clone());
    }
    assert_eq!(types, ["created", "running", "succeeded"]);
}

#[tokio::test]
async fn a_clone_has_the_image_of_its_original_and_comes_from_the_same_build() {
    let server = server().await;
    let (build, run) = (server.queued_run("p").await, server.queued_run("p").await);
    let meta_info = json!({ "destination_image": "p:made", "progress": { "done": 1 } });
    server.call("PATCH", &format!("{RUNS}/{run}"), json!({ "meta_info": meta_info })).await.expect(200);
    let (other, downstream) = (build.parse().unwrap(), run.parse().unwrap());
    let edge = NewEdge { other, side: Side::Upstream, kind: EdgeKind::Build, values: None, statuses: None };
    server.store.write_blocking(move |tx| edges::add(tx, downstream, &edge)).unwrap();
    for verb in ["restart", "copy"] {
        let clone = server.call("POST", &format!("{RUNS}/{run}/{verb}"), json!({})).await.expect(201).json();
        let clone = server.get(&format!("{RUNS}/{}", uuid(&clone))).await;
        assert_eq!(clone["meta_info"]["destination_image"], "p:made", "{verb}");
        assert_eq!(clone["settings"]["build"]["uuid"], build.as_str(), "{verb}: {}", clone["settings"]);
    }
}
