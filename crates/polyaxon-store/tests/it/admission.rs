//! Queues, capacity and devices as the database keeps them.

use std::time::Instant;

use polyaxon_engine::admission::Capacity;
use polyaxon_engine::state::{Compiled, Event, Exit, Loss, Phase};
use polyaxon_model::agent::AgentBody;
use polyaxon_model::change::Change;
use polyaxon_model::ids::{QueueId, RunId};
use polyaxon_model::kinds::LiveState;
use polyaxon_model::listing::Paging;
use polyaxon_model::queue::{QueueBody, QueueResource, QueueStats};
use polyaxon_model::run::Resources;
use polyaxon_model::status::Status;
use polyaxon_store::actions::Ability;
use polyaxon_store::db::{Dialect, Tx};
use polyaxon_store::leases::{self, ANYBODY};
use polyaxon_store::queues::{self, Leftovers};
use polyaxon_store::runs::Compilation;
use polyaxon_store::{Error, Result, admission, agents, runs, servers};
use uuid::Uuid;

use crate::testkit::{NOW, World, at, everywhere, server};

const LATER: &str = "2026-11-22T12:00:30Z";

impl World {
    fn write<T: Send + 'static>(&self, closure: impl FnOnce(&mut dyn Tx) -> Result<T> + Send + 'static) -> T {
        self.store.write_blocking(closure).unwrap()
    }

    fn queue(&self, name: &'static str, body: QueueBody) {
        let uuid = QueueId::new(Uuid::new_v4());
        self.write(move |tx| queues::create(tx, uuid, ANYBODY, name, &body, at(NOW)));
    }

    fn change(&self, name: &'static str, body: QueueBody) {
        self.write(move |tx| queues::patch(tx, ANYBODY, name, &body, at(LATER)));
    }

    /// A run that was compiled and waits in a queue.
    fn waits_in(&self, named: &'static str, needs: Resources) -> RunId {
        let run = self.job().uuid;
        self.write(move |tx| {
            let queue = queues::resolve(tx, Some(named))?.unwrap();
            let compilation = Compilation { content: "{}".into(), resources: needs, queue, ..Compilation::default() };
            runs::set_compilation(tx, run, &compilation, at(NOW))
        });
        self.apply(run, Event::Compiled(Compiled::default()), NOW);
        run
    }

    fn admit_on(&self, capacity: &Capacity) -> Vec<RunId> {
        let (seen, capacity) = (capacity.clone(), capacity.clone());
        let is_due = self.store.read_blocking(|tx| admission::is_due(tx, server(1), &seen, at(NOW))).unwrap();
        let given = self.write(move |tx| admission::admit(tx, server(1), &capacity, at(NOW)));
        assert!(is_due || given.is_empty(), "who only looks sees what would happen");
        given
    }

    fn devices(&self, run: RunId) -> Option<String> {
        self.store.read_blocking(|tx| admission::devices(tx, run)).unwrap()
    }

    fn ends(&self, run: RunId, attempt: u32) {
        self.apply(run, Event::Observed { attempt, phase: Phase::Exited(Exit::Succeeded) }, LATER);
    }

    fn why(&self, run: RunId) -> String {
        let reason = self.store.read_blocking(|tx| admission::explain(tx, run, at(NOW))).unwrap();
        reason.map(|reason| reason.to_string()).unwrap_or_default()
    }

    fn registered_with(&self, capacity: &Capacity) {
        let capacity = capacity.clone();
        self.write(move |tx| {
            servers::register(tx, server(1), "here", Ability::Execute, at(NOW))?;
            servers::set_capacity(tx, server(1), Some(&capacity), at(NOW))
        });
    }
}

fn gpus(gpu: f64) -> Resources {
    Resources { gpu, ..Resources::default() }
}

fn machine(slots: usize, devices: &[&str]) -> Capacity {
    Capacity { gpus: Some(devices.iter().map(ToString::to_string).collect()), ..Capacity::of_slots(slots) }
}

