//! Servers that share a store, their machines, a clock and users; one of them does something in each step.

mod steps;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use polyaxon_artifacts::layout::Layout;
use polyaxon_engine::admission::Capacity;
use polyaxon_engine::state::Event;
use polyaxon_model::change::Change;
use polyaxon_model::ids::{ExecutorId, QueueId, RunId};
use polyaxon_model::queue::{QueueBody, QueueResource};
use polyaxon_model::time::Timestamp;
use polyaxon_store::db::Tx;
use polyaxon_store::leases::ANYBODY;
use polyaxon_store::{Error, Fate, Store, projects, queues};
use uuid::Uuid;

use crate::agent::Agent;
use crate::files::Files;
use crate::invariants::Limits;
use crate::machine::Machine;
use crate::mirror::{Mirror, Run, Watch};
use crate::promises::Promises;
use crate::random::Random;
use crate::{clock, invariants, operations, users};

/// The last steps, which a failure prints, after all those with the runs that it names.
const LAST: usize = 60;
/// Steps after which everything is read and compared, not only what was touched.
const WHOLE_CHECK: u64 = 500;
/// How often something possible is looked for before time passes.
const TRIES: u32 = 20;

thread_local! {
    /// What becomes of the next write.
    static FATE: Cell<Fate> = const { Cell::new(Fate::Kept) };
    /// Whether something was written since the last look.
    static CHANGED: Cell<bool> = const { Cell::new(false) };
}

/// What happens besides the ordinary.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Steps until everybody goes home and what was begun is ended.
    pub steps: u64,
    /// Operations that are submitted, without clones.
    pub submissions: u64,
    pub servers: u128,
    /// Users stop, skip, resume, restart, copy, archive, restore and delete runs, and change limits.
    pub has_users: bool,
    /// They delete and repeat more than anything else.
    pub has_deletions: bool,
    /// Servers are killed, also within a write, and between a write and its acknowledgement.
    pub has_crashes: bool,
    /// Servers stand still until others take them for dead.
    pub has_freezes: bool,
    /// The wall clock is set, back and forth.
    pub has_clock_jumps: bool,
}

impl Options {
    /// What a seed stands for: each has its own mixture.
    pub fn of(seed: u64, steps: u64) -> Options {
        let mut random = Random::new(seed ^ 0x5eed);
        Options {
            steps,
            submissions: 2 + random.below(4),
            servers: 1 + u128::from(random.below(3)),
            has_users: random.once_in(2),
            has_deletions: random.once_in(4),
            has_crashes: !random.once_in(3),
            has_freezes: random.once_in(2),
            has_clock_jumps: random.once_in(3),
        }
    }
}

/// How a simulation went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub steps: u64,
    pub runs: u64,
    /// Of everything that happened, to compare two plays of one seed.
    pub digest: u64,
}

struct World {
    store: Store,
    machines: Vec<Machine>,
    agent: Agent,
    limits: Limits,
    promises: Promises,
    files: Files,
    watch: Watch,
    mirror: Mirror,
    random: Random,
    submitted: u64,
    next_run: u64,
    /// Attempts that were started, and where.
    started: BTreeMap<(RunId, u32), ExecutorId>,
    happened: Vec<Happened>,
    digest: DefaultHasher,
    steps: u64,
}

/// A step, for whoever reads how it came to a failure.
struct Happened {
    step: u64,
    at: Timestamp,
    place: usize,
    what: &'static str,
    run: Option<RunId>,
}

impl std::fmt::Display for Happened {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Happened { step, at, place, what, run } = self;
        write!(out, "step {step} at {at}: server {place}: {what}")?;
        run.map_or(Ok(()), |run| write!(out, " {run}"))
    }
}

