//! Agents and their leases, step by step on every database.

use polyaxon_engine::executor::LOST;
use polyaxon_engine::state::{Compiled, Event};
use polyaxon_model::agent::AgentBody;
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::ids::RunId;
use polyaxon_model::listing::Paging;
use polyaxon_model::status::Status;
use polyaxon_store::agents::{self, Poll};
use polyaxon_store::db::Tx;
use polyaxon_store::leases::{self, ANYBODY, Order};
use polyaxon_store::reconcile::{self, Found};
use polyaxon_store::{Result, cron, servers};
use serde_json::{Value as Json, json};

use crate::testkit::{NOW, World, at, everywhere, server};

const AGENT: u128 = 7;

impl World {
    fn agents_write<T: Send + 'static>(&self, closure: impl FnOnce(&mut dyn Tx) -> Result<T> + Send + 'static) -> T {
        self.store.write_blocking(closure).unwrap()
    }

    fn queued(&self) -> RunId {
        let run = self.job().uuid;
        self.apply(run, Event::Compiled(Compiled::default()), NOW);
        run
    }

    fn poll(&self, now: &'static str) -> Vec<RunId> {
        self.agents_write(move |tx| {
            assert!(matches!(agents::poll(tx, server(AGENT), Some(1), at(now))?, Poll::Accepted(_)));
            leases::on_schedule(tx, at(now))?;
            leases::start(tx, server(AGENT), 10, at(now)).map(|given| runs_of(&given.orders))
        })
    }

    fn pass_time(&self, now: &'static str) -> Vec<RunId> {
        self.agents_write(move |tx| {
            servers::beat(tx, server(1), "http://host", at(now))?;
            cron::perform(tx, LOST, at(now)).map(|pass| pass.runs)
        })
    }

    fn agent_status(&self) -> Status {
        self.store.read_blocking(|tx| agents::known(tx, server(AGENT))).unwrap().status
    }
}

fn runs_of(orders: &[Order]) -> Vec<RunId> {
    orders.iter().map(|order| order.run).collect()
}

fn registered(world: &World) {
    world.agents_write(|tx| {
        servers::beat(tx, server(1), "http://host", at(NOW))?;
        agents::create(tx, server(AGENT), "a", &AgentBody::default(), at(NOW))?;
        let running = StatusCondition::new(Status::Running, "Test", "", at(NOW));
        agents::report(tx, server(AGENT), running, at(NOW))
    });
}

#[test]
fn an_agent_lives_falls_silent_and_comes_back() {
    everywhere(|world| {
        registered(&world);
        let [begun, waiting] = [world.queued(), world.queued()];
        assert_eq!(world.poll(NOW), [begun, waiting]);
        assert_eq!(world.poll("2026-11-22T12:00:59Z"), []);
        world.post(begun, "running", "2026-11-22T12:00:59Z");
        assert_eq!(world.poll("2026-11-22T12:01:00Z"), [waiting], "its lease is over");
        assert_eq!(world.pass_time("2026-11-22T12:01:59Z"), []);
        assert_eq!(world.agent_status(), Status::Running);
        assert_eq!(world.pass_time("2026-11-22T12:02:00Z"), []);
        assert_eq!(world.agent_status(), Status::Unknown);
        let mut changed = world.pass_time("2026-11-22T12:11:00Z");
        changed.sort_by_key(|run| *run == waiting);
        assert_eq!(changed, [begun, waiting]);
        assert_eq!((world.get(begun).status, world.get(waiting).status), (Status::Unknown, Status::Queued));
        assert_eq!(world.poll("2026-11-22T12:12:00Z"), [waiting]);
        assert_eq!(world.agent_status(), Status::Running);
    });
}

#[test]
fn what_an_agent_has_is_compared() {
    everywhere(|world| {
        registered(&world);
        let run = world.queued();
        world.poll(NOW);
        world.post(run, "running", NOW);
        let reconcile = |found: Vec<RunId>| {
            let item: [Json; 4] = ["i", "job", "n", "s"].map(|text| json!(text));
            let found: Vec<Found> = found.into_iter().map(|run| Found { run, item: item.clone() }).collect();
            world.agents_write(move |tx| reconcile::reconcile(tx, server(AGENT), &found, at(NOW)))
        };
        assert_eq!((reconcile(vec![]), reconcile(vec![run]), reconcile(vec![])), (vec![], vec![], vec![]));
        assert_eq!(reconcile(vec![]), [run]);
        assert_eq!(world.get(run).status, Status::Failed);
        let unknown = server(99).uuid().into();
        reconcile(vec![unknown]);
        let strays = || world.agents_write(|tx| reconcile::take_strays(tx, server(AGENT))).len();
        assert_eq!((strays(), strays()), (1, 0));
    });
}

#[test]
fn lists_of_what_is_to_be_done() {
    everywhere(|world| {
        registered(&world);
        let (stopped, deleted, held) = (world.queued(), world.queued(), world.queued());
        world.poll(NOW);
        for run in [stopped, deleted, held] {
            world.post(run, "running", NOW);
        }
        world.apply(stopped, Event::StopRequested, NOW);
        world.apply(deleted, Event::DeleteRequested, NOW);
        let list = |now: &'static str| {
            world.agents_write(move |tx| {
                let agent = server(AGENT);
                Ok([
                    runs_of(&leases::stop(tx, agent, 10)?.orders),
                    runs_of(&leases::remove(tx, agent, 10, at(now))?.orders),
                    runs_of(&leases::check(tx, agent, at(now))?),
                    leases::clean(tx, agent, at(now))?,
                ])
            })
        };
        assert_eq!(list(NOW), [vec![stopped], vec![deleted], vec![], vec![]]);
        assert_eq!(world.get(deleted).status, Status::Stopped);
        let late = list("2026-11-22T13:00:00Z");
        assert_eq!(late, [vec![stopped], vec![], vec![held], vec![deleted]]);
        assert_eq!(list("2026-11-22T13:00:00Z"), [vec![stopped], vec![], vec![], vec![]]);
        world.agents_write(|tx| agents::poll_anybody(tx, at(NOW)));
        assert_eq!(runs_of(&world.agents_write(|tx| leases::stop(tx, ANYBODY, 10)).orders), []);
        let listed = world.store.read_blocking(|tx| agents::list(tx, Paging::first(10))).unwrap();
        assert_eq!(listed.results.iter().map(|agent| agent.name.as_str()).collect::<Vec<_>>(), ["a"]);
        let mut changed = world.agents_write(|tx| agents::remove(tx, server(AGENT), at(NOW)));
        changed.retain(|run| *run == held);
        assert_eq!((changed, world.get(held).status), (vec![held], Status::Unknown));
    });
}
