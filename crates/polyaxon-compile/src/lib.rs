//! From a composed operation to a resolved one, and from that to what an executor does.
//!
//! Invariant: no I/O, no clock, no environment, no randomness; everything arrives as an argument.

pub mod builds;
pub mod connection;
pub mod context;
pub mod hooks;
pub mod lint;
pub mod notifications;
pub mod place;
pub mod plan;
pub mod resolve;
mod suggest;
pub mod support;
pub mod template;
pub mod text;
