//! The program as a user runs it: arguments in; exit code, stdout and stderr out.

mod basics;
mod config;
mod home;
