//! The loops that carry out what the engine decides: compile, admit, launch, stop, watch, time, clean up.
//!
//! Invariants:
//! * nothing is known here that a restart would miss: open actions and live attempts are read from the store, the
//!   truth about processes from their supervisors;
//! * every action may be performed twice; it is closed in the transaction that reports what came of it;
//! * collecting (logs, lineage, outputs) never decides how a run ends.
//!
//! Must not know HTTP. The server writes rows, the store says that something changed, [`Runtime`] reacts.

mod actions;
mod adopt;
mod builds;
mod clean;
mod companion;
mod compile;
mod connections;
mod copies;
mod driver;
mod error;
mod expansion;
mod hooks;
mod joins;
mod launch;
mod notifications;
mod observe;
mod presence;
mod references;
mod sidecar;
pub mod steps;
mod submission;
mod timers;
mod turns;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use polyaxon_artifacts::changes::Changes;
use polyaxon_artifacts::layout::Layout;
use polyaxon_compile::connection::Connection;
use polyaxon_engine::admission::Capacity;
use polyaxon_executors::process::ProcessExecutor;
use polyaxon_model::ids::{ExecutorId, RunId};
use polyaxon_model::time::Timestamp;
use polyaxon_store::Store;
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinHandle};

pub use error::{Error, Result};

/// What the runtime stands on.
#[derive(Clone, Debug)]
pub struct RuntimeOptions {
    /// The id of this server among those that share the database; the same as long as the home lives.
    pub server: ExecutorId,
    pub layout: Layout,
    /// Our own binary: supervisors and init steps are started with it.
    pub program: PathBuf,
    /// The url of the server as jobs reach it.
    pub api_host: String,
    /// What there is for runs.
    pub capacity: Capacity,
    /// Without it runs are compiled and queued, and another process executes them.
    pub executes: bool,
    /// Told about every run of which something changed.
    pub changes: Changes,
    /// After this time without a word, what an executor had begun is not counted on any more.
    pub executor_lost: Duration,
    /// What runs and notifications of this server may use beside the artifacts store.
    pub connections: Arc<[Connection]>,
    /// The environment of the server, which holds secrets of connections.
    pub variable: fn(&str) -> Option<String>,
    pub clock: fn() -> Timestamp,
}

impl RuntimeOptions {
    /// Whether what a run produced is still there, as far as this server can tell.
    pub(crate) fn has_artifacts(&self, run: RunId) -> bool {
        !self.executes || self.layout.artifacts(run).is_dir()
    }
}

/// How many runs may be active at once when nobody says so.
pub fn default_capacity() -> usize {
    std::thread::available_parallelism().map_or(4, |cores| cores.get().max(4))
}

pub struct Runtime;

/// A running runtime.
#[derive(Debug)]
pub struct Handle {
    stop: oneshot::Sender<()>,
    driver: JoinHandle<()>,
    notifier: JoinHandle<()>,
}

impl Runtime {
    /// Takes up what was left and goes on with it. Must be called inside of the async runtime.
    pub fn start(store: Store, options: RuntimeOptions) -> Result<Handle> {
        let executor = if options.executes {
            Some(ProcessExecutor::new(options.layout.clone(), options.program.clone())?)
        } else {
            None
        };
        let (stop, stopped) = oneshot::channel();
        let store = store.of_server(options.server);
        let notifier = tokio::spawn(notifications::work(store.clone(), Arc::new(options.clone())));
        let driver = tokio::spawn(driver::drive(store, options, executor, stopped));
        Ok(Handle { stop, driver, notifier })
    }
}

impl Handle {
    /// The loop, for those who watch whether it is alive.
    pub fn task(&self) -> AbortHandle {
        self.driver.abort_handle()
    }

    /// Ends the loops after what is being done right now. Jobs go on.
    pub async fn shutdown(self) {
        // The driver may have ended by itself; that is what is asked for.
        let _ = self.stop.send(());
        let _ = self.driver.await;
        // What it was sending is sent again by the next server.
        self.notifier.abort();
    }
}
