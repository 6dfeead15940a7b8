//! The space that a search looks through: its parameters, and the points of it that models calculate with.
//!
//! A *point* has one number per parameter: the index of a level, or a place between 0 and 1 such that the parameter is
//! uniform there. It is NaN where a condition switches the parameter off. A *configuration* is what a run gets.

mod condition;
mod domain;
mod levels;
mod numbers;
mod parameter;

use std::collections::BTreeSet;

use polyaxon_spec::node::Node;
use serde_json::{Map, Value as Json};

pub(crate) use domain::{Domain, Shape};
pub(crate) use parameter::Parameter;

use crate::error::Error;
use crate::random::Xoshiro;

/// The values of one run, by the name of the parameter. Parameters that are switched off are left out.
pub type Configuration = Map<String, Json>;

/// See the module. Two points are the same run when their keys are equal.
pub(crate) type Point = Vec<f64>;

/// What identifies a point among others.
pub(crate) type Key = Vec<u64>;

/// All parameters, in the order of the file.
#[derive(Clone, Debug)]
pub(crate) struct Space {
    pub(crate) parameters: Vec<Parameter>,
    /// The number of different configurations; `None` when numbers of the space are not countable, or too many.
    pub(crate) size: Option<u64>,
}

impl Space {
    /// Reads the canonical `params` of a matrix.
    pub(crate) fn read(params: Option<&Node>) -> Result<Space, Error> {
        let mut parameters: Vec<Parameter> = Vec::new();
        for (key, node) in params.and_then(Node::as_map).into_iter().flat_map(|map| map.iter()) {
            let parameter = Parameter::read(&key.text, node, &parameters)?;
            parameters.push(parameter);
        }
        let mut space = Space { parameters, size: None };
        space.size = space.count(0, &mut vec![f64::NAN; space.parameters.len()]);
        Ok(space)
    }

    /// The number of configurations of the parameters from `at` on, given the levels of those before.
    fn count(&self, at: usize, point: &mut Point) -> Option<u64> {
        let Some(parameter) = self.parameters.get(at) else { return Some(1) };
        if !self.is_active(at, point) {
            point[at] = f64::NAN;
            return self.count(at + 1, point);
        }
        let levels = parameter.domain.distinct()?;
        let decides = self.parameters.iter().any(|other| other.conditions.iter().any(|condition| condition.on == at));
        if !decides {
            return self.count(at + 1, point)?.checked_mul(levels);
        }
        let mut total = 0_u64;
        for level in 0..parameter.domain.levels()? {
            if parameter.domain.canonical(level) == level {
                point[at] = level as f64;
                total = total.checked_add(self.count(at + 1, point)?)?;
            }
        }
        point[at] = f64::NAN;
        Some(total)
    }

    /// Whether the conditions of a parameter hold, given the values of those before it.
    pub(crate) fn is_active(&self, at: usize, point: &Point) -> bool {
        self.parameters[at].conditions.iter().all(|condition| condition.holds(point))
    }

    /// A point at which every parameter has its most even chance.
    pub(crate) fn sample(&self, random: &mut Xoshiro) -> Point {
        let mut point = Vec::with_capacity(self.parameters.len());
        for (at, parameter) in self.parameters.iter().enumerate() {
            // Drawn even when it is not used, so that the draws of the others do not depend on it.
            let value = parameter.domain.sample(random);
            point.push(if self.is_active(at, &point) { value } else { f64::NAN });
        }
        point
    }

    /// The point with these probabilities, one for each parameter: spreads even numbers as the file weighs values.
    pub(crate) fn at_chances(&self, chances: &[f64]) -> Point {
        let mut point: Point = self
            .parameters
            .iter()
            .zip(chances)
            .map(|(parameter, chance)| parameter.domain.at_chance(*chance))
            .collect();
        self.snap(&mut point);
        point
    }

    /// The nearest point that a run can have: levels are whole, quantised numbers multiples, inactive parameters off.
    pub(crate) fn snap(&self, point: &mut Point) {
        for at in 0..point.len() {
            if self.is_active(at, point) {
                // A parameter that was off takes the middle of its range.
                let place = if point[at].is_nan() { self.parameters[at].domain.middle() } else { point[at] };
                point[at] = self.parameters[at].domain.snap(place);
            } else {
                point[at] = f64::NAN;
            }
        }
    }

    pub(crate) fn decode(&self, point: &Point) -> Configuration {
        let values = self.parameters.iter().zip(point).filter(|(_, place)| !place.is_nan());
        values.map(|(parameter, place)| (parameter.name.clone(), parameter.domain.decode(*place))).collect()
    }

    /// The point of what a run had; `None` when its values are not of this space.
    pub(crate) fn encode(&self, configuration: &Configuration) -> Option<Point> {
        let mut point = Vec::with_capacity(self.parameters.len());
        for (at, parameter) in self.parameters.iter().enumerate() {
            let place = if self.is_active(at, &point) {
                parameter.domain.encode(configuration.get(&parameter.name)?)?
            } else {
                f64::NAN
            };
            point.push(place);
        }
        Some(point)
    }

