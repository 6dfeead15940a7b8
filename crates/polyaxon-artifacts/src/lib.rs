//! Bytes of runs on disk: where they are, how they are read and written safely, and who is told that they changed.
//!
//! * [`layout`] paths of a home folder · [`path`] paths from outside · [`folder`] writing below one
//! * [`tree`] folders · [`archive`] folders in one file, out and in
//! * [`logs`] what tasks print · [`events`] what jobs track · [`changes`] the wake-up hub
//!
//! Must not know statuses, HTTP or the database.

pub mod archive;
pub mod changes;
pub mod error;
pub mod events;
pub mod folder;
pub mod layout;
pub mod logs;
pub mod path;
pub mod tree;

pub use error::{Error, Result};
