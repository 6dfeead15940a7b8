//! One simulated server with its store, its processes, its clock and its users.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use polyaxon_artifacts::changes::Changes;
use polyaxon_artifacts::layout::Layout;
use polyaxon_engine::admission::Capacity;
use polyaxon_engine::state::{Action, Birth, Event, Exit, Phase, Place};
use polyaxon_model::ids::{ExecutorId, ProjectId, RunId};
use polyaxon_model::kinds::ManagedBy;
use polyaxon_model::time::Timestamp;
use polyaxon_runtime::RuntimeOptions;
use polyaxon_runtime::steps::{Outcome as Performed, Performer};
use polyaxon_spec::{compose, wire};
use polyaxon_store::actions::{self, Ability, OpenAction};
use polyaxon_store::runs::NewRecord;
use polyaxon_store::{Store, admission, lifecycle, pipelines, projects, runs, servers};
use uuid::Uuid;

use crate::executor::{Executor, Launch};
use crate::random::Random;
use crate::{invariants, operations};

const PROJECT: u128 = 1;
const SERVER: ExecutorId = ExecutorId::new(Uuid::from_u128(2));
const CAPACITY: usize = 4;
/// Steps between two looks at everything.
const CHECK_EVERY: u64 = 50;
/// Steps that are told when a simulation does not end.
const LAST_STEPS: usize = 100;

static NOW: AtomicI64 = AtomicI64::new(0);

fn clock() -> Timestamp {
    Timestamp::from_micros(NOW.load(Ordering::SeqCst))
}

/// What happens besides the ordinary.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// A run is over after this many steps, finished or not.
    pub steps: u64,
    /// Operations that are submitted.
    pub submissions: u64,
    /// Users stop, skip, approve and resume runs.
    pub has_users: bool,
    /// The server is killed and started again.
    pub has_crashes: bool,
}

/// How a simulation went.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub steps: u64,
    pub runs: u64,
    /// Actions that are open and the last steps, when the steps were not enough to end everything.
    pub left: Vec<String>,
}

pub(crate) struct World {
    home: tempfile::TempDir,
    pub(crate) store: Store,
    performer: Performer,
    pub(crate) executor: Executor,
    random: Random,
    submitted: u64,
    pub(crate) has_users: bool,
}

/// Plays one seed. An error says which invariant does not hold, and after which step.
pub fn simulate(seed: u64, options: &Options) -> Result<Outcome, String> {
    NOW.store(1_780_000_000_000_000, Ordering::SeqCst);
    let mut world = World::new(seed, options.has_users)?;
    let mut quiet = 0;
    let mut last = std::collections::VecDeque::new();
    for step in 0..options.steps {
        // Users go home in the end.
        let has_users = options.has_users && step < options.steps / 2;
        let what = world.step(&Options { has_users, ..*options })?;
        let context = |problem: String| format!("seed {seed}, step {step} ({what}): {problem}");
        if step % CHECK_EVERY == 0 {
            invariants::check(&world).map_err(context)?;
        }
        last.push_back(what);
        if last.len() > LAST_STEPS {
            last.pop_front();
        }
        quiet = if what == "nothing" { quiet + 1 } else { 0 };
        if quiet > 60 && world.is_over(options)? {
            invariants::check(&world).map_err(context)?;
            invariants::check_end(&world).map_err(context)?;
            return Ok(Outcome { steps: step, runs: invariants::count(&world)?, left: Vec::new() });
        }
    }
    invariants::check(&world)?;
    let mut left: Vec<String> =
        world.open_actions()?.into_iter().map(|open| format!("{} {:?}", open.run, open.action)).collect();
    left.extend(last.into_iter().map(str::to_owned));
    Ok(Outcome { steps: options.steps, runs: invariants::count(&world)?, left })
}

