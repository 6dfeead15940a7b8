//! The state of one run as the engine sees it, what can happen to it, and what a decision consists of.
//!
//! Must not know how any of it is stored: [`Control`] is one opaque JSON value for the store.

use std::time::Duration;

use polyaxon_model::JsonMap;
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::{LiveState, ManagedBy, Pending, RunKind};
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Everything that decisions about a run depend on.
#[derive(Clone, Debug, PartialEq)]
pub struct RunState {
    pub kind: RunKind,
    pub managed_by: ManagedBy,
    pub status: Status,
    pub pending: Option<Pending>,
    pub live_state: LiveState,
    pub last_condition: Option<StatusCondition>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The last sign of life of a run that tells its statuses itself; none when it never gave one.
    pub beat_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub wait_time: Option<f64>,
    pub duration: Option<f64>,
    pub control: Control,
}

/// What only the engine needs to remember of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Control {
    /// Number of the last launch. It grows over retries and resumes and is never used twice.
    pub attempt: u32,
    /// Whether the last launch has not been seen to end.
    pub is_attempt_live: bool,
    /// Whether a `Compile` action is under way.
    pub is_compiling: bool,
    /// Failed attempts since the creation or the last resume.
    pub failures: u32,
    pub max_retries: u32,
    /// Greatest time from the first start of a life to its end.
    pub timeout_seconds: Option<u64>,
    /// The operation says `isApproved: false`.
    pub requires_approval: bool,
    pub is_approved: bool,
    /// No other run shall reuse the result of this life.
    pub is_invalidated: bool,
    /// Work of the lives before the last resume.
    pub active_seconds: f64,
    /// When the current life started to work.
    pub active_since: Option<Timestamp>,
    pub retry_at: Option<Timestamp>,
    /// The one `Wake` that is outstanding.
    pub wake_at: Option<Timestamp>,
    /// How long a run that gives signs of life may be silent.
    pub silence_seconds: Option<u64>,
    /// How a run that is being stopped will end, when not as `stopped`.
    pub ending: Option<Ending>,
    pub place: Place,
    /// Its pipeline has not let it begin.
    pub is_held: bool,
    /// Something outside of pipelines follows its end.
    pub has_followers: bool,
    /// Others wait for something to happen to it.
    pub has_listeners: bool,
    /// It was held and let go: what it waited for before it began is over for good.
    pub was_released: bool,
    /// It looks for no equal run: it was approved while it waited for one, or it was asked to run again.
    pub runs_anyway: bool,
    /// Whether hooks or notifications follow its end; none as long as it was not compiled.
    pub has_hooks: Option<bool>,
    /// How often it was resumed. What follows an end belongs to one life.
    pub life: u32,
}

/// Where a run stands among others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    #[default]
    Independent,
    /// In a dag or a matrix, which lets it begin and queue.
    Child,
    /// Of a schedule, not before this time.
    Tick { at: Timestamp },
}

/// The final status that waits for the last process to be gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    pub status: Status,
    pub reason: String,
    pub message: String,
}

/// What is known of a run when it is created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Birth {
    pub kind: RunKind,
    pub managed_by: ManagedBy,
    pub pending: Option<Pending>,
    /// The operation says `isApproved: false`.
    pub requires_approval: bool,
    pub place: Place,
}

impl Birth {
    /// Whether the run waits for its pipeline or its time. What the command line executes it lets begin by itself.
    pub fn is_held(&self) -> bool {
        match self.place {
            Place::Independent => false,
            Place::Child => self.managed_by == ManagedBy::Agent,
            Place::Tick { .. } => true,
        }
    }
}

/// Something happened to a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A client, a tracked job or an external agent reports a status.
    Posted {
        condition: StatusCondition,
        force: Force,
    },
    /// The `Compile` action succeeded.
    Compiled(Compiled),
    /// The `Compile` action found the operation to be wrong; the text says why, without a prefix.
    CompileFailed {
        message: String,
    },
    /// The `Compile` action found the operation's `conditions` to be false.
    ConditionsFalse {
        /// The conditions as they were written.
        condition: String,
        /// What the names in them stood for.
        values: JsonMap,
    },
    /// An equal run has the result.
    CacheHit,
    /// An equal run is about to have the result.
    CacheAwaited,
    /// The equal run that was waited for ended without one.
    CacheLost,
    /// Another run is about to make the image of the run.
    BuildAwaited,
    /// The image of the run was made.
    Built,
    /// No run waits for the image that the run makes.
    Unneeded,
    /// Something outside of pipelines waits for the end of the run.
    Followed,
    /// Others wait for something to happen to the run.
    Watched,
    /// The run begins when something happens to another one.
    Listening,
    /// Admission gave the run a slot.
    Admitted,
    /// The run can never get a slot as things are; the text says why.
    Unschedulable {
        message: String,
    },
    /// Things are different, and the run can get a slot again.
    Reconsidered,
    /// The executor saw something of an attempt. Attempts other than the last are ignored.
    Observed {
        attempt: u32,
        phase: Phase,
    },
    StopRequested,
    SkipRequested,
    Approved,
    /// No other run shall reuse its result.
    Invalidated,
    /// The run's content was replaced and it shall run again.
    ResumeRequested,
    ArchiveRequested,
    RestoreRequested,
    DeleteRequested,
    /// A `Wake` came due.
    Woke,
    /// A sign of life of a run that nobody here watches, and how long it may be silent from now on.
    Beat {
        silence: Duration,
    },
    /// The executor that holds the run is gone; the text says which.
    ExecutorLost {
        loss: Loss,
        message: String,
    },
    /// Its pipeline lets the run begin.
    Released,
    /// The limits of all pipelines around the run let it wait for a slot.
    Enqueued,
    /// The first children of the pipeline exist.
    Expanded,
    /// The pipeline cannot have children; the text says why.
    ExpansionFailed {
        message: String,
    },
    /// Those around or below the run say how it ends.
    Concluded(Ending),
    /// The pipeline ends before its time, and this is how.
    StoppedEarly(Ending),
    /// Others of the pipeline do better; the text says by how much.
    Pruned {
        message: String,
    },
    /// A child goes on, so the pipeline does.
    Reopened,
    /// The pipeline goes on, and the run shall wait for its turn again.
    Reset,
}

