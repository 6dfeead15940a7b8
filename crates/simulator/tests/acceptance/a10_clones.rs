//! 10: resume, restart and copy, of a job, a dag with a failed operation, a matrix with failed trials, and an operation
//! of a dag. Dags that are started again in part are `a10_reruns`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use polyaxon_engine::state::Event;
use polyaxon_model::kinds::CloningKind;
use polyaxon_model::run::Run;
use polyaxon_model::status::Status;
use serde_json::json;

use crate::scene::{End, Scene, dag, is_named, job, op, operation, pass, with};

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
    scene.resume(run, &json!({})).unwrap();
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

#[test]
fn restart_begins_with_an_empty_folder_and_copy_with_a_full_one() {
    let mut scene = Scene::new(|_| End::Succeed).with_folders();
    let first = scene.submit(&operation(&job()));
    scene.play();
    let layout = scene.layout();
    std::fs::create_dir_all(layout.outputs(first)).unwrap();
    std::fs::write(layout.outputs(first).join("model"), "weights").unwrap();
    let only = json!({ "meta_info": { "copy_artifacts": { "files": [format!("{first}/outputs/model")] } } });
    let restarted = scene.start_again(first, &json!({})).unwrap();
    let copied = scene.copy(first, &json!({})).unwrap();
    let chosen = scene.copy(first, &only).unwrap();
    scene.play();
    for (clone, kind, has_model) in
        [(restarted, CloningKind::Restart, false), (copied, CloningKind::Copy, true), (chosen, CloningKind::Copy, true)]
    {
        let run = scene.run(clone);
        let original = run.original.unwrap();
        assert_eq!((original.uuid, original.kind, run.status), (first, kind, Status::Succeeded));
        assert_eq!(layout.outputs(clone).join("model").exists(), has_model, "{kind}");
    }
    scene.resume(first, &json!({})).unwrap();
    scene.play();
    assert!(layout.outputs(first).join("model").exists(), "the same run has the same folder");
}

#[test]
fn a_restart_of_a_resumed_run_has_what_the_resume_changed() {
    let patient = Patient::default();
    let mut scene = patient.scene("top");
    let component =
        with(job(), "inputs", json!([{ "name": "rate", "type": "float", "value": 0.5, "isOptional": true }]));
    let run = scene.submit(&operation(&component));
    scene.play();
    patient.heal();
    scene.resume(run, &json!({ "content": { "params": { "rate": { "value": 0.1 } } } })).unwrap();
    scene.play();
    let clone = scene.start_again(run, &json!({})).unwrap();
    scene.play();
    for run in [run, clone] {
        assert_eq!(
            (scene.status(run), scene.run(run).inputs.unwrap()["rate"].clone()),
            (Status::Succeeded, json!(0.1))
        );
    }
}

#[test]
fn a_restarted_dag_or_matrix_is_a_new_one() {
    let matrix = json!({ "kind": "mapping", "values": [{ "row": 0 }, { "row": 1 }] });
    for pipeline in [dag(&[op("a", &[]), op("b", &["a"])]), with(operation(&job()), "matrix", matrix)] {
        let mut scene = Scene::new(|run| if is_named(run, "b") { End::Fail } else { End::Succeed });
        let first = scene.submit(&pipeline);
        scene.play();
        let again = scene.start_again(first, &json!({})).unwrap();
        scene.play();
        let ids = |run| scene.children(run).into_iter().map(|child| child.uuid).collect::<Vec<_>>();
        assert_eq!((scene.launched.len(), ids(first).len(), ids(again).len()), (4, 2, 2));
        assert!(ids(first).iter().all(|id| !ids(again).contains(id)));
        assert_eq!(scene.run(again).original.unwrap().uuid, first);
    }
}

#[test]
fn a_restarted_operation_of_a_dag_is_independent() {
    let patient = Patient::default();
    let mut scene = patient.scene("b");
    let top = scene.submit(&dag(&[op("a", &[]), op("b", &[])]));
    scene.play();
    patient.heal();
    let child = scene.child(top, "b").uuid;
    let clone = scene.start_again(child, &json!({})).unwrap();
    scene.play();
    assert_eq!((scene.status(clone), scene.run(clone).pipeline), (Status::Succeeded, None));
    assert_eq!((scene.status(top), scene.status(child)), (Status::Failed, Status::Failed), "they stay as they were");
}

#[test]
fn a_resumed_operation_keeps_what_its_dag_gave_it_and_takes_no_equal_result() {
    let patient = Patient::default();
    let mut scene = patient.scene("b");
    let retries = json!({ "maxRetries": 0, "timeout": 3600 });
    let mut other = job();
    other["run"]["container"]["command"] = json!(["other"]);
    let operations = [op("a", &[]), with(op("b", &["a"]), "component", other)];
    let top = with(with(dag(&operations), "termination", retries), "cache", json!({}));
    let first = scene.submit(&top);
    scene.play();
    patient.heal();
    // Now there is an equal run that succeeded.
    scene.submit(&top);
    scene.play();
    let before = patient.attempts();
    let child = scene.child(first, "b");
    scene.resume(child.uuid, &json!({})).unwrap();
    scene.play();
    let after = scene.child(first, "b");
    assert_eq!((before, patient.attempts()), (times(&[("a", 1), ("b", 2)]), times(&[("a", 1), ("b", 3)])));
    assert_eq!((scene.status(first), after.original), (Status::Succeeded, None));
    for content in [child.content, after.content] {
        assert!(content.unwrap().contains("\"timeout\":3600"));
    }
}

#[test]
fn a_reused_result_cannot_be_resumed_and_its_restart_is_one_of_the_run_that_did_the_work() {
    let mut scene = Scene::new(|_| End::Succeed);
    let cached = with(operation(&job()), "cache", json!({ "disable": false }));
    let (worker, hit) = (scene.submit(&cached), scene.submit(&cached));
    scene.play();
    assert_eq!(scene.launched, [worker]);
    let refused = scene.resume(hit, &json!({})).unwrap_err();
    assert_eq!(refused, "Cannot resume this run, it reused the result of another run and has nothing to continue.");
    let clone = scene.start_again(hit, &json!({})).unwrap();
    scene.play();
    let original = scene.run(clone).original.unwrap();
    assert_eq!((original.uuid, original.kind, scene.launched.len()), (worker, CloningKind::Restart, 2));
}
