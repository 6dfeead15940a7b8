//! An agent outside: it asks for its work, loses answers, has processes that only it knows of, and tells what became of
//! them late and twice. What it tells of one run arrives in order, as over one connection.

use std::collections::BTreeMap;

use polyaxon_engine::state::{Event, Force};
use polyaxon_model::agent::AgentBody;
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::ids::{ExecutorId, RunId};
use polyaxon_model::status::Status;
use polyaxon_store::leases::{self, Order};
use polyaxon_store::reconcile::{self, Found};
use polyaxon_store::{Error, Result, Store, agents, lifecycle};
use serde_json::json;
use uuid::Uuid;

use crate::clock;
use crate::random::Random;

pub(crate) const ID: ExecutorId = ExecutorId::new(Uuid::from_u128(0xa9e7));
/// What the conditions say that it tells.
pub(crate) const REASON: &str = "Agent";
/// How a run names its queue.
pub(crate) const QUEUE: &str = "outside/default";
const NAME: &str = "outside";
/// No more runs are stopped by one answer.
const MOST: usize = 200;

pub(crate) struct Agent {
    pub(crate) id: ExecutorId,
    pub(crate) capacity: usize,
    store: Store,
    /// The live processes, and whether each ends by itself.
    processes: BTreeMap<RunId, (Status, bool)>,
    told: Vec<(RunId, Status)>,
    pub(crate) away_until: i64,
}

impl Agent {
    /// Registers it.
    pub(crate) fn begin(store: &Store, capacity: usize) -> Result<Agent> {
        let id = ID;
        store.write_blocking(move |tx| {
            agents::create(tx, id, NAME, &AgentBody::default(), clock::now())?;
            let running = StatusCondition::new(Status::Running, REASON, "", clock::now());
            agents::report(tx, id, running, clock::now()).map(drop)
        })?;
        let store = store.clone();
        Ok(Agent { id, capacity, store, processes: BTreeMap::new(), told: Vec::new(), away_until: 0 })
    }

    /// Asks what there is to do; the answer may get lost.
    pub(crate) fn poll(&mut self, random: &mut Random) -> Result<&'static str> {
        let (id, capacity, now) = (self.id, self.capacity, clock::now());
        let (strays, stopping, removed, checks, queued) = self.store.write_blocking(move |tx| {
            agents::poll(tx, id, None, now)?;
            Ok((
                reconcile::take_strays(tx, id)?,
                leases::stop(tx, id, MOST)?.orders,
                leases::remove(tx, id, MOST, now)?.orders,
                leases::check(tx, id, now)?,
                leases::start(tx, id, capacity, now)?.orders,
            ))
        })?;
        if random.once_in(6) {
            return Ok("lost answer");
        }
        for stray in strays {
            let run = stray[0].as_str().and_then(|run| run.parse().ok());
            run.map(|run: RunId| self.processes.remove(&run));
        }
        for Order { run, .. } in stopping.into_iter().chain(removed) {
            self.processes.remove(&run);
            self.told.push((run, Status::Stopped));
        }
        for Order { run, .. } in checks {
            if !self.processes.contains_key(&run) {
                self.told.push((run, Status::Stopped));
            }
        }
        for Order { run, .. } in queued {
            let is_endless = random.once_in(8);
            self.processes.entry(run).or_insert((Status::Starting, is_endless));
            self.told.push((run, Status::Starting));
        }
        Ok("poll")
    }

    /// Lets one process go on.
    pub(crate) fn advance(&mut self, random: &mut Random) -> Option<RunId> {
        let live: Vec<RunId> = self.processes.keys().copied().collect();
        let run = random.pick(&live)?;
        let (status, is_endless) = self.processes.get_mut(&run)?;
        *status = match *status {
            Status::Starting => Status::Running,
            _ if *is_endless && random.once_in(3) => Status::Warning,
            _ if *is_endless => Status::Running,
            _ if random.once_in(5) => Status::Failed,
            _ => Status::Succeeded,
        };
        self.told.push((run, *status));
        if status.is_done() || random.once_in(40) {
            // It ended, or was lost without a word.
            self.processes.remove(&run);
        }
        Some(run)
    }

    /// Tells the oldest that is not told yet of some run, as the API takes it; some of it is told again.
    pub(crate) fn tell(&mut self, random: &mut Random) -> Result<Option<RunId>> {
        let mut runs: Vec<RunId> = self.told.iter().map(|(run, _)| *run).collect();
        runs.dedup();
        let Some(run) = random.pick(&runs) else { return Ok(None) };
        let Some(place) = self.told.iter().position(|(of, _)| *of == run) else { return Ok(None) };
        let status = self.told[place].1;
        let posted = self.store.write_blocking(move |tx| {
            let now = clock::now();
            let condition = StatusCondition::new(status, REASON, "", now);
            let next = lifecycle::apply(tx, run, &Event::Posted { condition, force: Force::No }, now)?.next;
            if next.status.is_done() && next.control.is_attempt_live { leases::ended(tx, run, now) } else { Ok(()) }
        });
        match posted {
            // The record was purged.
            Err(Error::NotFound { .. }) => {}
            posted => posted?,
        }
        // What was not answered is told again, and some of the rest.
        if !random.once_in(5) {
            self.told.remove(place);
        }
        Ok(Some(run))
    }

    /// Says which processes it has.
    pub(crate) fn reconcile(&mut self) -> Result<()> {
        let id = self.id;
        let found =
            |run: &RunId| Found { run: *run, item: [json!(run.to_hex()), json!("job"), json!("-"), json!("-")] };
        let found: Vec<Found> = self.processes.keys().map(found).collect();
        self.store.write_blocking(move |tx| reconcile::reconcile(tx, id, &found, clock::now()).map(drop))
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.processes.is_empty() && self.told.is_empty()
    }
}
