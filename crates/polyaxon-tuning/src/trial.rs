//! What a search knows of its trials, and what it optimizes.

use serde::{Deserialize, Serialize};

use crate::space::Configuration;

/// One run of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The values it got, under the names of the matrix; what else it got does not matter.
    pub configuration: Configuration,
    pub outcome: Outcome,
    /// The round, or the bracket of hyperband.
    pub iteration: u64,
    /// The stage of hyperband, the rung of asha.
    pub bracket_iteration: u64,
}

/// How a trial went. The numbers are the metrics, in the order of [`crate::Search::objectives`].
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It waits, runs, or its end is not known.
    Pending,
    Succeeded(Vec<f64>),
    /// It was stopped early; its last metrics.
    Stopped(Vec<f64>),
    /// It ended without metrics.
    Failed,
}

/// A metric to optimize.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objective {
    pub name: String,
    pub goal: Goal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Goal {
    Minimize,
    Maximize,
}

impl Objective {
    /// The metric such that less is better.
    pub(crate) fn loss(&self, metric: f64) -> f64 {
        match self.goal {
            Goal::Minimize => metric,
            Goal::Maximize => -metric,
        }
    }
}

impl Outcome {
    pub(crate) fn is_pending(&self) -> bool {
        matches!(self, Outcome::Pending)
    }

    /// The losses of all objectives, when all are there and finite. `None` too for what was stopped, unless asked.
    pub(crate) fn losses(&self, objectives: &[Objective], stopped_too: Stopped) -> Option<Vec<f64>> {
        let metrics = match (self, stopped_too) {
            (Outcome::Succeeded(metrics), _) | (Outcome::Stopped(metrics), Stopped::Counts) => metrics,
            (Outcome::Pending | Outcome::Failed | Outcome::Stopped(_), _) => return None,
        };
        if metrics.len() < objectives.len() || metrics.iter().any(|metric| !metric.is_finite()) {
            return None;
        }
        Some(objectives.iter().zip(metrics).map(|(objective, metric)| objective.loss(*metric)).collect())
    }
}

/// Whether trials that were stopped early are compared by their last metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    Counts,
    IsLeftOut,
}
