//! One server with a store in memory, processes that end as the test says, and a clock that the test turns.

mod clones;
mod documents;
mod server;
mod tracking;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use polyaxon_artifacts::layout::Layout;
use polyaxon_engine::admission::Capacity;
use polyaxon_engine::state::{Action, Birth, Event, Exit, Phase, Place};
use polyaxon_model::JsonMap;
use polyaxon_model::change::Change;
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::ids::{ExecutorId, ProjectId, RunId};
use polyaxon_model::kinds::{ManagedBy, Pending};
use polyaxon_model::new_run::RunPatch;
use polyaxon_model::run::Run;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use polyaxon_runtime::steps::Performer;
use polyaxon_spec::{compose, wire};
use polyaxon_store::actions::{self, Ability, OpenAction};
use polyaxon_store::db::Tx;
use polyaxon_store::runs::NewRecord;
use polyaxon_store::{Error, Fate, Store, admission, lifecycle, pipelines, runs, servers};
use serde_json::{Value as Json, json};
use uuid::Uuid;

pub(crate) use documents::{dag, is_named, job, op, operation, with};
use server::{performer, prepare};

pub(crate) const SERVER: ExecutorId = ExecutorId::new(Uuid::from_u128(2));
pub(crate) const PROJECT: ProjectId = ProjectId::new(Uuid::from_u128(1));
/// 2026-01-10T13:00:00Z.
const START: i64 = 1_768_050_000_000_000;

thread_local! {
    static NOW: Cell<i64> = const { Cell::new(START) };
    static WRITES: Cell<u64> = const { Cell::new(0) };
    /// The number of the write that goes wrong, and how.
    static FAULT: Cell<Option<(u64, Fate)>> = const { Cell::new(None) };
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_micros(NOW.get())
}

pub(crate) fn pass(seconds: u64) {
    NOW.set(NOW.get() + seconds as i64 * 1_000_000);
}

fn fate() -> Fate {
    let number = WRITES.replace(WRITES.get() + 1);
    match FAULT.get() {
        Some((at, fate)) if at == number => fate,
        _ => Fate::Kept,
    }
}

/// What a process does.
#[derive(Clone, Debug)]
pub(crate) enum End {
    Succeed,
    SucceedWith(Json),
    Fail,
    /// It works until it is stopped.
    Hang,
}

pub(crate) struct Scene {
    home: tempfile::TempDir,
    pub(crate) store: Store,
    performer: Performer,
    capacity: usize,
    executes: bool,
    script: Box<dyn FnMut(&Run) -> End>,
    next: u128,
    /// Runs in the order in which their processes were started.
    pub(crate) launched: Vec<RunId>,
    hanging: BTreeMap<RunId, u32>,
}

impl Scene {
    pub(crate) fn new(script: impl FnMut(&Run) -> End + 'static) -> Scene {
        Scene::with_fault(None, script)
    }

    /// The write of this number goes wrong; the server is killed and started again then.
    pub(crate) fn with_fault(fault: Option<(u64, Fate)>, script: impl FnMut(&Run) -> End + 'static) -> Scene {
        NOW.set(START);
        FAULT.set(None);
        let home = tempfile::tempdir().unwrap();
        let store = Store::in_memory(Box::new(fate)).unwrap().of_server(SERVER);
        prepare(&store);
        let performer = performer(&home, &store, false);
        Scene::fail_at(fault);
        let script = Box::new(script);
        Scene {
            home,
            store,
            performer,
            capacity: 64,
            executes: false,
            script,
            next: 100,
            launched: Vec::new(),
            hanging: BTreeMap::new(),
        }
    }

    /// Counts writes from here on; the write of this number goes wrong.
    pub(crate) fn fail_at(fault: Option<(u64, Fate)>) {
        WRITES.set(0);
        FAULT.set(fault);
    }

    pub(crate) fn with_capacity(mut self, capacity: usize) -> Scene {
        self.capacity = capacity;
        self
    }

    /// The server executes runs itself: their folders matter.
    pub(crate) fn with_folders(mut self) -> Scene {
        self.executes = true;
        self.performer = performer(&self.home, &self.store, self.executes);
        self
    }

    pub(crate) fn layout(&self) -> Layout {
        Layout::new(self.home.path())
    }

    /// How many writes there were.
    pub(crate) fn writes() -> u64 {
        WRITES.get()
    }

    /// Equal operations are executed each for itself, unless the operation says otherwise.
    pub(crate) fn submit(&mut self, operation: &Json) -> RunId {
        self.submit_with(operation, None, JsonMap::new())
    }

