//! A home with a store and a runtime, and short ways to submit operations and to wait for runs.

use std::future::Future;
use std::time::Duration;

use polyaxon_artifacts::changes::Changes;
use polyaxon_artifacts::layout::Layout;
use polyaxon_artifacts::logs::{Cursor, page};
use polyaxon_compile::connection::Connection;
use polyaxon_engine::admission::Capacity;
use polyaxon_engine::state::{Birth, Event, Place};
use polyaxon_executors::process::Status as Record;
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::ids::{ExecutorId, RunId};
use polyaxon_model::kinds::{ArtifactKind, ManagedBy, RunKind};
use polyaxon_model::run::Run;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use polyaxon_runtime::{Handle, Runtime, RuntimeOptions};
use polyaxon_store::runs::{self, NewRecord};
use polyaxon_store::{Options, Store, lifecycle, lineage, projects, statuses};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use uuid::Uuid;

/// Nothing in these tests takes long; this only ends a test that hangs.
const DEADLINE: Duration = Duration::from_mins(1);

pub(crate) struct Bench {
    pub(crate) home: TempDir,
    pub(crate) layout: Layout,
    pub(crate) store: Store,
    pub(crate) server: ExecutorId,
    pub(crate) connections: Vec<Connection>,
    changes: Changes,
    runtime: Option<Handle>,
    submitted: u128,
}

pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).expect("the year is not that late"))
}

pub(crate) fn block_on(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("the test machine works")
        .block_on(async { tokio::time::timeout(DEADLINE, test).await.expect("the test hangs") });
}

/// An operation that runs a shell script.
pub(crate) fn script(text: &str) -> Json {
    json!({
        "version": 1.1, "kind": "operation",
        "component": {"run": {"kind": "job", "container": {"command": ["/bin/sh", "-c"], "args": [text]}}},
    })
}

/// The same with limits.
pub(crate) fn limited(text: &str, termination: Json) -> Json {
    let mut operation = script(text);
    operation["termination"] = termination;
    operation
}

impl Bench {
    pub(crate) async fn new(capacity: usize) -> Bench {
        let mut bench = Bench::idle(None).await;
        bench.start(capacity);
        bench
    }

    /// Without a runtime; the database is at `url`, or a file of the home.
    pub(crate) async fn idle(url: Option<String>) -> Bench {
        let home = tempfile::tempdir().expect("the test machine works");
        let layout = Layout::new(home.path());
        std::fs::create_dir_all(layout.local()).expect("the test machine works");
        let url = url.unwrap_or_else(|| layout.database().display().to_string());
        let opened = tokio::task::spawn_blocking(move || Store::open_url(&url, Options::default())).await;
        let store = opened.expect("no panic").expect("the store opens").of_server(server(1));
        let bench = Bench {
            home,
            layout,
            store,
            server: server(1),
            connections: Vec::new(),
            changes: Changes::new(),
            runtime: None,
            submitted: 0,
        };
        let project = |tx: &mut dyn polyaxon_store::db::Tx| {
            projects::get_or_create(tx, "quick-start", PROJECT.parse().expect("32 hex digits"), now())
        };
        bench.store.write(project).await.expect("the project is created");
        bench
    }

    /// Another server with a home of its own and the same database.
    pub(crate) fn beside(&self, number: u128) -> Bench {
        let home = tempfile::tempdir().expect("the test machine works");
        let layout = Layout::new(home.path());
        std::fs::create_dir_all(layout.local()).expect("the test machine works");
        let store = self.store.of_server(server(number));
        let submitted = number << 64;
        Bench {
            home,
            layout,
            store,
            server: server(number),
            connections: Vec::new(),
            changes: Changes::new(),
            runtime: None,
            submitted,
        }
    }

    pub(crate) fn start(&mut self, capacity: usize) {
        self.start_with(capacity, now);
    }

    pub(crate) fn start_with(&mut self, capacity: usize, clock: fn() -> Timestamp) {
        self.start_on(Capacity::of_slots(capacity), clock);
    }

    pub(crate) fn start_on(&mut self, capacity: Capacity, clock: fn() -> Timestamp) {
        let options = self.options(capacity, clock);
        self.runtime = Some(Runtime::start(self.store.clone(), options).expect("the runtime starts"));
    }

    pub(crate) fn options(&self, capacity: Capacity, clock: fn() -> Timestamp) -> RuntimeOptions {
        RuntimeOptions {
            server: self.server,
            layout: self.layout.clone(),
            program: env!("CARGO_BIN_EXE_runtime-test-program").into(),
            api_host: "http://127.0.0.1:1".to_owned(),
            capacity,
            executes: true,
            changes: self.changes.clone(),
            executor_lost: Duration::from_mins(10),
            connections: self.connections.clone().into(),
            variable: |_| None,
            clock,
        }
    }

