//! Queues with their limits and their lanes.

use polyaxon_model::queue::QueueResource as R;
use polyaxon_model::run::Resources;
use polyaxon_model::{quantity, run};

use super::{Impossible, Lane, Obstacle, Waiting};

/// What a quota or a machine is counted in.
pub type Limit = R;

/// A queue as admission sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Queue {
    pub id: i64,
    pub name: String,
    /// -1 is the highest; of others the larger comes first.
    pub priority: i64,
    /// How many of its runs may be active at once.
    pub concurrency: Option<u64>,
    pub quota: Option<Quota>,
    /// Active runs by lane, and what they use of the quota.
    pub held_by_hand: u64,
    pub held_by_pipelines: u64,
    pub used: f64,
    /// The first waiting runs of each lane, in order.
    pub by_hand: Vec<Waiting>,
    pub by_pipelines: Vec<Waiting>,
}

/// A bound of what all active runs of a queue ask for together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quota {
    pub limit: Limit,
    pub most: f64,
}

impl Quota {
    /// Reads a quantity: `5Gi`, `500m`, `8`.
    pub fn parse(limit: Limit, text: &str) -> Option<Quota> {
        let most = match limit {
            R::Cpu => quantity::cpu_cores(text),
            R::Memory => quantity::memory_bytes(text),
            R::Gpu | R::Custom | R::Cost => quantity::cpu_cores(text).or_else(|| quantity::memory_bytes(text)),
        };
        most.filter(|most| *most >= 0.0).map(|most| Quota { limit, most })
    }

    /// What a run uses of it.
    pub fn asks(self, needs: &Resources) -> f64 {
        self.limit.of(needs)
    }
}

impl Queue {
    /// A queue without limits.
    pub fn unlimited(id: i64, name: &str) -> Queue {
        Queue {
            id,
            name: name.to_owned(),
            priority: 0,
            concurrency: None,
            quota: None,
            held_by_hand: 0,
            held_by_pipelines: 0,
            used: 0.0,
            by_hand: Vec::new(),
            by_pipelines: Vec::new(),
        }
    }

    pub fn held(&self) -> u64 {
        self.held_by_hand + self.held_by_pipelines
    }

    pub fn lane(&self, lane: Lane) -> &[Waiting] {
        match lane {
            Lane::Hand => &self.by_hand,
            Lane::Pipeline => &self.by_pipelines,
        }
    }

    /// Greater goes first.
    pub(super) fn rank(&self) -> i64 {
        if self.priority == -1 { i64::MAX } else { self.priority }
    }

    /// What a run of the queue would have to wait for.
    pub(super) fn obstacle(&self, needs: &run::Resources) -> Option<Obstacle> {
        if let Some(limit) = self.concurrency.filter(|limit| self.held() >= *limit) {
            return Some(Obstacle::Concurrency { queue: self.name.clone(), limit, held: self.held() });
        }
        let quota = self.quota?;
        let asks = quota.asks(needs);
        let is_over = asks > 0.0 && self.used + asks > quota.most;
        let Quota { limit, most } = quota;
        is_over.then(|| Obstacle::Quota { queue: self.name.clone(), limit, quota: most, used: self.used, asks })
    }

    /// The limit that a run exceeds by itself.
    pub fn refuses(&self, needs: &run::Resources) -> Option<Impossible> {
        let quota = self.quota?;
        let asks = quota.asks(needs);
        let Quota { limit, most } = quota;
        (asks > most).then(|| Impossible::Quota { queue: self.name.clone(), limit, quota: most, asks })
    }

    pub(super) fn take(&mut self, run: &Waiting) {
        match run.lane {
            Lane::Hand => self.held_by_hand += 1,
            Lane::Pipeline => self.held_by_pipelines += 1,
        }
        self.used += self.quota.map_or(0.0, |quota| quota.asks(&run.needs));
    }
}
