//! Archives from strangers: what may be unpacked, and that nothing else ever leaves a trace.

#![expect(clippy::unwrap_used, reason = "a helper of a test that cannot go on fails the test")]

mod archives;
mod hostile;
