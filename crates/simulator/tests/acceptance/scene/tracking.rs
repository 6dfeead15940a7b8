//! What runs leave behind and find: metrics that processes track while they run, as the official client writes them,
//! and components that people registered.

use std::fs::{self, OpenOptions};
use std::io::Write as _;

use polyaxon_artifacts::layout::Layout;
use polyaxon_model::ids::{ProjectId, RunId, VersionId};
use polyaxon_model::kinds::{EdgeKind, VersionKind};
use polyaxon_model::version::VersionBody;
use polyaxon_store::db::Tx;
use polyaxon_store::versions::{self, Key};
use polyaxon_store::{Error, projects};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{Scene, now};

impl Scene {
    /// A process that hangs tracks values of a metric: step and number.
    pub(crate) fn track(&self, run: RunId, metric: &str, values: &[(u64, f64)]) {
        let folder = Layout::new(self.home.path()).artifacts(run).join("events/metric");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{metric}.plx"));
        let mut text = if path.exists() { String::new() } else { "step|timestamp|metric\n".to_owned() };
        for (step, value) in values {
            text += &format!("{step}|2026-01-10 13:00:00+00:00|{value}\n");
        }
        OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// The server looks at what running processes track, and does what follows.
    pub(crate) fn look(&mut self) {
        if let Err(error) = self.performer.watch() {
            assert!(matches!(error, polyaxon_runtime::Error::Store(Error::Closed)), "{error:?}");
            self.restart();
            self.performer.watch().unwrap();
        }
        self.play();
    }

    /// Registers a component as `NAME:1`, in a project of that name.
    pub(crate) fn register(&self, name: &str, component: &Json) {
        let key = Key { project: name.to_owned(), kind: VersionKind::Component, name: "1".to_owned() };
        let body: VersionBody = serde_json::from_value(json!({ "content": component.to_string() })).unwrap();
        let (uuid, project) = (VersionId::new(Uuid::from_u128(7)), ProjectId::new(Uuid::from_u128(8)));
        let name = name.to_owned();
        self.store
            .write_blocking(move |tx| {
                projects::get_or_create(tx, &name, project, now())?;
                versions::create(tx, &key, uuid, &body, None, now()).map(drop)
            })
            .unwrap();
    }

    /// The runs before a run, with the kinds of the edges.
    pub(crate) fn edges(&self, run: RunId) -> Vec<(RunId, EdgeKind)> {
        let sql = format!(
            "SELECT u.uuid, e.kind FROM run_edges e JOIN runs u ON u.id = e.upstream_id \
             JOIN runs d ON d.id = e.downstream_id WHERE d.uuid = '{}' ORDER BY u.id",
            run.to_hex()
        );
        let read = move |tx: &mut dyn Tx| -> polyaxon_store::Result<Vec<(RunId, EdgeKind)>> {
            tx.query(&sql, &[])?.into_iter().map(|mut row| Ok((row.take()?, row.take()?))).collect()
        };
        self.store.read_blocking(read).unwrap()
    }
}
