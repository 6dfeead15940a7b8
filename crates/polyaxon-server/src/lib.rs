//! The HTTP server: the official API under `/api/v1`, the official streams under `/streams/v1`, and a small page.
//!
//! It reads and writes the store and the artifacts; it never starts, stops or watches a process: those are decisions of
//! the engine, performed by the runtime, which learns of them from the store.

mod access;
mod api;
mod body;
mod connection;
mod errors;
mod metrics;
mod openapi;
mod query;
mod router;
mod run_path;
mod serve;
mod state;
mod streams;
mod ui;
mod usage;

pub use access::{Doors, Reach};
pub use metrics::Metrics;
pub use router::{openapi, router};
pub use serve::{Limits, serve};
pub use state::{Agent, DEFAULT_CONCURRENCY, Options, Server};
