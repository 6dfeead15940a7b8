//! The lengths of the axes, the height and the noise of the process: the most likely ones, given what is likely at all.

use super::Smoothness;
use super::kernel::{Feature, resemblance};
use super::linear::{Lower, dot};
use crate::descent::{Limits, minimize};
use crate::math::{exp, ln};
use crate::random::Xoshiro;

/// The numbers that are fitted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shape {
    /// One by the square of the length of each axis.
    pub(crate) weights: Vec<f64>,
    pub(crate) height: f64,
    pub(crate) noise: f64,
}

/// Added to the noise, so that equal points do no harm.
pub(crate) const JITTER: f64 = 1e-8;

/// Bounds of logarithms.
const WEIGHTS: (f64, f64) = (-9.0, 9.0);
const HEIGHT: (f64, f64) = (-7.0, 5.0);
const NOISE: (f64, f64) = (-14.0, 1.0);

/// Evaluations of the likelihood for one start.
const EVALUATIONS: usize = 40;

/// Fits the shape to points and their values, which must have mean 0 and deviation 1.
pub(crate) fn fit(
    axes: &[Feature],
    smoothness: Smoothness,
    points: &[Vec<f64>],
    values: &[f64],
    start_length: f64,
    restarts: usize,
    random: &mut Xoshiro,
) -> Shape {
    let likelihood = Likelihood::new(axes, smoothness, points, values);
    let mut bounds = vec![WEIGHTS; axes.len()];
    bounds.extend([HEIGHT, NOISE]);
    let limits = Limits { evaluations: EVALUATIONS, tolerance: 1e-3, first_step: 1.0 };
    let mut starts = vec![vec![-2.0 * ln(start_length); axes.len()]];
    for _ in 0..restarts {
        starts.push(axes.iter().map(|_| random.unit() * 6.0 - 2.0).collect());
    }
    let mut best: Option<(Vec<f64>, f64)> = None;
    for mut start in starts {
        start.extend([0.0, ln(1e-3)]);
        let found = minimize(&start, &bounds, limits, |at, gradient| likelihood.loss(at, gradient));
        if best.as_ref().is_none_or(|(_, loss)| found.1 < *loss) {
            best = Some(found);
        }
    }
    let (logarithms, _) = best.unwrap_or_default();
    Shape::of(&logarithms)
}

impl Shape {
    fn of(logarithms: &[f64]) -> Shape {
        let numbers: Vec<f64> = logarithms.iter().map(|logarithm| exp(*logarithm)).collect();
        match numbers.as_slice() {
            [weights @ .., height, noise] => Shape { weights: weights.to_vec(), height: *height, noise: *noise },
            _ => Shape { weights: Vec::new(), height: 1.0, noise: 1e-3 },
        }
    }
}

/// What does not change while the shape is fitted.
struct Likelihood<'a> {
    axes: usize,
    smoothness: Smoothness,
    values: &'a [f64],
    /// The squares of the distances on each axis, for each pair of points.
    squares: Vec<f64>,
}

