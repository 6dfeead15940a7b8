//! The one retry formula: `min(first * 2^(attempt - 1), cap)`.

use std::time::Duration;

/// A doubling delay with a ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    pub first: Duration,
    pub cap: Duration,
}

impl Backoff {
    /// Failed attempts of a run (the back-off of Kubernetes jobs).
    pub const RUN_RETRY: Backoff = Backoff { first: Duration::from_secs(10), cap: Duration::from_mins(6) };

    /// Requests of the client to a server that is not answering.
    pub const REQUEST: Backoff = Backoff { first: Duration::from_millis(100), cap: Duration::from_secs(5) };

    /// The delay after failure number `failures` (1 = the first); no delay before any failure.
    pub fn delay(self, failures: u32) -> Duration {
        let Some(doublings) = failures.checked_sub(1) else { return Duration::ZERO };
        match 2_u32.checked_pow(doublings).and_then(|factor| self.first.checked_mul(factor)) {
            Some(delay) => delay.min(self.cap),
            None => self.cap,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_cap() {
        let delays: Vec<u64> = (0..8).map(|failures| Backoff::RUN_RETRY.delay(failures).as_secs()).collect();
        assert_eq!(delays, [0, 10, 20, 40, 80, 160, 320, 360]);
        assert_eq!(Backoff::RUN_RETRY.delay(u32::MAX).as_secs(), 360);
    }
}
