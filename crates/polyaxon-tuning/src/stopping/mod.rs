//! Early stopping: when a whole search ends, and which of its running trials end, by what their metrics say.

mod policy;
mod rule;

pub use policy::{Goal, Policy, Standing, Stop, Track, stopped};
pub use rule::{Counts, Rule, reaches, read};
