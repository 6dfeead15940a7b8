//! One server on its machine: what it performs and has not reported, when it was last seen, its processes.
//!
//! Work is done in two steps, and anything can happen between them: the server can die, freeze, or be taken for dead.

use std::collections::BTreeSet;
use std::time::Duration;

use polyaxon_artifacts::changes::Changes;
use polyaxon_artifacts::layout::Layout;
use polyaxon_engine::admission::Capacity;
use polyaxon_engine::executor::SILENCE;
use polyaxon_engine::state::{Action, Event, Exit, Phase};
use polyaxon_model::change::Change;
use polyaxon_model::ids::{ExecutorId, RunId};
use polyaxon_model::new_run::RunPatch;
use polyaxon_model::time::Timestamp;
use polyaxon_runtime::RuntimeOptions;
use polyaxon_runtime::steps::{Outcome, Performer};
use polyaxon_store::actions::{self, Ability, OpenAction};
use polyaxon_store::db::Tx;
use polyaxon_store::{Error, Result, Store, admission, cron, lifecycle, pipelines, runs, servers};
use serde_json::json;
use uuid::Uuid;

use crate::clock;
use crate::executor::{Executor, Launch};
use crate::mirror::Mirror;
use crate::random::Random;

/// After this long without a word, a server is not expected back.
const LOST: Duration = Duration::from_mins(10);

pub(crate) struct Machine {
    pub(crate) id: ExecutorId,
    pub(crate) capacity: usize,
    layout: Layout,
    store: Store,
    performer: Performer,
    pub(crate) executor: Executor,
    in_flight: Vec<Work>,
    seen_at: Option<Timestamp>,
    /// It does nothing before this steady instant.
    pub(crate) frozen_until: i64,
    /// Whether it has registered since it was started.
    is_up: bool,
}

/// Something that was done and is not reported.
enum Work {
    Reports(Vec<Outcome>, Vec<(RunId, i64)>),
    Launch { run: RunId, seq: i64, attempt: u32 },
    Stop { run: RunId, seq: i64, attempt: u32 },
}

impl Work {
    fn runs(&self) -> Vec<RunId> {
        match self {
            Work::Reports(_, runs) => runs.iter().map(|(run, _)| *run).collect(),
            Work::Launch { run, .. } | Work::Stop { run, .. } => vec![*run],
        }
    }
}

/// A process that was started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Started {
    pub(crate) run: RunId,
    pub(crate) attempt: u32,
}

impl Machine {
    pub(crate) fn new(number: u128, capacity: usize, layout: &Layout, store: &Store) -> Machine {
        let id = ExecutorId::new(Uuid::from_u128(0xbeef + number));
        let store = store.of_server(id);
        Machine {
            id,
            capacity,
            layout: layout.clone(),
            performer: performer(id, capacity, layout, &store),
            store,
            executor: Executor::default(),
            in_flight: Vec::new(),
            seen_at: None,
            frozen_until: 0,
            is_up: false,
        }
    }

    /// The process of the server dies and is started again; the processes of runs live on.
    pub(crate) fn crash(&mut self) {
        self.performer = performer(self.id, self.capacity, &self.layout, &self.store);
        self.in_flight.clear();
        self.seen_at = None;
        self.is_up = false;
        self.executor.look_again();
    }

    pub(crate) fn begin(&mut self) -> Result<()> {
        if !self.is_up {
            let id = self.id;
            self.store.write_blocking(move |tx| servers::register(tx, id, "here", Ability::Execute, clock::now()))?;
            self.seen_at = Some(clock::now());
            self.is_up = true;
        }
        Ok(())
    }

    /// Makes sure that others count on this server before it does something.
    fn confirm(&mut self) -> Result<()> {
        let now = clock::now();
        if self.seen_at.is_some_and(|seen| now < seen.plus(SILENCE / 2) && seen <= now) {
            return Ok(());
        }
        let id = self.id;
        self.store.write_blocking(move |tx| servers::beat(tx, id, "here", now).map(drop))?;
        self.seen_at = Some(now);
        Ok(())
    }

    /// What a server does every some seconds: it is there, takes over from others, does what is due by time.
    pub(crate) fn keep(&mut self) -> Result<()> {
        let (id, now) = (self.id, clock::now());
        self.store.write_blocking(move |tx| {
            servers::beat(tx, id, "here", now)?;
            cron::perform_when_due(tx, LOST, now).map(drop)
        })?;
        self.seen_at = Some(now);
        Ok(())
    }

