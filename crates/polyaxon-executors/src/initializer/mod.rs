//! The programs that run before the main task.
