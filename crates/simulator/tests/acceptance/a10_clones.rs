//! 10: resume, restart and copy. The bodies of clones, their folders and refusals are `engine::clone` and
//! `lifecycle.rs` of the server's tests; here is what happens to what has children.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use polyaxon_engine::state::Event;
use polyaxon_model::run::Run;
use polyaxon_model::status::Status;
use serde_json::json;

use crate::scene::{End, Scene, dag, job, op, operation, pass, with};

/// Fails what is named until it is healed, and counts the attempts of each name.
#[derive(Clone, Default)]
struct Patient {
    ill: Rc<RefCell<Vec<String>>>,
    attempts: Rc<RefCell<BTreeMap<String, u32>>>,
}

impl Patient {
    fn scene(&self, ill: &str) -> Scene {
        self.ill.borrow_mut().push(ill.to_owned());
        let patient = self.clone();
        Scene::new(move |run| patient.end(run))
    }

    fn end(&self, run: &Run) -> End {
        let name = match run.inputs.as_ref().and_then(|inputs| inputs.get("row")) {
            Some(row) => row.to_string(),
            None => run.name.clone().unwrap_or_default(),
        };
        *self.attempts.borrow_mut().entry(name.clone()).or_default() += 1;
        if self.ill.borrow().contains(&name) { End::Fail } else { End::Succeed }
    }

    fn heal(&self) {
        self.ill.borrow_mut().clear();
    }

    fn attempts(&self) -> Vec<(String, u32)> {
        self.attempts.borrow().iter().map(|(name, count)| (name.clone(), *count)).collect()
    }
}

fn times(expected: &[(&str, u32)]) -> Vec<(String, u32)> {
    expected.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

#[test]
fn a_job_is_resumed_as_the_same_run_with_its_times() {
    let patient = Patient::default();
    let mut scene = patient.scene("top");
    let run = scene.submit(&operation(&job()));
    scene.play();
    let first = scene.run(run);
    patient.heal();
    pass(100);
    scene.apply(run, Event::ResumeRequested);
    assert_eq!((scene.run(run).finished_at, scene.run(run).duration), (None, None));
    scene.play();
    let second = scene.run(run);
    assert_eq!((first.status, second.status), (Status::Failed, Status::Succeeded));
    assert_eq!((second.started_at, second.duration), (first.started_at, Some(0.0)), "the pause is no work");
}

#[test]
fn a_resumed_dag_repeats_only_what_did_not_succeed() {
    let patient = Patient::default();
    let mut scene = patient.scene("b");
    let top = scene.submit(&dag(&[op("a", &[]), op("b", &["a"]), op("c", &["b"]), op("d", &["a"])]));
    scene.play();
    assert_eq!(scene.status(top), Status::Failed);
    let ids: Vec<_> = scene.children(top).into_iter().map(|child| child.uuid).collect();
    patient.heal();
    scene.apply(top, Event::ResumeRequested);
    scene.play();
    assert_eq!(scene.status(top), Status::Succeeded);
    assert_eq!(ids, scene.children(top).into_iter().map(|child| child.uuid).collect::<Vec<_>>());
    assert_eq!(patient.attempts(), times(&[("a", 1), ("b", 2), ("c", 1), ("d", 1)]));
}

#[test]
fn a_resumed_operation_opens_its_dag_again() {
    let patient = Patient::default();
    let mut scene = patient.scene("b");
    let top = scene.submit(&dag(&[op("a", &[]), op("b", &["a"]), op("c", &["b"])]));
    scene.play();
    patient.heal();
    let child = scene.child(top, "b").uuid;
    scene.apply(child, Event::ResumeRequested);
    assert_eq!(scene.status(top), Status::Running);
    scene.play();
    assert_eq!(scene.status(top), Status::Succeeded);
    assert_eq!(patient.attempts(), times(&[("a", 1), ("b", 2), ("c", 1)]));
}

#[test]
fn a_resumed_matrix_repeats_the_children_that_failed() {
    let patient = Patient::default();
    let mut scene = patient.scene("1");
    let matrix = json!({ "kind": "mapping", "values": [{ "row": 0 }, { "row": 1 }, { "row": 2 }] });
    let top = scene.submit(&with(operation(&job()), "matrix", matrix));
    scene.play();
    assert_eq!(scene.status(top), Status::Failed);
    patient.heal();
    scene.apply(top, Event::ResumeRequested);
    scene.play();
    assert_eq!((scene.status(top), scene.children(top).len()), (Status::Succeeded, 3));
    assert_eq!(patient.attempts(), times(&[("0", 1), ("1", 2), ("2", 1)]));
}
