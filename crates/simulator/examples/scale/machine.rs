//! A server whose processes are only numbers: the store on the disk, the driver with its workers, and an executor that
//! does nothing, or nothing for a while.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use polyaxon_artifacts::changes::Changes;
use polyaxon_artifacts::layout::Layout;
use polyaxon_engine::admission::Capacity;
use polyaxon_engine::state::{Action, Birth, Event, Exit, Phase, Place};
use polyaxon_model::ids::{ExecutorId, ProjectId, RunId};
use polyaxon_model::kinds::{ManagedBy, RunKind};
use polyaxon_model::time::Timestamp;
use polyaxon_runtime::{Handle, Runtime, RuntimeOptions};
use polyaxon_spec::{compose, wire};
use polyaxon_store::actions::{self, Ability, OpenAction};
use polyaxon_store::db::Tx;
use polyaxon_store::runs::NewRecord;
use polyaxon_store::{Store, admission, lifecycle, projects, runs, servers};
use serde_json::Value as Json;
use tempfile::TempDir;
use tokio::time::timeout_at;
use uuid::Uuid;

use crate::Failure;

pub(crate) const SERVER: ExecutorId = ExecutorId::new(Uuid::from_u128(2));
const PROJECT: ProjectId = ProjectId::new(Uuid::from_u128(1));
const TOP: RunId = RunId::new(Uuid::from_u128(9));
/// Actions that the executor takes up at once.
const MOST: u32 = 1000;

/// What happened to a pipeline.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Course {
    /// From its submission to the start of its first child.
    pub(crate) first: Option<Passed>,
    /// Until all children existed.
    pub(crate) created: Option<Passed>,
    /// How many children ended, and until when.
    pub(crate) ended: usize,
    pub(crate) took: Passed,
}

/// Time on the clock, and time of processors in user code and in the kernel.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Passed {
    pub(crate) seconds: f64,
    pub(crate) cpu: f64,
}

pub(crate) struct Machine {
    home: TempDir,
    pub(crate) store: Store,
    slots: usize,
}

pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

impl Machine {
    pub(crate) fn new(slots: usize) -> Result<Machine, Failure> {
        let home = tempfile::tempdir()?;
        let layout = Layout::new(home.path());
        std::fs::create_dir_all(layout.local())?;
        let store = Store::open(layout.database())?.of_server(SERVER);
        store.write_blocking(|tx| {
            projects::get_or_create(tx, "scale", PROJECT, now())?;
            servers::register(tx, SERVER, "here", Ability::Execute, now())
        })?;
        Ok(Machine { home, store, slots })
    }

    /// What a server here would be started with. Processes are not its business.
    pub(crate) fn options(&self) -> RuntimeOptions {
        RuntimeOptions {
            server: SERVER,
            layout: Layout::new(self.home.path()),
            program: "none".into(),
            api_host: String::new(),
            capacity: self.capacity(),
            executes: false,
            changes: Changes::new(),
            executor_lost: Duration::from_mins(10),
            connections: [].into(),
            variable: |_| None,
            clock: now,
        }
    }

    pub(crate) fn capacity(&self) -> Capacity {
        Capacity::of_slots(self.slots)
    }

    pub(crate) fn submit(&self, operation: Json) -> Result<RunId, Failure> {
        let text = operation.to_string();
        drop(operation);
        let read = wire::read_operation(&text).map_err(|problems| format!("{problems:?}"))?;
        let composed = compose::compose(&read).map_err(|problems| format!("{problems:?}"))?;
        let family = compose::run_kind(&composed.operation);
        let birth = Birth {
            kind: family.kind.parse::<RunKind>()?,
            managed_by: ManagedBy::Agent,
            pending: None,
            requires_approval: false,
            place: Place::Independent,
        };
        let mut record = NewRecord::new(TOP, PROJECT, birth);
        record.runtime = Some(family.runtime.parse()?);
        record.raw_content = Some(text);
        self.store.write_blocking(move |tx| runs::create(tx, &record, now()).map(drop))?;
        Ok(TOP)
    }

