//! Decisions about pipelines: who of the children starts, waits, is skipped or cannot run any more, and how the
//! pipeline ends.
//!
//! Everything here is a function of counts and rules, never of the whole pipeline: an end of a child costs as much in
//! a dag of ten operations as in one of ten thousand. `polyaxon_store::pipelines` keeps the counts.
//!
//! * [`trigger`] when an operation of a dag starts, [`event`] when something that happens to a run starts one
//! * [`completion`] how a pipeline ends · [`concurrency`] who may queue under the limits of all pipelines around it
//! * [`early_stopping`] when a pipeline ends before its time, [`pruning`] which of its trials do
//! * [`metrics`] what a search is compared by, and how it ends when its trials do not report that
//! * [`rerun`] what a dag that is started again does again
//! * [`schedule`] when a schedule starts its next run, [`cron`] the times of a cron expression

pub mod completion;
pub mod concurrency;
pub mod cron;
pub mod early_stopping;
pub mod event;
pub mod metrics;
pub mod pruning;
pub mod rerun;
pub mod schedule;
pub mod trigger;
