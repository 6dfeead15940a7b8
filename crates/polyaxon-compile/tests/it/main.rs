//! Integration tests of the compile crate: one binary, one module for each area.

mod plan;
mod template;
