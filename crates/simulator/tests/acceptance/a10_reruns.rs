//! 10: a dag that is started again in part. Which operations that are is `engine::flow::rerun`; here is what becomes of
//! them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use polyaxon_model::kinds::CloningKind;
use polyaxon_model::run::Run;
use polyaxon_model::status::Status;
use serde_json::{Value as Json, json};

use crate::scene::{End, Scene, dag, job, op, with};

/// Counts how often each name ran, and fails what is named.
#[derive(Clone, Default)]
struct Ledger {
    times: Rc<RefCell<BTreeMap<String, u32>>>,
    ill: Rc<RefCell<Vec<&'static str>>>,
}

impl Ledger {
    fn scene(&self) -> Scene {
        let ledger = self.clone();
        Scene::new(move |run| ledger.end(run))
    }

    fn end(&self, run: &Run) -> End {
        let name = run.name.clone().unwrap_or_default();
        let mut times = self.times.borrow_mut();
        let count = times.entry(name.clone()).or_default();
        *count += 1;
        if self.ill.borrow().contains(&name.as_str()) {
            return End::Fail;
        }
        End::SucceedWith(json!({ "y": *count }))
    }

    /// What ran since the last question.
    fn take(&self) -> String {
        let times = std::mem::take(&mut *self.times.borrow_mut());
        times.into_iter().map(|(name, count)| format!("{name}{count}")).collect::<Vec<_>>().join(" ")
    }
}

fn gives() -> Json {
    with(job(), "outputs", json!([{ "name": "y", "type": "int", "isOptional": true }]))
}

/// An operation that takes the result of another one.
fn taking(name: &str, from: &str) -> Json {
    let component = with(gives(), "inputs", json!([{ "name": "x", "type": "int" }]));
    let param = json!({ "x": { "ref": format!("ops.{from}"), "value": "outputs.y" } });
    with(with(op(name, &[]), "component", component), "params", param)
}

fn chain() -> Json {
    let load = with(op("load", &[]), "component", gives());
    dag(&[load, taking("train", "load"), taking("report", "train"), with(op("docs", &[]), "component", gives())])
}

#[test]
fn the_chosen_operations_run_with_the_results_that_were_kept() {
    for (body, expected, statuses) in [
        (json!({ "from": ["train"] }), "report1 train1", [Status::Succeeded; 4]),
        (json!({ "from": ["docs", "report"] }), "docs1 report1", [Status::Succeeded; 4]),
        (
            json!({ "only": ["train"] }),
            "train1",
            [Status::Succeeded, Status::Succeeded, Status::Skipped, Status::Succeeded],
        ),
    ] {
        let ledger = Ledger::default();
        let mut scene = ledger.scene();
        let first = scene.submit(&chain());
        scene.play();
        assert_eq!((scene.status(first), ledger.take().as_str()), (Status::Succeeded, "docs1 load1 report1 train1"));
        let again = scene.start_again(first, &body).unwrap();
        scene.play();
        assert_eq!((scene.status(again), ledger.take().as_str()), (Status::Succeeded, expected), "{body}");
        let ended: Vec<Status> =
            ["load", "train", "report", "docs"].map(|name| scene.child(again, name).status).to_vec();
        assert_eq!(ended, statuses, "{body}");
        let (old, new) = (scene.child(first, "load"), scene.child(again, "load"));
        let original = new.original.unwrap();
        assert_eq!((original.uuid, original.kind), (old.uuid, CloningKind::Cache));
        assert_eq!((new.outputs, new.content), (old.outputs, old.content));
        assert_eq!(scene.child(again, "train").inputs.unwrap()["x"], 1);
        assert_eq!(scene.run(again).original.unwrap().kind, CloningKind::Restart);
    }
}

#[test]
fn a_kept_result_is_that_of_the_run_that_did_the_work() {
    let ledger = Ledger::default();
    let mut scene = ledger.scene();
    let mut last = scene.submit(&chain());
    scene.play();
    let worker = scene.child(last, "load").uuid;
    for _ in 0..3 {
        last = scene.start_again(last, &json!({ "from": ["report"] })).unwrap();
        scene.play();
        assert_eq!(scene.child(last, "load").original.unwrap().uuid, worker);
    }
}

#[test]
fn what_runs_again_takes_no_equal_result() {
    let ledger = Ledger::default();
    let mut scene = ledger.scene();
    let cached = with(chain(), "cache", json!({ "disable": false }));
    let first = scene.submit(&cached);
    scene.play();
    ledger.take();
    // Everything of a plain restart is equal to what was done.
    scene.start_again(first, &json!({})).unwrap();
    scene.play();
    assert_eq!(ledger.take(), "");
    scene.start_again(first, &json!({ "from": ["train"] })).unwrap();
    scene.play();
    assert_eq!(ledger.take(), "report1 train1");
}

