//! Who may start now: limits of queues first, then what the machine has.
//!
//! Invariants:
//! * a pure function of a [`Scene`]; whoever persists it loads the scene and writes the decision in one transaction;
//! * only the first runs of each lane are needed, at most one more than there are free slots: a queue of ten thousand
//!   runs costs as much as one of ten;
//! * nothing is remembered between decisions but [`Scene::turn`]: shares follow from what is held.
//!
//! The rules, in this order:
//! 1. Groups of queues with equal priority are served from the highest on. Every [`TURN`]th slot that a group gets
//!    while a lower one waits goes to the run that has waited longest in any lower group.
//! 2. In a group the queue that holds least for its weight is next; the weight is its concurrency.
//! 3. In a queue the lane that holds less is next: runs that somebody started by hand, and runs of pipelines.
//! 4. In a lane the first that queued is next. One that does not fit holds its lane up, and what it lacks is kept for
//!    it; nothing else is.
//!
//! Must not know statuses or tables.

pub mod capacity;
mod choose;
mod explain;
pub mod queue;
#[cfg(test)]
mod tests;

use polyaxon_model::ids::RunId;
use polyaxon_model::run::Resources;
use polyaxon_model::time::Timestamp;

pub use capacity::{Capacity, Load};
pub use choose::admit;
pub use explain::{Reason, explain};
pub use queue::{Limit, Queue, Quota};

/// Each of this many slots that are given while a lower group waits is the lower group's.
pub const TURN: u32 = 10;

/// Everything that a decision depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    pub capacity: Capacity,
    pub load: Load,
    pub queues: Vec<Queue>,
    /// Slots given since a lower group got one, counted while one waits.
    pub turn: u32,
}

/// How a run came to be, which is how its lane is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Somebody started it and may be waiting for it.
    Hand,
    /// A dag, a matrix or a schedule did.
    Pipeline,
}

/// A queued run without a gate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Waiting {
    pub run: RunId,
    pub lane: Lane,
    pub queued_at: Timestamp,
    pub needs: Resources,
}

/// Who starts, who never can, and what those at the head of a lane wait for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    pub admitted: Vec<Admission>,
    pub impossible: Vec<(RunId, Impossible)>,
    pub blocked: Vec<Blocked>,
    pub turn: u32,
}

/// A run that starts, and the devices that are its own until it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    pub run: RunId,
    pub devices: Vec<String>,
}

/// The first run of a lane and what it waits for.
#[derive(Clone, Debug, PartialEq)]
pub struct Blocked {
    pub run: RunId,
    pub queue: i64,
    pub obstacle: Obstacle,
}

/// What must end before a run can start.
#[derive(Clone, Debug, PartialEq)]
pub enum Obstacle {
    Slots { slots: usize },
    Concurrency { queue: String, limit: u64, held: u64 },
    Quota { queue: String, limit: Limit, quota: f64, used: f64, asks: f64 },
    Resource { resource: Limit, asks: f64, free: f64, total: f64 },
}

/// Why a run will never start as things are.
#[derive(Clone, Debug, PartialEq)]
pub enum Impossible {
    Quota { queue: String, limit: Limit, quota: f64, asks: f64 },
    Machine { resource: Limit, asks: f64, total: f64 },
}

impl Impossible {
    /// Whether another machine may be able to.
    pub fn is_of_machine(&self) -> bool {
        matches!(self, Impossible::Machine { .. })
    }
}
