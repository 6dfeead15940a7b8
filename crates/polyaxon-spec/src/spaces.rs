//! The values that discrete hyper-parameters stand for, and the rows of `grid` and `mapping` searches (spec §15).
//!
//! Nothing is materialised: values and rows are computed by index, so that large grids cost nothing. Logarithms and
//! powers are those of libm, whose results are the same to the last bit on every platform.

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, ToSpan as _};

use crate::node::{Key, Map, Node, Value};

/// The values of one discrete hyper-parameter.
#[derive(Clone, Debug)]
pub enum Values {
    Listed(Vec<Node>),
    /// `start + i × step`
    Steps {
        start: f64,
        step: f64,
        count: u64,
    },
    /// Evenly between two numbers, both included.
    Between {
        start: f64,
        stop: f64,
        count: u64,
        scale: Scale,
    },
    Days {
        start: Date,
        step: i64,
        count: u64,
    },
    Moments {
        start: DateTime,
        step_seconds: f64,
        count: u64,
    },
}

/// How numbers between two others are spread.
#[derive(Clone, Copy, Debug)]
pub enum Scale {
    Linear,
    /// The bounds are exponents of the base.
    Exponent {
        base: f64,
    },
    /// Each value is the same multiple of the one before.
    Geometric,
}

impl Values {
    /// The values of a canonical hyper-parameter; `None` for distributions.
    pub fn of(space: &Node) -> Option<Values> {
        let kind = space.get("kind")?.as_str()?;
        let value = space.get("value")?;
        let number = |name: &str| value.get(name).and_then(number);
        let count = |name: &str| value.get(name).and_then(Node::as_int).and_then(|count| u64::try_from(count).ok());
        let between = |scale| {
            Some(Values::Between { start: number("start")?, stop: number("stop")?, count: count("num")?, scale })
        };
        match kind {
            "choice" => Some(Values::Listed(value.as_list()?.to_vec())),
            "range" => {
                let (start, stop, step) = (number("start")?, number("stop")?, number("step")?);
                let count = ((stop - start) / step).ceil().max(0.0) as u64;
                Some(Values::Steps { start, step: (start + step) - start, count })
            }
            "linspace" => between(Scale::Linear),
            "logspace" => between(Scale::Exponent { base: number("base").unwrap_or(10.0) }),
            "geomspace" => between(Scale::Geometric),
            "daterange" => {
                let (start, stop) = (date(value.get("start")?)?, date(value.get("stop")?)?);
                let step = i64::try_from(value.get("step")?.as_int()?).ok().filter(|step| *step != 0)?;
                let days = stop.since(start).ok()?.get_days();
                let count = (f64::from(days) / step as f64).ceil().max(0.0) as u64;
                Some(Values::Days { start, step, count })
            }
            "datetimerange" => {
                let (start, stop) = (moment(value.get("start")?)?, moment(value.get("stop")?)?);
                let step_seconds = number("step").filter(|step| *step != 0.0)?;
                let seconds = stop.duration_since(start).as_secs_f64();
                Some(Values::Moments { start, step_seconds, count: (seconds / step_seconds).ceil().max(0.0) as u64 })
            }
            _ => None,
        }
    }

