//! What somebody is typing at a place: a key, a value, or the next item of a list.

use std::ops::Range;

use super::{Outline, ROOT, Role};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// A key of the mapping that `parent` holds. `is_complete`: its colon is there.
    Key { parent: usize, word: Range<usize>, is_complete: bool },
    /// The value of a key or an item; `word` is what is there already, without quotes. The value of an item may turn out
    /// to be the first key of a mapping.
    Value { entry: usize, word: Range<usize> },
    /// An item in brackets.
    Item { list: usize },
}

/// The slot at an offset; `None` where nothing can be typed, as in comments.
pub(crate) fn slot(outline: &Outline, text: &str, offset: usize) -> Option<Slot> {
    let line_start = text[..offset].rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let before = &text[line_start..offset];
    let mut entries = outline.entries.iter().enumerate();
    let touches = |range: &Range<usize>| range.start <= offset && offset <= range.end;
    // Of nested ones the last is the innermost.
    let within_value = entries.clone().rfind(|(_, entry)| entry.value.as_ref().is_some_and(touches));
    if let Some((id, _)) = within_value {
        return Some(Slot::Value { entry: id, word: outline.inner(id, text)? });
    }
    let named = |role: Role| matches!(role, Role::Key | Role::Word);
    if let Some((_, entry)) = entries.clone().rfind(|(_, entry)| named(entry.role) && touches(&entry.span)) {
        let is_complete = entry.role == Role::Key;
        return Some(Slot::Key { parent: entry.parent, word: entry.span.clone(), is_complete });
    }
    if before.trim_start().starts_with('#') || before.contains(" #") {
        return None;
    }
    if let Some(id) = innermost_flow(outline, text, offset) {
        return Some(in_flow(outline, text, offset, id));
    }
    let on_line = |span: &Range<usize>| span.start >= line_start && span.end <= offset;
    if let Some((id, entry)) = entries.clone().skip(1).rfind(|(_, entry)| on_line(&entry.span)) {
        let is_open = !entry.has_value() && entry.children.is_empty();
        let is_behind = offset > entry.span.end && before.ends_with([' ', '\t', ':', '-']);
        return (is_open && is_behind && entry.role != Role::Word)
            .then_some(Slot::Value { entry: id, word: offset..offset });
    }
    if !before.trim().is_empty() {
        return None;
    }
    let column = before.len() as i64;
    let previous = entries.rfind(|(_, entry)| !entry.in_flow && entry.span.start < offset && entry.role != Role::Word);
    let mut parent = previous.map_or(ROOT, |(id, _)| id);
    while parent != ROOT && outline.entry(parent).column >= column {
        parent = outline.entry(parent).parent;
    }
    Some(Slot::Key { parent, word: offset..offset, is_complete: false })
}

fn innermost_flow(outline: &Outline, text: &str, offset: usize) -> Option<usize> {
    let holds = |range: &Range<usize>| {
        let is_closed = text[range.clone()].ends_with(['}', ']']) && range.len() > 1;
        range.start < offset && (offset < range.end || (offset == range.end && !is_closed))
    };
    let mut entries = outline.entries.iter().enumerate();
    entries.rfind(|(_, entry)| entry.flow.as_ref().is_some_and(holds)).map(|(id, _)| id)
}

fn in_flow(outline: &Outline, text: &str, offset: usize, id: usize) -> Slot {
    let entry = outline.entry(id);
    let is_list = entry.flow.as_ref().is_some_and(|flow| text[flow.start..].starts_with('['));
    if is_list {
        return Slot::Item { list: id };
    }
    let last = entry.children.iter().copied().rfind(|child| outline.entry(*child).span.end <= offset);
    if let Some(last) = last {
        let child = outline.entry(last);
        let between = &text[child.span.end..offset];
        if child.role == Role::Key && !child.has_value() && between.contains(':') && !between.contains(',') {
            return Slot::Value { entry: last, word: offset..offset };
        }
    }
    Slot::Key { parent: id, word: offset..offset, is_complete: false }
}
