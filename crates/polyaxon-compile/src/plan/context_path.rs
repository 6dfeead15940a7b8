//! Moves the context root of containers, `/plx-context`, to a folder of this machine in arguments and variables.
//!
//! Text only: nothing here knows whether a path exists.

use super::CONTEXT_ROOT;

/// Replaces every path that begins with `/plx-context` by the same path below `root`.
///
/// A longer path that merely contains the words (`/home/me/plx-context`) stays.
pub(super) fn rewrite(text: &str, root: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(CONTEXT_ROOT) {
        let (before, found) = rest.split_at(at);
        let after = &found[CONTEXT_ROOT.len()..];
        out.push_str(before);
        let consumed = &text[..text.len() - rest.len() + at];
        out.push_str(if begins_here(consumed) && ends_here(after) { root } else { CONTEXT_ROOT });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The text before the match leaves room for a path to begin: nothing, a url scheme, an option letter (`-I`).
fn begins_here(before: &str) -> bool {
    const SEPARATORS: &[char] =
        &['=', ':', ',', ';', '"', '\'', '`', '(', ')', '[', ']', '{', '}', '<', '>', '|', '&', '@', '$', '!'];
    let word_start = before
        .char_indices()
        .rev()
        .find(|(_, char)| char.is_whitespace() || SEPARATORS.contains(char))
        .map_or(0, |(at, char)| at + char.len_utf8());
    let word = &before[word_start..];
    word.chars().all(|char| char == '/') || (word.starts_with('-') && !word.contains('/'))
}

fn ends_here(after: &str) -> bool {
    after.chars().next().is_none_or(|char| !(char.is_alphanumeric() || matches!(char, '_' | '-' | '.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rewrites_paths_and_nothing_else() {
        let cases = [
            ("/plx-context/artifacts/u", "/s/artifacts/u"),
            ("--out=/plx-context/artifacts", "--out=/s/artifacts"),
            ("/plx-context", "/s"),
            ("cp -r \"/plx-context/a\" '/plx-context/b'; ls /plx-context", "cp -r \"/s/a\" '/s/b'; ls /s"),
            ("-I/plx-context/include", "-I/s/include"),
            ("a:/plx-context/b:/plx-context/c", "a:/s/b:/s/c"),
            ("file:///plx-context/a", "file:///s/a"),
            ("/home/me/plx-context/a", "/home/me/plx-context/a"),
            ("./plx-context/a", "./plx-context/a"),
            ("/plx-contextual/a", "/plx-contextual/a"),
            ("/plx-context-2", "/plx-context-2"),
            ("é/plx-context", "é/plx-context"),
        ];
        for (text, expected) in cases {
            assert_eq!(rewrite(text, "/s"), expected, "{text}");
        }
    }
}
