//! The part of a run's life in which an equal run stands for it.
//!
//! Must not know how equal runs are found; that is [`crate::cache`].

use polyaxon_model::kinds::Pending;
use polyaxon_model::status::Status;

use super::Draft;

impl Draft {
    pub(super) fn cache_hit(&mut self) {
        self.run.control.is_compiling = false;
        self.run.pending.take_if(|pending| *pending == Pending::Cache);
        if self.run.status.is_compilable() {
            self.enter(Status::Succeeded, "CacheHit", "Run is using cached results");
        }
    }

    pub(super) fn cache_awaited(&mut self) {
        self.run.control.is_compiling = false;
        if self.run.status.is_compilable() && self.run.pending.is_none() {
            self.run.pending = Some(Pending::Cache);
            self.run.updated_at = self.now.max(self.run.updated_at);
        }
    }

    pub(super) fn cache_lost(&mut self) {
        if self.run.status.is_compilable() && self.run.pending.take_if(|pending| *pending == Pending::Cache).is_some() {
            self.run.updated_at = self.now.max(self.run.updated_at);
            self.compile();
        }
    }
}
