//! Development tasks: the only entry point for building, testing and measuring.
fn main() {}
