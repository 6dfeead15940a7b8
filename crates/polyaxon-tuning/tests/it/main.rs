//! Tests of the crate from outside.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod cases;
mod plans;
mod problems;
mod quality;
