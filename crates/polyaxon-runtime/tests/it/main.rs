//! Real runs through store, engine, supervisors and back. Nothing here sleeps: every wait is for a change of the
//! store, with a deadline.

mod bench;
mod cache;
mod faults;
mod hooks;
mod life;
mod notifications;
mod queues;
mod servers;
mod tracking;
