//! Tests of the crate from outside.

mod cases;
mod plans;
mod problems;
mod quality;
