//! Event scripts: the only caller of the engine in these tests.
//!
//! A script is words; each word is one event, one second after the last (`+600` lets time pass).

use polyaxon_engine::lifecycle::{begin, decide};
use polyaxon_engine::state::{
    Action, Birth, Compiled, Decision, Ending, Event, Exit, Force, HistoryChange, Phase, Place, RunState,
};
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::kinds::{ManagedBy, Pending, RunKind};
use polyaxon_model::time::Timestamp;
use std::time::Duration;

/// How a run is born and compiled.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) kind: RunKind,
    pub(crate) managed_by: ManagedBy,
    pub(crate) pending: Option<Pending>,
    pub(crate) requires_approval: bool,
    pub(crate) max_retries: u32,
    pub(crate) timeout: Option<u64>,
    pub(crate) place: Place,
}

pub(crate) const JOB: Setting = Setting {
    kind: RunKind::Job,
    managed_by: ManagedBy::Agent,
    pending: None,
    requires_approval: false,
    max_retries: 0,
    timeout: None,
    place: Place::Independent,
};

pub(crate) struct Life {
    setting: Setting,
    pub(crate) run: RunState,
    pub(crate) now: Timestamp,
    start: Timestamp,
    pub(crate) history: Vec<StatusCondition>,
}

impl Life {
    pub(crate) fn begin(setting: &Setting) -> (Life, Decision) {
        let start: Timestamp = "2026-11-22T00:00:00Z".parse().unwrap();
        let birth = Birth {
            kind: setting.kind,
            managed_by: setting.managed_by,
            pending: setting.pending,
            requires_approval: setting.requires_approval,
            place: setting.place,
        };
        let decision = begin(&birth, start);
        let mut life =
            Life { setting: setting.clone(), run: decision.next.clone(), now: start, start, history: Vec::new() };
        life.remember(&decision);
        (life, decision)
    }

    pub(crate) fn step(&mut self, event: &Event) -> Decision {
        let decision = decide(&self.run, event, self.now);
        self.run = decision.next.clone();
        self.remember(&decision);
        decision
    }

    fn remember(&mut self, decision: &Decision) {
        for change in &decision.history {
            match change {
                HistoryChange::Append(condition) => self.history.push(condition.clone()),
                HistoryChange::ReplaceLast(condition) => *self.history.last_mut().unwrap() = condition.clone(),
            }
        }
    }

    pub(crate) fn event(&self, word: &str) -> Event {
        let attempt = self.run.control.attempt;
        let exit = |exit| Event::Observed { attempt, phase: Phase::Exited(exit) };
        let (word, detail) = word.split_once(':').unwrap_or((word, ""));
        match word {
            "compiled" => Event::Compiled(Compiled {
                requires_approval: self.setting.requires_approval,
                max_retries: self.setting.max_retries,
                timeout: self.setting.timeout.map(Duration::from_secs),
                has_hooks: false,
            }),
            "cache-awaited" => Event::CacheAwaited,
            "invalid" => Event::CompileFailed { message: "params.lr: expected a number".to_owned() },
            "conditions-false" => {
                Event::ConditionsFalse { condition: "{{ x }}".to_owned(), values: Default::default() }
            }
            "admitted" => Event::Admitted,
            "starting" => Event::Observed { attempt, phase: Phase::Starting },
            "running" => Event::Observed { attempt, phase: Phase::Running },
            "warning" => Event::Observed {
                attempt,
                phase: Phase::Warning { reason: "Slow".to_owned(), message: "no progress".to_owned() },
            },
            "exit" if detail == "0" => exit(Exit::Succeeded),
            "exit" => exit(Exit::Failed {
                reason: "ExitCode".to_owned(),
                message: format!("the process exited with code {detail}"),
                exit_code: detail.parse().ok(),
            }),
            "rejected" => {
                exit(Exit::Rejected { reason: "NoProgram".to_owned(), message: "no such program".to_owned() })
            }
            "timed-out" => exit(Exit::DeadlineExceeded),
            "gone" => exit(Exit::Stopped),
            "old-exit" => Event::Observed { attempt: attempt.wrapping_sub(1), phase: Phase::Exited(Exit::Succeeded) },
            "lost" => Event::Observed { attempt, phase: Phase::Lost },
            "stop" => Event::StopRequested,
            "skip" => Event::SkipRequested,
            "approve" => Event::Approved,
            "resume" => Event::ResumeRequested,
            "archive" => Event::ArchiveRequested,
            "restore" => Event::RestoreRequested,
            "delete" => Event::DeleteRequested,
            "woke" => Event::Woke,
            "released" => Event::Released,
            "enqueued" => Event::Enqueued,
            "expanded" => Event::Expanded,
            "empty" => Event::ExpansionFailed { message: "matrix: no rows".to_owned() },
            "concluded" => Event::Concluded(ending(detail)),
            "early" => Event::StoppedEarly(ending(detail)),
            "pruned" => Event::Pruned { message: "At step 4 it was 3.".to_owned() },
            "reopened" => Event::Reopened,
            "reset" => Event::Reset,
            "post" => Event::Posted { condition: self.posted(detail), force: Force::No },
            "force" => Event::Posted { condition: self.posted(detail), force: Force::Yes },
            other => panic!("no such event: {other}"),
        }
    }

