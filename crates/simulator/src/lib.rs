//! A seeded simulation of the engine: the real decisions, the real compiler and the real store in memory, with fake
//! processes and a clock that is turned by hand. Several servers share the store; they are killed between any two
//! steps and within their writes, stand still until others take over, and hear of their processes late, twice and out
//! of order. An agent outside loses answers and goes away, while users do what they should not. A step is one thing
//! that happens: something that a user does, an action begun or reported, a message, a timer, a poll, a crash. After
//! each step the invariants must hold for what it touched and the pipelines around that; now and then everything is read
//! and compared:
//!
//! 1. a life of a run has one final status; 2. the history of statuses only grows and is legal; 3. an attempt is
//!    started once, and the next one not before it is given up; 4. what was acknowledged is there; 5. slots, queues and
//!    limits of pipelines hold at every instant; 6. an operation begins when its trigger allows it; 7. what has not ended
//!    is moved on by something, and ends; 8. the end of a pipeline follows from those of its children; 9. a result is
//!    reused of an equal run that succeeded and is there; 10. the log of a run is what its processes printed; 11. records
//!    and files are removed when nothing needs them any more; 12. the same seed gives the same run to the last step;
//!    13. the history leads to the record; 14. each tick of a schedule comes once, whatever is done to the clock.

mod agent;
mod clock;
mod executor;
mod files;
mod invariants;
mod machine;
mod mirror;
mod operations;
mod promises;
mod random;
mod tally;
mod users;
mod world;

pub use world::{Options, Outcome, simulate};
