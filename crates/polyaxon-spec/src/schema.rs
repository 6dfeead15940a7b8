//! The language as tables: every section, kind and field, with what it accepts, its meaning, default and example.
//!
//! Pure data and the rules over several fields of one section. [`crate::decode`] walks it.

mod build;
mod cache;
mod composite;
mod connection;
mod document;
mod early_stopping;
mod environment;
mod event;
mod hook;
mod hyper_parameter;
mod init;
mod io;
mod join;
mod kubernetes;
mod matrix;
mod mount;
pub(crate) mod old;
mod param;
mod plugins;
mod resources;
mod runtime;
mod schedule;
mod shortcut;
mod template;
mod termination;
mod walk;

pub use build::BUILD;
pub use cache::CACHE;
pub use composite::{ARTIFACT_KINDS, ARTIFACTS, DOCKERFILE, EVENT, FILE, GIT, TENSORBOARD};
pub use connection::CONNECTIONS;
pub use document::{DOCUMENT, DOCUMENT_KINDS, SHORTCUTS};
pub use early_stopping::{EARLY_STOPPING, STOPPING_POLICIES};
pub use environment::ENVIRONMENT;
pub use event::EVENT_TRIGGER;
pub use hook::HOOK;
pub use hyper_parameter::HYPER_PARAMETERS;
pub use init::INIT;
pub use io::{IO, VALIDATION};
pub use join::JOIN;
pub use kubernetes::{CONTAINER, VOLUME};
pub use matrix::{MATRICES, TUNER};
pub use mount::MOUNT;
pub use param::PARAM;
pub use plugins::{NOTIFICATION, PLUGINS, SIDECAR};
pub use resources::{Resource, resource};
pub use runtime::{RUNTIMES, SERVICE};
pub use schedule::SCHEDULES;
pub use shortcut::{COMMAND, ENVIRONMENT_VARIABLES};
pub use template::TEMPLATE;
pub use termination::TERMINATION;
pub use walk::{Found, Place, find, object_of, places, sections_of};

/// How one layer changes the layers below it.
pub const PATCH_STRATEGIES: &[&str] = &["post_merge", "pre_merge", "isnull", "replace"];

/// The states of a run as the language names them.
pub const STATUSES: &[&str] = &[
    "created",
    "resuming",
    "on_schedule",
    "compiled",
    "queued",
    "scheduled",
    "starting",
    "running",
    "processing",
    "stopping",
    "failed",
    "stopped",
    "succeeded",
    "skipped",
    "warning",
    "unschedulable",
    "upstream_failed",
    "retrying",
    "unknown",
    "done",
];
