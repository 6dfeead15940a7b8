//! When an operation of a dag starts, given how its direct upstreams ended.

use polyaxon_model::kinds::Trigger;
use polyaxon_model::status::Status;

/// How many of the direct upstreams there are, and how those that ended did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upstreams {
    pub total: u64,
    pub succeeded: u64,
    /// Failed by themselves, or because they could not run.
    pub failed: u64,
    pub stopped: u64,
    pub skipped: u64,
}

/// What an operation does when its upstreams stand like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Wait,
    Run,
    Skip,
    /// Its trigger cannot come true any more.
    UpstreamFailed,
}

/// Whether an upstream that was skipped takes the operation along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnSkip {
    #[default]
    GoOn,
    Skip,
}

impl Upstreams {
    pub fn done(&self) -> u64 {
        self.succeeded + self.failed + self.stopped + self.skipped
    }

    /// Counts one more upstream that ended.
    pub fn count(&mut self, status: Status) {
        match status {
            Status::Succeeded => self.succeeded += 1,
            Status::Failed | Status::UpstreamFailed => self.failed += 1,
            Status::Stopped => self.stopped += 1,
            Status::Skipped => self.skipped += 1,
            _ => {}
        }
    }
}

/// Decides as soon as the answer cannot change.
///
/// A skipped upstream counts like a success for `all_succeeded`, and like nothing for `one_succeeded` and
/// `one_failed`, unless no upstream did anything but succeed or be skipped.
pub fn evaluate(trigger: Trigger, on_skip: OnSkip, upstreams: &Upstreams) -> Verdict {
    let Upstreams { total, succeeded, failed, stopped, skipped } = *upstreams;
    if on_skip == OnSkip::Skip && skipped > 0 {
        return Verdict::Skip;
    }
    let all_done = upstreams.done() >= total;
    let (comes_true, cannot_come_true) = match trigger {
        Trigger::AllSucceeded => (all_done, failed + stopped > 0),
        Trigger::AllFailed => (all_done, succeeded + stopped + skipped > 0),
        Trigger::AllDone => (all_done, false),
        Trigger::OneDone => (upstreams.done() > 0 || total == 0, false),
        Trigger::OneSucceeded => (succeeded > 0 || (all_done && failed + stopped == 0), all_done),
        Trigger::OneFailed => (failed > 0 || total == 0, all_done),
    };
    // What came true stays true for the triggers that need one; the others are ruled out first.
    match (trigger, comes_true, cannot_come_true) {
        (Trigger::OneSucceeded | Trigger::OneFailed, true, _) => Verdict::Run,
        (_, _, true) => Verdict::UpstreamFailed,
        (_, true, _) => Verdict::Run,
        _ => Verdict::Wait,
    }
}

/// Whether an operation that could not run counts as a failure of its pipeline: it was there to go on after a success,
/// and one of its upstreams failed, was stopped, or is broken itself. A rescue that was not needed is not broken.
pub fn is_broken(status: Status, trigger: Trigger, has_bad_upstream: bool) -> bool {
    let follows_success = !matches!(trigger, Trigger::AllFailed | Trigger::OneFailed);
    status == Status::UpstreamFailed && follows_success && has_bad_upstream
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upstreams(letters: &str) -> Upstreams {
        let mut upstreams = Upstreams { total: letters.len() as u64, ..Upstreams::default() };
        for letter in letters.chars() {
            upstreams.count(match letter {
                'S' => Status::Succeeded,
                'F' => Status::Failed,
                'U' => Status::UpstreamFailed,
                'X' => Status::Stopped,
                'K' => Status::Skipped,
                _ => Status::Running,
            });
        }
        upstreams
    }

    fn verdict(trigger: Trigger, letters: &str) -> &'static str {
        match evaluate(trigger, OnSkip::GoOn, &upstreams(letters)) {
            Verdict::Wait => "wait",
            Verdict::Run => "run",
            Verdict::Skip => "skip",
            Verdict::UpstreamFailed => "UF",
        }
    }

    /// The table of the manual: every pair of upstreams, in the order of the triggers.
    const TABLE: &str = "\
        S- wait UF   wait run  wait run
        F- UF   wait wait wait run  run
        X- UF   UF   wait wait wait run
        K- wait UF   wait wait wait run
        SS run  UF   run  run  UF   run
        SF UF   UF   run  run  run  run
        FF UF   run  run  UF   run  run
        SX UF   UF   run  run  UF   run
        SK run  UF   run  run  UF   run
        FK UF   UF   run  UF   run  run
        KK run  UF   run  run  UF   run
        FX UF   UF   run  UF   run  run
        XX UF   UF   run  UF   UF   run
        KX UF   UF   run  UF   UF   run";

    #[test]
    fn every_pair_of_upstreams() {
        for line in TABLE.lines() {
            let mut words = line.split_whitespace();
            let pair = words.next().unwrap();
            let reversed: String = pair.chars().rev().collect();
            for (trigger, expected) in Trigger::ALL.iter().zip(words) {
                assert_eq!(verdict(*trigger, pair), expected, "{trigger} {pair}");
                assert_eq!(verdict(*trigger, &reversed), expected, "{trigger} {reversed}");
                assert_eq!(verdict(*trigger, &pair.replace('F', "U")), expected, "{trigger} {pair}, upstream_failed");
            }
        }
        assert_eq!(TABLE.lines().count(), 14);
    }

    #[test]
    fn triples_are_decided_once_and_in_any_order() {
        let letters = ['S', 'F', 'X', 'K'];
        for trigger in Trigger::ALL {
            for case in 0..64 {
                let triple: Vec<char> = [case / 16, case / 4 % 4, case % 4].map(|letter| letters[letter]).into();
                let end = verdict(*trigger, &triple.iter().collect::<String>());
                assert_ne!(end, "wait", "{trigger} {triple:?}");
                for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
                    for known in 1..3 {
                        let seen: String =
                            (0..3).map(|place| if place < known { triple[order[place]] } else { '-' }).collect();
                        let early = verdict(*trigger, &seen);
                        assert!(early == "wait" || early == end, "{trigger} {triple:?}: {seen} gave {early}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_skip_can_take_downstreams_along() {
        for trigger in Trigger::ALL {
            for pair in ["K-", "SK", "FK", "KK", "KX"] {
                assert_eq!(evaluate(*trigger, OnSkip::Skip, &upstreams(pair)), Verdict::Skip);
            }
        }
    }

    #[test]
    fn an_operation_without_upstreams_runs() {
        for trigger in [Trigger::AllSucceeded, Trigger::AllDone, Trigger::OneDone, Trigger::OneSucceeded] {
            assert_eq!(verdict(trigger, ""), "run");
        }
    }

    #[test]
    fn a_rescue_that_was_not_needed_is_not_broken() {
        let broken = |trigger, bad| is_broken(Status::UpstreamFailed, trigger, bad);
        assert!(broken(Trigger::AllSucceeded, true) && broken(Trigger::AllDone, true));
        assert!(!broken(Trigger::AllSucceeded, false) && !broken(Trigger::AllFailed, true));
        assert!(!is_broken(Status::Stopped, Trigger::AllSucceeded, true));
    }
}
