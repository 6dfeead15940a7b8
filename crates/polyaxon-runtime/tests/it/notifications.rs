//! Notifications: the end of a run is told, once, whatever the receiver and the server do meanwhile.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};

use polyaxon_compile::connection::Connection;
use polyaxon_engine::admission::Capacity;
use polyaxon_engine::explain::Untold;
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::ids::RunId;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use polyaxon_runtime::steps::Performer;
use polyaxon_store::notifications;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::bench::{Bench, block_on, now, script, server};

/// A part of the address that nobody may be shown.
const SECRET: &str = "T0SECRET";

/// Takes messages, and answers each with the next of these statuses, or with 200.
struct Receiver {
    port: u16,
    bodies: UnboundedReceiver<Json>,
}

impl Receiver {
    async fn new(statuses: &[u16]) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("the test machine works");
        let port = listener.local_addr().expect("it listens").port();
        let mut statuses = VecDeque::from(statuses.to_vec());
        let (send, bodies) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let mut connection = BufReader::new(connection);
                let (mut line, mut length) = (String::new(), 0);
                while connection.read_line(&mut line).await.is_ok_and(|bytes| bytes > 2) {
                    if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().expect("a number");
                    }
                    line.clear();
                }
                let mut body = vec![0; length];
                connection.read_exact(&mut body).await.expect("the body comes");
                let status = statuses.pop_front().unwrap_or(200);
                let answer = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
                send.send(serde_json::from_slice(&body).expect("JSON")).expect("the test reads");
                connection.write_all(answer.as_bytes()).await.expect("the client reads");
            }
        });
        Receiver { port, bodies }
    }

    fn connection(&self, name: &str, kind: &str) -> Connection {
        connection(name, kind, &format!("http://127.0.0.1:{}/{SECRET}", self.port))
    }

    async fn next(&mut self) -> Json {
        self.bodies.recv().await.expect("the receiver lives")
    }

    fn is_quiet(&mut self) -> bool {
        self.bodies.try_recv().is_err()
    }
}

fn connection(name: &str, kind: &str, url: &str) -> Connection {
    Connection {
        name: name.to_owned(),
        kind: kind.to_owned(),
        schema: Some(json!({ "url": url })),
        ..Connection::default()
    }
}

fn telling(text: &str, notifications: Json) -> Json {
    let mut operation = script(text);
    operation["plugins"] = json!({ "notifications": notifications });
    operation
}

async fn untold(bench: &Bench, run: RunId) -> Vec<Untold> {
    bench.store.read(move |tx| notifications::untold(tx, run)).await.expect("the store answers")
}

/// Waits until everything that was asked for is sent.
async fn until_told(bench: &Bench, run: RunId) {
    let mut changed = bench.store.changed();
    while !untold(bench, run).await.is_empty() {
        changed.changed().await.expect("the store is open");
    }
}

#[test]
fn the_end_of_a_run_is_told_to_those_who_asked() {
    block_on(async {
        let (mut slack, mut webhook) = (Receiver::new(&[]).await, Receiver::new(&[]).await);
        let mut bench = Bench::idle(None).await;
        bench.connections = vec![slack.connection("chat", "slack"), webhook.connection("hook", "webhook")];
        bench.start(2);
        let wanted = json!([
            { "connections": ["chat"], "trigger": "failed" },
            { "connections": ["hook", "hook"], "trigger": "done" },
            { "connections": ["hook"], "trigger": "succeeded" },
        ]);
        let run = bench.submit(&telling("exit 0", wanted.clone())).await;
        let body = webhook.next().await;
        assert_eq!(
            body["context"],
            json!({ "owner": "default", "project": "quick-start", "uuid": run, "name": "test" })
        );
        assert_eq!(body["status"], json!("succeeded"));
        until_told(&bench, run).await;
        let run = bench.submit(&telling("exit 3", wanted)).await;
        let body = slack.next().await;
        let text = body["attachments"][0]["text"].as_str().unwrap_or_default().to_owned();
        assert!(text.contains("Status: `failed`"), "{body}");
        assert_eq!(webhook.next().await["status"], json!("failed"));
        until_told(&bench, run).await;
        assert!(slack.is_quiet() && webhook.is_quiet());
        bench.end().await;
    });
}

#[test]
fn a_run_that_was_never_compiled_tells_it_too_and_a_dag_tells_of_itself() {
    block_on(async {
        let mut hook = Receiver::new(&[]).await;
        let mut bench = Bench::idle(None).await;
        bench.connections = vec![hook.connection("hook", "webhook")];
        bench.start(2);
        let wanted = json!([{ "connections": ["hook"] }]);
        bench.submit(&telling("{{ broken", wanted.clone())).await;
        assert_eq!(hook.next().await["status"], json!("failed"));
        let dag = json!({ "version": 1.1, "kind": "operation", "plugins": { "notifications": wanted }, "component": {
            "run": { "kind": "dag", "operations": [{ "name": "a", "component": script("true")["component"] }] } } });
        let run = bench.submit_with(&dag, |record| record.birth.kind = polyaxon_model::kinds::RunKind::Dag).await;
        assert_eq!(hook.next().await["context"]["uuid"], json!(run));
        until_told(&bench, run).await;
        assert!(hook.is_quiet());
        bench.end().await;
    });
}

