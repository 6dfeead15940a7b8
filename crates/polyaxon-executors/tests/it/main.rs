//! Real supervisors with real programs. Nothing here sleeps: every wait is for a wake-up, with a deadline.

mod bench;
mod faults;
mod initializer;
mod life;
mod output;
