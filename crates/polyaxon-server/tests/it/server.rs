//! A server in a temporary home, and requests to it without a socket.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use polyaxon_artifacts::changes::Changes;
use polyaxon_artifacts::layout::Layout;
use polyaxon_engine::state::{Compiled, Event};
use polyaxon_model::ids::RunId;
use polyaxon_server::{Agent, Options, Server, router};
use polyaxon_store::{Store, lifecycle};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

/// A server without executor, so that runs stay where they are put.
pub(crate) struct TestServer {
    pub store: Store,
    pub layout: Layout,
    pub changes: Changes,
    router: Router,
    _home: TempDir,
}

/// An answer with its body read to the end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl TestServer {
    pub(crate) fn new() -> TestServer {
        TestServer::with(Options { agent: Agent::External, ..Options::default() })
    }

    pub(crate) fn with(options: Options) -> TestServer {
        // Nobody compiles here unless a test does it itself.
        TestServer::start(Options { compilation_wait: Duration::ZERO, ..options })
    }

    pub(crate) fn start(options: Options) -> TestServer {
        let home = tempfile::tempdir().unwrap();
        let layout = Layout::new(home.path());
        std::fs::create_dir_all(layout.local()).unwrap();
        let store = Store::open(layout.database()).unwrap();
        let changes = Changes::new();
        let server = Server {
            store: store.clone(),
            layout: layout.clone(),
            changes: changes.clone(),
            metrics: Default::default(),
            runtime: None,
            options,
        };
        TestServer { store, layout, changes, router: router(server), _home: home }
    }

    /// The router itself, to be served on a socket.
    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = tokio::time::timeout(PATIENCE, body.collect()).await.expect("the body ends");
        Answer { status: parts.status, headers: parts.headers, bytes: bytes.unwrap().to_bytes().to_vec() }
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        let request = Request::builder().method(method).uri(path).header(header::HOST, "localhost:8000");
        let request = match body {
            Value::Null => request.body(Body::empty()),
            body => request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())),
        };
        self.send(request.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.call("GET", path, Value::Null).await.expect(200).json()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.call("POST", path, body).await;
        assert!(answer.status.is_success(), "{path}: {} {}", answer.status, answer.text());
        answer.json()
    }

    /// A body that is read while it is written.
    pub(crate) async fn open(&self, path: &str) -> Body {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        response.into_body()
    }

    pub(crate) async fn project(&self, name: &str) {
        self.post("/api/v1/default/projects/create", json!({ "name": name })).await;
    }

    /// An unmanaged run; gives its uuid.
    pub(crate) async fn run(&self, project: &str, name: &str) -> String {
        let body = json!({ "is_managed": false, "name": name });
        uuid(&self.post(&format!("/api/v1/default/{project}/runs"), body).await)
    }

    /// A managed run of [`operation`], compiled as the runtime would; gives its uuid.
    pub(crate) async fn queued_run(&self, project: &str) -> String {
        let body = json!({ "content": operation().to_string() });
        let run = uuid(&self.post(&format!("/api/v1/default/{project}/runs"), body).await);
        self.apply(&run, Event::Compiled(Compiled::default())).await;
        run
    }

    pub(crate) async fn apply(&self, run: &str, event: Event) {
        let run: RunId = run.parse().unwrap();
        let now = jiff::Timestamp::now().into();
        self.store.write(move |tx| lifecycle::apply(tx, run, &event, now)).await.unwrap();
    }

    pub(crate) async fn status_of(&self, project: &str, run: &str) -> String {
        let statuses = self.get(&format!("/api/v1/default/{project}/runs/{run}/statuses")).await;
        statuses["status"].as_str().unwrap().to_owned()
    }
}

/// Nothing in a test takes this long unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

impl Answer {
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Answer {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The body as JSON; null when it is empty.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        if self.bytes.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) fn uuid(record: &Value) -> String {
    record["uuid"].as_str().expect("a record with a uuid").to_owned()
}

/// An operation with a component of one required input.
pub(crate) fn operation() -> Value {
    json!({
        "version": 1.1,
        "kind": "operation",
        "name": "echo-op",
        "params": { "msg": { "value": "hi" } },
        "component": {
            "version": 1.1,
            "kind": "component",
            "name": "echo",
            "inputs": [{ "name": "msg", "type": "str" }],
            "run": {
                "kind": "job",
                "container": { "image": "busybox", "command": ["sh", "-c"], "args": ["echo {{ msg }}"] }
            }
        }
    })
}

/// Replaces uuids and times, which differ from run to run, so that the rest can be compared as text.
pub(crate) fn redacted(value: &Value) -> String {
    let mut value = value.clone();
    redact(&mut value);
    serde_json::to_string_pretty(&value).unwrap()
}

fn redact(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(redact),
        Value::Object(fields) => fields.values_mut().for_each(redact),
        Value::String(text) if text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            "[uuid]".clone_into(text);
        }
        Value::String(text) if text.len() >= 20 && text.ends_with('Z') && text.starts_with("20") => {
            "[time]".clone_into(text);
        }
        _ => {}
    }
}
