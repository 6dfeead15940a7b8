//! The nouns of the system: ids, statuses, wire records, names and paths, shared by every other crate.
//!
//! Invariants: pure (no files, clock, environment or randomness: ids and `now` are arguments); the serde form
//! of a type is its official wire form, for the server and the client alike.
//!
//! * [`ids`] typed uuids · [`time`] instants and their wire formats · [`wire_enum`] closed vocabularies
//! * [`status`] statuses and their groups · [`condition`] entries of the status history
//! * [`kinds`] run kinds, runtimes, gates, edges, artifact kinds · [`event`] what starts an operation beside ends of others
//! * [`run`], [`run_view`] the run record and its official projections · [`new_run`] create, clone and patch bodies ([`change`])
//! * [`project`], [`lineage`], [`version`] ([`stage`]) the other records · [`agent`] · [`listing`] pages, paging, sorting · [`error`] error bodies
//! * [`builds`] what runs and the builds of their images call each other
//! * [`artifact`] folders of a run's store and the one rule for relative paths · [`names`] slugs
//! * [`tree`] a pipeline as it is watched · [`explanation`] why a run is as it is · [`stats`] questions over many runs · [`pql`] the filter language of lists · [`quantity`] cores and bytes · [`backoff`] the one retry formula

pub mod agent;
pub mod artifact;
pub mod backoff;
pub mod builds;
pub mod change;
pub mod condition;
pub mod error;
pub mod event;
pub mod explanation;
pub mod ids;
pub mod kinds;
pub mod lineage;
pub mod listing;
pub mod loose;
pub mod names;
pub mod new_run;
pub mod pql;
pub mod project;
pub mod quantity;
pub mod queue;
pub mod run;
pub mod run_schema;
pub mod run_view;
pub mod stage;
pub mod stats;
pub mod status;
pub mod time;
pub mod tree;
pub mod version;
pub mod wire_enum;
mod wire_schema;

/// A JSON object in the order it was written.
pub type JsonMap = serde_json::Map<String, serde_json::Value>;
