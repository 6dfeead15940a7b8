//! When something that happens to a run starts an operation, and when that cannot come about any more.
//!
//! An event starts the operation at once, whatever else it waits for. As long as one can still happen, the ends of
//! other operations start nothing; after that the operation follows its trigger, if it waits for any ends.

use polyaxon_model::event::EventKind;
use polyaxon_model::kinds::Trigger;
use polyaxon_model::status::Status;

use super::trigger::{self, OnSkip, Upstreams, Verdict};

/// The reason of an end that came because no event can happen any more.
pub const LOST: &str = "EventsNotHappened";

/// What has happened to a run since it was created or last resumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    pub statuses: Vec<Status>,
    /// What happened beside them.
    pub others: Vec<EventKind>,
}

/// How an operation stands to the events that it waits for; of several events the greatest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hope {
    /// The runs that it listens to have ended.
    Lost,
    Open,
    Fulfilled,
}

impl Past {
    /// What a run with these statuses, oldest first, has behind it.
    pub fn of(history: &[Status], others: Vec<EventKind>) -> Past {
        let life = history.iter().rposition(|status| *status == Status::Resuming).unwrap_or(0);
        let mut statuses = history[life..].to_vec();
        // A run that is there was created, in whatever life it is.
        statuses.push(Status::Created);
        Past { statuses, others }
    }

    /// Whether one of the kinds has happened, or may happen as long as the run goes on.
    pub fn hope(&self, status: Status, kinds: &[EventKind]) -> Hope {
        let has_happened = |kind: &EventKind| match kind {
            EventKind::Status(Status::Done) => status.is_done(),
            EventKind::Status(awaited) => self.statuses.contains(awaited),
            EventKind::Approved | EventKind::Invalidated | EventKind::NewArtifacts => self.others.contains(kind),
        };
        if kinds.iter().any(has_happened) {
            Hope::Fulfilled
        } else if kinds.is_empty() || status.is_done() {
            Hope::Lost
        } else {
            Hope::Open
        }
    }
}

/// What an operation with events does. `upstreams` are those whose end it waits for; `is_source_skipped` tells whether
/// a run that it only listens to was skipped.
pub fn evaluate(
    hope: Hope,
    trigger: Trigger,
    on_skip: OnSkip,
    upstreams: &Upstreams,
    is_source_skipped: bool,
) -> Verdict {
    let is_skipped = on_skip == OnSkip::Skip && (is_source_skipped || upstreams.skipped > 0);
    match hope {
        Hope::Fulfilled => Verdict::Run,
        _ if is_skipped => Verdict::Skip,
        Hope::Open => Verdict::Wait,
        Hope::Lost if upstreams.total == 0 => Verdict::UpstreamFailed,
        Hope::Lost => trigger::evaluate(trigger, on_skip, upstreams),
    }
}

/// Whether the end of a run is bad for an operation that only listened to it: one that waited for nothing but bad ends
/// was there for them.
pub fn is_bad_source(status: Status, kinds: &[EventKind]) -> bool {
    const BAD: &[Status] = &[Status::Failed, Status::Stopped, Status::UpstreamFailed, Status::Stopping];
    let waits_for_bad = |kind: &EventKind| kind.status().is_some_and(|status| BAD.contains(&status));
    matches!(status, Status::Failed | Status::Stopped) && !kinds.iter().all(waits_for_bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `created running`, with `resuming` where a life begins.
    fn statuses(text: &str) -> Vec<Status> {
        text.split_whitespace().map(|word| word.parse().unwrap()).collect()
    }

    fn kinds(text: &str) -> Vec<EventKind> {
        text.split_whitespace().filter_map(EventKind::read).collect()
    }

    #[test]
    fn events_happen_once_and_as_long_as_the_run_goes_on() {
        use Hope::{Fulfilled, Lost, Open};
        for (history, awaited, expected) in [
            ("created", "run_status_running", Open),
            ("created compiled queued running", "run_status_running", Fulfilled),
            ("created running succeeded", "run_status_running", Fulfilled),
            ("created succeeded", "run_status_running", Lost),
            ("created skipped", "run_status_failed run_status_skipped", Fulfilled),
            ("created running", "run_status_done", Open),
            ("created running failed", "run_status_done", Fulfilled),
            ("created running failed", "run_status_succeeded", Lost),
            ("created", "run_status_created", Fulfilled),
            ("created running failed resuming", "run_status_running", Open),
            ("created running failed resuming", "run_status_failed", Open),
            ("created running failed resuming", "run_status_created run_status_failed", Fulfilled),
            ("created running", "alert_info", Lost),
            ("created running", "run_approved_actor", Open),
        ] {
            let history = statuses(history);
            let hope = Past::of(&history, Vec::new()).hope(*history.last().unwrap(), &kinds(awaited));
            assert_eq!(hope, expected, "{history:?} {awaited}");
        }
        let running = statuses("created running");
        let words = ["run_approved_actor", "run_invalidated_actor", "run_new_artifacts"];
        for happened in words {
            for awaited in words {
                let expected = if happened == awaited { Fulfilled } else { Open };
                let past = Past::of(&running, kinds(happened));
                assert_eq!(past.hope(Status::Running, &kinds(awaited)), expected, "{happened} {awaited}");
            }
        }
    }

    /// The hope, the ends of the others (`-` goes on), and what operations do that stay and that follow skips.
    const TABLE: &str = "\
        yes  .   run  run
        yes  F-  run  run
        yes  K   run  run
        open .   wait wait
        open S   wait wait
        open F   wait wait
        open K-  wait skip
        lost .   UF   UF
        lost -   wait wait
        lost S   run  run
        lost S-  wait wait
        lost F-  UF   UF
        lost K   run  skip";

    #[test]
    fn an_event_comes_before_the_trigger() {
        for line in TABLE.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let hope = match words[0] {
                "yes" => Hope::Fulfilled,
                "open" => Hope::Open,
                _ => Hope::Lost,
            };
            let letters = words[1].trim_matches('.');
            let mut upstreams = Upstreams { total: letters.len() as u64, ..Upstreams::default() };
            for letter in letters.chars() {
                upstreams.count(match letter {
                    'S' => Status::Succeeded,
                    'F' => Status::Failed,
                    'K' => Status::Skipped,
                    _ => Status::Running,
                });
            }
            for (on_skip, expected) in [(OnSkip::GoOn, words[2]), (OnSkip::Skip, words[3])] {
                let word = match evaluate(hope, Trigger::AllSucceeded, on_skip, &upstreams, false) {
                    Verdict::Wait => "wait",
                    Verdict::Run => "run",
                    Verdict::Skip => "skip",
                    Verdict::UpstreamFailed => "UF",
                };
                assert_eq!(word, expected, "{line} {on_skip:?}");
            }
        }
        let skipped = |hope| evaluate(hope, Trigger::AllSucceeded, OnSkip::Skip, &Upstreams::default(), true);
        assert_eq!((skipped(Hope::Lost), skipped(Hope::Fulfilled)), (Verdict::Skip, Verdict::Run));
    }

    #[test]
    fn who_waits_for_a_failure_is_not_broken_without_one() {
        for (status, awaited, expected) in [
            (Status::Stopped, "run_status_running", true),
            (Status::Failed, "run_status_succeeded run_status_failed", true),
            (Status::Stopped, "run_status_failed", false),
            (Status::Succeeded, "run_status_warning", false),
        ] {
            assert_eq!(is_bad_source(status, &kinds(awaited)), expected, "{status} {awaited}");
        }
    }
}