    /// What a server does now and then, in case that something was missed.
    pub(crate) fn scan(&mut self) -> Result<()> {
        let id = self.id;
        self.store.write_blocking(|tx| pipelines::advance::advance_all(tx, clock::now()))?;
        self.store.write_blocking(move |tx| actions::claim(tx, id, Ability::Execute).map(drop))?;
        let held = self.store.read_blocking(|tx| runs::live_attempts(tx, id))?;
        for live in &held {
            let open = self.store.read_blocking(|tx| actions::open_of(tx, live.run))?;
            let is_launching = open.iter().any(|open| matches!(open.action, Action::Launch { .. }));
            self.executor.look_at(live.run, live.attempt, is_launching);
        }
        let strays: Vec<(RunId, u32)> =
            self.executor.live().filter(|(run, _)| !held.iter().any(|live| live.run == *run)).collect();
        for (run, attempt) in strays {
            self.executor.stop(run, attempt);
        }
        Ok(())
    }

    pub(crate) fn admit(&mut self) -> Result<bool> {
        self.confirm()?;
        let (id, capacity) = (self.id, self.capacity);
        let admitted = self
            .store
            .write_blocking(move |tx| admission::admit(tx, id, &Capacity::of_slots(capacity), clock::now()))?;
        Ok(!admitted.is_empty())
    }

    /// The first action of each run that is not being worked on. Timers wait for their time.
    fn ready(&self, mirror: &Mirror) -> Vec<OpenAction> {
        let mut taken: BTreeSet<RunId> = self.in_flight.iter().flat_map(Work::runs).collect();
        let open = mirror.claimed(self.id).filter(|open| time_of(&open.action).is_none() && taken.insert(open.run));
        open.cloned().collect()
    }

    /// Begins work on one action, or on some of different runs together.
    pub(crate) fn perform(&mut self, mirror: &Mirror, random: &mut Random) -> Result<(&'static str, Option<Started>)> {
        let mut ready = self.ready(mirror);
        if ready.is_empty() {
            return Ok(("nothing", None));
        }
        self.confirm()?;
        let mut outcomes = Vec::new();
        let mut named = Vec::new();
        for _ in 0..=random.below(3) {
            if ready.is_empty() {
                break;
            }
            let action = ready.swap_remove(random.below(ready.len() as u64) as usize);
            let (run, seq) = (action.run, action.seq);
            match action.action {
                Action::Launch { attempt } => {
                    let started = self.launch(&action, attempt, random)?;
                    self.keep_work(outcomes, named);
                    return Ok(("launch", started));
                }
                Action::Stop { attempt } => {
                    self.in_flight.push(Work::Stop { run, seq, attempt });
                }
                _ => {
                    if let Some(outcome) = self.performer.perform(action, None).map_err(told)? {
                        outcomes.push(outcome);
                        named.push((run, seq));
                    }
                }
            }
        }
        let what = if outcomes.is_empty() { "nothing" } else { "perform" };
        self.keep_work(outcomes, named);
        Ok((what, None))
    }

    fn keep_work(&mut self, outcomes: Vec<Outcome>, named: Vec<(RunId, i64)>) {
        if !outcomes.is_empty() {
            self.in_flight.push(Work::Reports(outcomes, named));
        }
    }

    fn launch(&mut self, action: &OpenAction, attempt: u32, random: &mut Random) -> Result<Option<Started>> {
        let (run, seq) = (action.run, action.seq);
        let (wanted, id, number) = (action.action.clone(), self.id, action.id);
        let wants = self.store.read_blocking(move |tx| {
            let is_wanted = lifecycle::state(tx, run)?.is_some_and(|state| state.wants(&wanted));
            Ok(is_wanted && actions::is_claimed(tx, number, id)?)
        })?;
        if !wants {
            self.store.write_blocking(move |tx| actions::done(tx, run, seq, clock::now()).map(drop))?;
            return Ok(None);
        }
        let is_endless = random.once_in(8);
        match self.executor.launch(run, attempt, is_endless) {
            Launch::Busy(earlier) => {
                self.executor.stop(run, earlier);
                Ok(None)
            }
            launch => {
                self.in_flight.push(Work::Launch { run, seq, attempt });
                Ok((launch == Launch::Started).then_some(Started { run, attempt }))
            }
        }
    }

