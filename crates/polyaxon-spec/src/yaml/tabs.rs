//! Finds tabs between tokens, which PyYAML refuses and the parser underneath accepts.
//!
//! One leniency: tabs inside flow collections pass, because JSON files are often indented with them.

use std::ops::Range;

/// The parts of a text in which a tab means itself, collected while its events go by.
pub(super) struct Tabs {
    allowed: Vec<Range<usize>>,
}

impl Tabs {
    /// `None` when there is nothing to find.
    pub(super) fn of(text: &str) -> Option<Tabs> {
        text.contains('\t').then(|| Tabs { allowed: Vec::new() })
    }

    pub(super) fn allow(&mut self, range: Range<usize>) {
        self.allowed.push(range);
    }

    /// The offset of the first tab outside of the allowed parts.
    pub(super) fn first_wrong(mut self, text: &str) -> Option<usize> {
        self.allowed.sort_by_key(|range| range.start);
        let mut allowed = self.allowed.into_iter().peekable();
        let mut reach = 0;
        text.match_indices('\t').map(|(at, _)| at).find(|at| {
            while let Some(range) = allowed.next_if(|range| range.start <= *at) {
                reach = reach.max(range.end);
            }
            *at >= reach
        })
    }
}