    fn posted(&self, status: &str) -> StatusCondition {
        StatusCondition::new(status.parse().unwrap(), "Test", "posted", self.now)
    }

    fn describe(&self, word: &str, decision: &Decision) -> String {
        let pending = self.run.pending.map_or(String::new(), |gate| format!(" ({gate})"));
        let actions: Vec<String> = decision.actions.iter().map(|action| self.action(action)).collect();
        format!("{word:<12} -> {}{pending} [{}]\n", self.run.status, actions.join(", "))
    }

    fn action(&self, action: &Action) -> String {
        match action {
            Action::Compile => "compile".to_owned(),
            Action::Launch { attempt } => format!("launch {attempt}"),
            Action::Stop { attempt } => format!("stop {attempt}"),
            Action::Wake { at } => format!("wake at {}", at.seconds_since(self.start)),
            Action::Expand => "expand".to_owned(),
            Action::Cascade { verb } => format!("cascade {}", serde_json::to_value(verb).unwrap().as_str().unwrap()),
            Action::Tick => "tick".to_owned(),
            Action::Tell => "tell".to_owned(),
            Action::React { life } => format!("react {life}"),
            Action::Hooks { life } => format!("hooks of life {life}"),
            Action::TakeOver { from } => format!("take over from {from}"),
            Action::Delete { at } => format!("delete at {}", at.seconds_since(self.start)),
        }
    }
}

fn ending(status: &str) -> Ending {
    Ending { status: status.parse().unwrap(), reason: "Flow".to_owned(), message: "concluded".to_owned() }
}

/// Plays a script and compares what was decided, word by word.
#[track_caller]
pub(crate) fn check(setting: &Setting, script: &str, expected: impl snapbox::IntoData) -> Life {
    let (mut life, born) = Life::begin(setting);
    let mut log = life.describe("created", &born);
    for word in script.split_whitespace() {
        if let Some(seconds) = word.strip_prefix('+') {
            life.now = life.now.plus(Duration::from_secs(seconds.parse().unwrap()));
            continue;
        }
        life.now = life.now.plus(Duration::from_secs(1));
        let event = life.event(word);
        let decision = life.step(&event);
        log += &life.describe(word, &decision);
    }
    snapbox::assert_data_eq!(log, expected);
    life
}

/// The history as `status reason: message` lines.
pub(crate) fn told(life: &Life) -> String {
    let line = |condition: &StatusCondition| {
        let meta = condition
            .meta_info
            .as_ref()
            .map_or(String::new(), |meta| format!(" {}", serde_json::to_string(meta).unwrap()));
        let (reason, message) = (condition.reason.as_deref(), condition.message.as_deref());
        format!("{} {}: {}{meta}\n", condition.status, reason.unwrap_or("-"), message.unwrap_or("-"))
    };
    life.history.iter().map(line).collect()
}
