//! Names that were probably meant, and lists of names for messages; both stay cheap for documents of any size.

/// Longer names are never compared.
const LONGEST: usize = 64;
/// Names that are compared with one word.
const MOST_COMPARED: usize = 500;
/// Names that one message lists.
const MOST_LISTED: usize = 30;

/// The first of the names that are nearest to `word`, with at most so many mistakes.
pub fn closest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>, most_mistakes: usize) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let comparable = |name: &&str| name.len() <= LONGEST && name.len().abs_diff(word.len()) <= 4 * most_mistakes;
    names
        .into_iter()
        .take(MOST_COMPARED)
        .filter(comparable)
        .map(|name| (strsim::damerau_levenshtein(word, name), name))
        .filter(|(mistakes, _)| *mistakes <= most_mistakes)
        .min_by_key(|(mistakes, _)| *mistakes)
        .map(|(_, name)| name)
}

/// `a, b, c`, cut short when there are very many.
pub fn listed<T: AsRef<str>>(names: &[T]) -> String {
    let shown: Vec<&str> = names.iter().take(MOST_LISTED).map(AsRef::as_ref).collect();
    let shown = shown.join(", ");
    match names.len().saturating_sub(MOST_LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found() {
        let names = ["epochs", "epoch", "lr"];
        assert_eq!(closest("epcohs", names, 2), Some("epochs"));
        assert_eq!(closest("batch", names, 2), None);
        assert_eq!(closest("é", ["e"], 1), Some("e"));
        let long = "x".repeat(1 << 20);
        assert_eq!(closest(&long, [long.as_str()], 2), None);
    }

    #[test]
    fn lists_are_cut_short() {
        assert_eq!(listed(&["a", "b"]), "a, b");
        assert!(listed(&vec!["a"; 100]).ends_with(", a and 70 more"));
    }
}
