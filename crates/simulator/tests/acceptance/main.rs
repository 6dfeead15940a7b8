//! The acceptance list of the engine, point by point, from outside: operations go in, statuses come out. Between them
//! are the real compiler, decisions and store; processes and the clock are the test's.
//!
//! A file says where the exhaustive table of its point lives, when that is with the code it is about.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod scene;

mod a01_lifecycle;
mod a02_triggers;
mod a03_rejects;
mod a04_concurrency;
mod a05_matrix;
mod a06_hyperband;
mod a07_tuners;
mod a07_unreported;
mod a08_schedules;
mod a09_cache;
mod a10_clones;
mod a10_reruns;
mod a11_crashes;
mod a12_artifacts;
mod a12_dag_outputs;
mod a12_falsy;
mod a12_joins;
mod a13_approval;
mod a14_early_stopping;
mod a15_events;
mod a16_hooks;
mod a17_agents;
mod a18_retention;
mod builds;
mod wrong_moments;
