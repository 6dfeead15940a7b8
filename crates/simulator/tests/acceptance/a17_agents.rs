//! 17: agents that are told what to do. Two agents, silence, drained queues and what is deleted are `agents.rs` of the
//! tests of the server and of the store.

use polyaxon_engine::state::{Event, Force};
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::ids::RunId;
use polyaxon_model::status::Status;
use polyaxon_store::agents;
use polyaxon_store::leases::{self, ANYBODY};

use crate::scene::{End, Scene, job, now, operation, pass};

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
        let event = Event::Posted { condition: StatusCondition::new(status, "Agent", "", now()), force: Force::No };
        scene.apply(run, event);
    }
    pass(120);
    assert_eq!(poll(&scene), []);
    let path = [Status::Created, Status::Compiled, Status::Queued, Status::Scheduled, Status::Starting];
    assert_eq!(scene.history(run), [path.as_slice(), &[Status::Running, Status::Succeeded]].concat());
}