impl Likelihood<'_> {
    fn new<'a>(axes: &[Feature], smoothness: Smoothness, points: &[Vec<f64>], values: &'a [f64]) -> Likelihood<'a> {
        let mut squares = Vec::with_capacity(points.len() * points.len() / 2 * axes.len());
        for (row, point) in points.iter().enumerate() {
            for other in &points[..row] {
                squares.extend(axes.iter().zip(point).zip(other).map(|((axis, a), b)| axis.square(*a, *b)));
            }
        }
        Likelihood { axes: axes.len(), smoothness, values, squares }
    }

    /// Less the more likely the values are, with what is known of shapes before.
    fn loss(&self, logarithms: &[f64], gradient: &mut [f64]) -> f64 {
        let shape = Shape::of(logarithms);
        let size = self.values.len();
        let mut matrix = vec![0.0; size * size];
        // How the resemblance of each pair changes with the square of its distance.
        let mut changes = Vec::with_capacity(size * size / 2);
        let mut pairs = self.squares.chunks_exact(self.axes.max(1));
        for row in 0..size {
            for column in 0..row {
                let square = pairs.next().map_or(0.0, |squares| dot(squares, &shape.weights));
                let (own, change) = resemblance(self.smoothness, square);
                matrix[row * size + column] = shape.height * own;
                changes.push(shape.height * change);
            }
            matrix[row * size + row] = shape.height + shape.noise + JITTER;
        }
        let covariance = matrix.clone();
        let Some(lower) = Lower::factor(size, matrix) else {
            gradient.fill(0.0);
            return f64::INFINITY;
        };
        let inverse = lower.inverse();
        let whitened = inverse.times(self.values);
        let solved = inverse.transposed_times(&whitened);
        let precision = inverse.gram();
        gradient.fill(0.0);
        let mut pairs = self.squares.chunks_exact(self.axes.max(1));
        let mut changes = changes.iter();
        let (mut by_height, mut by_noise) = (0.0, 0.0);
        for row in 0..size {
            for column in 0..row {
                // Twice, for both halves of the matrix; by half, as it is in the likelihood.
                let weight = precision[row * size + column] - solved[row] * solved[column];
                let change = weight * changes.next().copied().unwrap_or_default();
                if let Some(squares) = pairs.next() {
                    gradient.iter_mut().zip(squares).for_each(|(slope, square)| *slope += change * square);
                }
                by_height += weight * covariance[row * size + column];
            }
            let weight = 0.5 * (precision[row * size + row] - solved[row] * solved[row]);
            by_height += weight * shape.height;
            by_noise += weight * shape.noise;
        }
        let mut loss = 0.5 * dot(&whitened, &whitened) + lower.log_diagonal();
        for (slope, weight) in gradient.iter_mut().zip(&shape.weights) {
            loss += 0.1 / weight + 0.1 * weight;
            *slope = *slope * weight - 0.1 / weight + 0.1 * weight;
        }
        loss += shape.height - ln(shape.height) + 30.0 * shape.noise - 0.1 * ln(shape.noise);
        gradient[self.axes] = by_height + shape.height - 1.0;
        gradient[self.axes + 1] = by_noise + 30.0 * shape.noise - 0.1;
        loss
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_are_those_of_the_loss() {
        let axes = [Feature::Range, Feature::Steps(4), Feature::Names(3)];
        let mut random = Xoshiro::new(&[1]);
        let points: Vec<Vec<f64>> =
            (0..12).map(|_| vec![random.unit(), random.below(4) as f64 / 3.0, random.below(3) as f64]).collect();
        let values: Vec<f64> = points.iter().map(|point| point[0] - point[2] * 0.3 + random.unit() * 0.1).collect();
        for smoothness in [Smoothness::ThreeHalves, Smoothness::FiveHalves, Smoothness::Infinite] {
            let likelihood = Likelihood::new(&axes, smoothness, &points, &values);
            let at = [0.3, -0.5, 0.8, 0.2, -2.0];
            let mut gradient = vec![0.0; 5];
            likelihood.loss(&at, &mut gradient);
            for (part, slope) in gradient.iter().enumerate() {
                let mut ignored = vec![0.0; 5];
                let mut moved = |by: f64| {
                    let mut at = at;
                    at[part] += by;
                    likelihood.loss(&at, &mut ignored)
                };
                let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                assert!((slope - expected).abs() < 1e-5 * expected.abs().max(1.0), "{part}: {slope} {expected}");
            }
        }
    }

    #[test]
    fn axes_without_effect_become_long() {
        let axes = [Feature::Range, Feature::Range];
        let mut random = Xoshiro::new(&[2]);
        let points: Vec<Vec<f64>> = (0..40).map(|_| vec![random.unit(), random.unit()]).collect();
        let values: Vec<f64> = points.iter().map(|point| (point[0] - 0.5) * (point[0] - 0.5) * 13.0 - 1.0).collect();
        let shape = fit(&axes, Smoothness::FiveHalves, &points, &values, 1.0, 0, &mut random);
        assert!(shape.weights[0] > 5.0 * shape.weights[1] && shape.noise < 0.01, "{shape:?}");
    }
}
