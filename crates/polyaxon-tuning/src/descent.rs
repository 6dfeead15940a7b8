//! Minimum of a smooth function inside of a box: L-BFGS, with steps cut at the bounds.

/// Earlier steps that curvature is estimated from.
const MEMORY: usize = 8;

/// Least part of the promised decrease that a step must bring.
const SUFFICIENT: f64 = 1e-4;

/// How far and how long to search.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) evaluations: usize,
    /// The search ends when a step brings less than this.
    pub(crate) tolerance: f64,
    /// The length of the first step.
    pub(crate) first_step: f64,
}

/// The lowest point found and its value, starting at `start`. `function` gives the value and the gradient.
pub(crate) fn minimize(
    start: &[f64],
    bounds: &[(f64, f64)],
    limits: Limits,
    mut function: impl FnMut(&[f64], &mut [f64]) -> f64,
) -> (Vec<f64>, f64) {
    let count = start.len();
    let mut x = start.to_vec();
    let mut gradient = vec![0.0; count];
    let mut value = function(&x, &mut gradient);
    let mut evaluations = 1;
    let mut steps: Vec<Step> = Vec::new();
    while evaluations < limits.evaluations {
        let free: Vec<bool> = (0..count).map(|at| is_free(x[at], gradient[at], bounds[at])).collect();
        let mut direction = direction(&gradient, &free, &steps);
        let mut slope = dot(&direction, &gradient);
        if slope >= 0.0 {
            steps.clear();
            direction = (0..count).map(|at| if free[at] { -gradient[at] } else { 0.0 }).collect();
            slope = dot(&direction, &gradient);
        }
        let length = dot(&direction, &direction).sqrt();
        if slope.is_nan() || length < 1e-12 {
            break;
        }
        let mut scale = if steps.is_empty() { limits.first_step / length } else { 1.0 };
        let mut next_gradient = vec![0.0; count];
        let found = loop {
            let next: Vec<f64> =
                (0..count).map(|at| (x[at] + scale * direction[at]).clamp(bounds[at].0, bounds[at].1)).collect();
            let next_value = function(&next, &mut next_gradient);
            evaluations += 1;
            let moved: f64 = (0..count).map(|at| (next[at] - x[at]) * gradient[at]).sum();
            if next_value <= value + SUFFICIENT * moved && next_value.is_finite() {
                break Some((next, next_value));
            }
            if evaluations >= limits.evaluations || scale * length < 1e-10 {
                break None;
            }
            // The minimum of the parabola through what is known, not too near and not too far.
            let curvature = next_value - value - scale * slope;
            let best = if curvature > 0.0 { -0.5 * slope * scale * scale / curvature } else { 0.0 };
            scale = if best.is_finite() { best.clamp(0.1 * scale, 0.5 * scale) } else { 0.1 * scale };
        };
        let Some((next, next_value)) = found else { break };
        let gain = value - next_value;
        let step = Step::new(&x, &next, &gradient, &next_gradient);
        x = next;
        value = next_value;
        gradient = next_gradient;
        if let Some(step) = step {
            if steps.len() == MEMORY {
                steps.remove(0);
            }
            steps.push(step);
        }
        if gain < limits.tolerance {
            break;
        }
    }
    (x, value)
}

fn is_free(place: f64, slope: f64, (low, high): (f64, f64)) -> bool {
    !((place <= low && slope > 0.0) || (place >= high && slope < 0.0))
}

/// A step that was made, and how it changed the gradient.
struct Step {
    moved: Vec<f64>,
    turned: Vec<f64>,
    /// 1 by their product.
    weight: f64,
}

impl Step {
    /// `None` for a step along which the function does not curve upwards.
    fn new(from: &[f64], to: &[f64], gradient: &[f64], next_gradient: &[f64]) -> Option<Step> {
        let difference = |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a - b).collect() };
        let (moved, turned) = (difference(to, from), difference(next_gradient, gradient));
        let product = dot(&moved, &turned);
        (product > 1e-12 * dot(&turned, &turned)).then(|| Step { moved, turned, weight: 1.0 / product })
    }
}

/// The direction of the next step: the gradient, turned by what is known of the curvature.
fn direction(gradient: &[f64], free: &[bool], steps: &[Step]) -> Vec<f64> {
    let mut direction: Vec<f64> =
        gradient.iter().zip(free).map(|(slope, free)| if *free { *slope } else { 0.0 }).collect();
    let mut factors = Vec::with_capacity(steps.len());
    for step in steps.iter().rev() {
        let factor = step.weight * dot(&step.moved, &direction);
        add(&mut direction, -factor, &step.turned);
        factors.push(factor);
    }
    if let Some(last) = steps.last() {
        let scale = 1.0 / (last.weight * dot(&last.turned, &last.turned));
        for part in &mut direction {
            *part *= scale;
        }
    }
    for (step, factor) in steps.iter().zip(factors.iter().rev()) {
        let back = step.weight * dot(&step.turned, &direction);
        add(&mut direction, factor - back, &step.moved);
    }
    direction.iter().zip(free).map(|(part, free)| if *free { -part } else { 0.0 }).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], factor: f64, what: &[f64]) {
    to.iter_mut().zip(what).for_each(|(to, what)| *to += factor * what);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn banana(x: &[f64], gradient: &mut [f64]) -> f64 {
        let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
        gradient[0] = -2.0 * a - 400.0 * x[0] * b;
        gradient[1] = 200.0 * b;
        a * a + 100.0 * b * b
    }

    #[test]
    fn minima_are_found_inside_and_at_bounds() {
        let limits = Limits { evaluations: 200, tolerance: 1e-14, first_step: 0.1 };
        let (x, value) = minimize(&[-1.2, 1.0], &[(-2.0, 2.0); 2], limits, banana);
        assert!(value < 1e-8 && (x[0] - 1.0).abs() < 1e-3, "{x:?} {value}");
        let (x, _) = minimize(&[-1.2, 1.0], &[(-2.0, 0.5), (-2.0, 2.0)], limits, banana);
        assert!((x[0] - 0.5).abs() < 1e-9 && (x[1] - 0.25).abs() < 1e-3, "{x:?}");
    }
}
