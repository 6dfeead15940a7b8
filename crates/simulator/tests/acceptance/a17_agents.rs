//! 17: agents that are told what to do, and the queues that their work is in. What is deleted, and the wire, are
//! `agents.rs` of the tests of the server and of the store.

use std::time::Duration;

use polyaxon_engine::state::{Event, Force};
use polyaxon_model::agent::AgentBody;
use polyaxon_model::change::Change;
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::ids::{ExecutorId, QueueId, RunId};
use polyaxon_model::queue::{QueueBody, QueueResource};
use polyaxon_model::status::Status;
use polyaxon_store::leases::{self, ANYBODY};
use polyaxon_store::reconcile::{self, Found};
use polyaxon_store::{agents, cron, queues};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::scene::{End, Scene, job, now, operation, pass, with};

/// A registered agent.
fn agent(scene: &Scene, name: &'static str, number: u128) -> ExecutorId {
    let id = ExecutorId::new(Uuid::from_u128(number));
    scene.store.write_blocking(move |tx| agents::create(tx, id, name, &AgentBody::default(), now())).unwrap();
    id
}

fn poll_of(scene: &Scene, agent: ExecutorId) -> Vec<RunId> {
    let start = move |tx: &mut dyn polyaxon_store::db::Tx| {
        agents::poll(tx, agent, None, now())?;
        leases::start(tx, agent, 10, now())
    };
    scene.store.write_blocking(start).unwrap().orders.into_iter().map(|order| order.run).collect()
}

fn submit_to(scene: &mut Scene, queue: &str) -> RunId {
    let run = scene.submit(&with(operation(&job()), "queue", json!(queue)));
    scene.play();
    run
}

fn post(scene: &mut Scene, run: RunId, status: Status) {
    let event = Event::Posted { condition: StatusCondition::new(status, "Agent", "", now()), force: Force::No };
    scene.apply(run, event);
}

#[test]
fn two_agents_get_what_is_in_their_queues() {
    let mut scene = Scene::new(|_| End::Succeed).with_capacity(0);
    let (left, right) = (agent(&scene, "left", 7), agent(&scene, "right", 8));
    let (one, other) = (submit_to(&mut scene, "left/default"), submit_to(&mut scene, "right/default"));
    assert_eq!((poll_of(&scene, left), poll_of(&scene, right)), (vec![one], vec![other]));
    assert_eq!((poll_of(&scene, left), poll_of(&scene, right)), (vec![], vec![]));
}

#[test]
fn an_agent_that_was_away_gets_back_what_it_still_has() {
    let mut scene = Scene::new(|_| End::Succeed).with_capacity(0);
    let id = agent(&scene, "left", 7);
    let (begun, waiting) = (submit_to(&mut scene, "left/default"), submit_to(&mut scene, "left/default"));
    assert_eq!(poll_of(&scene, id), [begun, waiting]);
    post(&mut scene, begun, Status::Running);
    pass(11 * 60);
    scene.store.write_blocking(|tx| cron::perform(tx, Duration::from_mins(10), now()).map(drop)).unwrap();
    assert_eq!((scene.status(begun), scene.status(waiting)), (Status::Unknown, Status::Queued));
    // It is there again with one process; the other run is given out as another attempt.
    assert_eq!(poll_of(&scene, id), [waiting]);
    let item = [json!(begun.to_hex()), json!("job"), json!("-"), json!("-")];
    let found = [Found { run: begun, item }];
    scene.store.write_blocking(move |tx| reconcile::reconcile(tx, id, &found, now())).unwrap();
    assert_eq!(scene.status(begun), Status::Running);
    for run in [begun, waiting] {
        post(&mut scene, run, Status::Succeeded);
        assert_eq!(scene.status(run), Status::Succeeded);
    }
}

/// Runs of a queue with these rules: how many are started at first, and when one has ended.
fn started(body: QueueBody, requests: &Json) -> (usize, usize) {
    let mut scene = Scene::new(|_| End::Hang);
    let id = QueueId::new(Uuid::from_u128(9));
    scene.store.write_blocking(move |tx| queues::create(tx, id, ANYBODY, "narrow", &body, now()).map(drop)).unwrap();
    let mut component = job();
    component["run"]["container"]["resources"] = json!({ "requests": requests });
    for _ in 0..4 {
        scene.submit(&with(operation(&component), "queue", json!("narrow")));
    }
    scene.play();
    let first = scene.launched.len();
    if let Some(run) = scene.launched.first().copied() {
        scene.finish(run, &End::Succeed);
        scene.play();
    }
    (first, scene.launched.len())
}

#[test]
fn queues_bound_what_is_active_and_a_drained_one_starts_nothing() {
    let quota = QueueBody {
        resource: Change::Set(QueueResource::Cpu),
        quota: Change::Set("2500m".to_owned()),
        ..QueueBody::default()
    };
    assert_eq!(started(quota, &json!({ "cpu": 1 })), (2, 3));
    let limited = |concurrency| QueueBody { concurrency: Change::Set(concurrency), ..QueueBody::default() };
    assert_eq!(started(limited(3), &json!({})), (3, 4));
    assert_eq!(started(limited(0), &json!({})), (0, 0));
}

fn poll(scene: &Scene) -> Vec<RunId> {
    let start = |tx: &mut dyn polyaxon_store::db::Tx| {
        agents::poll_anybody(tx, now())?;
        leases::start(tx, ANYBODY, 10, now())
    };
    scene.store.write_blocking(start).unwrap().orders.into_iter().map(|order| order.run).collect()
}

#[test]
fn an_order_that_was_lost_is_given_out_again_with_the_same_attempt() {
    let mut scene = Scene::new(|_| End::Succeed).with_capacity(0);
    let run = scene.submit(&operation(&job()));
    scene.play();
    assert_eq!(poll(&scene), [run]);
    pass(30);
    assert_eq!(poll(&scene), [], "the lease holds");
    pass(31);
    assert_eq!(poll(&scene), [run], "nothing was heard for a minute");
    let attempts = scene.history(run).into_iter().filter(|status| *status == Status::Scheduled).count();
    assert_eq!(attempts, 1);
    // The agent got both orders and says everything twice.
    for status in [Status::Starting, Status::Starting, Status::Running, Status::Running, Status::Succeeded] {
        post(&mut scene, run, status);
    }
    pass(120);
    assert_eq!(poll(&scene), []);
    let path = [Status::Created, Status::Compiled, Status::Queued, Status::Scheduled, Status::Starting];
    assert_eq!(scene.history(run), [path.as_slice(), &[Status::Running, Status::Succeeded]].concat());
}
