//! The store itself: one writer thread, several readers, and a signal that something changed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use polyaxon_model::ids::ExecutorId;
use tokio::sync::{oneshot, watch};

use crate::db::Tx;
use crate::db::signed::SignedTx;
use crate::db::sqlite::{self, Access};
use crate::readers::Readers;
use crate::selection::known::Known;
use crate::writer::Writer;
use crate::{Error, Result, migrate};

/// How a store is opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Connections that read at the same time.
    pub readers: usize,
    /// The greatest size of the database; writes beyond it fail as on a full disk.
    pub max_bytes: Option<u64>,
}

impl Default for Options {
    fn default() -> Options {
        Options { readers: 4, max_bytes: None }
    }
}

/// An open database. Clones are handles of the same one; the last one to go waits for queued writes.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    server: Option<ExecutorId>,
}

struct Shared {
    path: PathBuf,
    // Closed before the readers, so that what was queued is written first.
    writer: Writer,
    readers: Readers,
    changed: watch::Receiver<u64>,
    known: Arc<Known>,
}

impl Store {
    /// Opens or creates the database at `path` and brings it to the current schema.
    pub fn open(path: impl AsRef<Path>) -> Result<Store> {
        Store::open_with(path, Options::default())
    }

    pub fn open_with(path: impl AsRef<Path>, options: Options) -> Result<Store> {
        let path = path.as_ref();
        let mut connection = sqlite::open(path, Access::Write)?;
        migrate::migrate(&mut connection, path)?;
        if let Some(bytes) = options.max_bytes {
            sqlite::limit_size(&connection, path, bytes)?;
        }
        let readers = Readers::open(path, options.readers)?;
        let (sender, changed) = watch::channel(0);
        let writer = Writer::start(connection, path, sender)?;
        let shared = Shared { path: path.to_owned(), writer, readers, changed, known: Arc::default() };
        Ok(Store { shared: Arc::new(shared), server: None })
    }

    /// A handle of the same database with which a server writes: it claims the actions that follow.
    #[must_use]
    pub fn of_server(&self, server: ExecutorId) -> Store {
        Store { shared: Arc::clone(&self.shared), server: Some(server) }
    }

    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Counts committed transactions that changed something; wait on it instead of polling.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.shared.changed.clone()
    }

    /// What lists of runs keep between requests.
    pub fn known(&self) -> Arc<Known> {
        Arc::clone(&self.shared.known)
    }

    /// Reads one consistent state.
    pub async fn read<T, F>(&self, closure: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Tx) -> Result<T> + Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        match tokio::task::spawn_blocking(move || shared.readers.read(closure)).await {
            Ok(answer) => answer,
            Err(_) => Err(Error::Closed),
        }
    }

    /// Writes: everything the closure did, or nothing when it returns an error. `Ok` is durable.
    ///
    /// The closure may run together with others in one transaction, so it must not wait for anything.
    pub async fn write<T, F>(&self, closure: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Tx) -> Result<T> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        self.shared.writer.send(signed(self.server, closure), move |answer| drop(sender.send(answer)))?;
        receiver.await.unwrap_or(Err(Error::Panicked))
    }

    /// [`Store::read`] for threads that may wait.
    pub fn read_blocking<T>(&self, closure: impl FnOnce(&mut dyn Tx) -> Result<T>) -> Result<T> {
        self.shared.readers.read(closure)
    }

    /// [`Store::write`] for threads that may wait.
    pub fn write_blocking<T, F>(&self, closure: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Tx) -> Result<T> + Send + 'static,
    {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.shared.writer.send(signed(self.server, closure), move |answer| drop(sender.send(answer)))?;
        receiver.recv().unwrap_or(Err(Error::Panicked))
    }
}

fn signed<T, F>(server: Option<ExecutorId>, closure: F) -> impl FnOnce(&mut dyn Tx) -> Result<T> + Send + 'static
where
    F: FnOnce(&mut dyn Tx) -> Result<T> + Send + 'static,
{
    move |tx| match server {
        Some(server) => closure(&mut SignedTx { tx, server }),
        None => closure(tx),
    }
}
