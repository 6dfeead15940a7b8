//! The one server of a scene, on a store in memory or in a file.

use std::time::Duration;

use polyaxon_artifacts::changes::Changes;
use polyaxon_artifacts::layout::Layout;
use polyaxon_engine::admission::Capacity;
use polyaxon_model::ids::RunId;
use polyaxon_runtime::RuntimeOptions;
use polyaxon_runtime::steps::Performer;
use polyaxon_store::actions::Ability;
use polyaxon_store::db::Tx;
use polyaxon_store::{Store, projects, servers};

use super::{End, PROJECT, SERVER, Scene, now};

impl Scene {
    /// A scene whose store is in a file, for what must not depend on the size of the memory.
    pub(crate) fn on_disk() -> Scene {
        let mut scene = Scene::new(|_| End::Succeed);
        let layout = scene.layout();
        std::fs::create_dir_all(layout.local()).unwrap();
        scene.store = Store::open(layout.database()).unwrap().of_server(SERVER);
        prepare(&scene.store);
        scene.performer = performer(&scene.home, &scene.store, scene.executes);
        scene
    }

    pub(crate) fn count_of_children(&self, run: RunId) -> usize {
        let sql = format!(
            "SELECT count(*) FROM runs c JOIN runs p ON p.id = c.pipeline_id WHERE p.uuid = '{}'",
            run.to_hex()
        );
        self.store.read_blocking(move |tx| tx.query(&sql, &[])?.remove(0).take::<i64>()).unwrap() as usize
    }
}

pub(super) fn prepare(store: &Store) {
    let begin = |tx: &mut dyn Tx| {
        projects::get_or_create(tx, "accepted", PROJECT, now())?;
        servers::register(tx, SERVER, "here", Ability::Execute, now())
    };
    store.write_blocking(begin).unwrap();
}

pub(super) fn performer(home: &tempfile::TempDir, store: &Store, executes: bool) -> Performer {
    let options = RuntimeOptions {
        server: SERVER,
        layout: Layout::new(home.path()),
        program: "none".into(),
        api_host: "here".to_owned(),
        capacity: Capacity::of_slots(64),
        executes,
        changes: Changes::new(),
        executor_lost: Duration::from_mins(10),
        connections: [].into(),
        variable: |_| None,
        clock: now,
    };
    Performer::new(store.clone(), options)
}
