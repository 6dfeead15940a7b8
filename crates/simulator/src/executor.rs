//! Processes that are only numbers, and the messages about them, which arrive late, twice and in any order.

use std::collections::BTreeMap;

use polyaxon_engine::state::{Event, Exit, Phase};
use polyaxon_model::ids::RunId;

use crate::random::Random;

/// Something that an observer will tell.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) run: RunId,
    pub(crate) event: Event,
}

#[derive(Clone, Debug)]
struct Process {
    attempt: u32,
    phase: Phase,
    /// It works until somebody stops it.
    is_endless: bool,
}

/// The processes of one machine. They live on when the server dies.
#[derive(Debug, Default)]
pub(crate) struct Executor {
    /// The last process of each run.
    processes: BTreeMap<RunId, Process>,
    pub(crate) messages: Vec<Message>,
}

/// Whether a process was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Launch {
    Started,
    /// It was started before.
    Repeated,
    /// An earlier attempt of the run is still there.
    Busy(u32),
}

fn is_live(process: &Process) -> bool {
    !matches!(process.phase, Phase::Exited(_) | Phase::Lost)
}

impl Executor {
    /// Starts an attempt, unless it was started before.
    pub(crate) fn launch(&mut self, run: RunId, attempt: u32, is_endless: bool) -> Launch {
        match self.processes.get(&run) {
            Some(process) if process.attempt >= attempt => Launch::Repeated,
            Some(process) if is_live(process) => Launch::Busy(process.attempt),
            _ => {
                self.processes.insert(run, Process { attempt, phase: Phase::Starting, is_endless });
                Launch::Started
            }
        }
    }

    /// Ends an attempt. False when there is nothing to end.
    pub(crate) fn stop(&mut self, run: RunId, attempt: u32) -> bool {
        match self.processes.get_mut(&run) {
            Some(process) if process.attempt == attempt && is_live(process) => {
                process.phase = Phase::Exited(Exit::Stopped);
                self.tell(run);
                true
            }
            _ => false,
        }
    }

    /// Lets one process go on. Answers whose it is, and which attempt.
    pub(crate) fn advance(&mut self, random: &mut Random) -> Option<(RunId, u32)> {
        let live: Vec<(RunId, u32)> = self.live().collect();
        let (run, attempt) = random.pick(&live)?;
        let process = self.processes.get_mut(&run)?;
        process.phase = match process.phase {
            Phase::Starting => Phase::Running,
            _ if random.once_in(50) => Phase::Lost,
            _ if process.is_endless => {
                let warns = random.once_in(3);
                let (reason, message) = ("Stuck".to_owned(), "no progress".to_owned());
                if warns { Phase::Warning { reason, message } } else { Phase::Running }
            }
            _ if random.once_in(5) => Phase::Exited(Exit::Failed {
                reason: "Error".to_owned(),
                message: "the process exited with code 1".to_owned(),
                exit_code: Some(1),
            }),
            _ => Phase::Exited(Exit::Succeeded),
        };
        self.tell(run);
        Some((run, attempt))
    }

    fn tell(&mut self, run: RunId) {
        if let Some(Process { attempt, phase, .. }) = self.processes.get(&run).cloned() {
            self.messages.push(Message { run, event: Event::Observed { attempt, phase } });
        }
    }

    /// A message in any order; some are told again later.
    pub(crate) fn take_message(&mut self, random: &mut Random) -> Option<Message> {
        if self.messages.is_empty() {
            return None;
        }
        let place = random.below(self.messages.len() as u64) as usize;
        if random.once_in(5) { self.messages.get(place).cloned() } else { Some(self.messages.swap_remove(place)) }
    }

    /// What a server finds when it starts: it looks at every process again.
    pub(crate) fn look_again(&mut self) {
        self.messages.clear();
        for run in self.processes.keys().copied().collect::<Vec<_>>() {
            self.tell(run);
        }
    }

    /// Tells again what became of a process, for a server that looks at a run by itself.
    pub(crate) fn look_at(&mut self, run: RunId, attempt: u32, is_launching: bool) {
        if self.processes.get(&run).is_none_or(|process| process.attempt < attempt) && !is_launching {
            // Its end was told before it was started.
            self.messages.push(Message { run, event: Event::Observed { attempt, phase: Phase::Lost } });
        }
        self.tell(run);
    }

    /// Runs with a process that has not ended.
    pub(crate) fn live(&self) -> impl Iterator<Item = (RunId, u32)> + '_ {
        let live = self.processes.iter().filter(|(_, process)| is_live(process));
        live.map(|(run, process)| (*run, process.attempt))
    }
}
