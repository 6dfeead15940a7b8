//! 4: limits of pipelines hold at every depth and waste no slot, also for random nested pipelines. Random trees as values
//! are in `engine::flow::concurrency`; random nested pipelines with crashes are the simulation.

use std::collections::{BTreeMap, BTreeSet};

use polyaxon_model::ids::RunId;
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

/// Chance that is the same every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn limit(&mut self) -> Option<u64> {
        (self.below(4) > 0).then(|| 1 + self.below(5))
    }
}

fn random_dag(chance: &mut Chance, depth: u64) -> Json {
    let nodes: Vec<Json> = (0..=chance.below(4))
        .map(|number| {
            let name = format!("op-{number}");
            match chance.below(3) {
                0 if depth > 1 => json!({ "name": name, "component": random_dag(chance, depth - 1) }),
                1 => with(op(&name, &[]), "matrix", matrix(1 + chance.below(4) as usize, chance.limit())),
                _ => op(&name, &[]),
            }
        })
        .collect();
    let mut run = json!({ "kind": "dag", "operations": nodes });
    if let Some(limit) = chance.limit() {
        run["concurrency"] = json!(limit);
    }
    json!({ "kind": "component", "version": 1.1, "run": run })
}

/// The leaves of a tree of pipelines, each with the pipelines around it, and the limits of those.
#[derive(Default)]
struct Tree {
    leaves: Vec<(RunId, Vec<RunId>)>,
    limits: BTreeMap<RunId, u64>,
}

impl Tree {
    fn read(&mut self, scene: &Scene, run: RunId, around: &[RunId]) {
        let record = scene.run(run);
        if !record.kind.is_pipeline() {
            self.leaves.push((run, around.to_vec()));
            return;
        }
        if let Some(limit) = record.meta_info.get("concurrency").and_then(Json::as_u64) {
            self.limits.insert(run, limit);
        }
        let around = [around, &[run]].concat();
        scene.children(run).iter().for_each(|child| self.read(scene, child.uuid, &around));
    }
}

#[test]
fn random_pipelines_keep_every_limit_and_waste_no_slot() {
    let mut most_leaves = 0;
    for seed in 0..16 {
        let chance = &mut Chance(seed);
        let mut scene = Scene::new(|_| End::Hang);
        let top = scene.submit(&operation(&random_dag(chance, 3)));
        scene.play();
        let mut tree = Tree::default();
        tree.read(&scene, top, &[]);
        most_leaves = most_leaves.max(tree.leaves.len());
        let mut ended = BTreeSet::new();
        while ended.len() < tree.leaves.len() {
            let active: Vec<RunId> = scene.launched.iter().copied().filter(|run| !ended.contains(run)).collect();
            let held = |pipeline: RunId| {
                let inside = |(run, around): &&(RunId, Vec<RunId>)| around.contains(&pipeline) && active.contains(run);
                tree.leaves.iter().filter(inside).count() as u64
            };
            for (pipeline, limit) in &tree.limits {
                assert!(held(*pipeline) <= *limit, "seed {seed}: {} of {limit}", held(*pipeline));
            }
            let waits = |(run, _): &&(RunId, Vec<RunId>)| !scene.launched.contains(run);
            for (run, around) in tree.leaves.iter().filter(waits) {
                let is_full =
                    |pipeline: &RunId| tree.limits.get(pipeline).is_some_and(|limit| held(*pipeline) == *limit);
                assert!(around.iter().any(is_full), "seed {seed}: {run} waits for nothing");
            }
            let run = active[chance.below(active.len() as u64) as usize];
            scene.finish(run, &End::Succeed);
            ended.insert(run);
            scene.play();
        }
        assert_eq!(scene.status(top), Status::Succeeded, "seed {seed}");
    }
    assert!(most_leaves > 15, "{most_leaves}");
}
