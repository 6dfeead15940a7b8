//! Tables for single rules, and a machine that runs random work for the rules that must hold at any instant.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use super::*;

fn id(number: u128) -> RunId {
    RunId::new(Uuid::from_u128(number))
}

fn waiting(number: u128, lane: Lane, needs: Resources) -> Waiting {
    Waiting { run: id(number), lane, queued_at: Timestamp::from_micros(number as i64), needs }
}

fn by_hand(number: u128) -> Waiting {
    waiting(number, Lane::Hand, Resources::default())
}

fn child(number: u128) -> Waiting {
    waiting(number, Lane::Pipeline, Resources::default())
}

fn gpus(gpu: f64) -> Resources {
    Resources { gpu, ..Resources::default() }
}

fn queue(id: i64, waiting: &[Waiting]) -> Queue {
    let mut queue = Queue::unlimited(id, &format!("q{id}"));
    queue.by_hand = waiting.iter().filter(|run| run.lane == Lane::Hand).copied().collect();
    queue.by_pipelines = waiting.iter().filter(|run| run.lane == Lane::Pipeline).copied().collect();
    queue
}

fn slots(slots: usize) -> Capacity {
    Capacity { reserve: 0, ..Capacity::of_slots(slots) }
}

fn scene(capacity: Capacity, queues: Vec<Queue>) -> Scene {
    Scene { capacity, load: Load::default(), queues, turn: 0 }
}

#[track_caller]
fn check(scene: &Scene, admitted: &[u128]) -> Decision {
    let decision = admit(scene);
    let runs: Vec<u128> = decision.admitted.iter().map(|one| one.run.uuid().as_u128()).collect();
    assert_eq!(runs, admitted, "{decision:?}");
    decision
}

#[test]
fn groups_go_by_priority_and_minus_one_is_the_highest() {
    let mut queues = vec![queue(1, &[child(1)]), queue(2, &[child(2)]), queue(3, &[child(3)]), queue(4, &[child(4)])];
    for (queue, priority) in queues.iter_mut().zip([0, 7, -1, -5]) {
        queue.priority = priority;
    }
    check(&scene(slots(10), queues.clone()), &[3, 2, 1, 4]);
    check(&scene(slots(2), queues), &[3, 2]);
}

#[test]
fn a_queue_is_served_in_order_and_limits_hold_up_only_their_own_queue() {
    let mut limited = queue(1, &[child(1), child(2), child(3)]);
    limited.concurrency = Some(2);
    check(&scene(slots(10), vec![limited.clone(), queue(2, &[child(9)])]), &[1, 9, 2]);
    limited.held_by_pipelines = 5;
    let decision = check(&scene(slots(10), vec![limited, queue(2, &[child(9)])]), &[9]);
    let limit = Obstacle::Concurrency { queue: "q1".into(), limit: 2, held: 5 };
    assert_eq!(decision.blocked, [Blocked { run: id(1), queue: 1, obstacle: limit }], "lowered: it drains");
}

#[test]
fn quotas_count_what_is_asked_for_and_what_exceeds_them_alone_never_starts() {
    let cpu = |number, cpu| waiting(number, Lane::Pipeline, Resources { cpu, ..Resources::default() });
    let mut limited = queue(1, &[cpu(1, 9.0), cpu(2, 1.5), cpu(3, 1.0), cpu(4, 0.1)]);
    limited.quota = Quota::parse(Limit::Cpu, "2500m");
    limited.used = 0.5;
    let decision = check(&scene(slots(10), vec![limited, queue(2, &[child(9)])]), &[2, 9]);
    let [(run, why)] = decision.impossible.as_slice() else { panic!("{decision:?}") };
    assert_eq!(*run, id(1));
    assert!(why.to_string().starts_with(
        "The run asks for 9 processors, and the whole quota of queue `q1` is 2.5 processors. Ask for less"
    ));
    assert_eq!(decision.blocked[0].run, id(3), "the first that does not fit blocks those behind it");
}

#[test]
fn quantities_of_quotas() {
    for (limit, text, most) in [
        (Limit::Memory, "1Ki", Some(1024.0)),
        (Limit::Gpu, "2", Some(2.0)),
        (Limit::Custom, "1k", Some(1000.0)),
        (Limit::Cpu, "much", None),
        (Limit::Cost, "-1", None),
    ] {
        assert_eq!(Quota::parse(limit, text).map(|quota| quota.most), most, "{text}");
    }
}

