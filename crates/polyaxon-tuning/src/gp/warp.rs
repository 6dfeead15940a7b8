//! Values of a metric that are spread unevenly, bent so that a Gaussian process can expect them.

use super::standardized;
use crate::math;

/// Powers that are tried, in tenths.
const POWERS: std::ops::RangeInclusive<i32> = -10..=30;

/// The values bent so that they are most like a normal distribution: Yeo and Johnson 2000.
pub(crate) fn bent(values: &[f64]) -> Vec<f64> {
    let all = |power: f64| -> Vec<f64> { values.iter().map(|value| one(*value, power)).collect() };
    let likelihood = |power: f64| {
        let (_, scale) = standardized(&all(power));
        let slopes: f64 =
            values.iter().map(|value| math::ln(value.abs() + 1.0) * if *value < 0.0 { -1.0 } else { 1.0 }).sum();
        (power - 1.0) * slopes - values.len() as f64 * math::ln(scale)
    };
    let rated = POWERS.map(|tenths| f64::from(tenths) / 10.0).map(|power| (power, likelihood(power)));
    let best = rated.max_by(|a, b| a.1.total_cmp(&b.1)).map_or(1.0, |(power, _)| power);
    all(best)
}

fn one(value: f64, power: f64) -> f64 {
    let positive = |value: f64, power: f64| {
        if power.abs() < 0.01 { math::ln(value + 1.0) } else { (math::pow(value + 1.0, power) - 1.0) / power }
    };
    if value < 0.0 { -positive(-value, 2.0 - power) } else { positive(value, power) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_stays_and_far_values_come_nearer() {
        let values: Vec<f64> = (0..30).map(|at| libm::exp(f64::from(at) / 5.0)).collect();
        let (values, _) = standardized(&values);
        let (bent, _) = standardized(&bent(&values));
        assert!(bent.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(bent[29] < 0.7 * values[29], "{} {}", bent[29], values[29]);
    }
}