    /// Reports one piece of work, sometimes twice.
    pub(crate) fn report(&mut self, random: &mut Random) -> Result<&'static str> {
        if self.in_flight.is_empty() {
            return Ok("nothing");
        }
        let work = self.in_flight.swap_remove(random.below(self.in_flight.len() as u64) as usize);
        match &work {
            Work::Reports(outcomes, _) => {
                self.performer.report(outcomes).map_err(told)?;
                if random.once_in(10) {
                    self.performer.report(outcomes).map_err(told)?;
                }
                Ok("report")
            }
            Work::Launch { run, seq, attempt } => {
                let (run, seq, event) = (*run, *seq, Event::Observed { attempt: *attempt, phase: Phase::Starting });
                self.store.write_blocking(move |tx| complete(tx, run, seq, &event))?;
                Ok("launched")
            }
            Work::Stop { run, seq, attempt } => {
                let (run, seq) = (*run, *seq);
                let event = Event::Observed { attempt: *attempt, phase: Phase::Exited(Exit::Stopped) };
                let is_told_later = self.executor.stop(run, *attempt);
                self.store.write_blocking(move |tx| {
                    if is_told_later {
                        actions::done(tx, run, seq, clock::now()).map(drop)
                    } else {
                        complete(tx, run, seq, &event)
                    }
                })?;
                Ok("stopped")
            }
        }
    }

    /// Tells what was seen of a process.
    pub(crate) fn deliver(&mut self, random: &mut Random) -> Result<Option<RunId>> {
        let Some(message) = self.executor.take_message(random) else { return Ok(None) };
        let run = message.run;
        let told = self.store.write_blocking(move |tx| {
            let now = clock::now();
            if matches!(&message.event, Event::Observed { phase: Phase::Exited(Exit::Succeeded), .. }) {
                let loss = (run.uuid().as_u128() % 97) as f64 / 97.0;
                let outputs = Change::Set(serde_json::Map::from_iter([("loss".to_owned(), json!(loss))]));
                runs::patch(tx, run, &RunPatch { outputs, ..RunPatch::default() }, now)?;
            }
            lifecycle::apply(tx, run, &message.event, now).map(drop)
        });
        match told {
            // The record was purged.
            Err(Error::NotFound { .. }) => Ok(Some(run)),
            told => told.map(|()| Some(run)),
        }
    }

    /// When the next timer of this server is due.
    pub(crate) fn next_timer(&self, mirror: &Mirror) -> Option<(OpenAction, Timestamp)> {
        let timers = mirror.claimed(self.id).filter_map(|open| time_of(&open.action).map(|at| (open, at)));
        timers.min_by_key(|(_, at)| *at).map(|(open, at)| (open.clone(), at))
    }

    /// Performs a timer that is due.
    pub(crate) fn fire(&mut self, action: OpenAction, at: Timestamp) -> Result<()> {
        self.confirm()?;
        let named = vec![(action.run, action.seq)];
        let outcome = self.performer.perform(action, Some(at)).map_err(told)?;
        self.keep_work(outcome.into_iter().collect(), named);
        Ok(())
    }

    /// Whether something that any server can do is still claimed by this one, although others take it for silent.
    pub(crate) fn keeps_claims(&self, mirror: &Mirror) -> bool {
        let is_silent = self.seen_at.is_some_and(|seen| seen.plus(SILENCE) <= clock::now());
        let needs_it = |open: &OpenAction| matches!(open.action, Action::Launch { .. } | Action::Stop { .. });
        is_silent && mirror.claimed(self.id).any(|open| !needs_it(open))
    }

    pub(crate) fn is_idle(&self, mirror: &Mirror) -> bool {
        let is_quiet = self.in_flight.is_empty() && self.executor.messages.is_empty();
        is_quiet && self.executor.live().next().is_none() && mirror.claimed(self.id).next().is_none()
    }
}

fn complete(tx: &mut dyn Tx, run: RunId, seq: i64, event: &Event) -> Result<()> {
    lifecycle::complete(tx, run, seq, event, clock::now()).map(drop)
}

fn time_of(action: &Action) -> Option<Timestamp> {
    match action {
        Action::Wake { at } | Action::Delete { at } => Some(*at),
        _ => None,
    }
}

fn performer(id: ExecutorId, capacity: usize, layout: &Layout, store: &Store) -> Performer {
    let options = RuntimeOptions {
        server: id,
        layout: layout.clone(),
        program: "none".into(),
        api_host: "here".to_owned(),
        capacity: Capacity::of_slots(capacity),
        executes: false,
        changes: Changes::new(),
        executor_lost: LOST,
        connections: [].into(),
        variable: |_| None,
        clock: clock::now,
    };
    Performer::new(store.clone(), options)
}

/// What the store said; nothing else can fail in a simulation.
fn told(error: polyaxon_runtime::Error) -> Error {
    match error {
        polyaxon_runtime::Error::Store(error) => error,
        other => Error::Corrupt { column: 0, message: other.to_string() },
    }
}
