//! The one loop: it waits for changes, wake-ups and timers, and hands work to workers. Work on one run is in order;
//! work on different runs is side by side.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use polyaxon_engine::executor::BEAT;
use polyaxon_engine::state::Action;
use polyaxon_executors::process::{ProcessExecutor, Status, Wakeup, Wakeups};
use polyaxon_model::ids::RunId;
use polyaxon_model::time::Timestamp;
use polyaxon_store::Store;
use polyaxon_store::actions::{self, Ability, OpenAction};
use polyaxon_store::{admission, pipelines, runs};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, sleep_until};

use crate::actions::{Due, Performed, groups, perform, with_causes};
use crate::expansion::Expansions;
use crate::observe::{Observed, clear_lost, observe};
use crate::sidecar::{self, Seen};
use crate::timers::{Task, Timers};
use crate::turns::{Turns, is_patient};
use crate::watch::{self, Tails};
use crate::{Result, RuntimeOptions, adopt, clean, presence};

/// How often everything is looked at again, in case that a wake-up was lost or a store refused a write.
const SCAN: Duration = Duration::from_secs(5);
/// How often the event files of running jobs are looked at.
const SIDECAR: Duration = Duration::from_secs(10);
/// How often the metrics of trials are looked at that may be stopped early.
const WATCH: Duration = Duration::from_secs(1);
/// How often finished runs are cleaned up after, beyond the timers for it.
const SWEEP: Duration = Duration::from_mins(10);
/// No more open actions are taken up at once.
const BATCH: u32 = 1000;

/// What every worker needs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) options: Arc<RuntimeOptions>,
    pub(crate) executor: Option<ProcessExecutor>,
    /// When this server last said that it is there.
    pub(crate) seen_at: Arc<Mutex<Option<Timestamp>>>,
    /// What was seen of event files, by run.
    pub(crate) seen: Arc<Mutex<HashMap<RunId, Seen>>>,
    /// How far the event files of trials that may be stopped early were read.
    pub(crate) tails: Arc<Mutex<Tails>>,
    /// Pipelines whose children are being created.
    pub(crate) expansions: Expansions,
    /// Attempts whose end was reported and whose record is still on the disk.
    pub(crate) reported: Arc<Mutex<HashMap<RunId, u32>>>,
}

impl Shared {
    pub(crate) fn new(store: Store, options: RuntimeOptions, executor: Option<ProcessExecutor>) -> Shared {
        Shared {
            store,
            options: Arc::new(options),
            executor,
            seen_at: Arc::default(),
            seen: Arc::default(),
            tails: Arc::default(),
            expansions: Expansions::default(),
            reported: Arc::default(),
        }
    }
}

/// What a worker brings back.
enum Finished {
    Actions(Vec<OpenAction>, Result<Performed>),
    Observed(Vec<RunId>, Result<Observed>),
    Cleared(RunId, Result<()>),
    Cleaned(Result<Vec<(RunId, Timestamp)>>),
    Looked(Result<()>),
    Watched(Result<bool>),
    Kept(Result<Vec<RunId>>),
    StraysEnded(Result<()>),
}

struct Driver {
    shared: Shared,
    workers: JoinSet<Finished>,
    width: usize,
    turns: Turns,
    timers: Timers,
    /// Actions that are being performed, wait for their turn or for their time, by run and number.
    known: HashSet<(RunId, i64)>,
    /// Runs that a worker is busy with, and what waits for its turn.
    busy: HashMap<RunId, VecDeque<Due>>,
    last_action: i64,
    /// Runs to look at, and whether somebody is looking.
    woken: HashSet<RunId>,
    is_observing: bool,
    /// Runs whose remains are being cleared.
    clearing: HashSet<RunId>,
    is_looking: bool,
    looked_at: Instant,
    /// Trials may go on whose metrics matter: some did at the last look, or something happened since then.
    may_watch: bool,
    is_watching: bool,
    is_keeping: bool,
    is_ending_strays: bool,
    swept_at: Option<Instant>,
}

