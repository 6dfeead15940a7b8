//! What an operation can wait for beside the ends of others: something that happens to a run.
//!
//! Must not know the other words that `events` may hold; they are announced and name nothing that happens here.

use std::fmt;

use crate::status::Status;

/// Something that happens to a run and that others can be started by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The run reaches this status; `done` is any final one.
    Status(Status),
    /// Somebody approves the run.
    Approved,
    /// Somebody says that no other run shall reuse its result.
    Invalidated,
    /// The run produces an artifact.
    NewArtifacts,
}

const STATUS: &str = "run_status_";

impl EventKind {
    /// The event that a word names; none for words that are only announced.
    pub fn read(word: &str) -> Option<EventKind> {
        match word {
            "run_approved_actor" => Some(EventKind::Approved),
            "run_invalidated_actor" => Some(EventKind::Invalidated),
            "run_new_artifacts" => Some(EventKind::NewArtifacts),
            word => word.strip_prefix(STATUS)?.parse().ok().map(EventKind::Status),
        }
    }

    /// The status, of an event that is one.
    pub fn status(self) -> Option<Status> {
        match self {
            EventKind::Status(status) => Some(status),
            EventKind::Approved | EventKind::Invalidated | EventKind::NewArtifacts => None,
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EventKind::Status(status) => write!(out, "{STATUS}{status}"),
            EventKind::Approved => out.write_str("run_approved_actor"),
            EventKind::Invalidated => out.write_str("run_invalidated_actor"),
            EventKind::NewArtifacts => out.write_str("run_new_artifacts"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for status in Status::ALL {
            let kind = EventKind::Status(*status);
            assert_eq!(EventKind::read(&kind.to_string()), Some(kind));
        }
        for word in ["run_approved_actor", "run_invalidated_actor", "run_new_artifacts"] {
            assert_eq!(EventKind::read(word).unwrap().to_string(), word);
        }
        for word in ["alert_info", "connection_git_commit", "run_status_", "run_status_finished", "{{ x }}"] {
            assert_eq!(EventKind::read(word), None, "{word}");
        }
    }
}
