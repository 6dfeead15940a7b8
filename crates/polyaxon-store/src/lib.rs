//! The record of everything: projects, runs, their history, what is still to be done, lineage.
//!
//! Invariants:
//! * an acknowledged write is in the write-ahead log: it survives `kill -9`; a refused one left no trace;
//! * all writes go through one thread, so read-modify-write closures never race;
//! * SQL is written here and nowhere else, and contains no text of a user: only names from tables and `?1`;
//! * the lifecycle of runs is written by [`lifecycle`] only, which persists what `polyaxon_engine` decided.
//!
//! The code is synchronous: a closure gets a [`db::Tx`]; [`Store::read`] and [`Store::write`] bring it to the
//! right thread.
//!
//! ```text
//! let run = store.read(move |tx| runs::get(tx, id)).await?;
//! store.write(move |tx| lifecycle::apply(tx, id, &Event::StopRequested, now)).await?;
//! ```

pub mod actions;
pub mod admission;
pub mod agents;
mod alone;
pub mod audit;

pub mod beats;
pub mod bookmarks;
pub mod builds;
pub mod cache;
pub mod census;
pub mod cron;
pub mod db;
pub mod descendants;
pub mod dump;
pub mod edges;
pub mod error;
pub mod facts;
mod filter;
pub mod graph;
pub mod hub;
pub mod import;
pub mod leases;
pub mod lifecycle;
pub mod lineage;
mod listing;
pub mod load;
mod metrics;
mod migrate;
pub mod notifications;
pub mod pipelines;
pub mod projects;
pub mod queues;
mod readers;
pub mod reconcile;
pub mod run_list;
mod run_row;
pub mod run_settings;
pub mod runs;
mod selection;
pub mod servers;
pub mod settings;
pub mod snapshots;
pub mod standing;
pub mod stats;
pub mod statuses;
mod store;
pub mod submission;
pub mod version_list;
pub mod versions;
mod writer;

pub use alone::{Fate, Fates};
pub use error::{Error, Result};
pub use migrate::Schema;
pub use store::{Durability, Options, Store};