/// Runs until `stopped`, then waits for the workers.
pub(crate) async fn drive(
    store: Store,
    options: RuntimeOptions,
    executor: Option<(ProcessExecutor, Wakeups)>,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut changed = store.changed();
    let (executor, mut wakeups) = executor.unzip();
    let shared = Shared::new(store, options, executor);
    let mut driver = Driver::new(shared);
    driver.begin().await;
    let mut scan = tokio::time::interval(SCAN);
    scan.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut look = tokio::time::interval(WATCH);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let due = driver.timers.next_due();
        tokio::select! {
            _ = &mut stopped => break,
            change = changed.changed() => match change {
                Ok(()) => driver.take_new().await,
                Err(_) => break,
            },
            wakeup = next(&mut wakeups) => {
                driver.wake(wakeup);
                while let Some(wakeup) = wakeups.as_mut().and_then(Wakeups::try_next) {
                    driver.wake(wakeup);
                }
            }
            Some(finished) = driver.workers.join_next(), if !driver.workers.is_empty() => {
                if let Ok(finished) = finished {
                    driver.finish(finished);
                }
            }
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => driver.fire(),
            _ = scan.tick() => driver.scan().await,
            _ = beat.tick() => driver.keep(),
            _ = look.tick(), if driver.may_watch => driver.watch(),
        }
        driver.observe_woken();
    }
    driver.end().await;
}

async fn next(wakeups: &mut Option<Wakeups>) -> Wakeup {
    if let Some(wakeups) = wakeups
        && let Some(wakeup) = wakeups.next().await
    {
        return wakeup;
    }
    std::future::pending().await
}

impl Driver {
    fn new(shared: Shared) -> Driver {
        let width = std::thread::available_parallelism().map_or(2, usize::from);
        Driver {
            shared,
            workers: JoinSet::new(),
            width,
            turns: Turns::new(width),
            timers: Timers::default(),
            known: HashSet::new(),
            busy: HashMap::new(),
            last_action: 0,
            woken: HashSet::new(),
            is_observing: false,
            clearing: HashSet::new(),
            is_looking: false,
            looked_at: Instant::now(),
            may_watch: true,
            is_watching: false,
            is_keeping: false,
            is_ending_strays: false,
            swept_at: None,
        }
    }

    async fn begin(&mut self) {
        if let Err(error) = presence::register(&self.shared).await {
            tracing::error!(error = with_causes(&error), "cannot say that this server is there");
        }
        match adopt::adopt(&self.shared).await {
            Ok(runs) => self.woken.extend(runs),
            Err(error) => tracing::error!(error = with_causes(&error), "cannot take up the runs of an earlier server"),
        }
        self.observe_woken();
    }

    /// Waits for the workers. Nothing new is begun, but what ended is still cleaned up after.
    async fn end(&mut self) {
        while let Some(finished) = self.workers.join_next().await {
            if let Ok(Finished::Observed(_, Ok(observed))) = finished {
                self.clean(observed.ended);
            }
        }
    }

    /// Takes up the actions that were decided since the last time, and fills free slots.
    async fn take_new(&mut self) {
        self.may_watch = true;
        let (after, clock) = (self.last_action, self.shared.options.clock);
        let (seen, capacity) = (self.shared.options.capacity.clone(), self.shared.options.capacity.clone());
        let (server, ability) = (self.shared.options.server, presence::ability(&self.shared));
        let read = self.shared.store.read(move |tx| {
            let open = actions::claimed(tx, server, after, BATCH)?;
            let waits = ability == Ability::Execute && admission::is_due(tx, server, &seen, clock())?;
            Ok((open, actions::has_unclaimed(tx, ability)?, waits))
        });
        let (open, is_any_unclaimed, waits) = match read.await {
            Ok(answer) => answer,
            Err(error) => return tracing::warn!(error = with_causes(&error), "cannot read what is to be done"),
        };
        let is_all = open.len() < BATCH as usize;
        if let Some(last) = open.last() {
            self.last_action = last.id;
        }
        self.accept(open);
        if !is_all {
            return Box::pin(self.take_new()).await;
        }
        if !waits && !is_any_unclaimed {
            return;
        }
        let write = self.shared.store.write(move |tx| {
            let claimed = if is_any_unclaimed { actions::claim(tx, server, ability)? } else { 0 };
            if waits {
                admission::admit(tx, server, &capacity, clock())?;
            }
            Ok(claimed)
        });
        match write.await {
            // What others decided may be older than what was seen last.
            Ok(claimed) if claimed > 0 => self.last_action = 0,
            Ok(_) => {}
            Err(error) => tracing::warn!(error = with_causes(&error), "cannot claim actions or give out free slots"),
        }
    }

    /// Says that this server is there, and does what is due by time alone.
    fn keep(&mut self) {
        if !self.is_keeping {
            self.is_keeping = true;
            let shared = self.shared.clone();
            self.workers.spawn(async move { Finished::Kept(presence::keep(&shared).await) });
        }
    }

