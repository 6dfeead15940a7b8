//! The engine's decisions as event scripts, the whole transition table, and a property over random histories.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]
#![expect(clippy::needless_raw_string_hashes, reason = "snapbox writes the expected texts")]

mod script;

mod attempts;
mod gates;
mod history;
mod pipelines;
mod stopping;
mod transitions;
