//! Who may queue under the limits of all pipelines around it, and how far compilation may run ahead.
//!
//! Only runs that do work count; a pipeline inside of a pipeline consumes nothing itself.

use std::cmp::Reverse;
use std::collections::HashMap;

use polyaxon_model::ids::RunId;
use polyaxon_model::time::Timestamp;

/// A pipeline with what runs below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pipeline {
    pub id: i64,
    /// The pipeline around it.
    pub parent: Option<i64>,
    pub limit: Option<u64>,
    /// Working descendants that are queued or running, at any depth.
    pub leaves: u64,
}

/// A compiled run that waits for its pipelines to have room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    pub run: RunId,
    pub pipeline: i64,
    pub priority: i64,
    pub created_at: Timestamp,
}

/// The waiting runs that may queue now, in order: by priority, then the oldest, then by id.
pub fn enqueue(pipelines: &[Pipeline], waiting: &[Leaf]) -> Vec<RunId> {
    let mut known: HashMap<i64, Pipeline> = pipelines.iter().map(|pipeline| (pipeline.id, *pipeline)).collect();
    let mut order: Vec<&Leaf> = waiting.iter().collect();
    order.sort_by_key(|leaf| (Reverse(leaf.priority), leaf.created_at, leaf.run));
    let mut chosen = Vec::new();
    for leaf in order {
        let around = ancestors(&known, leaf.pipeline);
        let has_room = |id: &i64| known[id].limit.is_none_or(|limit| known[id].leaves < limit);
        if around.iter().all(has_room) {
            for id in around {
                known.entry(id).and_modify(|pipeline| pipeline.leaves += 1);
            }
            chosen.push(leaf.run);
        }
    }
    chosen
}

/// The pipelines around a leaf, from the inside out.
fn ancestors(known: &HashMap<i64, Pipeline>, innermost: i64) -> Vec<i64> {
    let mut around = Vec::new();
    let mut next = Some(innermost);
    while let Some(pipeline) = next.and_then(|id| known.get(&id)) {
        around.push(pipeline.id);
        // A pipeline inside of itself cannot be; a damaged record must not hang us.
        next = pipeline.parent.filter(|parent| !around.contains(parent));
    }
    around
}

/// The limit that `concurrency` stands for; nothing and negative numbers are none.
pub fn limit(concurrency: Option<i64>) -> Option<u64> {
    concurrency.and_then(|number| u64::try_from(number).ok())
}

/// How many children of a pipeline may be compiled or being compiled without having a slot: enough that slots never
/// wait, few enough that a huge pipeline costs no more than a small one.
pub fn look_ahead(limit: Option<u64>) -> u64 {
    const AHEAD: u64 = 100;
    const UNLIMITED: u64 = 500;
    limit.map_or(UNLIMITED, |limit| limit.saturating_add(AHEAD).min(UNLIMITED))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn pipeline(id: i64, parent: Option<i64>, limit: Option<u64>, leaves: u64) -> Pipeline {
        Pipeline { id, parent, limit, leaves }
    }

    fn leaf(number: u128, pipeline: i64) -> Leaf {
        let run = RunId::new(Uuid::from_u128(number));
        Leaf { run, pipeline, priority: 0, created_at: Timestamp::from_micros(number as i64) }
    }

    fn enqueued(pipelines: &[Pipeline], waiting: &[Leaf]) -> Vec<u128> {
        enqueue(pipelines, waiting).into_iter().map(|run| run.uuid().as_u128()).collect()
    }

    #[test]
    fn limits_hold_at_every_level() {
        let waiting: Vec<Leaf> = (0..20).map(|number| leaf(number, 2 + (number % 2) as i64)).collect();
        let tree = [pipeline(1, None, Some(3), 0), pipeline(2, Some(1), Some(2), 0), pipeline(3, Some(1), None, 0)];
        assert_eq!(enqueued(&tree, &waiting), [0, 1, 2]);
        let busy = [pipeline(1, None, Some(3), 2), pipeline(2, Some(1), Some(2), 2), pipeline(3, Some(1), None, 0)];
        assert_eq!(enqueued(&busy, &waiting), [1], "the inner limit passes the slot on to the sibling");
        let full = [pipeline(1, None, Some(3), 3), pipeline(2, Some(1), None, 3), pipeline(3, Some(1), None, 0)];
        assert_eq!(enqueued(&full, &waiting), [0; 0]);
    }

    #[test]
    fn no_limit_lets_all_through_and_negative_numbers_are_none() {
        let waiting: Vec<Leaf> = (0..5).map(|number| leaf(number, 1)).collect();
        assert_eq!(enqueued(&[pipeline(1, None, None, 100)], &waiting).len(), 5);
        assert_eq!([limit(None), limit(Some(-1)), limit(Some(4))], [None, None, Some(4)]);
    }

    #[test]
    fn random_trees_never_exceed_a_limit_and_waste_no_slot() {
        let mut seed = 7_u64;
        let mut random = move |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        for _ in 0..500 {
            let count = 1 + random(6) as i64;
            let mut tree: Vec<Pipeline> = Vec::new();
            for id in 0..count {
                let parent = (id > 0).then(|| random(id as u64) as i64);
                let limit = (random(4) > 0).then(|| 1 + random(5));
                tree.push(pipeline(id, parent, limit, 0));
            }
            let waiting: Vec<Leaf> =
                (0..u128::from(random(30))).map(|number| leaf(number, random(count as u64) as i64)).collect();
            let known = tree.iter().map(|pipeline| (pipeline.id, *pipeline)).collect();
            let chosen = enqueue(&tree, &waiting);
            let mut leaves = vec![0; tree.len()];
            for leaf in waiting.iter().filter(|leaf| chosen.contains(&leaf.run)) {
                for id in ancestors(&known, leaf.pipeline) {
                    leaves[id as usize] += 1;
                }
            }
            assert!(tree.iter().all(|at| at.limit.is_none_or(|limit| leaves[at.id as usize] <= limit)));
            for leaf in waiting.iter().filter(|leaf| !chosen.contains(&leaf.run)) {
                let is_full = |id: i64| tree[id as usize].limit == Some(leaves[id as usize]);
                assert!(ancestors(&known, leaf.pipeline).into_iter().any(is_full), "a slot was wasted");
            }
        }
    }
}