    /// Looks at the metrics of trials that may be stopped early.
    fn watch(&mut self) {
        if !self.is_watching {
            self.is_watching = true;
            self.may_watch = false;
            let shared = self.shared.clone();
            self.workers.spawn(async move { Finished::Watched(watch::pass(&shared).await) });
        }
    }

    fn end_strays(&mut self, candidates: Vec<RunId>) {
        if !self.is_ending_strays && !candidates.is_empty() {
            self.is_ending_strays = true;
            let shared = self.shared.clone();
            self.workers.spawn(async move { Finished::StraysEnded(presence::end_strays(&shared, candidates).await) });
        }
    }

    fn accept(&mut self, open: Vec<OpenAction>) {
        let now = (self.shared.options.clock)();
        let mut ready = Vec::new();
        for action in open {
            // What an earlier server of this home had claimed, that executed runs and this one does not.
            let needs_executor = matches!(action.action, Action::Launch { .. } | Action::Stop { .. });
            if needs_executor && self.shared.executor.is_none() {
                continue;
            }
            if !self.known.insert((action.run, action.seq)) {
                continue;
            }
            match action.action {
                Action::Wake { at } | Action::Delete { at } => {
                    self.timers.add(at, action.created_at, now, Task::Action(action));
                }
                _ => ready.extend(self.claim(Due { action, at: None })),
            }
        }
        self.perform(ready);
    }

    /// Marks the run as busy, or puts the action behind the one that is being performed.
    fn claim(&mut self, due: Due) -> Option<Due> {
        if let Some(queue) = self.busy.get_mut(&due.action.run) {
            queue.push_back(due);
            return None;
        }
        self.busy.insert(due.action.run, VecDeque::new());
        Some(due)
    }

    fn perform(&mut self, ready: Vec<Due>) {
        let (patient, ready): (Vec<Due>, Vec<Due>) = ready.into_iter().partition(|due| is_patient(&due.action));
        for due in patient {
            self.turns.add(due);
        }
        for group in groups(ready, self.width) {
            self.begin_group(group);
        }
        while let Some(group) = self.turns.next() {
            self.begin_group(group);
        }
    }

    fn begin_group(&mut self, group: Vec<Due>) {
        let shared = self.shared.clone();
        self.workers.spawn(async move {
            let actions = group.iter().map(|due| due.action.clone()).collect();
            Finished::Actions(actions, perform(&shared, group).await)
        });
    }

    fn fire(&mut self) {
        let due = self.timers.take_due();
        self.start_due(due);
    }

    fn start_due(&mut self, due: Vec<(Timestamp, Task)>) {
        let (mut ready, mut cleanable) = (Vec::new(), Vec::new());
        for (at, task) in due {
            match task {
                Task::Action(action) => ready.extend(self.claim(Due { action, at: Some(at) })),
                Task::Clean(run) => cleanable.push(run),
            }
        }
        self.perform(ready);
        self.clean(cleanable);
    }

    fn wake(&mut self, wakeup: Wakeup) {
        match wakeup {
            Wakeup::Logs(run) => self.shared.options.changes.notify(run),
            Wakeup::Phase(run) | Wakeup::Ended(run) => {
                self.woken.insert(run);
            }
        }
    }

    /// Looks at the woken runs, one batch at a time: what wakes meanwhile is the next batch.
    fn observe_woken(&mut self) {
        if self.is_observing || self.woken.is_empty() {
            return;
        }
        self.is_observing = true;
        let batch: Vec<RunId> = self.woken.drain().filter(|run| !self.clearing.contains(run)).collect();
        let shared = self.shared.clone();
        self.workers.spawn(async move {
            let runs = batch.clone();
            Finished::Observed(runs, observe(&shared, batch).await)
        });
    }

