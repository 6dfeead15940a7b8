//! The wake-up hub of one server process: "something of this run changed, look again".
//!
//! A wake-up carries no content. Who waits subscribes first, looks second and waits third, and so misses nothing.

use std::sync::Arc;

use polyaxon_model::ids::RunId;
use tokio::sync::broadcast;

/// Enough for a burst of every running job; who falls further behind is told to look again.
const BACKLOG: usize = 4096;

/// Cheap to clone; every clone is the same hub.
#[derive(Clone, Debug)]
pub struct Changes {
    sender: Arc<broadcast::Sender<RunId>>,
}

impl Default for Changes {
    fn default() -> Changes {
        Changes { sender: Arc::new(broadcast::Sender::new(BACKLOG)) }
    }
}

impl Changes {
    pub fn new() -> Changes {
        Changes::default()
    }

    /// Wakes everybody who waits for `run`.
    pub fn notify(&self, run: RunId) {
        // Nobody listening is no error.
        let _ = self.sender.send(run);
    }

    pub fn subscribe(&self) -> Subscription {
        Subscription { receiver: self.sender.subscribe() }
    }
}

/// Remembers every notice since it was made.
#[derive(Debug)]
pub struct Subscription {
    receiver: broadcast::Receiver<RunId>,
}

impl Subscription {
    /// Waits until `run` may have changed. Ends only with the hub itself, then at once.
    pub async fn changed(&mut self, run: RunId) {
        loop {
            match self.receiver.recv().await {
                Ok(other) if other != run => {}
                Ok(_) | Err(_) => break,
            }
        }
        // One look answers every notice that is already here.
        while let Ok(_) | Err(broadcast::error::TryRecvError::Lagged(_)) = self.receiver.try_recv() {}
    }

    /// Waits for any run. `None`: notices were missed, every run may have changed.
    pub async fn any(&mut self) -> Option<RunId> {
        self.receiver.recv().await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_between_subscribing_and_waiting_is_not_lost() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let run: RunId = "9b0a3806e3f84ea1959a7842e34129ed".parse().unwrap();
            let other: RunId = "00000000000000000000000000000001".parse().unwrap();
            let changes = Changes::new();
            changes.notify(run);
            let mut subscription = changes.subscribe();
            changes.clone().notify(other);
            changes.notify(run);
            changes.notify(run);
            subscription.changed(run).await;
            assert!(subscription.receiver.is_empty());
            for _ in 0..=BACKLOG {
                changes.notify(other);
            }
            subscription.changed(run).await;
        });
    }
}
