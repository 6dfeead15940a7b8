//! Recorded behaviour that we decided not to follow, each with the reason.

/// A stage of a case that differs on purpose.
pub struct Difference {
    pub id: &'static str,
    pub stage: &'static str,
    pub reason: &'static str,
}

pub const ALLOWED: &[Difference] = &[];
