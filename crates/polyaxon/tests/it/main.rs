//! The program as a user runs it: arguments in; exit code, stdout and stderr out.

#![expect(clippy::unwrap_used, reason = "a helper that fails must fail the test")]

mod admin;
mod basics;
mod builds;
mod check;
mod config;
mod errors;
mod guides;
mod home;
mod lsp;
mod runs;
mod server;
mod tools;
mod tuner;
mod versions;
mod watch;
