//! Did you mean …?

use polyaxon_spec::likeness;

/// The candidate that a slip of the pen would turn into `word`.
pub(crate) fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).clamp(1, 3);
    likeness::closest(word, candidates, limit)
}
