//! A seeded simulation of the engine: the real decisions, the real compiler and the real store in memory, with fake
//! processes and a clock that is turned by hand. Several servers share the store; they are killed between any two
//! steps and within their writes, stand still until others take over, and hear of their processes late, twice and out
//! of order, while users do what they should not. After each step the invariants must hold:
//!
//! 1. a life of a run has one final status; 2. the history of statuses only grows and is legal; 3. an attempt is
//!    started once, and the next one not before it is given up; 4. what was acknowledged is there; 5. slots and limits
//!    of pipelines hold at every instant; 6. an operation begins when its trigger allows it; 7. what has not ended is
//!    moved on by something, and ends; 8. the end of a pipeline follows from those of its children; 12. the same seed
//!    gives the same run to the last step; 13. the history leads to the record; 14. each tick of a schedule comes
//!    once, whatever is done to the clock.
//!
//! Not to be seen from here: bytes of logs (10) and files (9, 11), which are tested where they are made.

mod clock;
mod executor;
mod invariants;
mod machine;
mod mirror;
mod operations;
mod random;
mod tally;
mod users;
mod world;

pub use world::{Options, Outcome, simulate};