    /// The same for a run that something has to come before, with something on its record.
    pub(crate) fn submit_with(&mut self, operation: &Json, pending: Option<Pending>, meta_info: JsonMap) -> RunId {
        self.next += 1;
        let mut operation = operation.clone();
        if operation.get("cache").is_none() {
            operation["cache"] = json!({ "disable": true });
        }
        let text = operation.to_string();
        let composed = compose::compose(&wire::read_operation(&text).unwrap()).unwrap().operation;
        let family = compose::run_kind(&composed);
        let requires_approval = composed.get("isApproved").and_then(polyaxon_spec::node::Node::as_bool) == Some(false);
        let birth = Birth {
            kind: family.kind.parse().unwrap(),
            managed_by: ManagedBy::Agent,
            pending,
            requires_approval,
            place: Place::Independent,
        };
        let id = RunId::new(Uuid::from_u128(self.next));
        let mut record = NewRecord::new(id, PROJECT, birth);
        record.runtime = Some(family.runtime.parse().unwrap());
        record.name = Some("top".to_owned());
        record.meta_info = meta_info;
        record.raw_content = Some(text);
        self.write(
            move |tx| if runs::id_exists(tx, id)? { Ok(()) } else { runs::create(tx, &record, now()).map(drop) },
        );
        id
    }

    /// A write that is tried again when the server dies of it.
    fn write(&mut self, closure: impl Fn(&mut dyn Tx) -> polyaxon_store::Result<()> + Clone + Send + 'static) {
        loop {
            match self.store.write_blocking(closure.clone()) {
                Err(Error::Closed) => self.restart(),
                answer => return answer.unwrap(),
            }
        }
    }

    /// The server was killed and is started again: it knows nothing and looks at every process.
    pub(crate) fn restart(&mut self) {
        self.performer = performer(&self.home, &self.store, self.executes);
        self.store.write_blocking(|tx| servers::register(tx, SERVER, "here", Ability::Execute, now())).unwrap();
    }

    pub(crate) fn apply(&mut self, run: RunId, event: Event) {
        self.write(move |tx| lifecycle::apply(tx, run, &event, now()).map(drop));
    }

    /// Does everything that can be done without waiting for a time.
    pub(crate) fn play(&mut self) {
        loop {
            let open = self.open();
            let ready = open.into_iter().find(|open| time_of(&open.action).is_none());
            if let Some(action) = ready {
                self.perform(action, None);
            } else if self.admit() == 0 {
                let before = self.changes();
                self.write(|tx| pipelines::advance::advance_all(tx, now()));
                if self.changes() == before && self.open().iter().all(|open| time_of(&open.action).is_some()) {
                    return;
                }
            }
        }
    }

    /// Does the first thing of a kind, and nothing else.
    pub(crate) fn perform_first(&mut self, is_wanted: impl Fn(&OpenAction) -> bool) {
        let action = self.open().into_iter().find(is_wanted).unwrap();
        self.perform(action, None);
    }

    /// Does what is first in line until so many processes were started.
    pub(crate) fn play_until_launched(&mut self, count: usize) {
        while self.launched.len() < count {
            match self.open().into_iter().find(|open| time_of(&open.action).is_none()) {
                Some(action) => self.perform(action, None),
                None => assert!(self.admit() > 0, "nothing goes on"),
            }
            self.admit();
        }
    }

    fn changes(&self) -> i64 {
        let sql = "SELECT count(*) FROM runs WHERE status = 'queued'";
        let waiting = self.store.read_blocking(|tx| tx.query(sql, &[])?.remove(0).take::<i64>()).unwrap();
        let conditions = "SELECT count(*) FROM status_conditions";
        waiting + self.store.read_blocking(|tx| tx.query(conditions, &[])?.remove(0).take::<i64>()).unwrap()
    }

    /// Performs timers until this much time has passed.
    pub(crate) fn wait(&mut self, seconds: u64) {
        let end = now().plus(Duration::from_secs(seconds));
        loop {
            self.play();
            let due = self.open().into_iter().filter_map(|open| time_of(&open.action).map(|at| (at, open)));
            let next = due.min_by_key(|(at, _)| *at).filter(|(at, _)| *at <= end);
            let Some((at, action)) = next else { break };
            NOW.set(NOW.get().max(at.as_micros()));
            self.perform(action, Some(at));
        }
        NOW.set(end.as_micros());
        self.play();
    }

