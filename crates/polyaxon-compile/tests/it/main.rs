//! Integration tests of the compile crate: one binary, one module for each area.

mod advice;
mod lint;
mod manifests;
mod plan;
mod resolution;
mod resolved;
mod template;
