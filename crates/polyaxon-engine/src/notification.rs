//! When a notification about a run is tried again, and how long whoever sends it may take.
//!
//! Must not know what a notification says or where it goes.

use std::time::Duration;

/// The pauses after attempts that failed; after the last of them it is given up.
pub const PAUSES: [Duration; 3] = [Duration::from_secs(10), Duration::from_mins(1), Duration::from_mins(5)];

/// What was taken to be sent and not reported is due again after this, for whoever took it may be gone.
pub const LEASE: Duration = Duration::from_mins(2);

/// The pause after attempt number `attempts` failed (1 = the first); none when it was the last.
pub fn pause(attempts: u32) -> Option<Duration> {
    let index = usize::try_from(attempts.checked_sub(1)?).ok()?;
    PAUSES.get(index).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_more_attempts_follow_the_first() {
        let pauses: Vec<_> = (1..=5).map(|attempts| pause(attempts).map(|pause| pause.as_secs())).collect();
        assert_eq!(pauses, [Some(10), Some(60), Some(300), None, None]);
    }
}
