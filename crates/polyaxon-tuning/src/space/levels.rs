//! Parameters with listed values: choices, and the values of ranges and spaces, which are computed by index.

use std::collections::BTreeMap;

use polyaxon_spec::node::Node;
use polyaxon_spec::spaces::Values;
use serde_json::Value as Json;

use super::domain::{Shape, number};
use crate::random::{Mersenne, Xoshiro};

/// Ranges with more values than this are searched by halving instead of in a table.
const LARGEST_TABLE: u64 = 1 << 16;

#[derive(Clone, Debug)]
pub(crate) struct Levels {
    values: Values,
    /// The values of a choice, which are compared with those of every trial.
    choices: Vec<Json>,
    /// The probability of each level, when they differ.
    weights: Option<Vec<f64>>,
    order: Order,
}

#[derive(Clone, Debug)]
enum Order {
    /// Choices without order; the first level with the same value of each.
    None { canonical: Vec<u64>, distinct: u64 },
    /// Choices between different numbers: level to rank, rank to level, and the numbers by level.
    Numbers { ranks: Vec<usize>, levels: Vec<usize>, numbers: Vec<f64> },
    /// A range or space, which grows; the numbers, when they are numbers and not too many.
    Growing { numbers: Vec<f64> },
}

impl Levels {
    /// `None` for distributions.
    pub(crate) fn read(node: &Node) -> Result<Option<Levels>, String> {
        let kind = node.get("kind").and_then(Node::as_str).unwrap_or_default();
        if kind == "pchoice" {
            return weighted(node).map(Some);
        }
        let Some(values) = Values::of(node) else { return Ok(None) };
        let choices = match &values {
            Values::Listed(choices) => choices.iter().map(Node::to_json).collect(),
            _ => Vec::new(),
        };
        let order = match &values {
            Values::Listed(_) => order_of(&choices),
            _ if values.len() <= LARGEST_TABLE => {
                Order::Growing { numbers: (0..values.len()).map_while(|index| number(&json(&values, index))).collect() }
            }
            _ => Order::Growing { numbers: Vec::new() },
        };
        Ok(Some(Levels { values, choices, weights: None, order }))
    }

    pub(crate) fn len(&self) -> u64 {
        self.values.len()
    }

    pub(crate) fn distinct(&self) -> u64 {
        match &self.order {
            Order::None { distinct, .. } => *distinct,
            Order::Numbers { .. } | Order::Growing { .. } => self.len(),
        }
    }

    pub(crate) fn canonical(&self, level: u64) -> u64 {
        match &self.order {
            Order::None { canonical, .. } => canonical.get(level as usize).copied().unwrap_or(level),
            Order::Numbers { .. } | Order::Growing { .. } => level,
        }
    }

    pub(crate) fn shape(&self) -> Shape {
        match self.order {
            Order::None { .. } => Shape::Unordered(self.len() as usize),
            Order::Numbers { .. } | Order::Growing { .. } => Shape::Ordered(self.len() as usize),
        }
    }

    /// The position of a level among the others by size.
    pub(crate) fn rank(&self, level: usize) -> usize {
        match &self.order {
            Order::Numbers { ranks, .. } => ranks.get(level).copied().unwrap_or(level),
            Order::None { .. } | Order::Growing { .. } => level,
        }
    }

    pub(crate) fn level_of_rank(&self, rank: usize) -> usize {
        match &self.order {
            Order::Numbers { levels, .. } => levels.get(rank).copied().unwrap_or(rank),
            Order::None { .. } | Order::Growing { .. } => rank,
        }
    }

    /// The probability of each level, when they differ.
    pub(crate) fn weights(&self) -> Option<&[f64]> {
        self.weights.as_deref()
    }

    pub(crate) fn sample(&self, random: &mut Xoshiro) -> f64 {
        match &self.weights {
            Some(weights) => random.weighted(weights) as f64,
            None => random.below(self.len().max(1)) as f64,
        }
    }

    pub(crate) fn at_chance(&self, chance: f64) -> f64 {
        let Some(weights) = &self.weights else {
            let rank = (chance * self.len() as f64) as usize;
            return self.level_of_rank(rank.min(self.len().saturating_sub(1) as usize)) as f64;
        };
        let mut rest = chance;
        let level = weights.iter().position(|weight| {
            rest -= weight;
            rest < 0.0
        });
        level.unwrap_or(weights.len().saturating_sub(1)) as f64
    }

    pub(crate) fn draw(&self, random: &mut Mersenne) -> Json {
        let level = match &self.weights {
            Some(weights) => random.multinomial(weights) as u64,
            None => random.below(self.len()),
        };
        self.value(level)
    }