    fn admit(&mut self) -> usize {
        let capacity = self.capacity;
        match self.store.write_blocking(move |tx| admission::admit(tx, SERVER, &Capacity::of_slots(capacity), now())) {
            Ok(admitted) => admitted.len(),
            Err(Error::Closed) => {
                self.restart();
                1
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn open(&mut self) -> Vec<OpenAction> {
        self.write(|tx| actions::claim(tx, SERVER, Ability::Execute).map(drop));
        self.store.read_blocking(|tx| actions::claimed(tx, SERVER, 0, 1000)).unwrap()
    }

    fn perform(&mut self, action: OpenAction, at: Option<Timestamp>) {
        let (run, seq) = (action.run, action.seq);
        match action.action {
            Action::Launch { attempt } => {
                let end = self.process(run, attempt);
                let starting = Event::Observed { attempt, phase: Phase::Starting };
                self.write(move |tx| lifecycle::complete(tx, run, seq, &starting, now()).map(drop));
                self.apply(run, Event::Observed { attempt, phase: Phase::Running });
                self.end(run, attempt, &end);
            }
            Action::Stop { attempt } => {
                self.hanging.remove(&run);
                let stopped = Event::Observed { attempt, phase: Phase::Exited(Exit::Stopped) };
                self.write(move |tx| lifecycle::complete(tx, run, seq, &stopped, now()).map(drop));
            }
            _ => {
                let outcome = self.performer.perform(action, at).unwrap();
                let outcomes: Vec<_> = outcome.into_iter().collect();
                if let Err(error) = self.performer.report(&outcomes) {
                    assert!(matches!(error, polyaxon_runtime::Error::Store(Error::Closed)), "{error:?}");
                    self.restart();
                }
            }
        }
    }

    fn process(&mut self, run: RunId, attempt: u32) -> End {
        let record = self.run(run);
        self.launched.push(run);
        let end = (self.script)(&record);
        if matches!(end, End::Hang) {
            self.hanging.insert(run, attempt);
        }
        end
    }

    fn end(&mut self, run: RunId, attempt: u32, end: &End) {
        let exit = match end {
            End::Hang => return,
            End::Fail => Exit::Failed { reason: "Error".into(), message: "exited with 1".into(), exit_code: Some(1) },
            End::Succeed => Exit::Succeeded,
            End::SucceedWith(outputs) => {
                self.set_outputs(run, outputs);
                Exit::Succeeded
            }
        };
        self.apply(run, Event::Observed { attempt, phase: Phase::Exited(exit) });
    }

    pub(crate) fn set_outputs(&mut self, run: RunId, outputs: &Json) {
        let outputs = Change::Set(outputs.as_object().unwrap().clone());
        let patch = RunPatch { outputs, ..RunPatch::default() };
        self.write(move |tx| runs::patch(tx, run, &patch, now()).map(drop));
    }

    /// A process that hangs ends by itself.
    pub(crate) fn finish(&mut self, run: RunId, end: &End) {
        let attempt = self.hanging.remove(&run).unwrap();
        self.end(run, attempt, end);
    }

    pub(crate) fn run(&self, run: RunId) -> Run {
        self.store.read_blocking(move |tx| runs::get(tx, run)).unwrap().unwrap()
    }

    pub(crate) fn status(&self, run: RunId) -> Status {
        self.run(run).status
    }

    /// The conditions of a run, oldest first.
    pub(crate) fn conditions(&self, run: RunId) -> Vec<StatusCondition> {
        let conditions = self.store.read_blocking(move |tx| polyaxon_store::statuses::since(tx, run, 0)).unwrap();
        conditions.into_iter().map(|item| item.condition).collect()
    }

    /// The conditions of a run, as words.
    pub(crate) fn history(&self, run: RunId) -> Vec<Status> {
        self.conditions(run).into_iter().map(|condition| condition.status).collect()
    }

    /// The direct children of a run, oldest first.
    pub(crate) fn children(&self, run: RunId) -> Vec<Run> {
        let sql = format!(
            "SELECT c.uuid FROM runs c JOIN runs p ON p.id = c.pipeline_id WHERE p.uuid = '{}' ORDER BY c.id",
            run.to_hex()
        );
        let ids: Vec<RunId> = self
            .store
            .read_blocking(move |tx| tx.query(&sql, &[])?.into_iter().map(|mut row| row.take()).collect())
            .unwrap();
        ids.into_iter().map(|id| self.run(id)).collect()
    }

    /// The child of this name.
    pub(crate) fn child(&self, run: RunId, name: &str) -> Run {
        self.children(run).into_iter().find(|child| child.name.as_deref() == Some(name)).unwrap()
    }

    /// Names and statuses of the children of a run.
    pub(crate) fn statuses(&self, run: RunId) -> BTreeMap<String, Status> {
        self.children(run).into_iter().map(|child| (child.name.unwrap_or_default(), child.status)).collect()
    }
}

fn time_of(action: &Action) -> Option<Timestamp> {
    match action {
        Action::Wake { at } | Action::Delete { at } => Some(*at),
        _ => None,
    }
}
