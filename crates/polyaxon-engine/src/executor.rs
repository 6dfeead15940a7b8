//! Presence of those who execute runs: servers, which share a database, and agents, which ask for work.
//!
//! Must not know how they are told apart or stored; an executor is when it was last seen.

use std::time::Duration;

use polyaxon_model::time::Timestamp;

/// How often a server says that it is there.
pub const BEAT: Duration = Duration::from_secs(15);
/// A server or an agent of which nothing was heard for this long is not there.
pub const SILENCE: Duration = Duration::from_mins(1);
/// How long an order to start a run waits for a word about the run before it is given out again.
pub const LEASE: Duration = Duration::from_mins(1);
/// How often an agent is asked whether a run that it has still exists.
pub const CHECK: Duration = Duration::from_hours(1);
/// What a run that its executor does not find must have been missing in before it is lost.
pub const MISSES: u32 = 2;
/// After this an executor is not expected back, unless somebody says otherwise (`POLYAXON_AGENT_LOST`).
pub const LOST: Duration = Duration::from_mins(10);

/// What is known of an executor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Presence {
    Present,
    /// Not heard of for [`SILENCE`].
    Silent,
    /// Not expected back.
    Lost,
}

/// The presence of an executor that was last seen at `seen`.
pub fn presence(seen: Timestamp, lost_after: Duration, now: Timestamp) -> Presence {
    if now < seen.plus(SILENCE) {
        Presence::Present
    } else if now < seen.plus(lost_after.max(SILENCE)) {
        Presence::Silent
    } else {
        Presence::Lost
    }
}

/// Whether an order that was given out must be given out again.
pub fn is_lease_over(lease_until: Timestamp, now: Timestamp) -> bool {
    lease_until <= now
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_first_and_loss_later() {
        let seen = Timestamp::from_micros(0);
        let at = |seconds: u64| presence(seen, LOST, seen.plus(Duration::from_secs(seconds)));
        assert_eq!([at(0), at(59)], [Presence::Present; 2]);
        assert_eq!([at(60), at(599)], [Presence::Silent; 2]);
        assert_eq!(at(600), Presence::Lost);
        assert_eq!(presence(seen, Duration::ZERO, seen.plus(SILENCE)), Presence::Lost);
        assert_eq!(presence(seen.plus(SILENCE), Duration::ZERO, seen), Presence::Present, "a clock that was set back");
    }
}