#[test]
fn devices_are_given_whole_and_kept_for_the_first_who_lacks_them() {
    let capacity = Capacity { gpus: Some(vec!["4".into(), "5".into()]), ..slots(10) };
    let runs =
        [waiting(1, Lane::Hand, gpus(1.0)), waiting(2, Lane::Hand, gpus(2.0)), waiting(3, Lane::Hand, gpus(1.0))];
    let decision = check(&scene(capacity.clone(), vec![queue(1, &runs)]), &[1]);
    assert_eq!(decision.admitted[0].devices, ["4"]);
    // Another queue cannot take the other one away, but needs no device to start.
    let others = [waiting(7, Lane::Pipeline, gpus(0.5)), child(8)];
    let mut busy = scene(capacity.clone(), vec![queue(1, &runs[1..]), queue(2, &others[..1]), queue(3, &others[1..])]);
    busy.load = Load { held: 1, gpus: vec!["4".into()], ..Load::default() };
    let decision = check(&busy, &[8]);
    assert_eq!(decision.blocked[0].obstacle.to_string(), "it asks for 2 GPUs, and 1 of 2 GPUs can be had now");
    busy.load = Load::default();
    assert_eq!(check(&busy, &[2, 8]).admitted[0].devices, ["4", "5"]);
    let decision = check(&scene(capacity, vec![queue(1, &[waiting(1, Lane::Hand, gpus(3.0)), runs[0]])]), &[1]);
    assert!(decision.impossible[0].1.to_string().contains("asks for 3 GPUs, and this machine has 2 GPUs."));
}

#[test]
fn a_run_by_hand_finds_a_slot_when_pipelines_hold_all_of_them() {
    let capacity = Capacity { cpus: Some(4.0), memory: Some(100.0), ..Capacity::of_slots(4) };
    let asks = |number, cpu, memory| waiting(number, Lane::Hand, Resources { cpu, memory, ..Resources::default() });
    let children: Vec<Waiting> = (10..50).map(child).collect();
    let full = |runs: &[Waiting], held_by_hand| {
        let mut queue = queue(1, &[runs, &children].concat());
        queue.held_by_pipelines = 4;
        queue.held_by_hand = held_by_hand as u64;
        let mut scene = scene(capacity.clone(), vec![queue]);
        scene.load = Load { held: 4 + held_by_hand, held_by_hand, cpus: 4.0, memory: 50.0, ..Load::default() };
        scene
    };
    check(&full(&[asks(90, 2.0, 10.0), asks(91, 0.0, 0.0)], 0), &[90]);
    check(&full(&[asks(90, 2.0, 10.0)], 1), &[]);
    check(&full(&[asks(90, 2.0, 51.0)], 0), &[]);
    // A slot that is free goes to the lane that holds less.
    let mut one_free = full(&[asks(90, 0.0, 0.0), asks(91, 0.0, 0.0)], 0);
    one_free.load.held = 3;
    check(&one_free, &[90]);
}

#[test]
fn every_tenth_slot_goes_to_a_lower_group() {
    let high: Vec<Waiting> = (100..200).map(child).collect();
    let mut queues = vec![queue(1, &high), queue(2, &[child(2)]), queue(3, &[child(1)])];
    queues[0].priority = 5;
    let decision =
        check(&scene(slots(12), queues.clone()), &[100, 101, 102, 103, 104, 105, 106, 107, 108, 1, 109, 110]);
    assert_eq!(decision.turn, 2);
    let mut one_by_one = scene(slots(1), queues);
    let mut order = Vec::new();
    for _ in 0..30 {
        let decision = admit(&one_by_one);
        one_by_one.turn = decision.turn;
        let run = decision.admitted[0].run;
        order.push(run.uuid().as_u128());
        one_by_one.queues.iter_mut().for_each(|queue| queue.by_pipelines.retain(|other| other.run != run));
    }
    assert_eq!([order[9], order[19]], [1, 2], "also when slots are given one at a time");
}

#[test]
fn reasons_are_those_of_the_decision() {
    let mut limited = queue(1, &[by_hand(1), by_hand(2)]);
    limited.concurrency = Some(1);
    limited.held_by_hand = 1;
    let world = scene(slots(4), vec![limited, queue(2, &[child(3), waiting(4, Lane::Pipeline, gpus(1.0))])]);
    let text = |run, queue, lane, ahead| explain(&world, id(run), queue, lane, ahead).to_string();
    assert_eq!(
        text(1, 1, Lane::Hand, 0),
        "It is the first of the runs that were started by hand in queue `q1`: queue `q1` may run 1 at a time and runs 1."
    );
    assert_eq!(
        text(77, 1, Lane::Hand, 8123),
        "It is number 8124 of the runs that were started by hand in queue `q1`; the first one waits: \
         queue `q1` may run 1 at a time and runs 1."
    );
    assert_eq!(explain(&world, id(3), 2, Lane::Pipeline, 0), Reason::Next);
    let none = scene(Capacity { gpus: Some(Vec::new()), ..slots(4) }, world.queues.clone());
    assert_eq!(
        explain(&none, id(4), 2, Lane::Pipeline, 0).to_string(),
        "The run asks for 1 GPU, and this machine has none. Ask for less, or tell the server what there is with \
         `POLYAXON_LOCAL_GPUS`."
    );
}