#[test]
fn queues_are_records_of_their_agent() {
    everywhere(|world| {
        world.queue("gpu", QueueBody { priority: Some(3), concurrency: Change::Set(2), ..QueueBody::default() });
        world.write(|tx| agents::create(tx, server(7), "far", &AgentBody::default(), at(NOW)));
        let listed = |agent| {
            let page = world.store.read_blocking(|tx| queues::list(tx, agent, Paging::first(50))).unwrap();
            page.results.iter().map(|queue| format!("{}/{}", queue.agent, queue.name)).collect::<Vec<_>>()
        };
        assert_eq!(listed(None), ["local/default", "local/gpu", "far/default"]);
        assert_eq!(listed(Some(server(7))), ["far/default"]);
        let refused = |body: QueueBody, name: &'static str| {
            let tried = world.store.write_blocking(move |tx| queues::patch(tx, ANYBODY, name, &body, at(NOW)));
            tried.unwrap_err().to_string()
        };
        let named = |name: &str| QueueBody { name: Some(name.to_owned()), ..QueueBody::default() };
        assert_eq!(refused(named("x"), "default"), "The default queue of an agent keeps its name.");
        assert!(refused(named("default"), "gpu").contains("queue"));
        let quota = |resource, quota: &str| QueueBody {
            resource: Change::from(resource),
            quota: Change::Set(quota.to_owned()),
            ..QueueBody::default()
        };
        assert!(refused(quota(None, "5"), "gpu").contains("A quota needs a `resource`, one of: cpu, memory"));
        assert!(refused(quota(Some(QueueResource::Cpu), "few"), "gpu").contains("`few` is not an amount of cpu"));
        assert!(refused(named("y"), "none").contains("Queue"));
        world.change("gpu", quota(Some(QueueResource::Gpu), "2"));
        let kept = world.store.read_blocking(|tx| queues::known(tx, ANYBODY, "gpu")).unwrap();
        assert_eq!((kept.priority, kept.concurrency, kept.quota.as_deref()), (3, 2, Some("2")));
        world.write(|tx| agents::remove(tx, server(7), at(NOW)));
        assert_eq!(listed(None), ["local/default", "local/gpu"]);
    });
}

#[test]
fn runs_name_queues_in_three_ways_and_are_told_what_there_is() {
    everywhere(|world| {
        world.queue("gpu", QueueBody::default());
        world.queue("old", QueueBody { live_state: Some(LiveState::Archived), ..QueueBody::default() });
        let found = |named: &'static str| world.store.read_blocking(|tx| queues::resolve(tx, Some(named))).unwrap();
        assert_eq!([found("local/gpu"), found("local.gpu")], [found("gpu"), found("gpu")]);
        assert_eq!([found(""), found("default")], [Ok(0), Ok(0)]);
        assert_ne!(found("gpu"), Ok(0));
        let unknown = found("gpus").unwrap_err();
        assert!(
            unknown.starts_with("`queue: gpus`: agent `local` has no queue `gpus`; there are the queues"),
            "{unknown}"
        );
        assert!(found("far/gpu").unwrap_err().contains("there is no agent `far`"));
        assert!(found("old").unwrap_err().contains("is archived and takes no more runs"));
    });
}

#[test]
fn a_queue_with_waiting_runs_goes_only_when_they_may_move() {
    everywhere(|world| {
        world.registered_with(&Capacity::of_slots(4));
        world.queue("slow", QueueBody { concurrency: Change::Set(0), ..QueueBody::default() });
        let run = world.waits_in("slow", Resources::default());
        assert_eq!(world.admit_on(&Capacity::of_slots(4)), []);
        let stats = world.store.read_blocking(|tx| queues::stats(tx, ANYBODY, "slow")).unwrap();
        assert_eq!(stats, QueueStats { queued: 1, ..QueueStats::default() });
        let remove =
            |leftovers| world.store.write_blocking(move |tx| queues::remove(tx, ANYBODY, "slow", leftovers, at(NOW)));
        assert!(
            matches!(remove(Leftovers::Refuse), Err(Error::Rule(why)) if why.contains("1 run waits in queue `slow`"))
        );
        remove(Leftovers::ToDefault).unwrap();
        assert_eq!(world.admit_on(&Capacity::of_slots(4)), [run]);
    });
}

