//! The API through the real router: requests in, status and JSON out.

#![expect(clippy::unwrap_used, reason = "a helper of a test that cannot go on fails the test")]

mod agents;
mod artifacts;
mod bulk;
mod contract;
mod edge;
mod events;
mod hub;
mod lifecycle;
mod lineage;
mod logs;
mod meta;
mod openapi;
mod projects;
mod resumable;
mod runs;
mod server;
mod services;
mod stats;
mod tree;
mod versions;
