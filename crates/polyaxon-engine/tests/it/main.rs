//! The engine's decisions as event scripts, the whole transition table, and a property over random histories.

mod script;

mod attempts;
mod gates;
mod history;
mod stopping;
mod transitions;
