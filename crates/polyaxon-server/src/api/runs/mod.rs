//! `/{owner}/{project}/runs…` and `/orgs/{owner}/runs…`.

pub(crate) mod actions;
pub(crate) mod bulk;
pub(crate) mod cache;
pub(crate) mod clones;
pub(crate) mod content;
pub(crate) mod create;
pub(crate) mod edges;
pub(crate) mod explain;
pub(crate) mod get;
pub(crate) mod lineage;
pub(crate) mod list;
pub(crate) mod patch;
pub(crate) mod statuses;
pub(crate) mod sync;
pub(crate) mod tree;

use polyaxon_model::names;

use crate::errors::{Error, Result};

/// Checks a name that a client gives to a run.
fn check_name(name: Option<&str>) -> Result<()> {
    match name {
        Some(name) => names::check_run_name(name).map_err(|error| Error::field("name", error.to_string())),
        None => Ok(()),
    }
}