/// Whether a posted status may leave a final one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Force {
    #[default]
    No,
    Yes,
}

/// What is taken from an executor that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// What it was given and had not begun: it goes back to the queue.
    Waiting,
    /// Also what it had begun: nobody knows what becomes of it.
    Everything,
}

/// What compilation tells about how the run may end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compiled {
    pub requires_approval: bool,
    pub max_retries: u32,
    pub timeout: Option<Duration>,
    /// Hooks or notifications follow the end of the run.
    pub has_hooks: bool,
}

/// What an executor can see of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It exists; init steps may be running.
    Starting,
    /// The main program runs.
    Running,
    /// It exists but makes no progress.
    Warning {
        reason: String,
        message: String,
    },
    Exited(Exit),
    /// It was launched and is nowhere to be found.
    Lost,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    Succeeded,
    /// Ended badly; tried again when retries are left.
    Failed {
        reason: String,
        message: String,
        exit_code: Option<i32>,
    },
    /// Could not be started for a reason that another attempt would meet again.
    Rejected {
        reason: String,
        message: String,
    },
    /// The executor itself ended it because its time was over.
    DeadlineExceeded,
    /// Ended because it was told to.
    Stopped,
}

/// What must be done about a decision. Every action may be performed more than once with the same effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// Resolve the operation, then report `Compiled`, `CompileFailed` or `ConditionsFalse`.
    Compile,
    /// Start this attempt, unless an attempt of this number was started before.
    Launch { attempt: u32 },
    /// End this attempt and report `Exited`, with `Stopped` when there is nothing (left) to end.
    Stop { attempt: u32 },
    /// Report `Woke` at this time.
    Wake { at: Timestamp },
    /// Remove the run's folder, or leave it to a run that reused the result, not before this time; the record stays until
    /// the purge.
    Delete { at: Timestamp },
    /// Move the artifacts of a deleted run, whose result this one reused, into its own folder.
    TakeOver { from: RunId },
    /// Create the next children of the pipeline, then report `Expanded`.
    Expand,
    /// Do to the children what was done to the pipeline.
    Cascade { verb: Verb },
    /// Tell the schedule that this tick came due.
    Tick,
    /// Do what follows the end of this life: downstream operations, the pipeline, equal runs that wait.
    React { life: u32 },
    /// Start the hooks and ask for the notifications that follow the end of this life.
    Hooks { life: u32 },
    /// Start those that waited for what has happened to the run.
    Tell,
}

/// What a pipeline passes on to its children.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    Stop,
    Archive,
    Restore,
    Delete,
}

/// What happens to the status history.
#[derive(Clone, Debug, PartialEq)]
pub enum HistoryChange {
    Append(StatusCondition),
    /// The last condition is repeated with fresher words and times.
    ReplaceLast(StatusCondition),
}

/// What to persist and what to do, in one value.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    pub next: RunState,
    pub history: Vec<HistoryChange>,
    pub actions: Vec<Action>,
}

impl Decision {
    /// What follows when another event comes after it.
    pub fn then(mut self, event: &Event, now: Timestamp) -> Decision {
        let Decision { next, history, actions } = crate::lifecycle::decide(&self.next, event, now);
        self.next = next;
        self.history.extend(history);
        self.actions.extend(actions);
        self
    }
}

impl RunState {
    /// Whether an action that was decided earlier still makes sense.
    ///
    /// The driver asks before it performs one; the store closes those that a decision made pointless.
    pub fn wants(&self, action: &Action) -> bool {
        match action {
            Action::Compile => self.control.is_compiling && self.status.is_compilable(),
            Action::Launch { attempt } => {
                self.status == Status::Scheduled && self.control.is_attempt_live && self.control.attempt == *attempt
            }
            Action::Stop { .. } => true,
            Action::Wake { at } => self.control.wake_at == Some(*at),
            Action::Delete { .. } => self.live_state == LiveState::Deleting,
            Action::Expand => self.kind.is_pipeline() && !self.status.is_done_or_stopping(),
            Action::Cascade { verb: Verb::Stop } => self.status.is_done_or_stopping(),
            Action::Cascade { .. } | Action::Tick | Action::Tell | Action::TakeOver { .. } => true,
            Action::React { life } | Action::Hooks { life } => self.status.is_done() && self.control.life == *life,
        }
    }

    /// Whether something follows its end.
    pub fn has_followers(&self) -> bool {
        let control = &self.control;
        let is_followed = control.has_followers || control.has_listeners;
        self.kind.is_pipeline() || is_followed || control.place != Place::Independent
    }
}
