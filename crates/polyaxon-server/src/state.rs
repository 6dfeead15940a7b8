//! What every handler can reach, and the few questions that most of them ask.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use polyaxon_artifacts::changes::{Changes, Subscription};
use polyaxon_artifacts::layout::Layout;
use polyaxon_compile::connection::Connection;
use polyaxon_engine::{executor, timer};
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::Pending;
use polyaxon_model::run::Run;
use polyaxon_model::time::Timestamp;
use polyaxon_store::db::Tx;
use polyaxon_store::standing::{self, Standing};
use polyaxon_store::{Store, beats, projects, runs};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};

use crate::access::{Doors, Reach};
use crate::errors::{Error, Result};
use crate::metrics::Metrics;
use crate::run_path::RunPath;

/// The parts a server is made of.
#[derive(Clone)]
pub struct Server {
    pub store: Store,
    pub layout: Layout,
    pub changes: Changes,
    pub metrics: Arc<Metrics>,
    /// The loop of the runtime in this process, to see whether it is alive.
    pub runtime: Option<AbortHandle>,
    pub options: Options,
}

/// Settings of a server that do not change while it runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// 32 hex digits, the same as long as the database lives.
    pub key: String,
    /// The version that clients are told. Never below the official client's, which warns about older servers.
    pub version: String,
    pub doors: Doors,
    pub agent: Agent,
    /// What runs and notifications may use beside the artifacts store.
    pub connections: Arc<[Connection]>,
    /// The secret that services of this installation name themselves with; nobody does without one.
    pub internal_token: Option<String>,
    /// Largest JSON body.
    pub max_body_bytes: usize,
    /// Largest upload.
    pub max_upload_bytes: u64,
    /// How many runs may be with executors outside of this process at once.
    pub max_concurrency: usize,
    /// After this time without a word, what an executor had begun is not counted on any more.
    pub executor_lost: Duration,
    /// How long a run that gives signs of life may be silent; zero is for ever.
    pub heartbeat_silence: Duration,
    /// How long the answer to a creation waits for the run to be compiled.
    pub compilation_wait: Duration,
}

/// Who executes the runs of this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agent {
    /// The runtime inside of this process; nobody else is handed a run.
    Local,
    /// Whoever pulls the agent state.
    External,
}

/// How many runs may be with executors outside of this process when nobody says so.
pub const DEFAULT_CONCURRENCY: usize = 50;

impl Default for Options {
    fn default() -> Self {
        Self {
            key: "0".repeat(32),
            version: "2.18.0".into(),
            doors: Doors { reach: Reach::Loopback, allowed_hosts: Vec::new() },
            agent: Agent::Local,
            connections: [].into(),
            internal_token: None,
            max_body_bytes: 10 * 1024 * 1024,
            max_upload_bytes: 1024 * 1024 * 1024,
            max_concurrency: DEFAULT_CONCURRENCY,
            executor_lost: executor::LOST,
            heartbeat_silence: timer::HEARTBEAT_LIMIT,
            compilation_wait: Duration::from_millis(150),
        }
    }
}

impl Server {
    /// Where uploads wait until they are complete: on the file system of the artifacts.
    pub(crate) fn staging(&self) -> PathBuf {
        self.layout.local().join("incoming")
    }

    /// Reads the store; a missing record is a 404.
    pub(crate) async fn read<T, F>(&self, closure: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Tx) -> polyaxon_store::Result<T> + Send + 'static,
    {
        self.store.read(closure).await.map_err(Error::from)
    }

    /// Writes the store at the present time, and answers when it is on disk.
    pub(crate) async fn write<T, F>(&self, closure: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Tx, Timestamp) -> polyaxon_store::Result<T> + Send + 'static,
    {
        let _measured = self.metrics.write();
        self.store.write(move |tx| closure(tx, now())).await.map_err(Error::from)
    }

    /// Where a run stands; one that is unknown, in another project or being deleted is a 404.
    pub(crate) async fn standing(&self, path: &RunPath) -> Result<Standing> {
        let path = path.clone();
        self.read(move |tx| present(tx, &path)).await
    }

    /// The run as soon as it is compiled, or as it is after a moment: official clients read a run right after its
    /// creation and expect to find its inputs. `news` must be older than the run.
    pub(crate) async fn compiled(&self, run: Run, mut news: Subscription) -> Run {
        let waits = run.managed_by.is_managed();
        let deadline = Instant::now() + self.options.compilation_wait;
        let mut latest = run;
        let is_open = |run: &Run| matches!(run.pending, None | Some(Pending::Upload));
        while waits && latest.status.is_compilable() && is_open(&latest) {
            let id = latest.uuid;
            if timeout_at(deadline, news.changed(id)).await.is_err() {
                break;
            }
            match self.store.read(move |tx| runs::get(tx, id)).await {
                Ok(Some(run)) => latest = run,
                // The run was created all the same; who reads it next learns what is wrong.
                Ok(None) | Err(_) => break,
            }
        }
        latest
    }

    /// Notes that a run that nobody here watches has given a sign of life.
    pub(crate) async fn note_life(&self, run: RunId) -> Result<()> {
        if self.read(move |tx| beats::is_due(tx, run, now())).await? {
            let silence = self.options.heartbeat_silence;
            self.write(move |tx, now| beats::note(tx, run, silence, now)).await?;
        }
        Ok(())
    }

    /// Begins to watch a run. Look after this, and wait only then.
    pub(crate) fn watch(&self, run: RunId) -> RunWatch {
        let mut store = self.store.changed();
        store.mark_unchanged();
        RunWatch { run, hub: self.changes.subscribe(), store }
    }
}

/// Waits for news of one run.
pub(crate) struct RunWatch {
    run: RunId,
    hub: Subscription,
    store: watch::Receiver<u64>,
}

impl RunWatch {
    /// Something of the run changed, or something in the store, which may be about any run.
    pub(crate) async fn changed(&mut self) {
        tokio::select! {
            () = self.hub.changed(self.run) => {}
            // When the store is closed nothing will ever change again, and the next read says so.
            _ = self.store.changed() => {}
        }
    }
}

pub(crate) fn now() -> Timestamp {
    jiff::Timestamp::now().into()
}

/// The run that a path names, whatever its live state.
pub(crate) fn known(tx: &mut dyn Tx, path: &RunPath) -> polyaxon_store::Result<Standing> {
    match standing::of(tx, path.run)? {
        Some(standing) if standing.project == path.project => Ok(standing),
        // Which of the two is missing makes a difference to people.
        _ if projects::get(tx, &path.project)?.is_none() => {
            Err(polyaxon_store::Error::not_found("Project", &path.project))
        }
        _ => Err(polyaxon_store::Error::not_found("Run", path.run)),
    }
}

/// As [`known`], but a run that is being deleted is gone.
pub(crate) fn present(tx: &mut dyn Tx, path: &RunPath) -> polyaxon_store::Result<Standing> {
    let standing = known(tx, path)?;
    if standing.live_state == polyaxon_model::kinds::LiveState::Deleting {
        return Err(polyaxon_store::Error::not_found("Run", path.run));
    }
    Ok(standing)
}
