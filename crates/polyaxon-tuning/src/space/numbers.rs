//! Parameters whose values follow a distribution, quantised or not.
//!
//! A quantised value is `round(value / q) * q`, half to even, moved to a multiple inside the bounds. The seeded random
//! search floors instead, as the tools did whose draws it repeats.

use polyaxon_spec::node::{Node, Value};
use serde_json::Value as Json;

use crate::math;
use crate::random::Mersenne;

/// The tails of a normal distribution end here, about six standard deviations out.
const TAIL: f64 = 1e-9;

/// Nearer places than this are the same.
const RESOLUTION: f64 = 1e9;

/// A distribution of the value, or of its natural logarithm.
#[derive(Clone, Debug)]
pub(crate) struct Numbers {
    law: Law,
    is_logarithm: bool,
    quantum: Option<f64>,
}

#[derive(Clone, Copy, Debug)]
enum Law {
    Uniform { low: f64, high: f64 },
    Normal { mean: f64, deviation: f64 },
}

impl Numbers {
    pub(crate) fn read(node: &Node) -> Result<Numbers, String> {
        let kind = node.get("kind").and_then(Node::as_str).unwrap_or_default();
        let (is_quantised, rest) = kind.strip_prefix('q').map_or((false, kind), |rest| (true, rest));
        let (is_logarithm, family) = rest.strip_prefix("log").map_or((false, rest), |rest| (true, rest));
        let number = |name: &str| {
            let value = node.get("value").and_then(|value| value.get(name));
            let number = match value.map(|node| &node.value) {
                Some(Value::Int(value)) => Some(*value as f64),
                Some(Value::Float(value)) => Some(*value),
                _ => None,
            };
            number.filter(|number| number.is_finite()).ok_or_else(|| format!("has no number `{name}`"))
        };
        let law = match family {
            "uniform" => Law::Uniform { low: number("low")?, high: number("high")? },
            "normal" => Law::Normal { mean: number("loc")?, deviation: number("scale")? },
            _ => return Err(format!("has the unknown kind `{kind}`")),
        };
        match law {
            Law::Uniform { low, high } if low > high => {
                return Err(format!("goes from {low} to {high}, which is less"));
            }
            Law::Normal { deviation, .. } if deviation < 0.0 => {
                return Err(format!("has the scale {deviation}, which is less than 0"));
            }
            Law::Uniform { .. } | Law::Normal { .. } => {}
        }
        let quantum = if is_quantised { Some(number("q")?) } else { None };
        if let Some(q) = quantum
            && q <= 0.0
        {
            return Err(format!("has the quantum {q}, which is not more than 0"));
        }
        Ok(Numbers { law, is_logarithm, quantum })
    }

    /// The value at a place.
    pub(crate) fn value(&self, place: f64) -> f64 {
        let inner = match self.law {
            Law::Uniform { low, high } => low + (high - low) * place.clamp(0.0, 1.0),
            Law::Normal { mean, deviation } => mean + deviation * math::normal_quantile(place.clamp(TAIL, 1.0 - TAIL)),
        };
        self.quantised(self.outer(inner), f64::round_ties_even)
    }

    /// The place of a value; values outside of the bounds count as the bound.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let inner = if self.is_logarithm {
            // A quantised value can be 0.
            math::ln(value.max(self.quantum.unwrap_or(0.0) / 4.0).max(f64::MIN_POSITIVE))
        } else {
            value
        };
        let place = match self.law {
            Law::Uniform { low, high } if high > low => (inner - low) / (high - low),
            Law::Normal { mean, deviation } if deviation > 0.0 => math::normal_cdf((inner - mean) / deviation),
            Law::Uniform { .. } | Law::Normal { .. } => 0.5,
        };
        place.clamp(0.0, 1.0)
    }

    pub(crate) fn snap(&self, place: f64) -> f64 {
        match self.quantum {
            Some(_) => self.place(self.value(place)),
            None => place.clamp(0.0, 1.0),
        }
    }

    pub(crate) fn key(&self, place: f64) -> u64 {
        match self.quantum {
            Some(q) => 1 + (self.value(place) / q).round_ties_even().to_bits(),
            None => 1 + (place * RESOLUTION).round_ties_even() as u64,
        }
    }

    /// The value that earlier versions drew.
    pub(crate) fn draw(&self, random: &mut Mersenne) -> Json {
        let inner = match self.law {
            Law::Uniform { low, high } => random.uniform(low, high),
            Law::Normal { mean, deviation } => random.normal(mean, deviation),
        };
        Json::from(self.quantised(self.outer(inner), f64::floor))
    }

    fn outer(&self, inner: f64) -> f64 {
        if self.is_logarithm { math::exp(inner) } else { inner }
    }

    fn quantised(&self, value: f64, round: fn(f64) -> f64) -> f64 {
        let Some(q) = self.quantum else { return value };
        let multiple = round(value / q);
        match (self.bounds(), self.law) {
            (Some((first, last)), Law::Uniform { low, high }) if first <= last => {
                let nearest = multiple.clamp(first, last) * q;
                // In binary it may be beyond a bound that it is in decimals.
                if self.is_logarithm { nearest.min(self.outer(high)) } else { nearest.max(low).min(high) }
            }
            // No multiple lies between the bounds.
            (Some(_), _) => value,
            (None, _) => multiple * q,
        }
    }

    /// The first and the last multiple between the bounds. The first one of logarithms is rounded: it can be 0.
    fn bounds(&self) -> Option<(f64, f64)> {
        let (Law::Uniform { low, high }, Some(q)) = (self.law, self.quantum) else { return None };
        // Bounds that are multiples in decimals need not be in binary.
        let slack = 1e-9;
        let first = self.outer(low) / q;
        let first = if self.is_logarithm { first.round_ties_even() } else { (first - slack).ceil() };
        Some((first, (self.outer(high) / q + slack).floor()))
    }

    /// The number of multiples between the bounds.
    pub(crate) fn multiples(&self) -> Option<u64> {
        match self.law {
            Law::Uniform { low, high } if low == high => return Some(1),
            Law::Normal { deviation: 0.0, .. } => return Some(1),
            Law::Uniform { .. } | Law::Normal { .. } => {}
        }
        let (first, last) = self.bounds()?;
        (first <= last && last - first < 1e15).then(|| (last - first) as u64 + 1)
    }

    pub(crate) fn place_of_multiple(&self, index: u64) -> f64 {
        match (self.bounds(), self.quantum) {
            (Some((first, _)), Some(q)) => self.place((first + index as f64) * q),
            _ => 0.5,
        }
    }
}