pub(crate) fn told(error: impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

fn performer(layout: &Layout, store: &Store) -> Performer {
    let options = RuntimeOptions {
        server: SERVER,
        layout: layout.clone(),
        program: "none".into(),
        api_host: String::new(),
        capacity: Capacity::of_slots(CAPACITY),
        executes: false,
        changes: Changes::new(),
        executor_lost: Duration::from_mins(10),
        clock,
    };
    Performer::new(store.clone(), options)
}

impl World {
    fn new(seed: u64, has_users: bool) -> Result<World, String> {
        let home = tempfile::tempdir().map_err(told)?;
        let layout = Layout::new(home.path());
        std::fs::create_dir_all(layout.local()).map_err(told)?;
        let store = Store::open(layout.database()).map_err(told)?.of_server(SERVER);
        let project = ProjectId::new(Uuid::from_u128(PROJECT));
        store
            .write_blocking(move |tx| {
                projects::get_or_create(tx, "simulated", project, clock())?;
                servers::register(tx, SERVER, "here", Ability::Execute, clock())
            })
            .map_err(told)?;
        let performer = performer(&layout, &store);
        let random = Random::new(seed);
        Ok(World { home, store, performer, executor: Executor::default(), random, submitted: 0, has_users })
    }

    fn step(&mut self, options: &Options) -> Result<&'static str, String> {
        NOW.fetch_add(self.random.below(50_000) as i64, Ordering::SeqCst);
        let did = match self.random.below(100) {
            0..45 => self.perform(options)?,
            45..62 => self.deliver()?,
            62..80 => self.executor.advance(&mut self.random).then_some("process"),
            80..90 => self.admit()?,
            90..94 => self.pass_time()?,
            94..96 if self.submitted < options.submissions => self.submit()?,
            96..98 if options.has_users => self.interfere()?,
            98 if options.has_crashes && self.random.once_in(8) => self.crash()?,
            _ => self.look_after()?,
        };
        Ok(did.unwrap_or("nothing"))
    }

    fn open_actions(&self) -> Result<Vec<OpenAction>, String> {
        self.store.read_blocking(|tx| actions::open(tx, 0, 10_000)).map_err(told)
    }

    /// Performs one action, or some of different runs together.
    fn perform(&mut self, options: &Options) -> Result<Option<&'static str>, String> {
        let open = self.open_actions()?;
        let mut first: Vec<OpenAction> = Vec::new();
        for action in open {
            let is_timer = matches!(action.action, Action::Wake { .. } | Action::Delete { .. });
            if !is_timer && !first.iter().any(|other| other.run == action.run) {
                first.push(action);
            }
        }
        let mut outcomes = Vec::new();
        for _ in 0..=self.random.below(3) {
            if first.is_empty() {
                break;
            }
            let place = self.random.below(first.len() as u64) as usize;
            let action = first.swap_remove(place);
            match action.action {
                Action::Launch { attempt } => self.launch(&action, attempt, options)?,
                Action::Stop { attempt } => self.stop(&action, attempt)?,
                _ => outcomes.extend(self.performer.perform(action, None).map_err(told)?),
            }
        }
        if outcomes.is_empty() {
            return Ok(None);
        }
        // Killed after the work and before its report, or twice the same report.
        if options.has_crashes && self.random.once_in(40) {
            return self.crash();
        }
        self.report(&outcomes)?;
        if self.random.once_in(10) {
            self.report(&outcomes)?;
        }
        Ok(Some("perform"))
    }

    fn report(&self, outcomes: &[Performed]) -> Result<(), String> {
        self.performer.report(outcomes).map_err(told)
    }

    fn launch(&mut self, action: &OpenAction, attempt: u32, options: &Options) -> Result<(), String> {
        let (run, seq) = (action.run, action.seq);
        let action = action.action.clone();
        let wanted = move |tx: &mut dyn polyaxon_store::db::Tx| lifecycle::state(tx, run);
        let state = self.store.read_blocking(wanted).map_err(told)?;
        if !state.is_some_and(|state| state.wants(&action)) {
            return self.store.write_blocking(move |tx| actions::done(tx, run, seq, clock()).map(drop)).map_err(told);
        }
        if self.executor.launch(run, attempt) == Launch::Busy || (options.has_crashes && self.random.once_in(50)) {
            return Ok(());
        }
        let event = Event::Observed { attempt, phase: Phase::Starting };
        self.store.write_blocking(move |tx| lifecycle::complete(tx, run, seq, &event, clock()).map(drop)).map_err(told)
    }

    fn stop(&mut self, action: &OpenAction, attempt: u32) -> Result<(), String> {
        let (run, seq) = (action.run, action.seq);
        let is_told_later = self.executor.stop(run, attempt);
        let event = Event::Observed { attempt, phase: Phase::Exited(Exit::Stopped) };
        let write = move |tx: &mut dyn polyaxon_store::db::Tx| match is_told_later {
            true => actions::done(tx, run, seq, clock()).map(drop),
            false => lifecycle::complete(tx, run, seq, &event, clock()).map(drop),
        };
        self.store.write_blocking(write).map_err(told)
    }

    fn deliver(&mut self) -> Result<Option<&'static str>, String> {
        let Some(message) = self.executor.take_message(&mut self.random) else { return Ok(None) };
        let apply = move |tx: &mut dyn polyaxon_store::db::Tx| {
            lifecycle::apply(tx, message.run, &message.event, clock()).map(drop)
        };
        self.store.write_blocking(apply).map_err(told)?;
        Ok(Some("message"))
    }

    fn admit(&mut self) -> Result<Option<&'static str>, String> {
        let admitted =
            self.store.write_blocking(|tx| admission::admit(tx, SERVER, &Capacity::of_slots(CAPACITY), clock()));
        Ok((!admitted.map_err(told)?.is_empty()).then_some("admission"))
    }

    /// Performs the earliest timer, whenever that is.
    fn pass_time(&mut self) -> Result<Option<&'static str>, String> {
        let due = |action: &OpenAction| match action.action {
            Action::Wake { at } | Action::Delete { at } => Some(at),
            _ => None,
        };
        let open = self.open_actions()?;
        let Some(next) = open.into_iter().filter(|action| due(action).is_some()).min_by_key(due) else {
            return Ok(None);
        };
        let at = due(&next).unwrap_or_default();
        NOW.fetch_max(at.as_micros(), Ordering::SeqCst);
        let outcomes: Vec<Performed> = self.performer.perform(next, Some(at)).map_err(told)?.into_iter().collect();
        self.report(&outcomes)?;
        Ok(Some("timer"))
    }

    /// What the loop does now and then.
    fn look_after(&mut self) -> Result<Option<&'static str>, String> {
        self.store.write_blocking(|tx| pipelines::advance::advance_all(tx, clock())).map_err(told)?;
        Ok(None)
    }

    fn submit(&mut self) -> Result<Option<&'static str>, String> {
        self.submitted += 1;
        let operation = operations::operation(&mut self.random);
        let text = operation.to_string();
        let problem = |problems: Vec<polyaxon_spec::diagnostic::Diagnostic>| format!("{problems:?}\n{text}");
        let document = wire::read_operation(&text).map_err(problem)?;
        let family = compose::run_kind(&compose::compose(&document).map_err(problem)?.operation);
        let birth = Birth {
            kind: family.kind.parse().map_err(told)?,
            managed_by: ManagedBy::Agent,
            pending: None,
            requires_approval: false,
            place: Place::Independent,
        };
        let id = RunId::new(Uuid::from_u128(u128::from(self.submitted)));
        let mut record = NewRecord::new(id, ProjectId::new(Uuid::from_u128(PROJECT)), birth);
        record.runtime = Some(family.runtime.parse().map_err(told)?);
        record.name = Some("top".to_owned());
        record.raw_content = Some(text);
        self.store.write_blocking(move |tx| runs::create(tx, &record, clock()).map(drop)).map_err(told)?;
        Ok(Some("submission"))
    }

    /// A user does something to some run.
    fn interfere(&mut self) -> Result<Option<&'static str>, String> {
        let all = invariants::runs(self)?;
        let Some(run) = self.random.pick(&all) else { return Ok(None) };
        let event = match self.random.below(12) {
            0 => Event::StopRequested,
            1 => Event::SkipRequested,
            2 | 3 => Event::ResumeRequested,
            _ => Event::Approved,
        };
        self.store.write_blocking(move |tx| lifecycle::apply(tx, run, &event, clock()).map(drop)).map_err(told)?;
        Ok(Some("user"))
    }

    /// Everything that was only in memory is gone.
    fn crash(&mut self) -> Result<Option<&'static str>, String> {
        let layout = Layout::new(self.home.path());
        self.store = Store::open(layout.database()).map_err(told)?.of_server(SERVER);
        self.performer = performer(&layout, &self.store);
        let register =
            |tx: &mut dyn polyaxon_store::db::Tx| servers::register(tx, SERVER, "here", Ability::Execute, clock());
        self.store.write_blocking(register).map_err(told)?;
        self.executor.look_again();
        Ok(Some("crash"))
    }

    /// Whether nothing is left to do by anybody but users.
    fn is_over(&self, options: &Options) -> Result<bool, String> {
        let waits = self.store.read_blocking(admission::has_waiting).map_err(told)?;
        let is_idle = !waits && self.open_actions()?.is_empty() && self.executor.messages.is_empty();
        Ok(is_idle && self.executor.live().next().is_none() && self.submitted >= options.submissions)
    }
}