    /// Equal for two points exactly when their runs would be the same.
    pub(crate) fn key(&self, point: &Point) -> Key {
        let part = |(parameter, place): (&Parameter, &f64)| parameter.domain.key(*place);
        self.parameters.iter().zip(point).map(part).collect()
    }

    /// A point that is not in `seen`, found by walking through a finite space from a place drawn at random.
    pub(crate) fn unseen(&self, seen: &BTreeSet<Key>, random: &mut Xoshiro) -> Option<Point> {
        let size = self.size?;
        if (seen.len() as u64) >= size {
            return None;
        }
        // Rows that differ only in parameters that are off are the same run, so there are more rows than runs.
        let rows =
            self.parameters.iter().try_fold(1_u64, |rows, parameter| rows.checked_mul(parameter.domain.levels()?))?;
        let start = random.below(rows);
        (0..rows).find_map(|step| {
            let mut point = self.row((start + step) % rows);
            self.snap(&mut point);
            (!seen.contains(&self.key(&point))).then_some(point)
        })
    }

    /// The first row from `next` on that is not the same run as an earlier one; `next` moves past it.
    pub(crate) fn next_row(&self, next: &mut u64) -> Option<Point> {
        let rows =
            self.parameters.iter().try_fold(1_u64, |rows, parameter| rows.checked_mul(parameter.domain.levels()?))?;
        while *next < rows {
            let row = self.row(*next);
            *next += 1;
            let mut point = row.clone();
            self.snap(&mut point);
            // A run has one row in which the parameters that are off have their first value.
            let is_first = (0..row.len()).all(|at| {
                let level = row[at] as u64;
                if point[at].is_nan() { level == 0 } else { self.parameters[at].domain.canonical(level) == level }
            });
            if is_first {
                return Some(point);
            }
        }
        None
    }

    /// The row of a finite space; the last parameter varies fastest.
    fn row(&self, index: u64) -> Point {
        let mut rest = index;
        let mut point = vec![0.0; self.parameters.len()];
        for (at, parameter) in self.parameters.iter().enumerate().rev() {
            let levels = parameter.domain.levels().unwrap_or(1).max(1);
            point[at] = parameter.domain.place_of_level(rest % levels);
            rest /= levels;
        }
        point
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::section_of;
    use serde_json::json;

    fn space(params: Json) -> Space {
        let matrix = section_of(&json!({"kind": "random", "numRuns": 1, "params": params})).unwrap();
        Space::read(matrix.get("params")).unwrap()
    }

    #[test]
    fn configurations_and_points_are_two_forms_of_one_thing() {
        let space = space(json!({
            "lr": {"kind": "loguniform", "value": [-9, 0]},
            "layers": {"kind": "range", "value": [1, 10, 1]},
            "optimizer": {"kind": "choice", "value": ["sgd", "adam", null, {"a": 1}]},
            "momentum": {"kind": "quniform", "value": [0.1, 0.95, 0.1], "when": {"optimizer": ["sgd"]}},
            "beta": {"kind": "normal", "value": [0, 2], "when": {"optimizer": "adam"}},
            "width": {"kind": "geomspace", "value": [8, 512, 7]},
            "day": {"kind": "daterange", "value": ["2024-02-27", "2024-03-02", 1]},
        }));
        let mut random = Xoshiro::new(&[1]);
        for _ in 0..200 {
            let mut point = space.sample(&mut random);
            space.snap(&mut point);
            let configuration = space.decode(&point);
            assert_eq!(configuration.contains_key("momentum"), configuration["optimizer"] == "sgd");
            let again = space.encode(&configuration).unwrap_or_else(|| panic!("{configuration:?}"));
            for (a, b) in point.iter().zip(&again) {
                assert!(a.is_nan() == b.is_nan() && (a.is_nan() || (a - b).abs() < 1e-9), "{configuration:?}");
            }
        }
        assert_eq!(space.size, None);
    }

    #[test]
    fn finite_spaces_are_counted_with_their_conditions() {
        for (params, size) in [
            (json!({"a": {"kind": "choice", "value": [5, 5, 6]}}), 2),
            (json!({"a": {"kind": "quniform", "value": [0, 10, 2]}, "b": {"kind": "range", "value": [0, 3, 1]}}), 18),
            (
                json!({"a": {"kind": "choice", "value": ["x", "y"]},
                    "b": {"kind": "range", "value": [0, 3, 1], "when": {"a": "x"}}}),
                4,
            ),
            (json!({"a": {"kind": "choice", "value": []}}), 0),
        ] {
            let space = space(params);
            assert_eq!(space.size, Some(size));
            let mut seen = BTreeSet::new();
            let mut random = Xoshiro::new(&[3]);
            while let Some(point) = space.unseen(&seen, &mut random) {
                assert!(seen.insert(space.key(&point)));
            }
            assert_eq!(seen.len() as u64, size);
        }
    }
}
