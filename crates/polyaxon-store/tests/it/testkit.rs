//! A store in a folder of its own, and shortcuts to fill it.

use polyaxon_engine::state::{Birth, Event, Force, Place};
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::ids::{ExecutorId, ProjectId, RunId};
use polyaxon_model::kinds::{ManagedBy, RunKind};
use polyaxon_model::listing::{ListPage, Paging};
use polyaxon_model::new_run::RunPatch;
use polyaxon_model::project::Project;
use polyaxon_model::run::Run;
use polyaxon_model::time::Timestamp;
use polyaxon_store::db::Tx;
use polyaxon_store::run_list::{self, Known, RunQuery};
use polyaxon_store::runs::NewRecord;
use polyaxon_store::{Options, Result, Store, actions, lifecycle, projects, runs};
use serde_json::Value as Json;
use uuid::Uuid;

pub(crate) const NOW: &str = "2026-11-22T12:00:00Z";

/// A kind of database that tests run on.
#[derive(Clone, Debug)]
pub(crate) enum Database {
    Sqlite,
    /// The address of a server in which each world makes a database of its own.
    Postgres(String),
}

/// SQLite, and PostgreSQL when `POLYAXON_TEST_POSTGRES` names a server.
pub(crate) fn databases() -> Vec<Database> {
    let server = std::env::var("POLYAXON_TEST_POSTGRES").ok();
    std::iter::once(Database::Sqlite).chain(server.map(Database::Postgres)).collect()
}

/// Runs a test on every kind of database.
pub(crate) fn everywhere(test: impl Fn(World)) {
    for database in databases() {
        test(World::on(&database));
    }
}

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) store: Store,
    pub(crate) project: Project,
    // Dropped last: the store has closed its connections by then.
    pub(crate) home: Home,
}

/// Where the database of a world lives.
pub(crate) enum Home {
    File(std::path::PathBuf),
    Server(Scratch),
}

impl Home {
    pub(crate) fn url(&self) -> String {
        match self {
            Home::File(path) => path.display().to_string(),
            Home::Server(scratch) => scratch.url(),
        }
    }
}

/// A database of its own in a server, dropped at the end.
pub(crate) struct Scratch {
    server: String,
    name: String,
}

impl Scratch {
    pub(crate) fn create(server: &str) -> Scratch {
        let name = format!("test_{}", Uuid::new_v4().simple());
        let scratch = Scratch { server: server.to_owned(), name };
        scratch.administer(&format!("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'", scratch.name));
        scratch
    }

    pub(crate) fn url(&self) -> String {
        let (base, options) = self.server.split_once('?').unwrap_or((&self.server, ""));
        format!("{}/{}?{options}", &base[..base.rfind('/').unwrap()], self.name)
    }

    /// Runs a statement beside the database.
    pub(crate) fn administer(&self, sql: &str) {
        postgres::Client::connect(&self.server, postgres::NoTls).unwrap().batch_execute(sql).unwrap();
    }

