//! Starting, watching and stopping what a run consists of.
//!
//! * [`process`] programs on this machine, each under a supervisor that outlives the server
//! * [`initializer`] the programs that bring code, files and artifacts before the main one starts
//!
//! Must not know statuses of runs, the database or HTTP: it reports what is.

pub mod initializer;
pub mod process;