    pub(crate) fn value(&self, level: u64) -> Json {
        if let Some(choice) = self.choices.get(level as usize) {
            return choice.clone();
        }
        json(&self.values, level)
    }

    /// The level with this value. Runs may have got it in another form: `1` for `1.0`, or as text.
    pub(crate) fn find(&self, value: &Json) -> Option<u64> {
        match (&self.values, &self.order) {
            (Values::Listed(_), order) => {
                let exact = self.choices.iter().position(|choice| choice == value);
                let equal = || match order {
                    Order::Numbers { numbers, .. } => {
                        let wanted = number(value)?;
                        numbers.iter().position(|number| is_close(*number, wanted))
                    }
                    Order::None { .. } | Order::Growing { .. } => {
                        self.choices.iter().position(|choice| text(choice) == text(value))
                    }
                };
                exact.or_else(equal).map(|level| self.canonical(level as u64))
            }
            (_, Order::Growing { numbers }) if !numbers.is_empty() => {
                let wanted = number(value)?;
                let above = numbers.partition_point(|number| *number < wanted);
                let near = [above, above.wrapping_sub(1)].into_iter();
                near.filter(|level| *level < numbers.len())
                    .find(|level| is_close(numbers[*level], wanted))
                    .map(|level| level as u64)
            }
            _ => self.find_by_halving(value),
        }
    }

    fn find_by_halving(&self, value: &Json) -> Option<u64> {
        // Dates grow as texts do, since all have the same form.
        let is_below = |level: u64| match (number(&self.value(level)), number(value)) {
            (Some(own), Some(wanted)) => own < wanted && !is_close(own, wanted),
            _ => text(&self.value(level)) < text(value),
        };
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if is_below(middle) { low = middle + 1 } else { high = middle }
        }
        let found = self.value(low);
        let is_found = match (number(&found), number(value)) {
            (Some(own), Some(wanted)) => is_close(own, wanted),
            _ => found == *value,
        };
        (low < self.len() && is_found).then_some(low)
    }
}

fn json(values: &Values, level: u64) -> Json {
    values.at(level).map(|node| node.to_json()).unwrap_or_default()
}

fn is_close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

fn text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        _ => value.to_string(),
    }
}

fn order_of(values: &[Json]) -> Order {
    let numbers: Vec<f64> = values.iter().filter(|value| value.is_number()).filter_map(number).collect();
    if numbers.len() == values.len() && numbers.len() > 1 {
        let mut levels: Vec<usize> = (0..numbers.len()).collect();
        levels.sort_by(|a, b| numbers[*a].total_cmp(&numbers[*b]));
        if levels.windows(2).all(|pair| numbers[pair[0]] < numbers[pair[1]]) {
            let mut ranks = vec![0; levels.len()];
            for (rank, level) in levels.iter().enumerate() {
                ranks[*level] = rank;
            }
            return Order::Numbers { ranks, levels, numbers };
        }
    }
    let mut first: BTreeMap<String, u64> = BTreeMap::new();
    let canonical: Vec<u64> = values
        .iter()
        .enumerate()
        .map(|(level, value)| *first.entry(value.to_string()).or_insert(level as u64))
        .collect();
    Order::None { canonical, distinct: first.len() as u64 }
}

/// `[[value, probability], ...]`; what is missing to 1 is the last one's.
fn weighted(node: &Node) -> Result<Levels, String> {
    let pairs = node.get("value").and_then(Node::as_list).ok_or("has no list of values with probabilities")?;
    let pairs: Option<Vec<(Node, f64)>> = pairs
        .iter()
        .map(|pair| match pair.as_list()? {
            [value, weight] => Some((value.clone(), number(&weight.to_json())?)),
            _ => None,
        })
        .collect();
    let (choices, mut weights): (Vec<Node>, Vec<f64>) =
        pairs.ok_or("has something other than pairs of a value and its probability")?.into_iter().unzip();
    let given: f64 = weights.iter().sum();
    if let Some(last) = weights.last_mut() {
        *last += (1.0 - given).max(0.0);
    }
    let values: Vec<Json> = choices.iter().map(Node::to_json).collect();
    let mut order = order_of(&values);
    if let Order::Numbers { .. } = order {
        // Probabilities are of values, not of places along a scale.
        let canonical = (0..choices.len() as u64).collect();
        order = Order::None { canonical, distinct: choices.len() as u64 };
    }
    Ok(Levels { values: Values::Listed(choices), choices: values, weights: Some(weights), order })
}
