//! A store in a folder of its own, and shortcuts to fill it.

use polyaxon_engine::state::{Birth, Event, Force};
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::ids::{ExecutorId, ProjectId, RunId};
use polyaxon_model::kinds::{ManagedBy, RunKind};
use polyaxon_model::listing::{ListPage, Paging};
use polyaxon_model::new_run::RunPatch;
use polyaxon_model::project::Project;
use polyaxon_model::run::Run;
use polyaxon_model::time::Timestamp;
use polyaxon_store::run_list::{self, Known, RunQuery};
use polyaxon_store::runs::NewRecord;
use polyaxon_store::{Result, Store, lifecycle, projects, runs};
use serde_json::Value as Json;
use uuid::Uuid;

pub(crate) const NOW: &str = "2026-11-22T12:00:00Z";

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) store: Store,
    pub(crate) project: Project,
}

impl World {
    pub(crate) fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("polyaxon.db")).unwrap().of_server(server(1));
        let project = store
            .write_blocking(|tx| projects::get_or_create(tx, "p", ProjectId::new(Uuid::new_v4()), at(NOW)))
            .unwrap();
        World { folder, store, project }
    }

    /// What a process that died leaves behind, opened by the next one.
    pub(crate) fn reopen(self) -> World {
        let World { folder, store, project } = self;
        drop(store);
        let store = Store::open(folder.path().join("polyaxon.db")).unwrap().of_server(server(1));
        World { folder, store, project }
    }

    pub(crate) fn create(&self, record: NewRecord, now: &str) -> Run {
        let now = at(now);
        self.store.write_blocking(move |tx| runs::create(tx, &record, now)).unwrap()
    }

    pub(crate) fn job(&self) -> Run {
        self.create(self.record(ManagedBy::Agent), NOW)
    }

    pub(crate) fn record(&self, managed_by: ManagedBy) -> NewRecord {
        let birth = Birth { kind: RunKind::Job, managed_by, pending: None, requires_approval: false };
        NewRecord::new(RunId::new(Uuid::new_v4()), self.project.uuid, birth)
    }

    pub(crate) fn get(&self, run: RunId) -> Run {
        self.store.read_blocking(|tx| runs::get(tx, run)).unwrap().unwrap()
    }

    pub(crate) fn apply(&self, run: RunId, event: Event, now: &str) {
        let now = at(now);
        self.store.write_blocking(move |tx| lifecycle::apply(tx, run, &event, now)).unwrap();
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
