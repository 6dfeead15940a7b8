//! A number for each run, or none: a column of the table, or a metric. A million runs are 8 MB.

use polyaxon_model::pql::operation::Comparison;

use super::bits::RunBits;

/// Numbers by row id. Not-a-number stands for none: JSON and columns have no such value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers {
    values: Vec<f64>,
    has_texts: bool,
}

/// What a number is compared with. Runs without a number never pass.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    Less(f64),
    LessOrEqual(f64),
    Greater(f64),
    GreaterOrEqual(f64),
    Equal(f64),
    /// From the first, up to the second and without it.
    Between(f64, f64),
}

impl Bound {
    pub(crate) fn new(comparison: Comparison, limit: f64) -> Bound {
        match comparison {
            Comparison::Less => Bound::Less(limit),
            Comparison::LessOrEqual => Bound::LessOrEqual(limit),
            Comparison::Greater => Bound::Greater(limit),
            Comparison::GreaterOrEqual => Bound::GreaterOrEqual(limit),
        }
    }

    fn passes(self, value: f64) -> bool {
        match self {
            Bound::Less(limit) => value < limit,
            Bound::LessOrEqual(limit) => value <= limit,
            Bound::Greater(limit) => value > limit,
            Bound::GreaterOrEqual(limit) => value >= limit,
            Bound::Equal(limit) => value == limit,
            Bound::Between(from, to) => value >= from && value < to,
        }
    }
}

impl Numbers {
    /// Nothing, with room for ids below `runs`.
    pub(crate) fn with_room(runs: usize) -> Numbers {
        Numbers { values: Vec::with_capacity(runs), has_texts: false }
    }

    pub(crate) fn set(&mut self, run: usize, value: Option<f64>) {
        if run >= self.values.len() {
            if value.is_none() {
                return;
            }
            if run >= self.values.capacity() {
                // Grows by a sixteenth instead of twofold: these are the largest things that the server keeps.
                self.values.reserve_exact(run + 1 - self.values.len() + run / 16);
            }
            self.values.resize(run + 1, f64::NAN);
        }
        self.values[run] = value.unwrap_or(f64::NAN);
    }

    /// Notes that a run has something that is no number, so that numbers alone make no order.
    pub(crate) fn note_text(&mut self) {
        self.has_texts = true;
    }

    pub(crate) fn has_texts(&self) -> bool {
        self.has_texts
    }

    /// The number to sort by: none is the smallest.
    pub(crate) fn rank(&self, run: usize) -> f64 {
        self.values.get(run).copied().filter(|value| !value.is_nan()).unwrap_or(f64::NEG_INFINITY)
    }

    pub(crate) fn within(&self, bound: Bound) -> RunBits {
        let mut runs = RunBits::with_room(self.values.len());
        for (run, value) in self.values.iter().enumerate() {
            if bound.passes(*value) {
                runs.insert(run);
            }
        }
        runs
    }

    pub(crate) fn keep_within(&self, runs: &mut RunBits, bound: Bound) {
        runs.retain(|run| self.values.get(run).is_some_and(|value| bound.passes(*value)));
    }

    pub(crate) fn bytes(&self) -> usize {
        self.values.capacity() * size_of::<f64>()
    }
}
