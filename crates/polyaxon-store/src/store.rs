//! The store itself: one writer thread, several readers, and a signal that something changed.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use polyaxon_model::ids::ExecutorId;
use tokio::sync::{oneshot, watch};

use crate::alone::{Alone, Fates};
use crate::db::connection::{Access, Connection, Database};
use crate::db::postgres::server::{Server, listen};
use crate::db::postgres::{Address, is_address};
use crate::db::signed::SignedTx;
use crate::db::{Dialect, Place, Tx, sqlite};
use crate::readers::Readers;
use crate::selection::known::Known;
use crate::writer::Writer;
use crate::{Error, Result, migrate};

/// How a store is opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Connections that read at the same time.
    pub readers: usize,
    /// The greatest size of the file; writes beyond it fail as on a full disk.
    pub max_bytes: Option<u64>,
    /// What an acknowledged write survives. A database server decides that for itself.
    pub durability: Durability,
    /// How long a database server that does not answer is waited for.
    pub patience: Duration,
}

/// What acknowledged writes survive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The end of the process, however sudden.
    #[default]
    Process,
    /// A loss of power too: every transaction waits for the disk.
    Power,
}

impl Default for Options {
    fn default() -> Options {
        Options { readers: 4, max_bytes: None, durability: Durability::Process, patience: Duration::from_secs(5) }
    }
}

/// An open database. Clones are handles of the same one; the last one to go waits for queued writes.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    server: Option<ExecutorId>,
}

struct Shared {
    place: Place,
    way: Way,
    changed: watch::Receiver<u64>,
    known: Arc<Known>,
}

/// Who works on the database.
enum Way {
    Threads {
        // Closed before the readers, so that what was queued is written first.
        writer: Writer,
        readers: Readers,
    },
    Callers(Alone),
}

impl Store {
    /// Opens or creates the database at `path` and brings it to the current schema.
    pub fn open(path: impl AsRef<Path>) -> Result<Store> {
        Store::open_with(path, Options::default())
    }

    pub fn open_with(path: impl AsRef<Path>, options: Options) -> Result<Store> {
        let path = path.as_ref();
        let mut connection = Connection::Sqlite(sqlite::Session::open(path, Access::Write)?);
        migrate::migrate(&mut connection, &Place::from(path))?;
        if let (Some(bytes), Connection::Sqlite(session)) = (options.max_bytes, &connection) {
            session.limit_size(bytes)?;
        }
        if let (Durability::Power, Connection::Sqlite(session)) = (options.durability, &mut connection) {
            session.script("PRAGMA synchronous = FULL")?;
        }
        Store::start(connection, Database::File(path.to_owned()), watch::Sender::new(0), options)
    }

    /// A database in memory that works on the thread of its callers, with a say in what becomes of writes.
    pub fn in_memory(fates: Fates) -> Result<Store> {
        let place = Place::from(Path::new(":memory:"));
        let way = Way::Callers(Alone::open(&place, fates)?);
        let shared = Shared { place, way, changed: watch::Sender::new(0).subscribe(), known: Arc::default() };
        Ok(Store { shared: Arc::new(shared), server: None })
    }

    /// A handle of the same database with which a server writes: it claims the actions that follow.
    #[must_use]
    pub fn of_server(&self, server: ExecutorId) -> Store {
        Store { shared: Arc::clone(&self.shared), server: Some(server) }
    }

    /// Opens the database at `postgres://…`, which must exist, or at a path. Waits for the network, so an async task
    /// must not call it.
    pub fn open_url(url: &str, options: Options) -> Result<Store> {
        if !is_address(url) {
            return Store::open_with(url, options);
        }
        let server = Arc::new(Server::new(Address::parse(url)?)?);
        server.wait(options.patience)?;
        let mut connection = Connection::Postgres(Box::new(server.connect()?));
        migrate::migrate(&mut connection, server.place())?;
        let changed = watch::Sender::new(0);
        listen(&server, changed.clone())?;
        Store::start(connection, Database::Server(server), changed, options)
    }

    fn start(
        connection: Connection,
        database: Database,
        changed: watch::Sender<u64>,
        options: Options,
    ) -> Result<Store> {
        let place = database.place();
        let readers = Readers::open(database.clone(), options.readers)?;
        let receiver = changed.subscribe();
        let writer = Writer::start(connection, database, changed)?;
        let shared = Shared { place, way: Way::Threads { writer, readers }, changed: receiver, known: Arc::default() };
        Ok(Store { shared: Arc::new(shared), server: None })
    }

    /// Which database this is.
    pub fn place(&self) -> &Place {
        &self.shared.place
    }

    pub fn dialect(&self) -> Dialect {
        match self.place() {
            Place::File(_) => Dialect::Sqlite,
            Place::Server(_) => Dialect::Postgres,
        }
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
        match tokio::task::spawn_blocking(move || shared.read(closure)).await {
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
        let writer = match &self.shared.way {
            Way::Threads { writer, .. } => writer,
            Way::Callers(alone) => return alone.write(signed(self.server, closure)),
        };
        let (sender, receiver) = oneshot::channel();
        writer.send(signed(self.server, closure), move |answer| drop(sender.send(answer)))?;
        receiver.await.unwrap_or(Err(Error::Panicked))
    }

    /// [`Store::read`] for threads that may wait.
    pub fn read_blocking<T>(&self, closure: impl FnOnce(&mut dyn Tx) -> Result<T>) -> Result<T> {
        self.shared.read(closure)
    }

    /// [`Store::write`] for threads that may wait.
    pub fn write_blocking<T, F>(&self, closure: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Tx) -> Result<T> + Send + 'static,
    {
        let writer = match &self.shared.way {
            Way::Threads { writer, .. } => writer,
            Way::Callers(alone) => return alone.write(signed(self.server, closure)),
        };
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        writer.send(signed(self.server, closure), move |answer| drop(sender.send(answer)))?;
        receiver.recv().unwrap_or(Err(Error::Panicked))
    }
}

impl Shared {
    fn read<T>(&self, closure: impl FnOnce(&mut dyn Tx) -> Result<T>) -> Result<T> {
        match &self.way {
            Way::Threads { readers, .. } => readers.read(closure),
            Way::Callers(alone) => alone.read(closure),
        }
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
