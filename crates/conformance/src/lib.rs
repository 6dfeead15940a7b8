//! The conformance corpus: recorded cases of the reference implementation, run stage by stage.
//!
//! `data/GROUP.jsonl` holds one case a line: how to run it, its input files byte by byte, what was recorded. A case can
//! also be a folder on disk. Development only: nothing that is shipped depends on this crate.

pub mod case;
pub mod compare;
pub mod corpus;
pub mod differences;
pub mod files;
pub mod matrices;
pub mod report;
pub mod resolution;
pub mod stages;
pub mod torture;
