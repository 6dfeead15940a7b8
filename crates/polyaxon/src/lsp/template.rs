//! The name in a template at a place: `{{ params.lr.va|lue }}`.

use std::ops::Range;

/// A dotted name in a template. The parts before the one at the place, and the range of that part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) before: Vec<String>,
    pub(crate) word: Range<usize>,
}

/// The name at `offset` when a template of the value at `value` is open there. Filters and texts in quotes are no names.
pub(crate) fn name_at(text: &str, value: Range<usize>, offset: usize) -> Option<Name> {
    let before = text.get(value.start..offset)?;
    let open = before.rfind("{{").into_iter().chain(before.rfind("{%")).max()?;
    let inside = &before[open + 2..];
    let is_quoted = |quote: char| inside.matches(quote).count() % 2 == 1;
    if inside.contains("}}") || inside.contains("%}") || is_quoted('\'') || (is_quoted('"') && !inside.contains('\\')) {
        return None;
    }
    let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.');
    let start = inside
        .rfind(|letter| !is_part(letter))
        .map_or(0, |at| at + inside[at..].chars().next().map_or(1, char::len_utf8));
    let dotted = &inside[start..];
    if inside[..start].trim_end().ends_with('|') {
        return None;
    }
    let (parts, word) = dotted.rsplit_once('.').map_or((None, dotted), |(parts, word)| (Some(parts), word));
    let rest = text[offset..].find(|letter| !is_part(letter) || letter == '.').map_or(text.len(), |at| offset + at);
    Some(Name {
        before: parts.into_iter().flat_map(|parts| parts.split('.')).map(str::to_owned).collect(),
        word: offset - word.len()..rest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_open_templates_only() {
        for (marked, expected) in [
            ("{{ l^r }}", Some(("", "lr"))),
            ("{{^", Some(("", ""))),
            ("a {{ globals.^uuid }} b", Some(("globals", "uuid"))),
            ("{{ params.lr.^ }}", Some(("params.lr", ""))),
            ("{% if x^ %}", Some(("", "x"))),
            ("{{ x }} y^", None),
            ("{{ x | defa^ }}", None),
            ("{{ 'é^' }}", None),
            ("{{ é^", Some(("", "é"))),
            ("plain^", None),
        ] {
            let offset = marked.find('^').unwrap();
            let text = marked.replace('^', "");
            let found = name_at(&text, 0..text.len(), offset);
            let shown = found.map(|name| (name.before.join("."), text[name.word].to_owned()));
            assert_eq!(shown, expected.map(|(before, word)| (before.to_owned(), word.to_owned())), "{marked}");
        }
    }
}