/// Plays one seed. An error says which invariant does not hold, after which step, and the steps before.
pub fn simulate(seed: u64, options: &Options) -> Result<Outcome, String> {
    let home = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut world = World::new(seed, options, &Layout::new(home.path()))?;
    let played = world.play(options);
    played.map_err(|problem| {
        let told = world.last_steps(&problem);
        format!("{told}\nseed {seed}, step {}: {problem}\n{options:?}", world.steps)
    })?;
    let digest = world.digest.finish();
    Ok(Outcome { steps: world.steps, runs: world.mirror.runs.len() as u64, digest })
}

/// A project, and a queue with limits; answers the number of the queue.
fn create(tx: &mut dyn Tx) -> polyaxon_store::Result<i64> {
    projects::get_or_create(tx, "simulated", users::PROJECT, clock::now())?;
    let body = QueueBody {
        concurrency: Change::Set(operations::QUEUE_RUNS),
        resource: Change::Set(QueueResource::Cpu),
        quota: Change::Set(operations::QUEUE_CPUS.to_string()),
        ..QueueBody::default()
    };
    let id = QueueId::new(Uuid::from_u128(0x90e0e));
    queues::create(tx, id, ANYBODY, operations::QUEUE, &body, clock::now())?;
    match queues::resolve(tx, Some(operations::QUEUE))? {
        Ok(number) => Ok(number),
        Err(message) => Err(Error::Corrupt { column: 0, message }),
    }
}

fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

impl World {
    fn new(seed: u64, options: &Options, layout: &Layout) -> Result<World, String> {
        clock::restart();
        FATE.set(Fate::Kept);
        let fates = || {
            CHANGED.set(true);
            FATE.replace(Fate::Kept)
        };
        let store = Store::in_memory(Box::new(fates)).map_err(|error| told(&error))?;
        let queue = store.write_blocking(create).map_err(|error| told(&error))?;
        let mut random = Random::new(seed);
        let agent = Agent::begin(&store, 1 + random.below(4) as usize).map_err(|error| told(&error))?;
        let watch = Watch::begin(&store).map_err(|error| told(&error))?;
        let machines: Vec<Machine> = (0..options.servers)
            .map(|number| Machine::new(number, 1 + random.below(5) as usize, layout, &store))
            .collect();
        // Some slots are kept for what people start by hand.
        let slots = |machine: &Machine| {
            let capacity = Capacity::of_slots(machine.capacity);
            (machine.id, (capacity.slots + capacity.reserve) as i64)
        };
        let outside = (agent.id, agent.capacity as i64);
        let slots = machines.iter().map(slots).chain([outside]).collect();
        Ok(World {
            limits: Limits { slots, queue, queue_runs: operations::QUEUE_RUNS, queue_cpus: operations::QUEUE_CPUS },
            promises: Promises::default(),
            files: Files::new(layout),
            machines,
            agent,
            watch,
            store,
            mirror: Mirror::default(),
            submitted: 0,
            next_run: 0,
            started: BTreeMap::new(),
            happened: Vec::new(),
            digest: DefaultHasher::new(),
            steps: 0,
            random,
        })
    }

    fn play(&mut self, options: &Options) -> Result<(), String> {
        while self.steps < options.steps {
            self.step(options)?;
        }
        // Everybody goes home: gates are opened, what never ends is stopped, and nothing goes wrong any more.
        let quiet = Options {
            has_users: false,
            has_crashes: false,
            has_freezes: false,
            has_clock_jumps: false,
            submissions: 0,
            ..*options
        };
        FATE.set(Fate::Kept);
        self.machines.iter_mut().for_each(|machine| machine.frozen_until = 0);
        self.agent.away_until = 0;
        let most = self.steps + 40 * options.steps + 40_000;
        for round in 0.. {
            for _ in 0..100 {
                self.step(&quiet)?;
            }
            if self.is_over() {
                break;
            }
            if self.steps > most {
                invariants::check_end(&self.mirror)?;
                return Err("it comes to no end".to_owned());
            }
            let waiting: Vec<(RunId, Event)> = self
                .mirror
                .runs
                .values()
                .filter(|run| !run.status.is_done())
                .filter_map(|run| match run.pending {
                    Some(_) => Some((run.uuid, Event::Approved)),
                    None if round % 5 == 4 && run.status.is_on_cluster() && !run.kind.is_pipeline() => {
                        Some((run.uuid, Event::StopRequested))
                    }
                    None => None,
                })
                .collect();
            for (run, event) in waiting {
                users::apply(&self.store, run, event).map_err(|error| told(&error))?;
                self.look()?;
            }
        }
        self.check_whole()?;
        invariants::check_end(&self.mirror)
    }