    /// Ends every connection to the database, as a restart of the server would.
    pub(crate) fn end_connections(&self) {
        let name = &self.name;
        self.administer(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"));
    }

    pub(crate) fn allow_connections(&self, allowed: &str) {
        self.administer(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS {allowed}", self.name));
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let (server, sql) = (self.server.clone(), format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        // Tests with an async runtime may not block in it.
        let dropped = std::thread::spawn(move || {
            postgres::Client::connect(&server, postgres::NoTls).unwrap().batch_execute(&sql).unwrap();
        });
        dropped.join().unwrap();
    }
}

impl World {
    /// A world on SQLite, for tests of what only files do.
    pub(crate) fn new() -> World {
        World::on(&Database::Sqlite)
    }

    pub(crate) fn on(database: &Database) -> World {
        let folder = tempfile::tempdir().unwrap();
        let home = match database {
            Database::Sqlite => Home::File(folder.path().join("polyaxon.db")),
            Database::Postgres(address) => {
                let address = address.clone();
                Home::Server(std::thread::spawn(move || Scratch::create(&address)).join().unwrap())
            }
        };
        let store = open(&home.url()).of_server(server(1));
        let project = store
            .write_blocking(|tx| projects::get_or_create(tx, "p", ProjectId::new(Uuid::new_v4()), at(NOW)))
            .unwrap();
        World { folder, store, project, home }
    }

    /// What a process that died leaves behind, opened by the next one.
    pub(crate) fn reopen(self) -> World {
        let World { folder, store, project, home } = self;
        drop(store);
        let store = open(&home.url()).of_server(server(1));
        World { folder, store, project, home }
    }

    pub(crate) fn create(&self, record: NewRecord, now: &str) -> Run {
        let now = at(now);
        self.store.write_blocking(move |tx| runs::create(tx, &record, now)).unwrap()
    }

    pub(crate) fn job(&self) -> Run {
        self.create(self.record(ManagedBy::Agent), NOW)
    }

    pub(crate) fn record(&self, managed_by: ManagedBy) -> NewRecord {
        let birth = Birth {
            kind: RunKind::Job,
            managed_by,
            pending: None,
            requires_approval: false,
            place: Place::Independent,
        };
        NewRecord::new(RunId::new(Uuid::new_v4()), self.project.uuid, birth)
    }

    pub(crate) fn get(&self, run: RunId) -> Run {
        self.store.read_blocking(|tx| runs::get(tx, run)).unwrap().unwrap()
    }

    pub(crate) fn apply(&self, run: RunId, event: Event, now: &str) {
        let now = at(now);
        self.store.write_blocking(move |tx| lifecycle::apply(tx, run, &event, now)).unwrap();
    }

    /// As if everything that was decided about a run had been done.
    pub(crate) fn close_actions(&self, run: RunId) {
        let close = move |tx: &mut dyn Tx| {
            let open = actions::open_of(tx, run)?;
            open.iter().try_for_each(|open| actions::done(tx, run, open.seq, at(NOW)).map(drop))
        };
        self.store.write_blocking(close).unwrap();
    }

    pub(crate) fn post(&self, run: RunId, status: &str, now: &str) {
        let condition = StatusCondition::new(status.parse().unwrap(), "Test", "posted", at(now));
        self.apply(run, Event::Posted { condition, force: Force::No }, now);
    }

    pub(crate) fn patch(&self, run: RunId, body: Json, now: &str) -> Run {
        let patch: RunPatch = serde_json::from_value(body).unwrap();
        let now = at(now);
        self.store.write_blocking(move |tx| runs::patch(tx, run, &patch, now)).unwrap()
    }

    pub(crate) fn find(&self, query: &str, sort: &str) -> Result<Vec<Run>> {
        let wanted = RunQuery {
            project: Some(self.project.uuid),
            query: query.to_owned(),
            sort: sort.to_owned(),
            bookmarked: None,
            paging: Paging::first(100),
        };
        let page = self.list(&wanted)?;
        assert_eq!(page.count, Some(page.results.len() as u64));
        Ok(page.results)
    }

    /// Lists with what the store knows, and makes sure that a store that knows nothing answers the same.
    pub(crate) fn list(&self, wanted: &RunQuery) -> Result<ListPage<Run>> {
        let list = |known: &Known| self.store.read_blocking(|tx| run_list::list(tx, known, wanted, at(NOW)));
        let page = list(&self.store.known())?;
        assert_eq!(page, list(&Known::default())?, "{wanted:?}");
        Ok(page)
    }
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The id of a server or an agent.
pub(crate) fn server(number: u128) -> ExecutorId {
    ExecutorId::new(Uuid::from_u128(number))
}

/// Opens a store also where a thread may not wait, in an async test.
pub(crate) fn open(url: &str) -> Store {
    let url = url.to_owned();
    std::thread::spawn(move || Store::open_url(&url, Options::default())).join().unwrap().unwrap()
}
