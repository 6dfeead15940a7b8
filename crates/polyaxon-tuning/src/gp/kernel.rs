//! How much the metrics of two points resemble each other.
//!
//! Features of points are numbers from 0 to 1, or the index of a name. Features of parameters that are off are NaN.

use super::Smoothness;
use crate::math::exp;
use crate::space::{Domain, Point, Shape, Space};

/// What the features of an axis are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feature {
    /// Any number.
    Range,
    /// So many numbers with equal distances.
    Steps(usize),
    /// So many names.
    Names(usize),
}

impl Feature {
    fn of(domain: &Domain) -> Feature {
        match domain.shape() {
            Shape::Continuous => Feature::Range,
            Shape::Ordered(levels) => Feature::Steps(levels),
            Shape::Unordered(levels) => Feature::Names(levels),
        }
    }

    pub(crate) fn all(space: &Space) -> Vec<Feature> {
        space.parameters.iter().map(|parameter| Feature::of(&parameter.domain)).collect()
    }

    /// The feature at a place along the scale of the parameter.
    pub(crate) fn of_rank(self, rank: f64) -> f64 {
        match self {
            Feature::Steps(levels) => rank / (levels.max(2) - 1) as f64,
            Feature::Range | Feature::Names(_) => rank,
        }
    }

    pub(crate) fn rank(self, feature: f64) -> f64 {
        match self {
            Feature::Steps(levels) => feature * (levels.max(2) - 1) as f64,
            Feature::Range | Feature::Names(_) => feature,
        }
    }

    /// The square of the distance on this axis.
    pub(crate) fn square(self, a: f64, b: f64) -> f64 {
        match (self, a.is_nan(), b.is_nan()) {
            (_, true, true) => 0.0,
            (Feature::Names(_), _, _) => f64::from(a.to_bits() != b.to_bits()),
            (_, false, false) => (a - b) * (a - b),
            // On and off differ like the middle and an end.
            (_, _, _) => 0.25,
        }
    }
}

/// The features of a point.
pub(crate) fn features(space: &Space, axes: &[Feature], point: &Point) -> Vec<f64> {
    let parts = space.parameters.iter().zip(axes).zip(point);
    parts
        .map(
            |((parameter, axis), place)| {
                if place.is_nan() { f64::NAN } else { axis.of_rank(parameter.domain.rank_of(*place)) }
            },
        )
        .collect()
}

/// The point with these features; what is off is found by snapping.
pub(crate) fn point(space: &Space, axes: &[Feature], features: &[f64]) -> Point {
    let parts = space.parameters.iter().zip(axes).zip(features);
    let place = |((parameter, axis), feature): ((&crate::space::Parameter, &Feature), &f64)| {
        if feature.is_nan() { f64::NAN } else { parameter.domain.of_rank(axis.rank(*feature)) }
    };
    let mut point: Point = parts.map(place).collect();
    space.snap(&mut point);
    point
}

/// The resemblance at a squared distance, and how it changes with the square.
pub(crate) fn resemblance(smoothness: Smoothness, square: f64) -> (f64, f64) {
    let distance = |factor: f64| (factor * square).sqrt();
    match smoothness {
        Smoothness::Half => {
            let r = distance(1.0);
            let k = exp(-r);
            (k, -0.5 * k / r.max(1e-6))
        }
        Smoothness::ThreeHalves => {
            let s = distance(3.0);
            let k = exp(-s);
            ((1.0 + s) * k, -1.5 * k)
        }
        Smoothness::FiveHalves => {
            let s = distance(5.0);
            let k = exp(-s);
            ((1.0 + s + s * s / 3.0) * k, -5.0 / 6.0 * (1.0 + s) * k)
        }
        Smoothness::Infinite => {
            let k = exp(-0.5 * square);
            (k, -0.5 * k)
        }
    }
}