#[test]
fn a_failed_dag_goes_on_in_a_new_run() {
    let ledger = Ledger::default();
    let mut scene = ledger.scene();
    ledger.ill.borrow_mut().push("train");
    let first = scene.submit(&chain());
    scene.play();
    assert_eq!(scene.status(first), Status::Failed);
    let refused = scene.start_again(first, &json!({ "from": ["report"] })).unwrap_err();
    assert_eq!(
        refused,
        "`train` comes before `report` and has no result to keep, it is failed. Start from `train`, or resume the run."
    );
    let unknown = scene.start_again(first, &json!({ "only": ["trian"] })).unwrap_err();
    assert_eq!(unknown, "The dag has no operation `trian`; did you mean `train`?");
    ledger.take();
    ledger.ill.borrow_mut().clear();
    let again = scene.start_again(first, &json!({ "from": ["train"] })).unwrap();
    scene.play();
    assert_eq!((scene.status(again), ledger.take().as_str()), (Status::Succeeded, "report1 train1"));
}

#[test]
fn a_dag_in_the_dag_runs_again_in_part() {
    let ledger = Ledger::default();
    let mut scene = ledger.scene();
    let inner = json!({ "kind": "component", "version": 1.1, "run": { "kind": "dag",
        "operations": [op("clean", &[]), op("fit", &["clean"])] } });
    let outer = dag(&[op("load", &[]), with(op("model", &["load"]), "component", inner), op("report", &["model"])]);
    let first = scene.submit(&outer);
    scene.play();
    ledger.take();
    let again = scene.start_again(first, &json!({ "from": ["model.fit"] })).unwrap();
    scene.play();
    assert_eq!((scene.status(again), ledger.take().as_str()), (Status::Succeeded, "fit1 report1"));
    let model = scene.child(again, "model");
    assert_eq!(scene.child(model.uuid, "clean").original.unwrap().kind, CloningKind::Cache);
    // The whole of it runs when it is chosen itself.
    scene.start_again(again, &json!({ "only": ["model"] })).unwrap();
    scene.play();
    assert_eq!(ledger.take(), "clean1 fit1");
    let refused = scene.start_again(first, &json!({ "from": ["model.x"] })).unwrap_err();
    assert_eq!(refused, "In `model`: The dag has no operation `x`; it has clean, fit.");
}

#[test]
fn a_join_finds_the_trials_of_a_matrix_that_was_kept() {
    let ledger = Ledger::default();
    let mut scene = ledger.scene();
    let matrix = json!({ "kind": "mapping", "values": [{ "row": 1 }, { "row": 2 }] });
    let trial = with(gives(), "inputs", json!([{ "name": "row", "type": "int" }]));
    let sweep = with(with(op("sweep", &[]), "component", trial), "matrix", matrix);
    let lists = json!([{ "name": "found", "type": "int", "isList": true }]);
    let best = with(op("best", &["sweep"]), "component", with(job(), "inputs", lists));
    let uuid = json!({ "sweep": { "ref": "ops.sweep", "value": "globals.uuid", "contextOnly": true } });
    let join = json!([{ "query": "pipeline: {{ sweep }}", "params": { "found": { "value": "inputs.row" } } }]);
    let top = scene.submit(&dag(&[sweep, with(with(best, "params", uuid), "joins", join)]));
    scene.play();
    assert_eq!(scene.child(top, "best").inputs.unwrap()["found"], json!([1, 2]));
    ledger.take();
    let again = scene.start_again(top, &json!({ "from": ["best"] })).unwrap();
    scene.play();
    assert_eq!((scene.status(again), ledger.take().as_str()), (Status::Succeeded, "best1"));
    assert_eq!(scene.child(again, "best").inputs.unwrap()["found"], json!([1, 2]));
}

#[test]
fn a_resumed_part_leaves_out_what_was_left_out() {
    let ledger = Ledger::default();
    let mut scene = ledger.scene();
    let first = scene.submit(&chain());
    scene.play();
    ledger.ill.borrow_mut().push("train");
    let again = scene.start_again(first, &json!({ "only": ["train"] })).unwrap();
    scene.play();
    assert_eq!(scene.status(again), Status::Failed);
    ledger.ill.borrow_mut().clear();
    ledger.take();
    scene.resume(again, &json!({})).unwrap();
    scene.play();
    assert_eq!((scene.status(again), ledger.take().as_str()), (Status::Succeeded, "train1"));
    assert_eq!(scene.child(again, "report").status, Status::Skipped);
}

#[test]
fn events_of_what_was_kept_have_happened() {
    let ledger = Ledger::default();
    let mut scene = ledger.scene();
    let events = json!([{ "kinds": ["run_status_running"], "ref": "ops.train" }]);
    let operations = [op("train", &[]), with(op("board", &[]), "events", events)];
    let first = scene.submit(&dag(&operations));
    scene.play();
    ledger.take();
    let again = scene.start_again(first, &json!({ "only": ["board"] })).unwrap();
    scene.play();
    assert_eq!((scene.status(again), ledger.take().as_str()), (Status::Succeeded, "board1"));
}
