//! 1: the life of a run. All 20 × 20 pairs, forced and not, by one and by many, are `transitions.rs` of the engine's and
//! of the store's tests.

use polyaxon_engine::state::{Event, Force};
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::status::Status;
use polyaxon_store::lifecycle;

use crate::scene::{End, Scene, job, now, operation, pass};

#[test]
fn a_run_goes_from_its_creation_to_one_final_status() {
    for (end, last) in [(End::Succeed, Status::Succeeded), (End::Fail, Status::Failed)] {
        let mut scene = Scene::new(move |_| end.clone());
        let run = scene.submit(&operation(&job()));
        pass(2);
        scene.play();
        let path = [Status::Created, Status::Compiled, Status::Queued, Status::Scheduled, Status::Starting];
        assert_eq!(scene.history(run), [path.as_slice(), &[Status::Running, last]].concat());
        let record = scene.run(run);
        assert_eq!((record.wait_time, record.duration), (Some(2.0), Some(0.0)));
        assert!(record.finished_at.is_some());
    }
}

#[test]
fn one_and_many_are_one_path() {
    let mut scene = Scene::new(|_| End::Hang);
    let runs = [0, 1].map(|_| scene.submit(&operation(&job())));
    scene.play();
    for status in [Status::Warning, Status::Running, Status::Failed, Status::Succeeded, Status::Stopped] {
        pass(1);
        let condition = StatusCondition::new(status, "Said", "by somebody", now());
        let event = Event::Posted { condition, force: Force::No };
        scene.apply(runs[0], event.clone());
        let many = [runs[1]];
        scene.store.write_blocking(move |tx| lifecycle::apply_all(tx, &many, &event, now()).map(drop)).unwrap();
        assert_eq!(scene.history(runs[0]), scene.history(runs[1]));
        let [one, other] = runs.map(|run| scene.run(run));
        assert_eq!((one.status, one.started_at, one.duration), (other.status, other.started_at, other.duration));
    }
    assert_eq!(scene.status(runs[0]), Status::Failed, "the first final status stays");
}