struct Random(u64);

impl Random {
    fn below(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// A machine on which admitted runs run and end.
struct Machine {
    scene: Scene,
    /// Everything that waits, by queue and lane, in order.
    lines: BTreeMap<(i64, Lane), Vec<Waiting>>,
    running: Vec<(i64, Waiting, Vec<String>, u64)>,
    last: u128,
    admitted: HashMap<RunId, u64>,
}

impl Machine {
    fn new(capacity: Capacity, queues: Vec<Queue>) -> Machine {
        let scene = scene(capacity, queues);
        Machine { scene, lines: BTreeMap::new(), running: Vec::new(), last: 0, admitted: HashMap::new() }
    }

    fn submit(&mut self, queue: i64, lane: Lane, needs: Resources) -> RunId {
        self.last += 1;
        self.lines.entry((queue, lane)).or_default().push(waiting(self.last, lane, needs));
        id(self.last)
    }

    fn waiting(&self) -> usize {
        self.lines.values().map(Vec::len).sum()
    }

    /// Looks at the heads of the lines, as the store does.
    fn admit(&mut self, now: u64, mut lasts: impl FnMut(&Waiting) -> u64) -> Decision {
        let most = self.scene.capacity.slots + self.scene.capacity.reserve + 1;
        for queue in &mut self.scene.queues {
            let head = |lane| self.lines.get(&(queue.id, lane)).into_iter().flatten().take(most).copied().collect();
            (queue.by_hand, queue.by_pipelines) = (head(Lane::Hand), head(Lane::Pipeline));
            let held = |lane| self.running.iter().filter(|run| run.0 == queue.id && run.1.lane == lane).count() as u64;
            (queue.held_by_hand, queue.held_by_pipelines) = (held(Lane::Hand), held(Lane::Pipeline));
            let quota = queue.quota;
            let used = self.running.iter().filter(|run| run.0 == queue.id);
            queue.used = used.map(|run| quota.map_or(0.0, |quota| quota.asks(&run.1.needs))).sum();
        }
        self.scene.load = Load {
            held: self.running.len(),
            held_by_hand: self.running.iter().filter(|run| run.1.lane == Lane::Hand).count(),
            cpus: self.running.iter().map(|run| run.1.needs.cpu).sum(),
            memory: self.running.iter().map(|run| run.1.needs.memory).sum(),
            gpus: self.running.iter().flat_map(|run| run.2.clone()).collect(),
        };
        let decision = admit(&self.scene);
        self.scene.turn = decision.turn;
        let gone: HashSet<RunId> = decision.impossible.iter().map(|(run, _)| *run).collect();
        for ((queue, _), line) in &mut self.lines {
            line.retain(|run| {
                let admission = decision.admitted.iter().find(|one| one.run == run.run);
                if let Some(admission) = admission {
                    self.admitted.insert(run.run, now);
                    self.running.push((*queue, *run, admission.devices.clone(), now + 1 + lasts(run)));
                }
                admission.is_none() && !gone.contains(&run.run)
            });
        }
        decision
    }

    fn end(&mut self, now: u64) {
        self.running.retain(|run| run.3 > now);
    }

    fn check(&self) {
        let Capacity { slots, reserve, cpus, memory, gpus } = &self.scene.capacity;
        let held = self.running.len();
        let by_hand = self.running.iter().filter(|run| run.1.lane == Lane::Hand).count();
        assert!(held <= slots + reserve && held - by_hand <= *slots, "{held} of {slots}");
        let sum = |of: fn(&Resources) -> f64, lane: &[Lane]| -> f64 {
            self.running.iter().filter(|run| lane.contains(&run.1.lane)).map(|run| of(&run.1.needs)).sum()
        };
        assert!(memory.is_none_or(|memory| sum(|needs| needs.memory, &[Lane::Hand, Lane::Pipeline]) <= memory));
        assert!(cpus.is_none_or(|cpus| sum(|needs| needs.cpu, &[Lane::Pipeline]) <= cpus));
        let devices: Vec<&String> = self.running.iter().flat_map(|run| &run.2).collect();
        assert_eq!(devices.len(), devices.iter().collect::<HashSet<_>>().len(), "a device is given twice");
        assert!(gpus.as_ref().is_none_or(|gpus| devices.iter().all(|device| gpus.contains(device))));
        for (_, run, devices, _) in &self.running {
            assert_eq!(devices.len(), capacity::gpu_count(&run.needs).min(gpus.as_ref().map_or(0, Vec::len)));
        }
        for queue in &self.scene.queues {
            let of = || self.running.iter().filter(|run| run.0 == queue.id);
            assert!(queue.concurrency.is_none_or(|limit| of().count() as u64 <= limit));
            if let Some(quota) = queue.quota {
                assert!(of().map(|run| quota.asks(&run.1.needs)).sum::<f64>() <= quota.most);
            }
        }
    }
}

#[test]
fn random_machines_never_exceed_a_limit_waste_no_slot_and_finish_everything() {
    for seed in 0..300 {
        let mut random = Random(seed);
        let queues = (1..=1 + random.below(4) as i64)
            .map(|id| Queue {
                priority: random.below(4) as i64 - 1,
                concurrency: (random.below(2) == 0).then(|| 1 + random.below(5)),
                quota: (random.below(3) == 0).then(|| Quota { limit: Limit::Gpu, most: (1 + random.below(3)) as f64 }),
                ..queue(id, &[])
            })
            .collect::<Vec<_>>();
        let devices = random.below(4);
        let capacity = Capacity {
            cpus: Some(8.0),
            memory: Some(64.0),
            gpus: Some((0..devices).map(|device| device.to_string()).collect()),
            ..Capacity::of_slots(1 + random.below(12) as usize)
        };
        let mut machine = Machine::new(capacity, queues);
        let (count, mut refused) = (machine.scene.queues.len() as u64, 0);
        for now in 0..4000 {
            for _ in 0..random.below(5) * u64::from(now < 100) {
                let lane = if random.below(3) == 0 { Lane::Hand } else { Lane::Pipeline };
                let needs = Resources {
                    cpu: random.below(5) as f64 * random.below(2) as f64,
                    memory: random.below(40) as f64,
                    gpu: random.below(4) as f64 * random.below(2) as f64,
                    ..Resources::default()
                };
                machine.submit(1 + random.below(count) as i64, lane, needs);
            }
            machine.end(now);
            let decision = machine.admit(now, |_| random.below(6));
            refused += decision.impossible.len();
            machine.check();
            let is_full = machine.running.len() >= machine.scene.capacity.slots;
            let accounted =
                decision.blocked.iter().all(|one| is_full || !matches!(one.obstacle, Obstacle::Slots { .. }));
            assert!(accounted, "seed {seed}: a slot is free and somebody waits for one");
            if now > 100 && machine.waiting() == 0 && machine.running.is_empty() {
                break;
            }
        }
        assert_eq!(machine.waiting(), 0, "seed {seed}: somebody starves");
        assert_eq!(machine.admitted.len() + refused, machine.last as usize, "seed {seed}: each starts once");
    }
}

#[test]
fn queues_of_equal_priority_share_by_weight() {
    for (weights, shares) in [([None, None], [8, 8]), ([Some(4), Some(12)], [4, 12]), ([Some(30), Some(10)], [12, 4])] {
        let queues = [1, 2].map(|id| Queue { concurrency: weights[id as usize - 1], ..queue(id, &[]) });
        let mut machine = Machine::new(slots(16), queues.to_vec());
        let mut random = Random(11);
        for _ in 0..3000 {
            machine.submit(1, Lane::Pipeline, Resources::default());
            machine.submit(2, Lane::Pipeline, Resources::default());
        }
        for now in 0..300 {
            machine.end(now);
            machine.admit(now, |_| random.below(9));
            let held = |queue| machine.running.iter().filter(|run| run.0 == queue).count();
            assert_eq!([held(1), held(2)], shares, "{weights:?}");
        }
    }
}

#[test]
fn endless_high_work_and_endless_small_work_starve_nobody() {
    let mut high = queue(1, &[]);
    high.priority = 9;
    let capacity = Capacity { gpus: Some(vec!["0".into(), "1".into()]), ..slots(4) };
    let mut machine = Machine::new(capacity, vec![high, queue(2, &[]), queue(3, &[])]);
    let mut random = Random(3);
    let low = machine.submit(2, Lane::Pipeline, Resources::default());
    let large = machine.submit(3, Lane::Pipeline, gpus(2.0));
    for now in 0..200 {
        for _ in 0..4 {
            machine.submit(1, Lane::Pipeline, gpus(1.0));
            machine.submit(1, Lane::Pipeline, Resources::default());
            machine.submit(2, Lane::Pipeline, gpus(1.0));
        }
        machine.end(now);
        machine.admit(now, |_| random.below(3));
        machine.check();
    }
    assert!(machine.admitted.contains_key(&low), "a low queue");
    assert!(machine.admitted[&large] < 60, "one that needs everything: {}", machine.admitted[&large]);
}