    /// Submits a pipeline whose processes take so long, and plays until it has ended or this is enough.
    pub(crate) fn play(
        &self,
        operation: Json,
        process: Duration,
        is_enough: impl Fn(&Course) -> bool,
    ) -> Result<Course, Failure> {
        let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let runtime: Handle = tokio.block_on(async { Runtime::start(self.store.clone(), self.options()) })?;
        let course = self.execute(&tokio, operation, process, is_enough);
        tokio.block_on(runtime.shutdown());
        course
    }

    fn execute(
        &self,
        tokio: &tokio::runtime::Runtime,
        operation: Json,
        process: Duration,
        is_enough: impl Fn(&Course) -> bool,
    ) -> Result<Course, Failure> {
        let mut changed = self.store.changed();
        let (start, idle) = (Instant::now(), cpu_seconds()?);
        let top = self.submit(operation)?;
        let (mut course, mut last) = (Course::default(), 0);
        let mut live: VecDeque<(Instant, RunId, u32)> = VecDeque::new();
        loop {
            changed.mark_unchanged();
            let capacity = self.capacity();
            let (open, is_due, is_over, is_created) = self.store.read_blocking(|tx| {
                let open = actions::claimed(tx, SERVER, last, MOST)?;
                let is_due = admission::is_due(tx, SERVER, &capacity, now())?;
                let is_over = lifecycle::state(tx, top)?.is_none_or(|state| state.status.is_done());
                Ok((open, is_due, is_over, all_exist(tx)?))
            })?;
            course.took = Passed { seconds: start.elapsed().as_secs_f64(), cpu: cpu_seconds()? - idle };
            if is_created {
                course.created.get_or_insert(course.took);
            }
            if is_over || is_enough(&course) {
                return Ok(course);
            }
            let is_all = open.len() < MOST as usize;
            last = open.last().map_or(last, |open| open.id);
            let launches: Vec<OpenAction> =
                open.into_iter().filter(|open| matches!(open.action, Action::Launch { .. })).collect();
            let begun = Instant::now();
            let ends = live.iter().take_while(|(end, ..)| *end <= begun).count();
            let ended: Vec<(Instant, RunId, u32)> = live.drain(..ends).collect();
            if launches.is_empty() && ended.is_empty() && !is_due {
                if is_all {
                    let next = live.front().map_or(begun + Duration::from_mins(1), |(end, ..)| *end);
                    tokio.block_on(async { drop(timeout_at(next.into(), changed.changed()).await) });
                }
                continue;
            }
            if !launches.is_empty() {
                course.first.get_or_insert(course.took);
            }
            for launch in &launches {
                if let (Action::Launch { attempt }, false) = (&launch.action, process.is_zero()) {
                    live.push_back((begun + process, launch.run, *attempt));
                }
            }
            course.ended += ended.len() + if process.is_zero() { launches.len() } else { 0 };
            self.store.write_blocking(move |tx| report(tx, &launches, &ended, process, &capacity))?;
        }
    }
}

/// Everything succeeds.
fn report(
    tx: &mut dyn Tx,
    launches: &[OpenAction],
    ended: &[(Instant, RunId, u32)],
    process: Duration,
    capacity: &Capacity,
) -> polyaxon_store::Result<()> {
    let seen = |attempt: u32, phase| Event::Observed { attempt, phase };
    for open in launches {
        let Action::Launch { attempt } = open.action else { continue };
        let mut events = vec![seen(attempt, Phase::Starting), seen(attempt, Phase::Running)];
        if process.is_zero() {
            events.push(seen(attempt, Phase::Exited(Exit::Succeeded)));
        }
        lifecycle::complete_each(tx, open.run, open.seq, &events, now())?;
    }
    for (_, run, attempt) in ended {
        lifecycle::apply(tx, *run, &seen(*attempt, Phase::Exited(Exit::Succeeded)), now())?;
    }
    admission::admit(tx, SERVER, capacity, now()).map(drop)
}

fn cpu_seconds() -> Result<f64, Failure> {
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(ticks as f64 / TICKS)
}

fn all_exist(tx: &mut dyn Tx) -> polyaxon_store::Result<bool> {
    Ok(!tx.query("SELECT 1 FROM pipelines WHERE position >= expected", &[])?.is_empty())
}
