//! The part of a run's life in which another run makes its image.
//!
//! Must not know images; they are written by whoever reports that one was made.

use polyaxon_model::kinds::Pending;

use super::Draft;

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
}
