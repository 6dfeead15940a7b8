//! The part of a run's life in which another run makes its image, and the end of a run that makes one for nobody.
//!
//! Must not know images; they are written by whoever reports that one was made.

use polyaxon_model::builds::NOTIFIED;
use polyaxon_model::kinds::Pending;
use polyaxon_model::status::Status;

use super::Draft;
use crate::state::Ending;

impl Draft {
    pub(super) fn build_awaited(&mut self) {
        self.run.control.is_compiling = false;
        // What was to be uploaded goes to the build.
        let is_open = matches!(self.run.pending, None | Some(Pending::Upload));
        if self.run.status.is_compilable() && is_open {
            self.run.pending = Some(Pending::Build);
            self.run.updated_at = self.now.max(self.run.updated_at);
        }
    }

    pub(super) fn built(&mut self) {
        if self.run.pending == Some(Pending::Build) {
            self.approved();
        }
    }

    pub(super) fn unneeded(&mut self) {
        if !self.run.status.is_done_or_stopping() {
            let message = "No run waits for its image any more.";
            let ending = Ending { status: Status::Stopped, reason: NOTIFIED.to_owned(), message: message.to_owned() };
            self.run.control.ending = Some(ending);
            self.stop(NOTIFIED, message);
        }
    }
}
