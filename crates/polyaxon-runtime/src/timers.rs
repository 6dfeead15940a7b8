//! What is to be done later, in one heap. Delays are measured by a clock that nobody sets: setting the wall clock back
//! cannot hold a timer up, and one that the wall clock has passed (after a sleep of the machine) is due as well.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use polyaxon_model::ids::RunId;
use polyaxon_model::time::Timestamp;
use polyaxon_store::actions::OpenAction;
use tokio::time::Instant;

/// No timer waits longer before it is looked at again.
const LONGEST: Duration = Duration::from_hours(24 * 365);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Perform an action whose time has come.
    Action(OpenAction),
    /// Remove what a finished run no longer needs.
    Clean(RunId),
}

#[derive(Debug)]
struct Timer {
    due: Instant,
    at: Timestamp,
    number: u64,
    task: Task,
}

#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<Timer>>,
    number: u64,
}

impl Timers {
    /// Remembers `task` for the instant `at`, decided at `since`. It never waits longer than was meant then.
    pub(crate) fn add(&mut self, at: Timestamp, since: Timestamp, now: Timestamp, task: Task) {
        let micros = at.as_micros().saturating_sub(now.max(since).as_micros());
        let delay = Duration::from_micros(u64::try_from(micros).unwrap_or(0));
        let due = Instant::now() + delay.min(LONGEST);
        self.number += 1;
        self.heap.push(Reverse(Timer { due, at, number: self.number, task }));
    }

    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse(timer)| timer.due)
    }

    /// Takes what is due, with the instant it was meant for.
    pub(crate) fn take_due(&mut self) -> Vec<(Timestamp, Task)> {
        let now = Instant::now();
        let mut due = Vec::new();
        while let Some(Reverse(timer)) = self.heap.peek()
            && timer.due <= now
        {
            if let Some(Reverse(timer)) = self.heap.pop() {
                due.push((timer.at, timer.task));
            }
        }
        due
    }

    /// Takes what the wall clock has passed. For now and then: it looks at every timer.
    pub(crate) fn take_passed(&mut self, now: Timestamp) -> Vec<(Timestamp, Task)> {
        let (passed, left) = self.heap.drain().partition::<Vec<_>, _>(|Reverse(timer)| timer.at <= now);
        self.heap = left.into();
        passed.into_iter().map(|Reverse(timer)| (timer.at, timer.task)).collect()
    }
}

impl Ord for Timer {
    fn cmp(&self, other: &Timer) -> std::cmp::Ordering {
        (self.due, self.number).cmp(&(other.due, other.number))
    }
}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Timer) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Timer {
    fn eq(&self, other: &Timer) -> bool {
        self.number == other.number
    }
}

impl Eq for Timer {}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(number: u128) -> Task {
        Task::Clean(format!("{number:032x}").parse().unwrap())
    }

    #[test]
    fn timers_fire_in_order_and_when_the_wall_clock_has_passed_them() {
        let second = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let mut timers = Timers::default();
        timers.add(second(500), second(100), second(100), run(3));
        timers.add(second(99), second(90), second(100), run(1));
        timers.add(second(100), second(100), second(5), run(2));
        assert_eq!(timers.take_due(), [(second(99), run(1)), (second(100), run(2))]);
        assert!(timers.next_due().is_some_and(|due| due > Instant::now() + Duration::from_mins(5)));
        assert_eq!(timers.take_passed(second(499)), []);
        assert_eq!(timers.take_passed(second(500)), [(second(500), run(3))]);
        assert_eq!(timers.next_due(), None);
    }
}
