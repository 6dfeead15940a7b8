//! Executors outside of the server: what they are told, what they tell, and what happens when they do not.

use polyaxon_model::ids::RunId;
use polyaxon_server::{Agent, Options};
use serde_json::{Value, json};

use crate::server::{TestServer, operation, uuid};

const RUNS: &str = "/api/v1/default/p/runs";
const AGENTS: &str = "/api/v1/orgs/default/agents";

async fn server(capacity: usize) -> TestServer {
    let options = Options { agent: Agent::External, max_concurrency: capacity, ..Options::default() };
    let server = TestServer::with(options);
    server.project("p").await;
    server
}

impl TestServer {
    async fn agent(&self, name: &str) -> String {
        uuid(&self.post(AGENTS, json!({ "name": name })).await)
    }

    /// The whole answer to a poll of an agent, or of anybody.
    async fn poll(&self, agent: Option<&str>) -> Value {
        let path = agent.map_or_else(|| format!("{AGENTS}/state"), |agent| format!("{AGENTS}/{agent}/state"));
        self.get(&path).await
    }

    async fn say(&self, run: &str, status: &str) {
        let body = json!({ "condition": { "type": status, "status": true } });
        self.post(&format!("{RUNS}/{run}/statuses"), body).await;
    }

    /// What would have to wait for an hour in a test.
    async fn sql(&self, sql: &'static str) {
        self.store.write(move |tx| tx.execute(sql, &[])).await.unwrap();
    }
}