#[test]
fn devices_are_the_runs_own_until_its_attempt_ends() {
    everywhere(|world| {
        let two = machine(8, &["0", "1"]);
        world.registered_with(&two);
        let [one, both, last] = [1.0, 2.0, 1.0].map(|count| world.waits_in("default", gpus(count)));
        assert_eq!(world.admit_on(&two), [one]);
        assert_eq!(world.devices(one).as_deref(), Some("0"));
        assert_eq!(
            world.why(both),
            "It is the first of the runs that were started by hand in queue `default`: it asks for 2 GPUs, and 1 of \
             2 GPUs can be had now."
        );
        assert!(world.why(last).starts_with("It is number 2 of the runs"), "{}", world.why(last));
        // A process that ends twice, or that somebody else says has ended, gives its device back once.
        for _ in 0..2 {
            world.ends(one, 1);
        }
        assert_eq!(world.admit_on(&two), [both]);
        assert_eq!((world.devices(one), world.devices(both).as_deref()), (None, Some("0,1")));
        world.apply(both, Event::StopRequested, LATER);
        assert_eq!(world.admit_on(&two), [], "a run that is being stopped still has its devices");
        let world = world.reopen();
        assert_eq!(world.devices(both).as_deref(), Some("0,1"), "a new server finds them");
        world.apply(both, Event::Observed { attempt: 1, phase: Phase::Exited(Exit::Stopped) }, LATER);
        assert_eq!(world.admit_on(&two), [last]);
        let lost = Event::ExecutorLost { loss: Loss::Waiting, message: "gone".to_owned() };
        world.apply(last, lost, LATER);
        assert_eq!(world.devices(last), None, "whoever goes back to the queue gives them back");
        assert_eq!(world.admit_on(&two), [last]);
    });
}

#[test]
fn what_no_machine_has_is_told_and_tried_again_when_one_has_it() {
    everywhere(|world| {
        let small = machine(4, &[]);
        world.registered_with(&small);
        world.queue(
            "q",
            QueueBody {
                resource: Change::Set(QueueResource::Gpu),
                quota: Change::Set("1".into()),
                ..QueueBody::default()
            },
        );
        let runs: Vec<RunId> = (0..50).map(|_| world.waits_in("default", gpus(2.0))).collect();
        let possible = world.waits_in("default", Resources::default());
        let over = world.waits_in("q", gpus(3.0));
        assert_eq!(world.admit_on(&small), [possible], "however many cannot start");
        assert!(runs.iter().chain([&over]).all(|run| world.get(*run).status == Status::Unschedulable));
        assert_eq!(world.admit_on(&small), []);
        // Another machine with devices of its own starts; this one does not decide about its runs.
        let late = world.waits_in("default", gpus(2.0));
        world.write(|tx| {
            servers::register(tx, server(2), "there", Ability::Execute, at(NOW))?;
            servers::set_capacity(tx, server(2), Some(&machine(4, &["a", "b"])), at(NOW))
        });
        assert_eq!(world.get(runs[0]).status, Status::Queued);
        assert_eq!(world.get(over).status, Status::Unschedulable);
        assert_eq!(world.admit_on(&small), []);
        assert_eq!(world.get(late).status, Status::Queued);
        let there = world.write(|tx| admission::admit(tx, server(2), &machine(4, &["a", "b"]), at(NOW)));
        assert_eq!(there, runs[..1]);
        assert_eq!(world.devices(runs[0]).as_deref(), Some("a,b"));
        world.change("q", QueueBody { quota: Change::Set("3".into()), ..QueueBody::default() });
        assert_eq!(world.get(over).status, Status::Unschedulable, "no machine has three");
    });
}