    fn finish(&mut self, finished: Finished) {
        match finished {
            Finished::Actions(actions, result) => self.finish_actions(actions, result),
            Finished::Observed(runs, result) => {
                self.is_observing = false;
                match result {
                    Ok(observed) => {
                        self.clean(observed.ended);
                        self.clear(observed.lost);
                    }
                    // The scan looks at them again.
                    Err(error) => {
                        tracing::warn!(count = runs.len(), error = with_causes(&error), "cannot report what runs did");
                    }
                }
            }
            Finished::Cleared(run, result) => {
                self.clearing.remove(&run);
                match result {
                    Ok(()) => self.clean(vec![run]),
                    Err(error) => {
                        tracing::warn!(%run, error = with_causes(&error), "cannot clear what a lost run left");
                    }
                }
            }
            Finished::Cleaned(Ok(later)) => {
                let now = (self.shared.options.clock)();
                for (run, at) in later {
                    self.timers.add(at, now, now, Task::Clean(run));
                }
            }
            Finished::Cleaned(Err(error)) => {
                tracing::warn!(error = with_causes(&error), "cannot clean up after finished runs");
            }
            Finished::Kept(result) => {
                self.is_keeping = false;
                match result {
                    Ok(runs) => runs.into_iter().for_each(|run| self.shared.options.changes.notify(run)),
                    Err(error) => {
                        tracing::warn!(error = with_causes(&error), "cannot do what is due by time");
                    }
                }
            }
            Finished::StraysEnded(result) => {
                self.is_ending_strays = false;
                if let Err(error) = result {
                    tracing::warn!(error = with_causes(&error), "cannot look for processes of lost runs");
                }
            }
            Finished::Watched(result) => {
                self.is_watching = false;
                match result {
                    Ok(are_followed) => self.may_watch |= are_followed,
                    Err(error) => {
                        self.may_watch = true;
                        tracing::warn!(error = with_causes(&error), "cannot follow the metrics of trials");
                    }
                }
            }
            Finished::Looked(result) => {
                self.is_looking = false;
                if let Err(error) = result {
                    tracing::warn!(error = with_causes(&error), "cannot record what running jobs tracked");
                }
            }
        }
    }

    fn finish_actions(&mut self, actions: Vec<OpenAction>, result: Result<Performed>) {
        let mut ready = Vec::new();
        if actions.first().is_some_and(is_patient) {
            self.turns.ended();
        }
        for action in &actions {
            self.known.remove(&(action.run, action.seq));
            if let Some(mut queue) = self.busy.remove(&action.run)
                && let Some(next) = queue.pop_front()
            {
                self.busy.insert(action.run, queue);
                ready.push(next);
            }
        }
        self.perform(ready);
        match result {
            Ok(performed) => {
                for (action, error) in performed.failed {
                    tracing::warn!(run = %action.run, action = ?action.action, error, "an action failed; it is tried again");
                }
                self.clear(performed.lost);
            }
            Err(error) => {
                tracing::warn!(error = with_causes(&error), "actions could not be performed; they are tried again");
            }
        }
    }

    fn clear(&mut self, lost: Vec<(RunId, Status)>) {
        for (run, status) in lost {
            if self.clearing.insert(run) {
                tracing::warn!(%run, attempt = status.attempt, "the supervisor of a run is gone without a verdict");
                let shared = self.shared.clone();
                self.workers.spawn(async move { Finished::Cleared(run, clear_lost(&shared, run, &status).await) });
            }
        }
    }

    fn clean(&mut self, runs: Vec<RunId>) {
        if !runs.is_empty() {
            let shared = self.shared.clone();
            self.workers.spawn(async move { Finished::Cleaned(clean::clean(&shared, runs).await) });
        }
    }

    /// Looks at everything again.
    async fn scan(&mut self) {
        let clock = self.shared.options.clock;
        if let Err(error) = self.shared.store.write(move |tx| pipelines::advance::advance_all(tx, clock())).await {
            tracing::warn!(error = with_causes(&error), "cannot look after pipelines");
        }
        self.last_action = 0;
        self.take_new().await;
        let passed = self.timers.take_passed((self.shared.options.clock)());
        self.start_due(passed);
        let server = self.shared.options.server;
        let attempts = match self.shared.store.read(move |tx| runs::live_attempts(tx, server)).await {
            Ok(attempts) => attempts,
            Err(error) => return tracing::warn!(error = with_causes(&error), "cannot read which runs are active"),
        };
        let active: Vec<RunId> = attempts.iter().map(|live| live.run).collect();
        self.woken.extend(active.iter().filter(|run| !self.busy.contains_key(run)));
        let watched = self.shared.executor.as_ref().map(ProcessExecutor::watched_runs).unwrap_or_default();
        let held: HashSet<RunId> = active.iter().copied().collect();
        self.end_strays(watched.into_iter().filter(|run| !held.contains(run)).collect());
        if self.looked_at.elapsed() >= SIDECAR && !self.is_looking {
            self.looked_at = Instant::now();
            self.is_looking = true;
            let shared = self.shared.clone();
            self.workers.spawn(async move { Finished::Looked(sidecar::pass(&shared, active).await) });
        }
        if self.swept_at.is_none_or(|at| at.elapsed() >= SWEEP) {
            self.swept_at = Some(Instant::now());
            let with_scratch = clean::with_scratch(&self.shared);
            self.end_strays(with_scratch.clone());
            self.clean(with_scratch);
        }
    }
}