    /// Ends the runtime, as the server does when it ends. Jobs go on.
    pub(crate) async fn end(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown().await;
        }
    }

    pub(crate) async fn submit(&mut self, operation: &Json) -> RunId {
        self.submit_with(operation, |_| {}).await
    }

    pub(crate) async fn submit_with(&mut self, operation: &Json, change: impl FnOnce(&mut NewRecord)) -> RunId {
        self.submitted += 1;
        let id: RunId = format!("{:032x}", self.submitted).parse().expect("32 hex digits");
        let birth = Birth {
            kind: RunKind::Job,
            managed_by: ManagedBy::Agent,
            pending: None,
            requires_approval: false,
            place: Place::Independent,
        };
        let mut record = NewRecord::new(id, PROJECT.parse().expect("32 hex digits"), birth);
        record.name = Some("test".to_owned());
        record.raw_content = Some(operation.to_string());
        change(&mut record);
        self.store.write(move |tx| runs::create(tx, &record, now())).await.expect("the run is created");
        id
    }

    pub(crate) async fn get(&self, run: RunId) -> Run {
        self.store.read(move |tx| runs::get(tx, run)).await.expect("the store answers").expect("the run is there")
    }

    pub(crate) async fn find(&self, run: RunId) -> Option<Run> {
        self.store.read(move |tx| runs::get(tx, run)).await.expect("the store answers")
    }

    /// Waits until nothing is left to be done about a run.
    pub(crate) async fn until_settled(&self, run: RunId) {
        let mut changed = self.store.changed();
        let open = |tx: &mut dyn polyaxon_store::db::Tx, run| {
            let left = polyaxon_store::actions::open_of(tx, run)?;
            Ok(left.iter().any(|action| !matches!(action.action, polyaxon_engine::state::Action::Wake { .. })))
        };
        while self.store.read(move |tx| open(tx, run)).await.expect("the store answers") {
            changed.changed().await.expect("the store is open");
        }
    }

    pub(crate) async fn event(&self, run: RunId, event: Event) {
        self.store.write(move |tx| lifecycle::apply(tx, run, &event, now())).await.expect("the store answers");
    }

    /// Waits until `ready` says so, looking again at every change of the store.
    pub(crate) async fn until(&self, run: RunId, ready: impl Fn(&Run) -> bool) -> Run {
        let mut changed = self.store.changed();
        loop {
            let record = self.get(run).await;
            if ready(&record) {
                return record;
            }
            changed.changed().await.expect("the store is open");
        }
    }

    pub(crate) async fn until_status(&self, run: RunId, status: Status) -> Run {
        let record = self.until(run, |record| record.status == status || record.status.is_done()).await;
        assert_eq!(record.status, status, "{:?}", self.conditions(run).await);
        record
    }

    pub(crate) async fn conditions(&self, run: RunId) -> Vec<StatusCondition> {
        let document = self.store.read(move |tx| statuses::document(tx, run)).await.expect("the store answers");
        document.map(|document| document.status_conditions).unwrap_or_default()
    }

    /// Waits until the run has printed `line`.
    pub(crate) async fn until_line(&self, run: RunId, line: &str) {
        let mut changes = self.changes.subscribe();
        while !self.lines(run).iter().any(|value| value == line) {
            changes.changed(run).await;
        }
    }

    /// The history as words, with the message of the last condition.
    pub(crate) async fn history(&self, run: RunId) -> (String, String) {
        let conditions = self.conditions(run).await;
        let words: Vec<_> = conditions.iter().map(|condition| condition.status.to_string()).collect();
        (words.join(" "), conditions.last().and_then(|last| last.message.clone()).unwrap_or_default())
    }

    /// Kind and direction of an artifact of the run.
    pub(crate) async fn artifact(&self, run: RunId, name: &'static str) -> Option<(ArtifactKind, Option<bool>)> {
        let row = self.store.read(move |tx| lineage::get(tx, run, name)).await.expect("the store answers");
        row.map(|row| (row.kind, row.is_input))
    }

    pub(crate) fn lines(&self, run: RunId) -> Vec<String> {
        let page = page(&self.layout.logs(run), run, Cursor::START).expect("logs are readable");
        page.lines.into_iter().map(|line| line.value).collect()
    }
}

/// A test that fails must not leave its jobs behind.
impl Drop for Bench {
    fn drop(&mut self) {
        for folder in std::fs::read_dir(self.layout.scratches()).into_iter().flatten().flatten() {
            let Ok(Some(record)) = Record::read(&folder.path().join("supervisor")) else { continue };
            if record.supervisor.is_alive()
                && let Some(pid) = Pid::from_raw(record.supervisor.pid)
            {
                let _ = kill_process(pid, Signal::TERM);
            }
        }
    }
}

pub(crate) fn server(number: u128) -> ExecutorId {
    ExecutorId::new(Uuid::from_u128(number))
}

const PROJECT: &str = "000000000000000000000000000000aa";
