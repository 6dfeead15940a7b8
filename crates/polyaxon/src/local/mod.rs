//! The server of one home folder: finding it, starting it in the background, stopping it, running it in the foreground.
//!
//! Invariants: `server.lock` is held by the live server and by nobody else, so a record of a dead one is never believed;
//! whoever starts a server holds `start.lock`, so that ten commands at once start exactly one.

mod connections;
pub(crate) mod find;
pub(crate) mod home;
mod machine;
mod parts;
pub(crate) mod serve;
pub(crate) mod start;
pub(crate) mod stop;
