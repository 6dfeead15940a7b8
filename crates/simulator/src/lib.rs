//! A seeded simulation of the engine: the real decisions, the real compiler and the real store, with a fake executor
//! and a clock that is turned by hand. The server is killed between any two steps, messages are late, repeated and out
//! of order, and after each step the invariants of `invariants` must hold.
//!
//! The same seed gives the same run to the last step. One simulation at a time in a process: the clock is a static.

mod executor;
mod invariants;
mod operations;
mod random;
mod world;

pub use world::{Options, Outcome, simulate};
