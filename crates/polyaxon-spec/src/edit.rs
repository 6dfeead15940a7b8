//! Changes of a text that keep everything else as it is: comments, order, blanks.
//!
//! An edit says which word it expects; a text that is not the one that was read is never changed.

use crate::span::{SourceId, Span};

/// Replaces `old`, which stands within `span`, by `new`. The span may hold quotes or an anchor around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub span: Span,
    pub old: String,
    pub new: String,
}

/// A replacement of a range of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change<'a> {
    start: usize,
    end: usize,
    new: &'a str,
}

impl Edit {
    pub fn new(span: Span, old: impl Into<String>, new: impl Into<String>) -> Edit {
        Edit { span, old: old.into(), new: new.into() }
    }
}

/// The edits of one source, each once; aliases repeat the places of what they repeat.
pub fn of_source<'a>(edits: impl IntoIterator<Item = &'a Edit>, source: SourceId) -> Vec<Edit> {
    let mut own: Vec<Edit> = Vec::new();
    for edit in edits {
        if edit.span.source == source && !own.contains(edit) {
            own.push(edit.clone());
        }
    }
    own
}

/// The text with the edits that fit it, and how many of them did.
pub fn apply(text: &str, edits: &[Edit]) -> (String, usize) {
    let changes = changes(text, edits);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for change in &changes {
        out.push_str(&text[at..change.start]);
        out.push_str(change.new);
        at = change.end;
    }
    out.push_str(&text[at..]);
    (out, changes.len())
}

/// The lines that the edits change, as a unified diff without context.
pub fn diff(name: &str, text: &str, edits: &[Edit]) -> String {
    let changes = changes(text, edits);
    if changes.is_empty() {
        return String::new();
    }
    let mut out = format!("--- {name}\n+++ {name}\n");
    let mut shift = 0_isize;
    let mut rest = changes.as_slice();
    while let Some(first) = rest.first() {
        let start = line_start(text, first.start);
        let mut end = line_end(text, first.end.max(first.start + 1));
        let mut count = 1;
        while let Some(next) = rest.get(count).filter(|next| next.start < end) {
            end = end.max(line_end(text, next.end));
            count += 1;
        }
        let old = &text[start..end];
        let mut new = String::new();
        let mut at = start;
        for change in &rest[..count] {
            new.push_str(&text[at..change.start]);
            new.push_str(change.new);
            at = change.end;
        }
        new.push_str(&text[at..end]);
        let line = text[..start].matches('\n').count() + 1;
        let (before, after) = (old.lines().count(), new.lines().count());
        out.push_str(&format!("@@ -{line},{before} +{},{after} @@\n", line.saturating_add_signed(shift)));
        old.lines().for_each(|line| out.push_str(&format!("-{line}\n")));
        new.lines().for_each(|line| out.push_str(&format!("+{line}\n")));
        shift += after as isize - before as isize;
        rest = &rest[count..];
    }
    out
}

/// Where the edits really change something, in order, without overlaps.
fn changes<'a>(text: &str, edits: &'a [Edit]) -> Vec<Change<'a>> {
    let mut changes: Vec<Change> = edits.iter().filter_map(|edit| change(text, edit)).collect();
    changes.sort_by_key(|change| (change.start, change.end));
    let mut end = 0;
    changes.retain(|change| {
        let is_free = change.start >= end;
        if is_free {
            end = change.end;
        }
        is_free
    });
    changes
}

fn change<'a>(text: &str, edit: &'a Edit) -> Option<Change<'a>> {
    let from = edit.span.start as usize;
    let within = text.get(from..edit.span.end as usize)?;
    let mut places = within.match_indices(edit.old.as_str());
    let (at, _) = places.next()?;
    let is_only = places.next().is_none();
    is_only.then(|| Change { start: from + at, end: from + at + edit.old.len(), new: &edit.new })
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

/// The end of the line that the byte before `at` is on, with its line break.
fn line_end(text: &str, at: usize) -> usize {
    let at = text.ceil_char_boundary(at.min(text.len()));
    if text[..at].ends_with('\n') {
        return at;
    }
    text[at..].find('\n').map_or(text.len(), |newline| at + newline + 1)
}

/// The edit that removes an entry of a mapping, which is written from `key` to the end of `value`: with its line in
/// block style, with its comma in flow style.
pub fn removal(text: &str, key: Span, value: Span) -> Option<Edit> {
    let (start, end) = (key.start as usize, value.end as usize);
    let (before, after) = (text.get(..start)?, text.get(end..)?);
    let line = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
    let tail = after.split('\n').next().unwrap_or_default();
    let blanks = |text: &str| text.len() - text.trim_start_matches([' ', '\t']).len();
    let is_alone = line.trim().is_empty();
    let (start, end) = if is_alone && tail.trim().is_empty() {
        (start - line.len(), (end + tail.len() + 1).min(text.len()))
    } else if is_alone && tail.trim_start().starts_with('#') {
        // The comment stays, on the line of its own that it has now.
        (start, end + blanks(tail))
    } else if let Some(rest) = after.trim_start().strip_prefix(',') {
        let comma = after.len() - rest.len();
        (start, end + comma + blanks(rest))
    } else {
        (before.trim_end().strip_suffix(',')?.len(), end)
    };
    let source = key.source;
    Some(Edit::new(Span::new(source, start, end), text.get(start..end)?, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &str, word: &str) -> Span {
        let start = text.find(word).unwrap();
        Span::new(SourceId(0), start, start + word.len())
    }

    #[test]
    fn words_are_replaced_inside_their_quotes() {
        let text = "a:\n  \"max_retries\": 3 # stays\n  ttl: 1\n";
        let edit = Edit::new(span(text, "\"max_retries\""), "max_retries", "maxRetries");
        assert_eq!(
            apply(text, std::slice::from_ref(&edit)),
            ("a:\n  \"maxRetries\": 3 # stays\n  ttl: 1\n".to_owned(), 1)
        );
        assert_eq!(apply("something else that is long enough", &[edit]).1, 0);
    }

    #[test]
    fn entries_are_removed_with_what_separates_them() {
        for (text, word, value, expected) in [
            ("m:\n  a: x\n  b: y\n", "a", "x", "m:\n  b: y\n"),
            ("m:\n  a: x # why\n  b: y\n", "a", "x", "m:\n  # why\n  b: y\n"),
            ("m: {a: x, b: y}\n", "a", "x", "m: {b: y}\n"),
            ("m: {b: y, a: x}\n", "a", "x", "m: {b: y}\n"),
            ("m:\n  b: y\n  a: x", "a", "x", "m:\n  b: y\n"),
        ] {
            let edit = removal(text, span(text, word), span(text, value)).unwrap();
            assert_eq!(apply(text, &[edit]).0, expected);
        }
    }

    #[test]
    fn a_diff_shows_the_lines_that_change() {
        let text = "a: 1\nmax_retries: 3\ntime_out: 4\nb: 2\nx: 1\nlast_one: 1";
        let edits = [
            Edit::new(span(text, "max_retries"), "max_retries", "maxRetries"),
            Edit::new(span(text, "x: 1\n"), "x: 1\n", ""),
            Edit::new(span(text, "last_one"), "last_one", "lastOne"),
        ];
        assert_eq!(
            diff("op.yaml", text, &edits),
            "--- op.yaml\n+++ op.yaml\n@@ -2,1 +2,1 @@\n-max_retries: 3\n+maxRetries: 3\n@@ -5,1 +5,0 @@\n-x: 1\n\
             @@ -6,1 +5,1 @@\n-last_one: 1\n+lastOne: 1\n"
        );
    }
}
