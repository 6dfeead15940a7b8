//! Which runs a query selects, how many they are and which come first, without a question to the database about
//! each run.
//!
//! A query is made of tests. Which runs pass a test is a set of bits, and a field that runs are compared and sorted
//! by is a row of numbers; both are read from the database once and then kept up to date with the runs that changed
//! (`run_changes`), so that a list costs the same whatever it selects, and its count is exact.
//!
//! Invariants: what is known belongs to one state of the database, the one that the transaction reads; the tests
//! are those of [`crate::filter`], except for comparisons of numbers, which are made here.
//!
//! * [`bits`] sets of runs · [`numbers`] a number for each run · [`known`] what was read and is kept

pub(crate) mod bits;
pub(crate) mod known;
pub(crate) mod numbers;

use std::cmp::Ordering;
use std::sync::Arc;

use polyaxon_model::listing::Direction;

use bits::RunBits;
use numbers::{Bound, Numbers};

/// A tree of tests whose facts are at hand.
#[derive(Debug)]
pub(crate) enum Selected {
    Runs(Arc<RunBits>),
    Numbers(Arc<Numbers>, Bound),
    All(Vec<Selected>),
    Any(Vec<Selected>),
}

/// The runs that pass the tests.
pub(crate) fn evaluate(selected: &Selected) -> RunBits {
    match selected {
        Selected::Runs(runs) => RunBits::clone(runs),
        Selected::Numbers(numbers, bound) => numbers.within(*bound),
        Selected::Any(parts) => {
            let mut any = RunBits::default();
            for part in parts {
                any.add_all(&evaluate(part));
            }
            any
        }
        Selected::All(parts) => {
            // Whole sets first: numbers are then only compared for the runs that are left.
            let (sets, numbers): (Vec<_>, Vec<_>) =
                parts.iter().partition(|part| !matches!(part, Selected::Numbers(..)));
            let mut all: Option<RunBits> = None;
            for part in sets.into_iter().chain(numbers) {
                match (&mut all, part) {
                    (None, part) => all = Some(evaluate(part)),
                    (Some(all), Selected::Runs(runs)) => all.keep(runs),
                    (Some(all), Selected::Numbers(numbers, bound)) => numbers.keep_within(all, *bound),
                    (Some(all), part) => all.keep(&evaluate(part)),
                }
            }
            all.unwrap_or_default()
        }
    }
}

/// A sort key; runs without a number are the smallest.
pub(crate) type Key = (Arc<Numbers>, Direction);

/// The ids of a page in order; runs that are equal by all keys are ordered by id.
pub(crate) fn page(runs: &RunBits, keys: &[Key], by_id: Direction, offset: usize, limit: usize) -> Vec<i64> {
    let Some(wanted) = offset.checked_add(limit) else { return Vec::new() };
    let compare = |left: &Candidate, right: &Candidate| order(keys, by_id, left, right);
    let first = keys.first();
    let mut found: Vec<Candidate> = Vec::new();
    let mut worst: Option<Candidate> = None;
    let mut consider = |run: usize| {
        let candidate = Candidate { first: first.map_or(0.0, |(numbers, _)| numbers.rank(run)), run };
        if worst.as_ref().is_some_and(|worst| compare(&candidate, worst) == Ordering::Greater) {
            return;
        }
        found.push(candidate);
        if found.len() > wanted.saturating_mul(2).saturating_add(1024) {
            found.select_nth_unstable_by(wanted, compare);
            found.truncate(wanted);
            worst = found.iter().copied().max_by(compare);
        }
    };
    // Most numbers grow with the ids, so that most runs are found to come too late at once.
    match first.map_or(by_id, |(_, direction)| *direction) {
        Direction::Ascending => runs.ids().for_each(&mut consider),
        Direction::Descending => runs.ids_descending().for_each(&mut consider),
    }
    if offset >= found.len() {
        return Vec::new();
    }
    if wanted < found.len() {
        found.select_nth_unstable_by(wanted, compare);
        found.truncate(wanted);
    }
    let (_, nth, rest) = found.select_nth_unstable_by(offset, compare);
    rest.sort_unstable_by(compare);
    std::iter::once(&*nth).chain(&*rest).map(|candidate| candidate.run as i64).collect()
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    /// Its number for the first key.
    first: f64,
    run: usize,
}

fn order(keys: &[Key], by_id: Direction, left: &Candidate, right: &Candidate) -> Ordering {
    let directed = |ordering: Ordering, direction: Direction| match direction {
        Direction::Ascending => ordering,
        Direction::Descending => ordering.reverse(),
    };
    let numbers = |left: f64, right: f64| left.partial_cmp(&right).unwrap_or(Ordering::Equal);
    for (position, (column, direction)) in keys.iter().enumerate() {
        let ordering = match position {
            0 => numbers(left.first, right.first),
            _ => numbers(column.rank(left.run), column.rank(right.run)),
        };
        if ordering != Ordering::Equal {
            return directed(ordering, *direction);
        }
    }
    directed(left.run.cmp(&right.run), by_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(values: &[Option<f64>]) -> Arc<Numbers> {
        let mut numbers = Numbers::default();
        for (run, value) in values.iter().enumerate() {
            numbers.set(run, *value);
        }
        Arc::new(numbers)
    }

    fn bits(runs: impl IntoIterator<Item = usize>) -> RunBits {
        let mut bits = RunBits::default();
        runs.into_iter().for_each(|run| bits.insert(run));
        bits
    }

    #[test]
    fn sets_and_numbers_are_combined() {
        let loss = numbers(&[None, Some(0.1), Some(0.5), Some(0.9), None]);
        let below = |limit| Selected::Numbers(Arc::clone(&loss), Bound::Less(limit));
        let some = Selected::Runs(Arc::new(bits([1, 3, 4])));
        let ids = |selected: &Selected| evaluate(selected).ids().collect::<Vec<_>>();
        assert_eq!(ids(&below(0.5)), [1]);
        assert_eq!(ids(&Selected::All(vec![below(1.0), some])), [1, 3]);
        let two = Selected::Any(vec![below(0.2), Selected::Runs(Arc::new(bits([4, 200])))]);
        assert_eq!(ids(&two), [1, 4, 200]);
        assert_eq!(ids(&Selected::All(vec![])), [0; 0]);
    }

    #[test]
    fn pages_are_the_pages_of_the_sorted_whole() {
        let values: Vec<_> = (0..5000).map(|run| Some(f64::from(run * 7919 % 101)).filter(|n| *n > 3.0)).collect();
        let column = numbers(&values);
        for direction in [Direction::Ascending, Direction::Descending] {
            let mut all: Vec<usize> = (0..5000).collect();
            all.sort_by(|left, right| {
                let by = column.rank(*left).total_cmp(&column.rank(*right)).then(left.cmp(right));
                if direction == Direction::Ascending { by } else { by.reverse() }
            });
            for (offset, limit) in [(0, 20), (30, 7), (4990, 20), (6000, 5), (0, 5000)] {
                let expected: Vec<i64> = all.iter().skip(offset).take(limit).map(|run| *run as i64).collect();
                let keys = [(Arc::clone(&column), direction)];
                assert_eq!(page(&bits(0..5000), &keys, direction, offset, limit), expected, "{offset} {limit}");
            }
        }
    }
}
