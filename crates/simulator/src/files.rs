//! The folders of runs: what their processes print there, and that it is found as long as somebody needs it.

use std::collections::BTreeMap;
use std::io;

use polyaxon_artifacts::layout::Layout;
use polyaxon_artifacts::logs::{self, Cursor, Stamp, Stream, TaskLog};
use polyaxon_engine::state::Action;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::LiveState;
use polyaxon_model::status::Status;

use crate::clock;
use crate::mirror::{Before, Mirror, Run};
use crate::random::Random;

/// The task that processes of runs are.
const TASK: &str = "main";

#[derive(Debug)]
pub(crate) struct Files {
    layout: Layout,
    /// What the processes of each run have printed, one after the other.
    printed: BTreeMap<RunId, Vec<String>>,
    /// The logs of the processes that were started last.
    open: BTreeMap<RunId, Open>,
}

#[derive(Debug)]
struct Open {
    attempt: u32,
    stamp: Stamp,
    log: TaskLog,
}

impl Files {
    pub(crate) fn new(layout: &Layout) -> Files {
        Files { layout: layout.clone(), printed: BTreeMap::new(), open: BTreeMap::new() }
    }

    /// A process is started; it goes on with the log of earlier ones, which may have been killed while they wrote.
    pub(crate) fn begin(&mut self, run: RunId, attempt: u32) -> io::Result<()> {
        let folder = self.layout.logs(run);
        let mut stamp = Stamp::after_existing(&folder);
        let log = TaskLog::open(&folder, TASK, &mut stamp, now_us())?;
        self.open.insert(run, Open { attempt, stamp, log });
        self.printed.entry(run).or_default();
        Ok(())
    }

    /// A process prints a line, in two pieces. Nobody listens to one that was given up.
    pub(crate) fn print(&mut self, run: RunId, attempt: u32, random: &mut Random) {
        let Some(open) = self.open.get_mut(&run).filter(|open| open.attempt == attempt) else { return };
        let Some(printed) = self.printed.get_mut(&run) else { return };
        let line = format!("line {} of attempt {attempt}", printed.len());
        let (first, second) = line.split_at(random.below(line.len() as u64) as usize);
        for piece in [first, second, "\n"] {
            open.log.append(Stream::Stdout, piece.as_bytes(), &mut open.stamp, now_us());
        }
        printed.push(line);
    }

    /// Checks the folders of the runs that a step touched.
    pub(crate) fn check(&mut self, mirror: &Mirror, before: &Before) -> Result<(), String> {
        for (id, old) in before {
            let Some(run) = mirror.runs.get(id) else {
                self.forget(old.as_ref());
                continue;
            };
            let is_heir = run.status == Status::Succeeded && run.reuses.is_none();
            let source = old.as_ref().filter(|old| is_heir && old.status == run.status).and_then(|old| old.reuses);
            if let Some(source) = source.and_then(|id| mirror.runs.get(&id)) {
                // It has taken over what the run whose result it reused had printed.
                if let Some(printed) = self.printed.get(&source.uuid).cloned() {
                    self.printed.insert(run.uuid, printed);
                }
            }
            self.folder(mirror, run)?;
        }
        Ok(())
    }

    /// 9, 11: what is not being deleted has its folder, or that of the run whose result it has.
    pub(crate) fn check_folders(&self, mirror: &Mirror) -> Result<(), String> {
        mirror.runs.values().try_for_each(|run| self.folder(mirror, run))
    }

    /// 10: there is every line that was printed, once and in order.
    pub(crate) fn check_logs(&self, mirror: &Mirror) -> Result<(), String> {
        let kept = self.printed.iter().filter(|(run, _)| mirror.run(**run).is_some_and(is_settled));
        for (run, printed) in kept.filter(|(run, _)| self.has_folder(**run)) {
            let page = logs::page(&self.layout.logs(*run), *run, Cursor::START);
            let page = page.map_err(|error| format!("the logs of run {run} cannot be read: {error}"))?;
            if !page.lines.iter().map(|line| &line.value).eq(printed) {
                return Err(format!("run {run} printed {printed:?}, and its log is {:?}", page.lines));
            }
        }
        Ok(())
    }

    fn folder(&self, mirror: &Mirror, run: &Run) -> Result<(), String> {
        let holder = match run.reuses.filter(|_| run.status == Status::Succeeded) {
            Some(id) => mirror.runs.get(&id),
            None => Some(run),
        };
        // From one that is being deleted the files go to an heir.
        let holder = holder.filter(|holder| is_kept(run) && is_settled(holder));
        let Some(holder) = holder.map(|holder| holder.uuid) else { return Ok(()) };
        if self.printed.contains_key(&holder) && !self.has_folder(holder) {
            return Err(format!("run {} needs the folder of run {holder}, which is gone\n{run:?}", run.uuid));
        }
        Ok(())
    }

    fn has_folder(&self, run: RunId) -> bool {
        self.layout.artifacts(run).is_dir()
    }

    fn forget(&mut self, run: Option<&Run>) {
        if let Some(run) = run {
            self.printed.remove(&run.uuid);
            self.open.remove(&run.uuid);
        }
    }
}

fn is_kept(run: &Run) -> bool {
    run.live_state != LiveState::Deleting
}

/// Whether its files stay where they are, and no others are still to come.
fn is_settled(run: &Run) -> bool {
    is_kept(run) && !run.has(|action| matches!(action, Action::TakeOver { .. }))
}

fn now_us() -> u64 {
    u64::try_from(clock::now().as_micros()).unwrap_or(0)
}
