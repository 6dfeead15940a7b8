//! 18: what is archived and deleted. Deleted runs whose result is reused are `a09_cache`; projects and the borders of
//! time are `timers.rs` of the tests of the store.

use std::time::Duration;

use polyaxon_engine::state::Event;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::LiveState;
use polyaxon_model::status::Status;
use polyaxon_store::cron;

use crate::scene::{End, Scene, dag, is_named, now, op, pass};

const DAY: u64 = 86_400;

fn periodic_work(scene: &mut Scene) {
    scene.store.write_blocking(|tx| cron::perform(tx, Duration::from_mins(10), now()).map(drop)).unwrap();
    scene.play();
}

fn is_there(scene: &Scene, run: RunId) -> bool {
    scene.store.read_blocking(move |tx| polyaxon_store::runs::id_exists(tx, run)).unwrap()
}

#[test]
fn archived_runs_go_after_a_month_with_their_children_unless_they_are_restored() {
    for is_restored in [false, true] {
        let mut scene = Scene::new(|_| End::Hang);
        let top = scene.submit(&dag(&[op("a", &[]), op("b", &["a"])]));
        scene.play();
        let child = scene.child(top, "a").uuid;
        scene.apply(top, Event::ArchiveRequested);
        scene.play();
        assert_eq!((scene.status(top), scene.status(child)), (Status::Stopped, Status::Stopped));
        assert_eq!(scene.run(child).live_state, LiveState::Archived);
        pass(29 * DAY);
        periodic_work(&mut scene);
        assert_eq!(scene.run(top).live_state, LiveState::Archived);
        if is_restored {
            scene.apply(top, Event::RestoreRequested);
            scene.play();
        }
        pass(DAY);
        periodic_work(&mut scene);
        scene.wait(120);
        pass(DAY);
        periodic_work(&mut scene);
        assert_eq!((is_there(&scene, top), is_there(&scene, child)), (is_restored, is_restored));
    }
}

#[test]
fn the_record_of_a_deleted_operation_stays_as_long_as_its_pipeline_counts_it() {
    let mut scene = Scene::new(|run| if is_named(run, "a") { End::Hang } else { End::Succeed });
    let top = scene.submit(&dag(&[op("a", &[]), op("b", &[])]));
    scene.play();
    let (a, b) = (scene.child(top, "a").uuid, scene.child(top, "b").uuid);
    let days_later = |scene: &mut Scene| {
        scene.wait(120);
        pass(2 * DAY);
        periodic_work(scene);
    };
    scene.apply(b, Event::DeleteRequested);
    days_later(&mut scene);
    assert!(is_there(&scene, b));
    scene.finish(a, &End::Succeed);
    scene.play();
    assert_eq!(scene.status(top), Status::Succeeded);
    scene.apply(top, Event::DeleteRequested);
    days_later(&mut scene);
    assert_eq!([top, a, b].map(|run| is_there(&scene, run)), [false; 3]);
}

#[test]
fn a_deleted_run_is_stopped_first_and_removed_later() {
    let mut scene = Scene::new(|_| End::Hang).with_folders();
    let run = scene.submit(&crate::scene::operation(&crate::scene::job()));
    scene.play();
    let folder = scene.layout().artifacts(run);
    std::fs::create_dir_all(&folder).unwrap();
    scene.apply(run, Event::DeleteRequested);
    scene.play();
    assert_eq!((scene.status(run), scene.run(run).live_state), (Status::Stopped, LiveState::Deleting));
    scene.wait(79);
    let deleted = |scene: &Scene| {
        let sql = "SELECT count(*) FROM runs WHERE deleted_at IS NOT NULL";
        scene.store.read_blocking(|tx| tx.query(sql, &[])?.remove(0).take::<i64>()).unwrap()
    };
    assert_eq!((deleted(&scene), folder.exists()), (0, true), "readers of the folder may finish");
    scene.wait(2);
    assert_eq!((deleted(&scene), folder.exists()), (1, false));
}
