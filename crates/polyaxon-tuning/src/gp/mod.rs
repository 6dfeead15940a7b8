//! Bayesian optimization: a Gaussian process as a model of the metric, and where it promises most.

use crate::evidence::Evidence;
use crate::random::Xoshiro;
use crate::space::Point;

/// The settings of a search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Utility {
    pub(crate) acquisition: Acquisition,
    pub(crate) smoothness: Smoothness,
    /// Where the fit of the lengths starts, on axes from 0 to 1.
    pub(crate) length_scale: f64,
    /// How often the fit is started again.
    pub(crate) restarts: usize,
    /// How many points are tried, when more than usual.
    pub(crate) warmup: usize,
    /// How many of them are refined.
    pub(crate) refined: usize,
}

/// What a point promises. Larger is better; `mu` is the expected gain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Acquisition {
    UpperBound { kappa: f64 },
    ExpectedImprovement { eps: f64 },
    ProbabilityOfImprovement { eps: f64 },
}

/// How smooth the metric is taken to be: `nu` of the Matérn kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Smoothness {
    Half,
    ThreeHalves,
    FiveHalves,
    Infinite,
}

impl Smoothness {
    /// The least smooth kernel that is as smooth as asked for.
    pub(crate) fn at_least(nu: f64) -> Smoothness {
        match nu {
            nu if nu <= 0.5 => Smoothness::Half,
            nu if nu <= 1.5 => Smoothness::ThreeHalves,
            nu if nu <= 2.5 => Smoothness::FiveHalves,
            _ => Smoothness::Infinite,
        }
    }
}

impl Default for Utility {
    fn default() -> Utility {
        Utility {
            acquisition: Acquisition::ExpectedImprovement { eps: 0.0 },
            smoothness: Smoothness::FiveHalves,
            length_scale: 1.0,
            restarts: 0,
            warmup: 0,
            refined: 10,
        }
    }
}

pub(crate) fn suggest(_utility: &Utility, evidence: &Evidence, random: &mut Xoshiro) -> Point {
    evidence.space.sample(random)
}
