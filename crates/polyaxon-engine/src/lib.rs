//! Decisions about runs: which status follows, what must be done, who may start, what a clone inherits.
//!
//! Invariants: pure (no clock, randomness, I/O; `now` and ids are arguments) and total (no event in any state
//! panics). Whoever decides here persists the decision with `polyaxon_store::lifecycle::apply`, nowhere else.
//!
//! * [`state`] the state of a run, events, actions, decisions · [`lifecycle`] the rules · [`transition`] the
//!   rule which status may follow, and the times it stamps · [`timer`] what ends by waiting
//! * [`admission`] who gets a free slot · [`executor`] who is there to execute · [`clone`] restart, copy, resume ·
//!   [`retention`] how long records are kept
//! * [`explain`] why a run waits, failed or was skipped, in words
//! * [`flow`] pipelines: triggers, limits, schedules, completion
//! * [`cache`] which earlier run stands for a new one

pub mod admission;
pub mod cache;
pub mod clone;
pub mod executor;
pub mod explain;
pub mod flow;
pub mod lifecycle;
pub mod notification;
pub mod retention;
pub mod state;
pub mod timer;
pub mod transition;
