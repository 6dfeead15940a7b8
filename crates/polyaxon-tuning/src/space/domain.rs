//! What values a parameter can have: listed levels, or numbers of a distribution.

use polyaxon_spec::node::Node;
use serde_json::Value as Json;

use super::levels::Levels;
use super::numbers::Numbers;
use crate::random::{Mersenne, Xoshiro};

#[derive(Clone, Debug)]
pub(crate) enum Domain {
    Levels(Levels),
    Numbers(Numbers),
}

/// How models see a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Any place between 0 and 1.
    Continuous,
    /// So many levels, of which neighbours resemble each other.
    Ordered(usize),
    /// So many levels without order.
    Unordered(usize),
}

impl Domain {
    /// Reads a canonical hyper-parameter; the error says what it is not.
    pub(crate) fn read(node: &Node) -> Result<Domain, String> {
        match Levels::read(node)? {
            Some(levels) => Ok(Domain::Levels(levels)),
            None => Numbers::read(node).map(Domain::Numbers),
        }
    }

    pub(crate) fn shape(&self) -> Shape {
        match self {
            Domain::Levels(levels) => levels.shape(),
            Domain::Numbers(_) => Shape::Continuous,
        }
    }

    pub(crate) fn has_listed_levels(&self) -> bool {
        matches!(self, Domain::Levels(_))
    }

    /// The number of levels, when they can be counted.
    pub(crate) fn levels(&self) -> Option<u64> {
        match self {
            Domain::Levels(levels) => Some(levels.len()),
            Domain::Numbers(numbers) => numbers.multiples(),
        }
    }

    /// The number of levels that differ.
    pub(crate) fn distinct(&self) -> Option<u64> {
        match self {
            Domain::Levels(levels) => Some(levels.distinct()),
            Domain::Numbers(numbers) => numbers.multiples(),
        }
    }

    /// The first level with the same value.
    pub(crate) fn canonical(&self, level: u64) -> u64 {
        match self {
            Domain::Levels(levels) => levels.canonical(level),
            Domain::Numbers(_) => level,
        }
    }

    pub(crate) fn place_of_level(&self, level: u64) -> f64 {
        match self {
            Domain::Levels(_) => level as f64,
            Domain::Numbers(numbers) => numbers.place_of_multiple(level),
        }
    }

    /// A place by the chance that the file gives it.
    pub(crate) fn sample(&self, random: &mut Xoshiro) -> f64 {
        match self {
            Domain::Levels(levels) => levels.sample(random),
            Domain::Numbers(_) => random.unit(),
        }
    }

    /// The place below which lies this part of all chances.
    pub(crate) fn at_chance(&self, chance: f64) -> f64 {
        match self {
            Domain::Levels(levels) => levels.at_chance(chance),
            Domain::Numbers(_) => chance,
        }
    }

    /// A value as earlier versions drew it from the same seed.
    pub(crate) fn draw(&self, random: &mut Mersenne) -> Json {
        match self {
            Domain::Levels(levels) => levels.draw(random),
            Domain::Numbers(numbers) => numbers.draw(random),
        }
    }

    pub(crate) fn middle(&self) -> f64 {
        match self {
            Domain::Levels(levels) => (levels.len() / 2) as f64,
            Domain::Numbers(_) => 0.5,
        }
    }

    /// The place along the scale of the parameter: levels by size.
    pub(crate) fn rank_of(&self, place: f64) -> f64 {
        match self {
            Domain::Levels(levels) => levels.rank(place as usize) as f64,
            Domain::Numbers(_) => place,
        }
    }

    /// The inverse of [`Domain::rank_of`], for ranks that need not be whole.
    pub(crate) fn of_rank(&self, rank: f64) -> f64 {
        match self {
            Domain::Levels(levels) => levels.level_of_rank(self.snap(rank) as usize) as f64,
            Domain::Numbers(_) => rank,
        }
    }

    /// The probability of each level, when they differ.
    pub(crate) fn weights(&self) -> Option<&[f64]> {
        match self {
            Domain::Levels(levels) => levels.weights(),
            Domain::Numbers(_) => None,
        }
    }

    /// The nearest place that a run can have.
    pub(crate) fn snap(&self, place: f64) -> f64 {
        match self {
            Domain::Levels(levels) => place.round_ties_even().clamp(0.0, levels.len().saturating_sub(1) as f64),
            Domain::Numbers(numbers) => numbers.snap(place),
        }
    }

    pub(crate) fn decode(&self, place: f64) -> Json {
        match self {
            Domain::Levels(levels) => levels.value(place as u64),
            Domain::Numbers(numbers) => Json::from(numbers.value(place)),
        }
    }

    pub(crate) fn encode(&self, value: &Json) -> Option<f64> {
        match self {
            Domain::Levels(levels) => levels.find(value).map(|level| level as f64),
            Domain::Numbers(numbers) => number(value).map(|value| numbers.place(value)),
        }
    }

    pub(crate) fn key(&self, place: f64) -> u64 {
        if place.is_nan() {
            return 0;
        }
        match self {
            Domain::Levels(levels) => 1 + levels.canonical(place as u64),
            Domain::Numbers(numbers) => numbers.key(place),
        }
    }
}

/// The number that a value is, or that its text stands for.
pub(crate) fn number(value: &Json) -> Option<f64> {
    match value {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => text.trim().parse().ok().filter(|value: &f64| value.is_finite()),
        _ => None,
    }
}