#[test]
fn agents_serve_their_own_queues_within_limits_and_servers_do_not() {
    everywhere(|world| {
        world.registered_with(&Capacity::of_slots(4));
        world.write(|tx| agents::create(tx, server(7), "far", &AgentBody::default(), at(NOW)));
        let limit = QueueBody { concurrency: Change::Set(1), ..QueueBody::default() };
        world.write(move |tx| queues::create(tx, QueueId::new(Uuid::from_u128(9)), server(7), "one", &limit, at(NOW)));
        world.queue("mine", QueueBody::default());
        let [first, _second] = [0, 1].map(|_| world.waits_in("far/one", gpus(9.0)));
        let mine = world.waits_in("mine", Resources::default());
        assert_eq!(world.admit_on(&machine(4, &[])), [mine]);
        let given = world.write(|tx| leases::start(tx, server(7), 10, at(NOW)));
        assert_eq!(given.orders.iter().map(|order| order.run).collect::<Vec<_>>(), [first]);
        let anybody = world.waits_in("default", Resources::default());
        let given = world.write(|tx| leases::start(tx, server(7), 10, at(NOW)));
        assert_eq!(given.orders.iter().map(|order| order.run).collect::<Vec<_>>(), [anybody]);
    });
}

/// Many waiting children and few slots: what one admission costs.
#[test]
fn ten_thousand_waiting_runs_cost_no_more_than_a_few() {
    const COUNT: usize = 10_000;
    everywhere(|world| {
        let capacity = Capacity::of_slots(16);
        world.registered_with(&capacity);
        let pipeline = world.job().uuid;
        let project = world.project.uuid;
        world.write(move |tx| {
            for number in 0..COUNT as u128 {
                let run = RunId::new(Uuid::from_u128(1 << 90 | number));
                let sql = "INSERT INTO runs (uuid, project_id, kind, status, managed_by, created_at, updated_at, \
                           queued_at, pipeline_id, meta_info, control) SELECT ?1, p.id, 'job', 'queued', 'agent', 1, 1, \
                           ?4, r.id, '{}', '{}' FROM projects p, runs r WHERE p.uuid = ?2 AND r.uuid = ?3";
                tx.execute(sql, &[run.into(), project.into(), pipeline.into(), (number as i64).into()])?;
            }
            Ok(())
        });
        let given = world.admit_on(&capacity);
        assert_eq!(given.len(), 16);
        // Each child that ends makes room for the next.
        let (rounds, mut ending, mut spent) = (200, given, std::time::Duration::ZERO);
        for _ in 0..rounds {
            let run = ending.remove(0);
            world.ends(run, 1);
            let (seen, start) = (capacity.clone(), Instant::now());
            let is_due = world.store.read_blocking(|tx| admission::is_due(tx, server(1), &seen, at(NOW))).unwrap();
            spent += start.elapsed();
            assert!(is_due);
            ending.extend(world.admit_on(&capacity));
            assert_eq!(ending.len(), 16);
        }
        let mine = world.waits_in("default", Resources::default());
        assert_eq!(world.admit_on(&capacity), [mine], "a run by hand starts although all slots are in use");
        eprintln!("a decision with {COUNT} waiting runs: {:?}", spent / rounds);
        assert!(spent / rounds < std::time::Duration::from_millis(20));
    });
}

#[test]
fn the_first_runs_of_a_lane_come_from_its_index() {
    everywhere(|world| {
        let plans = world.store.read_blocking(|tx| {
            let explain = if tx.dialect() == Dialect::Sqlite { "EXPLAIN QUERY PLAN " } else { return Ok(Vec::new()) };
            let mut plans = Vec::new();
            for sql in admission::lane_queries() {
                let sql = format!("{explain}{}", sql.replace("?1", "0").replace("?2", "10"));
                for mut row in tx.query(&sql, &[])? {
                    let _: (i64, i64, i64) = (row.take()?, row.take()?, row.take()?);
                    plans.push(row.take::<String>()?);
                }
            }
            Ok(plans)
        });
        for (plan, index) in plans.unwrap().iter().zip(["runs_waiting_by_hand", "runs_waiting_by_pipelines"]) {
            assert_eq!(*plan, format!("SEARCH runs USING INDEX {index} (queue_id=?)"));
        }
    });
}
