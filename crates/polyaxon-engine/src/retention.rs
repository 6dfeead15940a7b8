//! How long records are kept: what is archived is deleted one day, what is deleted is forgotten later.
//!
//! Must not know how records are found; it answers for one record, or where the border lies now.

use std::time::Duration;

use polyaxon_model::time::Timestamp;

/// Archived runs and projects are deleted after this.
pub const ARCHIVED: Duration = Duration::from_hours(30 * 24);
/// The record of a deleted run stays this long after its folder is gone.
pub const RUN_RECORD: Duration = Duration::from_hours(24);
/// The record of a deleted project stays this long, and as long as one of its runs has one.
pub const PROJECT_RECORD: Duration = Duration::from_hours(15 * 24);

/// The borders at one instant: what happened at or before them is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Borders {
    pub archived: Timestamp,
    pub run_record: Timestamp,
    pub project_record: Timestamp,
}

impl Borders {
    pub fn at(now: Timestamp) -> Borders {
        Borders {
            archived: now.minus(ARCHIVED),
            run_record: now.minus(RUN_RECORD),
            project_record: now.minus(PROJECT_RECORD),
        }
    }
}