    /// One thing happens, and what it changed is checked.
    fn step(&mut self, options: &Options) -> Result<(), String> {
        self.steps += 1;
        clock::pass(self.random.below(50_000) as i64);
        let place = self.random.below(self.machines.len() as u64) as usize;
        if options.has_crashes && self.random.once_in(60) {
            FATE.set(if self.random.once_in(2) { Fate::Lost } else { Fate::Unheard });
        }
        let (what, run) = match self.something(place, options) {
            Ok(did) => did,
            // The process died in the middle of it.
            Err(Error::Closed) if options.has_crashes => {
                self.machines[place].crash();
                ("crash within", None)
            }
            Err(error) => return Err(told(&error)),
        };
        FATE.set(Fate::Kept);
        if let Some(run) = run {
            self.promises.note(&self.mirror, what, run);
        }
        (what, run, place).hash(&mut self.digest);
        self.happened.push(Happened { step: self.steps, at: clock::now(), place, what, run });
        self.look()?;
        if what == "deletion" {
            self.files.check_folders(&self.mirror)?;
        }
        self.promises.check(&self.mirror)?;
        // 7: what a silent server has claimed is for others, once one of them has looked.
        if what == "keep"
            && let Some(silent) = self.machines.iter().find(|machine| machine.keeps_claims(&self.mirror))
        {
            return Err(format!("server {} is silent and keeps what it has claimed", silent.id));
        }
        if self.steps.is_multiple_of(WHOLE_CHECK) { self.check_whole() } else { Ok(()) }
    }

    fn last_steps(&self, problem: &str) -> String {
        let first_of_last = self.happened.len().saturating_sub(LAST);
        let is_named = |step: &Happened| step.run.is_some_and(|run| problem.contains(&run.to_hex()));
        let chosen = self.happened.iter().enumerate().filter(|(place, step)| *place >= first_of_last || is_named(step));
        chosen.map(|(_, step)| step.to_string()).collect::<Vec<_>>().join("\n")
    }

    /// What is known beside the store is what is in it.
    fn check_whole(&mut self) -> Result<(), String> {
        self.files.check_folders(&self.mirror)?;
        self.files.check_logs(&self.mirror)?;
        let found = Mirror::of(&self.store).map_err(|error| told(&error))?;
        self.mirror.forget_removed();
        let differs = found.runs.values().find(|run| self.mirror.runs.get(&run.id) != Some(run));
        if let Some(run) = differs {
            return Err(format!("the record is {run:?}, and was known as {:?}", self.mirror.runs.get(&run.id)));
        }
        if found == self.mirror { Ok(()) } else { Err("the mirror counts differently than the store".to_owned()) }
    }

    /// Sees what changed, and that it was allowed to.
    fn look(&mut self) -> Result<(), String> {
        if !CHANGED.replace(false) {
            return Ok(());
        }
        let before = self.mirror.refresh(&self.store, &mut self.watch).map_err(|error| told(&error))?;
        for id in before.keys() {
            if let Some(run) = self.mirror.runs.get(id) {
                (run.status.as_str(), run.history.len(), run.control.attempt).hash(&mut self.digest);
            }
        }
        self.files.check(&self.mirror, &before)?;
        invariants::check(&self.mirror, &before, &self.limits)
    }

    fn is_over(&self) -> bool {
        let is_done = |run: &Run| run.status.is_done() && run.open.is_empty() && !run.control.is_attempt_live;
        self.mirror.runs.values().all(is_done)
            && self.agent.is_idle()
            && self.machines.iter().all(|machine| machine.is_idle(&self.mirror))
    }
}
