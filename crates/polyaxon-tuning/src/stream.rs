//! Configurations drawn by chance, by number. The one with a number does not depend on results.

use std::collections::BTreeSet;

use crate::random::{Mersenne, Xoshiro};
use crate::space::{Configuration, Key, Point, Space};

/// How often a configuration that was drawn before is thrown away.
const MOST_REDRAWS: u32 = 1000;

/// Streams of the own generator are told apart from other uses of the same seed.
const PURPOSE: u64 = 1;

/// A sequence of different configurations, and how far it was read.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    source: Source,
    next: u64,
    seen: BTreeSet<Key>,
    last: Option<Configuration>,
}

#[derive(Clone, Debug)]
enum Source {
    /// Draws that repeat those of earlier versions with the same seed.
    Repeating { start: u32, random: Mersenne },
    /// The parts of the seed.
    Own { seed: u64, round: u64 },
    /// All rows of a finite space; the next row.
    Grid { row: u64 },
}

impl Stream {
    /// Seeds beyond 32 bits, which earlier versions refused, are cut.
    pub(crate) fn repeating(seed: u64, round: u64) -> Stream {
        let start = seed.wrapping_add(round) as u32;
        Stream::of(Source::Repeating { start, random: Mersenne::new(start) })
    }

    pub(crate) fn own(seed: u64, round: u64) -> Stream {
        Stream::of(Source::Own { seed, round })
    }

    pub(crate) fn grid() -> Stream {
        Stream::of(Source::Grid { row: 0 })
    }

    fn of(source: Source) -> Stream {
        Stream { source, next: 0, seen: BTreeSet::new(), last: None }
    }

    /// The configuration with this number; `None` when there are not so many different ones.
    pub(crate) fn at(&mut self, space: &Space, number: u64) -> Option<Configuration> {
        if self.next == number + 1 {
            return self.last.clone();
        }
        if number < self.next {
            let source = match self.source {
                Source::Repeating { start, .. } => Source::Repeating { start, random: Mersenne::new(start) },
                Source::Own { seed, round } => Source::Own { seed, round },
                Source::Grid { .. } => Source::Grid { row: 0 },
            };
            *self = Stream::of(source);
        }
        // Configurations of the own generator do not depend on those before where repeats cannot happen.
        if let (Source::Own { seed, round }, None) = (&self.source, space.size) {
            let point = space.sample(&mut Xoshiro::new(&[*seed, PURPOSE, *round, number]));
            return Some(space.decode(&point));
        }
        while self.next <= number {
            self.last = self.draw(space);
            self.next += 1;
        }
        self.last.clone()
    }

    fn draw(&mut self, space: &Space) -> Option<Configuration> {
        if space.size == Some(0) {
            return None;
        }
        for attempt in 0..=MOST_REDRAWS {
            let (configuration, point) = match &mut self.source {
                Source::Repeating { random, .. } => repeated(space, random)?,
                Source::Own { seed, round } => {
                    let mut random = Xoshiro::new(&[*seed, PURPOSE, *round, self.next, u64::from(attempt)]);
                    let point = space.sample(&mut random);
                    (space.decode(&point), point)
                }
                Source::Grid { row } => {
                    let point = space.next_row(row)?;
                    return Some(space.decode(&point));
                }
            };
            if self.seen.insert(space.key(&point)) {
                return Some(configuration);
            }
        }
        let mut random = Xoshiro::new(&[PURPOSE, self.next]);
        let point = space.unseen(&self.seen, &mut random)?;
        self.seen.insert(space.key(&point));
        Some(space.decode(&point))
    }
}

/// One draw in the order of the file, with the values that earlier versions gave.
fn repeated(space: &Space, random: &mut Mersenne) -> Option<(Configuration, Point)> {
    let mut configuration = Configuration::new();
    let mut point = Point::with_capacity(space.parameters.len());
    for (at, parameter) in space.parameters.iter().enumerate() {
        if !space.is_active(at, &point) {
            point.push(f64::NAN);
            continue;
        }
        let value = parameter.domain.draw(random);
        point.push(parameter.domain.encode(&value)?);
        configuration.insert(parameter.name.clone(), value);
    }
    Some((configuration, point))
}
