//! The store through real database files: what it keeps, what it refuses, what it finds again.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod testkit;

mod admission;
mod agents;
mod audit;
mod builds;
mod concurrency;
mod copies;
mod durability;
mod faults;
mod hub;
mod lifecycle;
mod lineage;
mod lists;
mod notifications;
mod outage;
mod pql;
mod projects;
mod runs;
mod servers;
mod timers;
mod transitions;
mod versions;
