//! Typed HTTP client of the Polyaxon API, ours or the official server's.
//!
//! Invariants: one request per call (two only where the protocol needs it), retries only for calls that change nothing,
//! and records keep every field that the server sent. It knows no files, no environment and no terminal.

pub mod address;
pub mod artifacts;
pub mod error;
pub mod http;
pub mod logs;
mod ndjson;
pub mod notify;
pub mod outgoing;
pub mod projects;
pub mod queues;
pub mod record;
pub mod resumable;
pub mod runs;
pub mod statuses;
pub mod tree;
pub mod versions;
