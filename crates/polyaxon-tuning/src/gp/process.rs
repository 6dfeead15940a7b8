//! The process after some points were seen: what it expects at others.

use super::Smoothness;
use super::fit::{JITTER, Shape};
use super::kernel::{Feature, resemblance};
use super::linear::{Lower, add, dot};

/// A process and the points it was told of.
#[derive(Clone, Debug)]
pub(crate) struct Process<'a> {
    axes: &'a [Feature],
    smoothness: Smoothness,
    shape: &'a Shape,
    points: Vec<Vec<f64>>,
    inverse: Lower,
    /// What the values weigh in the mean at a new point.
    solved: Vec<f64>,
}

/// What is expected at a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Expected {
    pub(crate) mean: f64,
    pub(crate) deviation: f64,
}

/// Points that are calculated together.
const BLOCK: usize = 64;

/// Nothing is known better than this.
const LEAST_VARIANCE: f64 = 1e-12;

impl Process<'_> {
    /// `None` when the points are too near to each other for numbers of this size.
    pub(crate) fn new<'a>(
        axes: &'a [Feature],
        smoothness: Smoothness,
        shape: &'a Shape,
        points: Vec<Vec<f64>>,
        values: &[f64],
    ) -> Option<Process<'a>> {
        let size = points.len();
        let mut matrix = vec![0.0; size * size];
        for row in 0..size {
            for column in 0..row {
                let square = square(axes, shape, &points[row], &points[column]);
                matrix[row * size + column] = shape.height * resemblance(smoothness, square).0;
            }
            matrix[row * size + row] = shape.height + shape.noise + JITTER;
        }
        let inverse = Lower::factor(size, matrix)?.inverse();
        let solved = inverse.transposed_times(&inverse.times(values));
        Some(Process { axes, smoothness, shape, points, inverse, solved })
    }

    /// How much two points resemble each other, from 0 to 1.
    pub(crate) fn resemblance(&self, a: &[f64], b: &[f64]) -> f64 {
        resemblance(self.smoothness, square(self.axes, self.shape, a, b)).0
    }

    fn covariance(&self, at: &[f64]) -> Vec<f64> {
        let own = |point: &Vec<f64>| {
            self.shape.height * resemblance(self.smoothness, square(self.axes, self.shape, point, at)).0
        };
        self.points.iter().map(own).collect()
    }

    fn expected(&self, mean: f64, explained: f64) -> Expected {
        Expected { mean, deviation: (self.shape.height - explained).max(LEAST_VARIANCE).sqrt() }
    }

    pub(crate) fn at(&self, at: &[f64]) -> Expected {
        let covariance = self.covariance(at);
        let whitened = self.inverse.times(&covariance);
        self.expected(dot(&covariance, &self.solved), dot(&whitened, &whitened))
    }

    /// The expectations at many points.
    pub(crate) fn at_all(&self, all: &[Vec<f64>]) -> Vec<Expected> {
        all.chunks(BLOCK).flat_map(|block| self.at_block(block)).collect()
    }

    fn at_block(&self, block: &[Vec<f64>]) -> Vec<Expected> {
        let width = block.len();
        let mut covariances = Vec::with_capacity(self.points.len() * width);
        let mut means = vec![0.0; width];
        for (point, weight) in self.points.iter().zip(&self.solved) {
            let start = covariances.len();
            covariances.extend(block.iter().map(|at| {
                self.shape.height * resemblance(self.smoothness, square(self.axes, self.shape, point, at)).0
            }));
            add(&mut means, *weight, &covariances[start..]);
        }
        let mut explained = vec![0.0; width];
        let mut whitened = vec![0.0; width];
        for row in 0..self.points.len() {
            whitened.fill(0.0);
            for (factor, covariance) in self.inverse.row(row).iter().zip(covariances.chunks_exact(width)) {
                add(&mut whitened, *factor, covariance);
            }
            explained.iter_mut().zip(&whitened).for_each(|(sum, part)| *sum += part * part);
        }
        means.iter().zip(&explained).map(|(mean, explained)| self.expected(*mean, *explained)).collect()
    }

    /// The expectation at a point, and how it changes along each axis that has no levels.
    pub(crate) fn slope(&self, at: &[f64]) -> (Expected, Vec<f64>, Vec<f64>) {
        let axes = self.axes.len();
        let mut covariance = Vec::with_capacity(self.points.len());
        let mut changes = Vec::with_capacity(self.points.len());
        for point in &self.points {
            let (own, change) = resemblance(self.smoothness, square(self.axes, self.shape, point, at));
            covariance.push(self.shape.height * own);
            changes.push(self.shape.height * change);
        }
        let whitened = self.inverse.times(&covariance);
        let solved = self.inverse.transposed_times(&whitened);
        let expected = self.expected(dot(&covariance, &self.solved), dot(&whitened, &whitened));
        let (mut of_mean, mut of_deviation) = (vec![0.0; axes], vec![0.0; axes]);
        for (index, point) in self.points.iter().enumerate() {
            for (at_axis, axis) in self.axes.iter().enumerate() {
                let distance = at[at_axis] - point[at_axis];
                if *axis == Feature::Range && !distance.is_nan() {
                    let change = changes[index] * 2.0 * self.shape.weights[at_axis] * distance;
                    of_mean[at_axis] += change * self.solved[index];
                    of_deviation[at_axis] -= change * solved[index] / expected.deviation;
                }
            }
        }
        (expected, of_mean, of_deviation)
    }
}

fn square(axes: &[Feature], shape: &Shape, a: &[f64], b: &[f64]) -> f64 {
    let parts = axes.iter().zip(&shape.weights).zip(a.iter().zip(b));
    parts.map(|((axis, weight), (a, b))| weight * axis.square(*a, *b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Xoshiro;

    #[test]
    fn what_was_seen_is_expected_and_slopes_are_right() {
        let axes = [Feature::Range, Feature::Range, Feature::Names(2)];
        let shape = Shape { weights: vec![4.0, 1.0, 0.5], height: 1.5, noise: 1e-6 };
        let mut random = Xoshiro::new(&[3]);
        let points: Vec<Vec<f64>> =
            (0..15).map(|_| vec![random.unit(), random.unit(), random.below(2) as f64]).collect();
        let values: Vec<f64> = points.iter().map(|point| point[0] * point[1] - point[2]).collect();
        let process = Process::new(&axes, Smoothness::FiveHalves, &shape, points.clone(), &values).unwrap();
        let all = process.at_all(&points);
        for (point, (value, together)) in points.iter().zip(values.iter().zip(all)) {
            let expected = process.at(point);
            assert!((expected.mean - value).abs() < 1e-3 && expected.deviation < 0.01, "{expected:?} {value}");
            assert!((expected.mean - together.mean).abs() < 1e-9);
        }
        let at = vec![0.4, 0.7, 1.0];
        let (_, of_mean, of_deviation) = process.slope(&at);
        for axis in 0..2 {
            let moved = |by: f64| {
                let mut at = at.clone();
                at[axis] += by;
                process.at(&at)
            };
            let (above, below) = (moved(1e-5), moved(-1e-5));
            assert!((of_mean[axis] - (above.mean - below.mean) / 2e-5).abs() < 1e-4);
            assert!((of_deviation[axis] - (above.deviation - below.deviation) / 2e-5).abs() < 1e-4);
        }
    }
}
