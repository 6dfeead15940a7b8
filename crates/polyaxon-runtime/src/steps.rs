//! The two steps of an action, one at a time and without a loop: for a simulator that crashes between them.
//!
//! Starting and stopping processes is left to whoever drives the steps.

use std::sync::Arc;

use polyaxon_model::time::Timestamp;
use polyaxon_store::Store;
use polyaxon_store::actions::OpenAction;

use crate::actions::{Done, Due, guarded, read, report_all};
use crate::driver::Shared;
use crate::{Result, RuntimeOptions, notifications, watch};

/// Performs actions; what it remembers between them only saves time.
pub struct Performer {
    shared: Shared,
}

/// What came of an action and is not reported yet.
pub struct Outcome {
    report: Arc<(Due, Done)>,
}

impl Performer {
    pub fn new(store: Store, options: RuntimeOptions) -> Performer {
        Performer { shared: Shared::new(store.of_server(options.server), options, None) }
    }

    /// Does what an action asks for. Nothing is written; nothing comes of an action that was done meanwhile, or that
    /// cannot be done now. `at` is the instant that the action had to wait for.
    pub fn perform(&self, action: OpenAction, at: Option<Timestamp>) -> Result<Option<Outcome>> {
        let memory = self.shared.expansions.memory(&self.shared.store);
        let needs = self.shared.store.read_blocking(|tx| read(tx, &self.shared.options, &action, &memory))?;
        let Some(needs) = needs else { return Ok(None) };
        let due = Due { action, at };
        Ok(match guarded(&self.shared, &due, needs) {
            Done::Failed(_) | Done::Lost(_) => None,
            done => Some(Outcome { report: Arc::new((due, done)) }),
        })
    }

    /// Sends the notifications that are due; tells how many there were.
    pub async fn notify(&self) -> Result<usize> {
        Ok(notifications::deliver_due(&self.shared.store, &self.shared.options).await?)
    }

    /// Writes what came of actions, all of it or nothing.
    pub fn report(&self, outcomes: &[Outcome]) -> Result<()> {
        let reports: Vec<Arc<(Due, Done)>> = outcomes.iter().map(|outcome| Arc::clone(&outcome.report)).collect();
        let options = Arc::clone(&self.shared.options);
        Ok(self.shared.store.write_blocking(move |tx| report_all(tx, &options, &reports))?)
    }

    /// Follows the metrics of running trials, and stops those that do worse.
    pub fn watch(&self) -> Result<()> {
        watch::pass_blocking(&self.shared)
    }
}
