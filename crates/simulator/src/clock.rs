//! Virtual time of one thread: a wall clock that can be set, and a steady one that cannot.

use std::cell::Cell;

use polyaxon_model::time::Timestamp;

const START: i64 = 1_780_000_000_000_000;

thread_local! {
    static WALL: Cell<i64> = const { Cell::new(START) };
    static STEADY: Cell<i64> = const { Cell::new(0) };
}

/// What the wall clock shows.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_micros(WALL.get())
}

/// Microseconds since the simulation began, whatever was done to the wall clock.
pub(crate) fn steady() -> i64 {
    STEADY.get()
}

pub(crate) fn restart() {
    WALL.set(START);
    STEADY.set(0);
}

/// Lets time pass.
pub(crate) fn pass(micros: i64) {
    WALL.set(WALL.get() + micros);
    STEADY.set(STEADY.get() + micros);
}

/// Somebody sets the wall clock.
pub(crate) fn set_by(micros: i64) {
    WALL.set(WALL.get() + micros);
}
