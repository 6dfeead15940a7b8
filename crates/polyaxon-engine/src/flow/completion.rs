//! How a pipeline ends when all of its children have ended.

use polyaxon_model::status::Status;

use crate::state::Ending;

/// How the direct children of a pipeline ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    pub succeeded: u64,
    pub failed: u64,
    /// Could not run, and that is a failure of the pipeline (see [`super::trigger::is_broken`]).
    pub broken: u64,
    /// Could not run, as it was meant to be.
    pub upstream_failed: u64,
    pub stopped: u64,
    pub skipped: u64,
}

impl Ends {
    pub fn total(&self) -> u64 {
        self.succeeded + self.failed + self.broken + self.upstream_failed + self.stopped + self.skipped
    }
}

/// Whether a pipeline was asked to end before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    Ordinary,
    Stopping,
}

/// The end of a dag or a matrix whose children have all ended.
pub fn conclude(course: Course, ends: &Ends) -> Ending {
    let bad = ends.failed + ends.broken;
    let (status, message) = if course == Course::Stopping {
        (Status::Stopped, "Pipeline has stopped.".to_owned())
    } else if bad > 0 {
        let text = "Pipeline has failed, some operations did not finish successfully.";
        (Status::Failed, format!("{text} Operations that failed: {bad}."))
    } else if ends.stopped > 0 && ends.stopped == ends.total() {
        (Status::Stopped, "All operations in this pipeline were stopped.".to_owned())
    } else {
        (Status::Succeeded, "Pipeline has succeeded.".to_owned())
    };
    Ending { status, reason: "SchedulerPipeline".to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(ends: Ends) -> Status {
        conclude(Course::Ordinary, &ends).status
    }

    #[test]
    fn the_first_rule_that_holds_decides() {
        let none = Ends::default();
        assert_eq!(end(Ends { succeeded: 2, skipped: 1, ..none }), Status::Succeeded);
        assert_eq!(end(Ends { succeeded: 2, failed: 1, ..none }), Status::Failed);
        assert_eq!(end(Ends { stopped: 1, broken: 1, ..none }), Status::Failed);
        assert_eq!(end(Ends { stopped: 3, ..none }), Status::Stopped);
        assert_eq!(end(Ends { stopped: 3, succeeded: 1, ..none }), Status::Succeeded);
        assert_eq!(end(Ends { succeeded: 1, upstream_failed: 2, ..none }), Status::Succeeded);
        assert_eq!(conclude(Course::Stopping, &Ends { failed: 1, ..none }).status, Status::Stopped);
    }
}
