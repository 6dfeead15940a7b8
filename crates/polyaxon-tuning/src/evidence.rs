//! What the trials so far say, in the form that models use.

use crate::search::Seen;
use crate::space::{Point, Space};
use crate::trial::{Objective, Outcome, Stopped, Trial};

/// Points of the space with their losses, for one suggestion.
#[derive(Clone, Debug)]
pub(crate) struct Evidence<'a> {
    pub(crate) space: &'a Space,
    /// Points with losses, one for each objective; less is better.
    pub(crate) observed: Vec<(Point, Vec<f64>)>,
    /// Points whose trials ended without metrics.
    pub(crate) failed: Vec<Point>,
    /// Points whose trials have not ended.
    pub(crate) pending: Vec<Point>,
    /// The keys of all points.
    pub(crate) seen: Seen,
}

impl<'a> Evidence<'a> {
    /// Trials whose values are not of the space are left out.
    pub(crate) fn new(space: &'a Space, objectives: &[Objective], trials: &[Trial], earlier: &[Trial]) -> Evidence<'a> {
        let (observed, failed, pending, seen) = Default::default();
        let mut evidence = Evidence { space, observed, failed, pending, seen };
        let is_of_interest = |trial: &&Trial| !trial.outcome.is_pending();
        for trial in earlier.iter().filter(is_of_interest).chain(trials) {
            let Some(point) = space.encode(&trial.configuration) else { continue };
            evidence.seen.insert(space.key(&point));
            match trial.outcome.losses(objectives, Stopped::Counts) {
                Some(losses) => evidence.observed.push((point, losses)),
                None if matches!(trial.outcome, Outcome::Pending) => evidence.pending.push(point),
                None => evidence.failed.push(point),
            }
        }
        evidence
    }

    pub(crate) fn add_pending(&mut self, point: Point) {
        self.seen.insert(self.space.key(&point));
        self.pending.push(point);
    }

    pub(crate) fn is_new(&self, point: &Point) -> bool {
        !self.seen.contains(&self.space.key(point))
    }

    /// Whether points that were not tried are left.
    pub(crate) fn has_new(&self) -> bool {
        self.space.size.is_none_or(|size| (self.seen.len() as u64) < size)
    }
}
