//! Who gets a free slot.
//!
//! Must not know queues or statuses: it sees what waits and how many are active.

use std::cmp::Reverse;

use polyaxon_model::ids::RunId;
use polyaxon_model::time::Timestamp;

/// A queued run without a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub run: RunId,
    /// Larger goes first.
    pub priority: i64,
    pub created_at: Timestamp,
}

/// Chooses the runs that may start now: by priority, then the oldest, then by id so that the order is total.
pub fn admit(capacity: usize, active: usize, waiting: &[Waiting]) -> Vec<RunId> {
    let free = capacity.saturating_sub(active);
    let mut order: Vec<&Waiting> = waiting.iter().collect();
    order.sort_by_key(|waiting| (Reverse(waiting.priority), waiting.created_at, waiting.run));
    order.into_iter().take(free).map(|waiting| waiting.run).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn waiting(id: u128, priority: i64, created: i64) -> Waiting {
        Waiting { run: RunId::new(Uuid::from_u128(id)), priority, created_at: Timestamp::from_micros(created) }
    }

    fn admitted(capacity: usize, active: usize, waiting: &[Waiting]) -> Vec<u128> {
        admit(capacity, active, waiting).into_iter().map(|run| run.uuid().as_u128()).collect()
    }

    #[test]
    fn priority_then_age_then_id() {
        let queue = [waiting(4, 0, 20), waiting(3, 0, 10), waiting(2, 0, 10), waiting(1, -1, 0), waiting(5, 7, 99)];
        assert_eq!(admitted(10, 0, &queue), [5, 2, 3, 4, 1]);
        assert_eq!(admitted(10, 8, &queue), [5, 2]);
    }

    #[test]
    fn a_full_or_shrunk_capacity_admits_nobody() {
        let queue = [waiting(1, 0, 0)];
        assert_eq!(admitted(2, 2, &queue), [0; 0]);
        assert_eq!(admitted(1, 5, &queue), [0; 0]);
        assert_eq!(admitted(0, 0, &queue), [0; 0]);
    }
}
