//! The decision: one run after the other gets what is left, until nothing is left for anybody.

use std::cmp::Reverse;

use polyaxon_model::time::Timestamp;

use super::capacity::Free;
use super::{Admission, Blocked, Decision, Lane, Obstacle, Queue, Scene, TURN, Waiting};

/// Decides who starts.
pub fn admit(scene: &Scene) -> Decision {
    let mut open: Vec<Open> = scene.queues.iter().map(Open::new).collect();
    let mut free = Free::new(&scene.capacity, &scene.load);
    let mut decision = Decision { turn: scene.turn, ..Decision::default() };
    for queue in &mut open {
        queue.drop_impossible(scene, &mut decision);
    }
    while !free.is_over() {
        let Some(Choice { index, lane, is_turn }) = choose(&open, &scene.capacity, decision.turn) else { break };
        let lower_waits =
            open.iter().any(|other| other.queue.rank() < open[index].queue.rank() && other.head().is_some());
        let queue = &mut open[index];
        let Some(run) = queue.first(lane).copied() else { break };
        if let Some(obstacle) = queue.queue.obstacle(&run.needs) {
            queue.block(&[Lane::Hand, Lane::Pipeline], &obstacle, &mut decision);
        } else if let Some(obstacle) = free.obstacle(&run) {
            free.keep(&obstacle);
            queue.block(&[lane], &obstacle, &mut decision);
        } else {
            decision.admitted.push(Admission { run: run.run, devices: free.take(&run) });
            queue.take(&run);
            queue.drop_impossible(scene, &mut decision);
            if is_turn {
                decision.turn = 0;
            } else if lower_waits {
                decision.turn = (decision.turn + 1).min(TURN - 1);
            }
        }
    }
    for queue in &mut open {
        queue.block(&[Lane::Hand, Lane::Pipeline], &free.no_slot(), &mut decision);
    }
    decision
}

/// A queue while its runs are given out.
struct Open {
    queue: Queue,
    next: [usize; 2],
    is_blocked: [bool; 2],
}

struct Choice {
    index: usize,
    lane: Lane,
    is_turn: bool,
}

impl Open {
    fn new(queue: &Queue) -> Open {
        Open { queue: queue.clone(), next: [0; 2], is_blocked: [false; 2] }
    }

    /// The run of a lane that would be next.
    fn first(&self, lane: Lane) -> Option<&Waiting> {
        self.queue.lane(lane).get(self.next[lane as usize]).filter(|_| !self.is_blocked[lane as usize])
    }

    /// The lane that is next.
    fn head(&self) -> Option<Lane> {
        let by_hand_first = self.queue.held_by_hand <= self.queue.held_by_pipelines;
        let order = if by_hand_first { [Lane::Hand, Lane::Pipeline] } else { [Lane::Pipeline, Lane::Hand] };
        order.into_iter().find(|lane| self.first(*lane).is_some())
    }

    /// Since when somebody waits.
    fn waits_since(&self) -> Option<(Timestamp, Lane)> {
        let lanes = [Lane::Hand, Lane::Pipeline].into_iter();
        lanes.filter_map(|lane| Some((self.first(lane)?.queued_at, lane))).min()
    }

    fn take(&mut self, run: &Waiting) {
        self.next[run.lane as usize] += 1;
        self.queue.take(run);
    }

    /// Whoever can never start is told so, and holds nobody up.
    fn drop_impossible(&mut self, scene: &Scene, decision: &mut Decision) {
        for lane in [Lane::Hand, Lane::Pipeline] {
            while let Some(run) = self.first(lane).copied() {
                let refused = self.queue.refuses(&run.needs).or_else(|| scene.capacity.refuses(&run.needs));
                let Some(why) = refused else { break };
                decision.impossible.push((run.run, why));
                self.next[lane as usize] += 1;
            }
        }
    }

    fn block(&mut self, lanes: &[Lane], obstacle: &Obstacle, decision: &mut Decision) {
        for lane in lanes {
            if let Some(run) = self.first(*lane) {
                let (run, queue, obstacle) = (run.run, self.queue.id, obstacle.clone());
                decision.blocked.push(Blocked { run, queue, obstacle });
            }
            self.is_blocked[*lane as usize] = true;
        }
    }
}

/// The queue and the lane that are next.
fn choose(open: &[Open], capacity: &super::Capacity, turn: u32) -> Option<Choice> {
    let waiting = || open.iter().enumerate().filter_map(|(index, queue)| Some((index, queue, queue.head()?)));
    let (index, first, lane) = waiting().min_by(|(_, one, _), (_, two, _)| {
        let group = Reverse(one.queue.rank()).cmp(&Reverse(two.queue.rank()));
        group.then_with(|| share(one, two, capacity)).then_with(|| key(one).cmp(&key(two)))
    })?;
    if turn + 1 >= TURN {
        let lower = waiting().filter(|(_, other, _)| other.queue.rank() < first.queue.rank());
        let longest = lower.filter_map(|(index, other, _)| Some((other.waits_since()?, other.queue.id, index))).min();
        if let Some(((_, lane), _, index)) = longest {
            return Some(Choice { index, lane, is_turn: true });
        }
    }
    Some(Choice { index, lane, is_turn: false })
}

/// Compares what two queues hold, each for its weight.
fn share(one: &Open, two: &Open, capacity: &super::Capacity) -> std::cmp::Ordering {
    let weight = |open: &Open| u128::from(open.queue.concurrency.unwrap_or(capacity.slots as u64).max(1));
    let held = |open: &Open| u128::from(open.queue.held());
    (held(one) * weight(two)).cmp(&(held(two) * weight(one)))
}

fn key(open: &Open) -> (Option<Timestamp>, i64) {
    (open.waits_since().map(|(since, _)| since), open.queue.id)
}