    pub fn len(&self) -> u64 {
        match self {
            Values::Listed(values) => values.len() as u64,
            Values::Steps { count, .. }
            | Values::Between { count, .. }
            | Values::Days { count, .. }
            | Values::Moments { count, .. } => *count,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at `index`; `None` past the end.
    pub fn at(&self, index: u64) -> Option<Node> {
        if index >= self.len() {
            return None;
        }
        let position = index as f64;
        match self {
            Values::Listed(values) => values.get(index as usize).cloned(),
            Values::Steps { start, step, .. } => Some(Node::float(start + position * step)),
            Values::Between { start, stop, count, scale } => {
                Some(Node::float(scale.value(*start, *stop, *count, index)))
            }
            Values::Days { start, step, .. } => {
                let day = start.checked_add(step.checked_mul(index as i64)?.days()).ok()?;
                Some(Node::bare(Value::Date(day.to_string())))
            }
            Values::Moments { start, step_seconds, .. } => {
                let offset = SignedDuration::try_from_secs_f64(step_seconds * position).ok()?;
                let moment = start.checked_add(offset).ok()?;
                Some(Node::bare(Value::DateTime(moment.to_string())))
            }
        }
    }
}

impl Scale {
    fn value(self, start: f64, stop: f64, count: u64, index: u64) -> f64 {
        match self {
            Scale::Linear => linear(start, stop, count, index),
            Scale::Exponent { base } => libm::pow(base, linear(start, stop, count, index)),
            // The ends are exact, whatever the logarithms make of them.
            Scale::Geometric if index == 0 => start,
            Scale::Geometric if index + 1 == count => stop,
            Scale::Geometric => libm::pow(10.0, linear(libm::log10(start), libm::log10(stop), count, index)),
        }
    }
}

fn linear(start: f64, stop: f64, count: u64, index: u64) -> f64 {
    if count < 2 {
        return start;
    }
    if index + 1 == count {
        return stop;
    }
    index as f64 * ((stop - start) / (count - 1) as f64) + start
}

fn number(node: &Node) -> Option<f64> {
    match node.value {
        Value::Int(value) => Some(value as f64),
        Value::Float(value) | Value::TimeDelta(value) => Some(value),
        _ => None,
    }
}

fn date(node: &Node) -> Option<Date> {
    match &node.value {
        Value::Date(text) | Value::Str(text) => text.parse().ok(),
        _ => None,
    }
}

/// A point in time without its zone, in UTC.
fn moment(node: &Node) -> Option<DateTime> {
    let (Value::DateTime(text) | Value::Date(text) | Value::Str(text)) = &node.value else { return None };
    let zoned = text.parse::<jiff::Timestamp>().map(|moment| moment.to_zoned(jiff::tz::TimeZone::UTC).datetime());
    zoned.or_else(|_| text.parse()).ok()
}

/// The rows of a search: each gives values to some params.
#[derive(Clone, Debug)]
pub enum Rows {
    Mapping(Vec<Map>),
    Grid { axes: Vec<(Key, Values)>, total: u64 },
}

impl Rows {
    /// The rows of a canonical `mapping` or `grid` matrix whose templates were rendered; `None` for other kinds.
    pub fn of(matrix: &Node) -> Option<Rows> {
        match matrix.get("kind")?.as_str()? {
            "mapping" => {
                let rows = matrix.get("values")?.as_list()?;
                Some(Rows::Mapping(rows.iter().filter_map(Node::as_map).cloned().collect()))
            }
            "grid" => {
                let params = matrix.get("params")?.as_map()?;
                let axes = params.iter().map(|(key, space)| Some((key.clone(), Values::of(space)?)));
                let axes: Vec<(Key, Values)> = axes.collect::<Option<_>>()?;
                let product = axes.iter().fold(1_u64, |total, (_, values)| total.saturating_mul(values.len()));
                let limit = matrix.get("numRuns").and_then(Node::as_int).and_then(|runs| u64::try_from(runs).ok());
                Some(Rows::Grid { axes, total: limit.map_or(product, |limit| product.min(limit)) })
            }
            _ => None,
        }
    }

    pub fn len(&self) -> u64 {
        match self {
            Rows::Mapping(rows) => rows.len() as u64,
            Rows::Grid { total, .. } => *total,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The row at `index`. In a grid, the last param varies fastest.
    pub fn at(&self, index: u64) -> Option<Map> {
        if index >= self.len() {
            return None;
        }
        match self {
            Rows::Mapping(rows) => rows.get(index as usize).cloned(),
            Rows::Grid { axes, .. } => {
                let mut rest = index;
                let mut row = Vec::with_capacity(axes.len());
                for (key, values) in axes.iter().rev() {
                    row.push((key.clone(), values.at(rest % values.len())?));
                    rest /= values.len();
                }
                row.reverse();
                Some(Map::from_entries(row))
            }
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = Map> + '_ {
        (0..self.len()).filter_map(|index| self.at(index))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::*;
    use crate::decode;
    use crate::schema;
    use crate::section::Section;

    /// The recorded rows of the reference implementation.
    const CASES: &str = include_str!("../tests/data/matrix-rows.json");

    fn section(kind: &str) -> &'static Section {
        schema::MATRICES.iter().find(|(name, _)| *name == kind).expect("a known kind").1
    }

    fn is_close(expected: &Json, got: &Json) -> bool {
        match (expected.as_f64(), got.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * b.abs().max(1.0),
            _ => match (expected, got) {
                (Json::Object(a), Json::Object(b)) => {
                    a.len() == b.len() && a.iter().zip(b).all(|((k, a), (l, b))| k == l && is_close(a, b))
                }
                _ => expected == got,
            },
        }
    }

    #[test]
    fn rows_are_the_recorded_ones() {
        let cases: Vec<Json> = serde_json::from_str(CASES).expect("valid JSON");
        assert!(cases.len() > 30);
        for case in cases {
            let mut matrix = Node::from_json(&case["matrix"]);
            let kind = case["matrix"]["kind"].as_str().expect("a kind");
            let mut problems = Vec::new();
            decode::section(section(kind), &mut matrix, "matrix", &mut problems);
            assert!(problems.is_empty(), "{}: {problems:?}", case["id"]);
            let rows = Rows::of(&matrix).expect("rows");
            assert_eq!(Some(rows.len()), case["expect"]["count"].as_u64(), "{}", case["id"]);
            let Some(expected) = case["expect"]["suggestions"].as_array() else { continue };
            for (expected, got) in expected.iter().zip(rows.iter()) {
                let got = Node::map(got).to_json();
                assert!(is_close(expected, &got), "{}: expected {expected}, got {got}", case["id"]);
            }
        }
    }

    #[test]
    fn large_grids_are_not_materialised() {
        let axis = |name: &str| {
            let values = Values::Steps { start: 0.0, step: 1.0, count: 1 << 20 };
            (Key::new(name), values)
        };
        let rows = Rows::Grid { axes: vec![axis("a"), axis("b"), axis("c")], total: 1 << 60 };
        let last = rows.at((1 << 60) - 1).expect("the last row");
        assert_eq!(Node::map(last).to_json().to_string(), r#"{"a":1048575.0,"b":1048575.0,"c":1048575.0}"#);
        assert!(rows.at(1 << 60).is_none());
    }
}
