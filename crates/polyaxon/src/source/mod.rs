//! Where polyaxonfiles come from: files, stdin, URLs, the hub. The only file system access of `check` and `run`.

pub(crate) mod loader;
pub(crate) mod origin;
pub(crate) mod read;
pub(crate) mod web;
