//! Why a run waits, was skipped, failed or was reused, in plain words, and what can be done about it.
//!
//! Invariant: says nothing that was not recorded; a fact that is missing is called "not recorded". Must not know where
//! the facts come from.

mod aftermath;
mod ended;
#[cfg(test)]
mod tests;
mod waiting;

use polyaxon_model::condition::StatusCondition;
use polyaxon_model::explanation::{Explanation, Reason};
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::{RunKind, Trigger};
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;

pub use aftermath::Untold;

use crate::flow::metrics::Report;
use crate::state::RunState;

/// What is known of a run and those around it.
#[derive(Clone, Debug)]
pub struct Facts {
    pub uuid: RunId,
    pub name: Option<String>,
    pub run: RunState,
    /// The conditions, oldest first.
    pub history: Vec<StatusCondition>,
    pub pipeline: Option<Pipeline>,
    pub turn: Option<Turn>,
    /// The runs that something has to happen to before it begins.
    pub awaited: Vec<Awaited>,
    /// The run that makes its image, or was to make it.
    pub build: Option<Build>,
    /// Why a queued run is not given a slot; none when nobody could say.
    pub queue: Option<Queue>,
    /// How the children of a pipeline stand.
    pub children: Option<Children>,
    pub original: Option<Original>,
    /// Hooks that could not be started, with why.
    pub hook_problems: Vec<String>,
    /// Notifications that were not sent.
    pub untold: Vec<Untold>,
    /// The last lines of the log; none when they were not looked for.
    pub log: Option<Vec<String>>,
}

/// The pipeline around a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    pub name: String,
    pub kind: RunKind,
    pub status: Status,
    /// How many of its runs may be active at a time.
    pub limit: Option<u64>,
    pub active: u64,
    /// Some of those that are active.
    pub running: Vec<String>,
}

/// The place of an operation in its dag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    pub trigger: Trigger,
    pub upstream: Vec<(String, Status)>,
    /// The first of these that ended badly.
    pub culprit: Option<RunId>,
}

/// A run that another one listens to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awaited {
    pub run: String,
    pub status: Status,
    /// What would start the other, in the words of `events`.
    pub kinds: String,
}

/// The run that makes the image of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    pub uuid: RunId,
    pub name: Option<String>,
    pub status: Status,
    /// When it came to this status.
    pub since: Timestamp,
}

/// Where a run waits for a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Runs that come before it.
    pub ahead: u64,
    /// A sentence about the limit that holds it back.
    pub limit: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Children {
    pub counts: Vec<(Status, u64)>,
    /// Some that failed, with why.
    pub failed: Vec<(String, String)>,
    /// The first of these.
    pub culprit: Option<RunId>,
    /// When the next run of a schedule begins.
    pub next: Option<Timestamp>,
    /// What the trials of a search reported of the metrics that it looks at.
    pub reports: Vec<Report>,
}

/// The run that this one was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    pub uuid: RunId,
    pub name: Option<String>,
    /// Whether its results are this run's.
    pub is_reused: bool,
}

/// Puts the facts into words.
pub fn explain(facts: &Facts, now: Timestamp) -> Explanation {
    let mut words = Words::default();
    match facts.run.status {
        _ if facts.run.pending.is_some() && !facts.run.status.is_done() => waiting::gate(facts, now, &mut words),
        Status::Created | Status::OnSchedule | Status::Resuming | Status::Compiled => waiting::turn(facts, &mut words),
        Status::Queued => waiting::slot(facts, &mut words),
        Status::Retrying => waiting::retry(facts, now, &mut words),
        Status::Failed => ended::failed(facts, &mut words),
        Status::UpstreamFailed => ended::upstream_failed(facts, now, &mut words),
        Status::Skipped => ended::skipped(facts, &mut words),
        Status::Stopped | Status::Stopping => ended::stopped(facts, &mut words),
        Status::Succeeded => ended::succeeded(facts, &mut words),
        _ => waiting::active(facts, now, &mut words),
    }
    aftermath::aftermath(facts, &mut words);
    Explanation {
        uuid: facts.uuid,
        name: facts.name.clone(),
        status: facts.run.status,
        summary: words.summary,
        reasons: words.reasons,
        log: if words.shows_log { facts.log.clone().unwrap_or_default() } else { Vec::new() },
        next: words.next,
    }
}

/// An explanation in the making.
#[derive(Default)]
struct Words {
    summary: String,
    reasons: Vec<Reason>,
    next: Vec<String>,
    shows_log: bool,
}

impl Words {
    fn sum_up(&mut self, text: impl Into<String>) {
        self.summary = text.into();
    }

    fn because(&mut self, code: &str, text: impl Into<String>) {
        self.reasons.push(Reason { code: code.to_owned(), text: text.into() });
    }

    fn advise(&mut self, text: impl Into<String>) {
        self.next.push(text.into());
    }
}

impl Build {
    /// ``The build `kaniko` (0123abcd) is running (for 3 min).``
    fn told(&self, now: Timestamp) -> String {
        let name = self.name.as_deref().unwrap_or("without a name");
        let time = lasting(now.seconds_since(self.since));
        format!("The build `{name}` ({}) is {} (for {time}).", short(Some(self.uuid)), self.status)
    }
}

impl Facts {
    /// The newest condition of the present status.
    fn last(&self) -> Option<&StatusCondition> {
        self.history.iter().rev().find(|condition| condition.status == self.run.status)
    }

    fn reason(&self) -> &str {
        self.last().and_then(|last| last.reason.as_deref()).unwrap_or_default()
    }

    fn message(&self) -> &str {
        match self.last().and_then(|last| last.message.as_deref()) {
            Some(message) if !message.is_empty() => message,
            _ => "the reason was not recorded",
        }
    }

    /// The run as an argument of commands.
    fn short(&self) -> String {
        short(Some(self.uuid))
    }

    /// Upstream operations with the statuses that a test selects: `a (failed), b (running)`.
    fn upstream(&self, test: impl Fn(Status) -> bool) -> String {
        let upstream = self.turn.iter().flat_map(|turn| &turn.upstream).filter(|(_, status)| test(*status));
        named(upstream.map(|(name, status)| format!("`{name}` ({status})")))
    }
}

/// A time as people say it.
fn lasting(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A recorded message as a sentence.
fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    let end = if message.ends_with(['.', '!', '?', ')']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

/// A run as an argument of commands; `RUN` for one that is not known.
fn short(run: Option<RunId>) -> String {
    run.map_or_else(|| "RUN".to_owned(), |run| run.to_hex()[..8].to_owned())
}

/// Names in one line; many are cut short.
fn named(names: impl Iterator<Item = String>) -> String {
    const MOST: usize = 8;
    let all: Vec<String> = names.collect();
    match all.len().checked_sub(MOST) {
        Some(more @ 1..) => format!("{} and {more} more", all[..MOST].join(", ")),
        _ => all.join(", "),
    }
}

fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
