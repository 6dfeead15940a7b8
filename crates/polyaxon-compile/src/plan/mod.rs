//! From a resolved operation to what an executor does.
//!
//! Invariant: decisions only; nothing is started, read or written here.

mod context_path;
mod environment;
mod initializer;
pub mod process;
mod resources;

use std::time::Duration;

use polyaxon_spec::node::{Node, Value};

pub use resources::resources;

/// The context root that operations, templates and containers see.
pub const CONTEXT_ROOT: &str = "/plx-context";

/// The limits that an operation sets on its own life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Termination {
    pub max_retries: u32,
    /// How long the run may be active.
    pub timeout: Option<Duration>,
    /// How long its traces stay after the end.
    pub ttl: Option<Duration>,
}

/// Reads `termination` of a resolved operation. Zero means "not set".
pub fn termination(resolved: &Node) -> Termination {
    let seconds = |key: &str| {
        let node = resolved.at(&["termination", key])?;
        let seconds = match node.value {
            Value::Int(value) => value as f64,
            Value::Float(value) | Value::TimeDelta(value) => value,
            _ => return None,
        };
        (seconds > 0.0).then(|| Duration::try_from_secs_f64(seconds).ok()).flatten()
    };
    let retries = resolved.at(&["termination", "maxRetries"]).and_then(Node::as_int).unwrap_or(0);
    Termination { max_retries: u32::try_from(retries).unwrap_or(0), timeout: seconds("timeout"), ttl: seconds("ttl") }
}
