//! A set of runs: one bit for each row of the table. A million runs are 125 kB.

/// A set of row ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RunBits {
    words: Vec<u64>,
}

impl RunBits {
    /// An empty set with room for ids below `runs`.
    pub(crate) fn with_room(runs: usize) -> RunBits {
        RunBits { words: Vec::with_capacity(runs / 64 + 1) }
    }

    pub(crate) fn insert(&mut self, run: usize) {
        let word = run / 64;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (run % 64);
    }

    pub(crate) fn remove(&mut self, run: usize) {
        if let Some(word) = self.words.get_mut(run / 64) {
            *word &= !(1 << (run % 64));
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// Removes what the other set lacks.
    pub(crate) fn keep(&mut self, other: &RunBits) {
        self.words.truncate(other.words.len());
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    pub(crate) fn add_all(&mut self, other: &RunBits) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    /// Keeps the runs that pass.
    pub(crate) fn retain(&mut self, passes: impl Fn(usize) -> bool) {
        for (position, word) in self.words.iter_mut().enumerate() {
            for run in ones(*word) {
                if !passes(position * 64 + run) {
                    *word &= !(1 << run);
                }
            }
        }
    }

    /// Ascending.
    pub(crate) fn ids(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().flat_map(|(position, word)| ones(*word).map(move |run| position * 64 + run))
    }

    pub(crate) fn ids_descending(&self) -> impl Iterator<Item = usize> {
        let words = self.words.iter().enumerate().rev();
        words.flat_map(|(position, word)| ones_descending(*word).map(move |run| position * 64 + run))
    }

    pub(crate) fn bytes(&self) -> usize {
        self.words.capacity() * size_of::<u64>()
    }
}

/// The positions of the bits that are set.
fn ones(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let position = word.trailing_zeros() as usize;
        // Clears the lowest bit.
        word &= word.checked_sub(1)?;
        Some(position)
    })
}

fn ones_descending(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let position = word.checked_ilog2()? as usize;
        word &= !(1 << position);
        Some(position)
    })
}