/// The runs that a list of the state names.
fn named(state: &Value, list: &str) -> Vec<String> {
    let items = state["state"][list].as_array().unwrap();
    items.iter().map(|item| item[0].as_str().unwrap().rsplit('.').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn records_of_agents() {
    let server = server(1).await;
    let agent = server.agent("cluster-a").await;
    let taken = server.call("POST", AGENTS, json!({ "name": "cluster-a" })).await.expect(400).json();
    assert_eq!(taken, json!({ "name": ["agent with this name already exists."] }));
    server.call("POST", AGENTS, json!({})).await.expect(400);
    let path = format!("{AGENTS}/{agent}");
    server.call("PATCH", &path, json!({ "description": "d", "tags": ["t"] })).await.expect(200);
    server.call("PUT", &path, json!({ "description": "e" })).await.expect(400);
    let synced = json!({ "content": "{}", "version": "2.18.0", "version_api": { "major": "1" }, "name": "other" });
    server.call("PATCH", &format!("{path}/sync"), synced).await.expect(200);
    server.post(&format!("{path}/statuses"), json!({ "condition": { "type": "running", "status": true } })).await;
    let shown = server.get(&path).await;
    let fields = ["name", "description", "tags", "live_state", "version", "version_api", "content", "status"];
    assert_eq!(
        fields.map(|field| shown[field].clone()),
        [
            json!("cluster-a"),
            json!("d"),
            json!(["t"]),
            json!(1),
            json!("2.18.0"),
            json!({ "major": "1" }),
            json!("{}"),
            json!("running"),
        ]
    );
    assert_eq!(server.get(&format!("{path}/config")).await, shown);
    let statuses = server.get(&format!("{path}/statuses")).await;
    assert_eq!(statuses["status_conditions"].as_array().unwrap().len(), 2);
    // Whoever pulls without being registered is no agent of the list.
    server.poll(None).await;
    assert_eq!(
        server.get(&format!("{AGENTS}/names")).await["results"],
        json!([{ "uuid": agent, "name": "cluster-a" }])
    );
    assert_eq!(server.get(AGENTS).await["count"], 1);
    let check = format!("/streams/v1/polyaxon/default/agents/{agent}/connections_check");
    assert_eq!(server.post(&check, json!({})).await["status"], "passed");
    server.call("DELETE", &path, Value::Null).await.expect(204);
    for path in [path.clone(), format!("{path}/state"), format!("{AGENTS}/{:032}", 0)] {
        server.call("GET", &path, Value::Null).await.expect(404);
    }
}

#[tokio::test]
async fn two_agents_share_the_queue_and_the_budget_is_counted_once() {
    let server = server(3).await;
    let (a, b) = (server.agent("a").await, server.agent("b").await);
    let mut runs = Vec::new();
    for _ in 0..5 {
        runs.push(server.queued_run("p").await);
    }
    let first = server.poll(Some(&a)).await;
    assert_eq!(named(&first, "queued"), runs[..3]);
    assert_eq!(first["state"]["full"], true);
    let second = server.poll(Some(&b)).await;
    assert_eq!((named(&second, "queued").len(), &second["state"]["full"]), (0, &json!(true)));
    server.say(&runs[0], "running").await;
    server.say(&runs[0], "succeeded").await;
    assert_eq!(named(&server.poll(Some(&b)).await, "queued"), runs[3..4]);
    // Each is told about its own runs.
    server.post(&format!("{RUNS}/stop"), json!({ "uuids": [runs[1], runs[3]] })).await;
    assert_eq!(named(&server.poll(Some(&a)).await, "stopping"), runs[1..2]);
    assert_eq!(named(&server.poll(Some(&b)).await, "stopping"), runs[3..4]);
    for list in ["schedules", "hooks", "watchdogs", "tuners", "apply", "checks", "deleting"] {
        assert_eq!(second["state"][list], json!([]), "{list}");
    }
}

#[tokio::test]
async fn an_order_of_which_nothing_is_heard_is_given_out_again_and_delivered_twice_does_no_harm() {
    let server = server(1).await;
    let run = server.queued_run("p").await;
    assert_eq!(named(&server.poll(None).await, "queued"), [run.as_str()]);
    assert!(named(&server.poll(None).await, "queued").is_empty());
    server.sql("UPDATE runs SET lease_until = lease_until - 60000000").await;
    assert_eq!(named(&server.poll(None).await, "queued"), [run.as_str()]);
    let id: RunId = run.parse().unwrap();
    let state = server.store.read(move |tx| polyaxon_store::lifecycle::state(tx, id)).await.unwrap().unwrap();
    assert_eq!(state.control.attempt, 1, "it is the same attempt");
    // A word about the run ends the lease.
    server.say(&run, "scheduled").await;
    server.sql("UPDATE runs SET lease_until = lease_until - 59000000").await;
    assert!(named(&server.poll(None).await, "queued").is_empty());
    server.say(&run, "starting").await;
    server.sql("UPDATE runs SET lease_until = lease_until - 60000000").await;
    assert!(named(&server.poll(None).await, "queued").is_empty());
}

#[tokio::test]
async fn runs_are_looked_for_every_hour() {
    let server = server(1).await;
    let run = server.queued_run("p").await;
    server.poll(None).await;
    server.say(&run, "running").await;
    assert!(named(&server.poll(None).await, "checks").is_empty());
    server.sql("UPDATE runs SET checked_at = checked_at - 3600000000").await;
    assert_eq!(named(&server.poll(None).await, "checks"), [run.as_str()]);
    assert!(named(&server.poll(None).await, "checks").is_empty());
}

#[tokio::test]
async fn deleted_runs_are_removed_first_and_their_folders_later() {
    let server = server(2).await;
    let store = json!({ "name": "s", "kind": "s3", "schema": { "bucket": "s3://b" } });
    let agent = server.agent("a").await;
    server
        .call(
            "PATCH",
            &format!("{AGENTS}/{agent}/sync"),
            json!({ "content": json!({ "artifactsStore": store }).to_string() }),
        )
        .await
        .expect(200);
    let run = server.queued_run("p").await;
    server.poll(Some(&agent)).await;
    server.say(&run, "running").await;
    server.call("DELETE", &format!("{RUNS}/{run}"), Value::Null).await.expect(204);
    let state = server.poll(Some(&agent)).await;
    assert_eq!(state["state"]["deleting"], json!([[format!("default.p.runs.{run}"), "job", "echo-op", null, null]]));
    assert_eq!(server.get(&format!("{RUNS}/{run}")).await["status"], "stopped");
    assert_eq!(server.poll(Some(&agent)).await["state"]["deleting"], json!([]));
    server.sql("UPDATE runs SET updated_at = updated_at - 80000000").await;
    let state = server.poll(Some(&agent)).await;
    let cleaner = &state["state"]["deleting"][0];
    assert_eq!(cleaner[0], format!("default.agent.runs.{agent}"));
    assert_eq!((&cleaner[1], &cleaner[2], &cleaner[4]), (&json!("job"), &json!("cleaner"), &Value::Null));
    assert!(cleaner[3].as_str().unwrap().contains(&format!("s3 --connection-name s -sp=s3://b/{run}")), "{cleaner}");
    assert_eq!(server.poll(Some(&agent)).await["state"]["deleting"], json!([]));
}

#[tokio::test]
async fn the_periodic_work_is_done_on_request_and_names_folders_once() {
    let server = server(2).await;
    let run = server.queued_run("p").await;
    server.poll(None).await;
    server.say(&run, "succeeded").await;
    server.call("DELETE", &format!("{RUNS}/{run}"), Value::Null).await.expect(204);
    server.sql("UPDATE runs SET updated_at = updated_at - 80000000").await;
    let stale = uuid(&server.post(RUNS, json!({ "content": operation().to_string(), "pending": "upload" })).await);
    server.sql("UPDATE runs SET updated_at = updated_at - 7200000000 WHERE pending = 'upload'").await;
    let cron = server.post(&format!("{AGENTS}/cron"), json!({})).await;
    assert_eq!(cron, json!({ "state": {}, "status": "running", "live_state": 1 }));
    assert_eq!(server.status_of("p", &stale).await, "failed");
    let cron = server.post(&format!("{AGENTS}/cron"), json!({ "state": true })).await;
    assert_eq!(cron["state"], json!({ "deleting": [run] }));
    let cron = server.post(&format!("{AGENTS}/cron"), json!({ "state": true })).await;
    assert_eq!(cron["state"], json!({ "deleting": [] }));
}

#[tokio::test]
async fn the_newest_process_of_an_agent_is_the_agent() {
    let server = server(1).await;
    let agent = server.agent("a").await;
    let poll = async |query: &str, status: u16| {
        server.call("GET", &format!("{AGENTS}/{agent}/state{query}"), Value::Null).await.expect(status);
    };
    poll("?instance=1", 200).await;
    poll("?instance=2", 200).await;
    poll("?instance=1", 409).await;
    poll("", 409).await;
    poll("?instance=2", 200).await;
    poll("?instance=x", 400).await;
    server.sql("UPDATE agents SET seen_at = seen_at - 60000000").await;
    poll("", 200).await;
}

#[tokio::test]
async fn an_agent_that_is_gone_gives_back_what_it_had_not_begun() {
    let server = server(2).await;
    let agent = server.agent("a").await;
    let (waiting, running) = (server.queued_run("p").await, server.queued_run("p").await);
    server.poll(Some(&agent)).await;
    let path = format!("{AGENTS}/{agent}");
    server.post(&format!("{path}/statuses"), json!({ "condition": { "type": "running", "status": true } })).await;
    server.say(&running, "running").await;
    server.sql("UPDATE agents SET seen_at = seen_at - 60000000").await;
    server.post(&format!("{AGENTS}/cron"), json!({})).await;
    assert_eq!(server.get(&path).await["status"], "unknown");
    assert_eq!(server.status_of("p", &waiting).await, "scheduled");
    server.sql("UPDATE agents SET seen_at = seen_at - 540000000").await;
    server.post(&format!("{AGENTS}/cron"), json!({})).await;
    assert_eq!(server.status_of("p", &waiting).await, "queued");
    assert_eq!(server.status_of("p", &running).await, "unknown");
    // It comes back, and finds one of them and something that it must not have.
    let state = server.poll(Some(&agent)).await;
    assert_eq!(state["status"], "running");
    assert_eq!(named(&state, "queued"), [waiting.as_str()]);
    let other = "00000000000000000000000000000abc";
    let item = |run: &str| json!([format!("default.p.runs.{run}"), "job", "name", "polyaxon"]);
    let reconcile = format!("{path}/reconcile");
    let found = json!({ "reconcile": { "ops": [item(&running), item(other)] } });
    server.call("PATCH", &reconcile, found).await.expect(200);
    assert_eq!(server.status_of("p", &running).await, "running");
    let deleting = server.poll(Some(&agent)).await["state"]["deleting"].clone();
    assert_eq!(deleting, json!([[format!("default.p.runs.{other}"), "job", "name", null, "polyaxon"]]));
    // Twice missing is lost; what was only just given out is not looked for.
    for expected in ["running", "failed"] {
        server.call("PATCH", &reconcile, json!({ "reconcile": { "ops": [] } })).await.expect(200);
        assert_eq!(server.status_of("p", &running).await, expected);
    }
    assert_eq!(server.status_of("p", &waiting).await, "scheduled");
    server.call("PATCH", &reconcile, json!({ "reconcile": { "ops": [["x", "job", "n", "s"]] } })).await.expect(400);
}

#[tokio::test]
async fn a_stopped_or_archived_agent_starts_nothing() {
    let server = server(2).await;
    let agent = server.agent("a").await;
    server.queued_run("p").await;
    let path = format!("{AGENTS}/{agent}");
    server.call("PATCH", &path, json!({ "live_state": 0 })).await.expect(200);
    let state = server.poll(Some(&agent)).await;
    assert_eq!((&state["live_state"], named(&state, "queued").len()), (&json!(0), 0));
    server.call("PATCH", &path, json!({ "live_state": 1 })).await.expect(200);
    server.post(&format!("{path}/statuses"), json!({ "condition": { "type": "stopped", "status": true } })).await;
    let state = server.poll(Some(&agent)).await;
    assert_eq!((&state["status"], named(&state, "queued").len()), (&json!("stopped"), 0));
}

#[tokio::test]
async fn a_tracked_run_beats_by_whatever_it_does() {
    let server = server(1).await;
    let beat_of = async |run: &str| {
        let id: RunId = run.parse().unwrap();
        server.store.read(move |tx| polyaxon_store::lifecycle::state(tx, id)).await.unwrap().unwrap().beat_at
    };
    let quiet = server.run("p", "quiet").await;
    server.say(&quiet, "running").await;
    assert_eq!(beat_of(&quiet).await, None);
    for (method, path, body) in [
        ("POST", "heartbeat", json!({})),
        ("PATCH", "", json!({ "outputs": { "loss": 1 }, "merge": true })),
        ("POST", "lineage/artifacts", json!({ "artifacts": [{ "name": "m", "kind": "model", "path": "m" }] })),
    ] {
        let run = server.run("p", "r").await;
        let path = format!("{RUNS}/{run}/{path}");
        let answer = server.call(method, path.trim_end_matches('/'), body).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text());
        assert!(beat_of(&run).await.is_some(), "{path}");
    }
    let managed = server.queued_run("p").await;
    server.call("POST", &format!("{RUNS}/{managed}/heartbeat"), json!({})).await.expect(200);
    assert_eq!(beat_of(&managed).await, None);
}