static CLOCK: AtomicI64 = AtomicI64::new(0);

fn turned() -> Timestamp {
    Timestamp::from_micros(CLOCK.load(Ordering::SeqCst))
}

#[test]
fn a_receiver_that_fails_is_asked_four_times_and_the_run_says_so() {
    block_on(async {
        let mut hook = Receiver::new(&[500, 404, 500, 500]).await;
        let mut bench = Bench::idle(None).await;
        bench.connections = vec![hook.connection("hook", "webhook")];
        let run = bench.submit(&script("true")).await;
        CLOCK.store(now().as_micros(), Ordering::SeqCst);
        let condition = StatusCondition::new(Status::Failed, "Test", "why", turned());
        let ask = move |tx: &mut dyn polyaxon_store::db::Tx| {
            assert!(notifications::add(tx, run, "hook", &condition, turned())?);
            assert!(!notifications::add(tx, run, "hook", &condition, turned())?, "once is enough");
            Ok(())
        };
        bench.store.write(ask).await.expect("the store answers");
        let performer = Performer::new(bench.store.clone(), bench.options(Capacity::of_slots(1), turned));
        for pause in [0, 10, 60, 300] {
            CLOCK.fetch_add((pause - 1) * 1_000_000, Ordering::SeqCst);
            assert_eq!(performer.notify().await.expect("the store answers"), 0, "{pause}");
            CLOCK.fetch_add(1_000_000, Ordering::SeqCst);
            assert_eq!(performer.notify().await.expect("the store answers"), 1, "{pause}");
            assert_eq!(hook.next().await["status"], json!("failed"));
        }
        CLOCK.fetch_add(3_600_000_000, Ordering::SeqCst);
        assert_eq!(performer.notify().await.expect("the store answers"), 0);
        let record = bench.get(run).await;
        let problem = json!(["hook: the receiver answered 500 Internal Server Error"]);
        assert_eq!((record.status, record.meta_info.get("notifications_errors")), (Status::Created, Some(&problem)));
    });
}

#[test]
fn what_a_killed_server_was_sending_is_sent_by_the_next() {
    block_on(async {
        let mut hook = Receiver::new(&[]).await;
        let mut bench = Bench::idle(None).await;
        bench.connections = vec![hook.connection("hook", "webhook")];
        let run = bench.submit(&script("sleep 100")).await;
        let condition = StatusCondition::new(Status::Failed, "Test", "why", now());
        let killed = move |tx: &mut dyn polyaxon_store::db::Tx| {
            notifications::add(tx, run, "hook", &condition, now())?;
            notifications::claim(tx, server(1), 10, now())
        };
        let claimed = bench.store.write(killed).await.expect("the store answers");
        assert_eq!(claimed.len(), 1);
        bench.start(1);
        assert_eq!(hook.next().await["status"], json!("failed"));
        until_told(&bench, run).await;
        bench.end().await;
    });
}

#[test]
fn what_can_never_be_sent_is_given_up_at_once_and_secrets_stay_secret() {
    block_on(async {
        let mut bench = Bench::idle(None).await;
        bench.connections = vec![
            connection("bucket", "s3", "x"),
            connection("wrong", "slack", &format!("ftp://127.0.0.1/{SECRET}")),
            connection("nobody", "slack", &format!("http://127.0.0.1:1/{SECRET}")),
        ];
        bench.start(1);
        let wanted = json!([{ "connections": ["gone", "bucket", "wrong", "nobody"] }]);
        let run = bench.submit(&telling("true", wanted)).await;
        let record = bench
            .until(run, |record| {
                let errors = record.meta_info.get("notifications_errors").and_then(Json::as_array);
                errors.is_some_and(|errors| errors.len() == 2)
            })
            .await;
        let errors = record.meta_info["notifications_errors"].to_string();
        assert!(errors.contains("gone: this server has no such connection"), "{errors}");
        assert!(errors.contains("bucket: a connection of kind `s3` takes no messages"), "{errors}");
        let mut changed = bench.store.changed();
        let told = loop {
            let told = untold(&bench, run).await;
            if told.iter().all(|untold| untold.error.is_some()) {
                break told;
            }
            changed.changed().await.expect("the store is open");
        };
        for name in ["wrong", "nobody"] {
            let untold = told.iter().find(|untold| untold.connection == name).expect("it was asked for");
            let error = untold.error.clone().unwrap_or_default();
            assert!(untold.due_at.is_some() && !error.contains(SECRET), "{untold:?}");
        }
        assert_eq!(record.status, Status::Succeeded);
        bench.end().await;
    });
}
