//! 4: limits of pipelines hold at every depth and waste no slot. Random trees as values are in
//! `engine::flow::concurrency`; random nested pipelines with crashes are the simulation.

use polyaxon_model::status::Status;
use serde_json::{Value as Json, json};

use crate::scene::{End, Scene, dag, job, op, operation, with};

fn matrix(rows: usize, limit: Option<u64>) -> Json {
    let values: Vec<Json> = (0..rows).map(|row| json!({ "row": row })).collect();
    let matrix = json!({ "kind": "mapping", "values": values });
    limit.map_or(matrix.clone(), |limit| with(matrix, "concurrency", json!(limit)))
}

/// Runs whose processes hang, ended one at a time: how many there were at most, and whether slots were ever wasted.
fn check(top: &Json, most: usize, total: usize) {
    let mut scene = Scene::new(|_| End::Hang);
    let top = scene.submit(top);
    scene.play();
    let mut ended = 0;
    while ended < scene.launched.len() {
        let active = scene.launched.len() - ended;
        assert!(active <= most, "{active} of {most}");
        assert_eq!(active, most.min(total - ended), "a slot is wasted");
        let run = scene.launched[ended];
        scene.finish(run, &End::Succeed);
        ended += 1;
        scene.play();
    }
    assert_eq!((ended, scene.status(top)), (total, Status::Succeeded));
}

#[test]
fn a_limit_holds_over_all_that_is_below_it() {
    let two = |limit: Option<u64>| {
        vec![with(op("left", &[]), "matrix", matrix(6, Some(2))), with(op("right", &[]), "matrix", matrix(6, limit))]
    };
    let mut whole = dag(&two(None));
    whole["component"]["run"]["concurrency"] = json!(3);
    check(&whole, 3, 12);
    check(&dag(&two(Some(2))), 4, 12);
}

#[test]
fn limits_of_three_levels_add_up() {
    let inner = json!({ "kind": "component", "version": 1.1, "run": { "kind": "dag", "concurrency": 2, "operations": [
        with(op("a", &[]), "matrix", matrix(5, None)), op("b", &[]) ] } });
    let outer = json!([{ "name": "one", "component": inner }, { "name": "two", "component": inner }]);
    let mut whole = dag(outer.as_array().unwrap());
    check(&whole, 4, 12);
    whole["component"]["run"]["concurrency"] = json!(1);
    check(&whole, 1, 12);
}

#[test]
fn a_limit_can_change_while_the_pipeline_runs() {
    use polyaxon_model::change::Change;
    use polyaxon_model::new_run::RunPatch;
    let mut scene = Scene::new(|_| End::Hang);
    let top = scene.submit(&with(operation(&job()), "matrix", matrix(9, Some(4))));
    scene.play();
    assert_eq!(scene.launched.len(), 4);
    for (limit, ends, launched) in [(2, 2, 4), (2, 1, 5), (5, 0, 8)] {
        let meta = serde_json::Map::from_iter([("concurrency".to_owned(), json!(limit))]);
        let patch = RunPatch { meta_info: Change::Set(meta), merge: Some(true), ..RunPatch::default() };
        let set = move |tx: &mut dyn polyaxon_store::db::Tx| {
            polyaxon_store::runs::patch(tx, top, &patch, crate::scene::now()).map(drop)
        };
        scene.store.write_blocking(set).unwrap();
        for _ in 0..ends {
            let still = |run: &polyaxon_model::run::Run| run.status == Status::Running;
            let run = scene.children(top).into_iter().find(still).unwrap().uuid;
            scene.finish(run, &End::Succeed);
        }
        scene.play();
        assert_eq!(scene.launched.len(), launched, "with the limit {limit}");
    }
}
