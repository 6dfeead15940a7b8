//! Hyper-parameter search: what the next runs of a matrix try, given what the runs so far found.
//!
//! Pure functions of their arguments. There is no clock, no randomness but that of the given seed, and the same
//! (matrix, seed, trials) give the same suggestions to the last bit on every platform. Must not know the store, runs or
//! processes.

mod anneal;
mod asha;
mod descent;
mod error;
mod evidence;
mod gp;
mod hyperband;
mod math;
mod models;
mod pareto;
pub mod protocol;
mod quasi;
mod random;
mod read;
mod search;
mod space;
mod stream;
mod tpe;
mod trial;

pub use error::Error;
pub use hyperband::Stage;
pub use pareto::front;
pub use read::section_of;
pub use search::{Outlook, Plan, Search, Suggestion};
pub use space::Configuration;
pub use trial::{Goal, Objective, Outcome, Trial};
