//! `when` of a parameter: it exists only for some values of a parameter before it.

use polyaxon_spec::node::{Node, Value};
use serde_json::Value as Json;

use super::{Parameter, Point};
use crate::error::Error;

/// Holds when an earlier parameter has one of some levels.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    /// The index of the other parameter.
    pub(crate) on: usize,
    levels: Vec<u64>,
}

impl Condition {
    pub(crate) fn holds(&self, point: &Point) -> bool {
        let place = point[self.on];
        !place.is_nan() && self.levels.contains(&(place as u64))
    }
}

/// Reads `when: {other: value, another: [value, value]}`.
pub(crate) fn read(name: &str, when: Option<&Node>, earlier: &[Parameter]) -> Result<Vec<Condition>, Error> {
    let entries = when.and_then(Node::as_map).into_iter().flat_map(|map| map.iter());
    entries.map(|(other, values)| one(name, &other.text, values, earlier)).collect()
}

fn one(name: &str, other: &str, values: &Node, earlier: &[Parameter]) -> Result<Condition, Error> {
    let refused = |reason: &str| Error::Condition {
        parameter: name.to_owned(),
        other: other.to_owned(),
        reason: reason.to_owned(),
    };
    let on = earlier.iter().position(|parameter| parameter.name == other);
    let on = on.ok_or_else(|| refused("no parameter before it has that name"))?;
    if earlier[on].domain.distinct().is_none() || !earlier[on].domain.has_listed_levels() {
        return Err(refused("only parameters of a kind with listed values can decide"));
    }
    let values = match &values.value {
        Value::List(values) => values.as_slice(),
        _ => std::slice::from_ref(values),
    };
    let levels = values.iter().map(|value| level(&earlier[on], &value.to_json()).ok_or(value));
    let levels = levels.collect::<Result<Vec<u64>, _>>();
    levels
        .map(|levels| Condition { on, levels })
        .map_err(|value| refused(&format!("it never has the value {}", value.to_json())))
}

fn level(parameter: &Parameter, value: &Json) -> Option<u64> {
    parameter.domain.encode(value).map(|place| place as u64)
}
