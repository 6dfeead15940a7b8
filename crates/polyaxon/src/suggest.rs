//! The word that somebody may have meant.

/// The candidate that is close enough to be a typing mistake.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (likeness(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.0)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate)
}

/// Zero for words that have nothing to do with each other. Swapped letters count as one mistake.
fn likeness(word: &str, candidate: &str) -> f64 {
    let mistakes = strsim::osa_distance(word, candidate);
    let letters = word.chars().count().max(candidate.chars().count());
    let similarity = strsim::jaro_winkler(word, candidate);
    if mistakes * 3 <= letters || similarity > 0.85 { similarity.max(0.01) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn typing_mistakes_find_their_word() {
        let words = ["run", "check", "ops", "project", "tensorboard"];
        for (word, expected) in
            [("rnu", Some("run")), ("chekc", Some("check")), ("tensorbord", Some("tensorboard")), ("xyz", None)]
        {
            assert_eq!(nearest(word, words), expected, "{word}");
        }
    }
}
