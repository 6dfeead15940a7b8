//! A tolerant reader of YAML and JSON for texts that somebody is typing: which key and which value is where.
//!
//! The strict reader refuses a half-typed document; this one finds its structure from indentation and brackets and
//! never fails. It knows nothing of the language, and values stay text.

mod flow;
mod slot;

use std::ops::Range;

use polyaxon_spec::section::snake_case;

use super::position;

pub(crate) use slot::{Slot, slot};

pub(crate) const ROOT: usize = 0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Root,
    Key,
    Item,
    /// A word where a key is expected: a key without its colon yet, or the next line of a long text.
    Word,
}

/// A key with its value, an item of a list, or a lone word.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) role: Role,
    pub(crate) parent: usize,
    pub(crate) children: Vec<usize>,
    /// The key without quotes, or the word.
    pub(crate) name: String,
    /// Where the key, the word or the dash is.
    pub(crate) span: Range<usize>,
    /// Its indentation; -1 for the root.
    pub(crate) column: i64,
    /// The scalar value as written, with quotes.
    pub(crate) value: Option<Range<usize>>,
    /// The value in brackets.
    pub(crate) flow: Option<Range<usize>>,
    pub(crate) in_flow: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Outline {
    pub(crate) entries: Vec<Entry>,
}

/// Reads a text, whatever it is.
pub(crate) fn read(text: &str) -> Outline {
    let mut reader =
        Reader { text, entries: vec![Entry::new(Role::Root, ROOT, "", 0..0, -1)], stack: vec![ROOT], stopped: None };
    let starts = position::line_starts(text);
    let mut line = 0;
    while line < starts.len() {
        let next = reader.line(position::line_range(text, &starts, line));
        // A value over several lines ends within a line; what stands behind it belongs to it.
        line = next.map_or(line + 1, |offset| starts.partition_point(|start| *start < offset).max(line + 1));
    }
    Outline { entries: reader.entries }
}

impl Outline {
    pub(crate) fn entry(&self, id: usize) -> &Entry {
        &self.entries[id]
    }

    /// The entries from the root to `id`, both included.
    pub(crate) fn chain(&self, id: usize) -> Vec<usize> {
        let mut chain = vec![id];
        let mut current = id;
        while current != ROOT {
            current = self.entries[current].parent;
            chain.push(current);
        }
        chain.reverse();
        chain
    }

    /// The member of a mapping, in either spelling of its name.
    pub(crate) fn child(&self, id: usize, name: &str) -> Option<usize> {
        let name = snake_case(name);
        let mut children = self.entries[id].children.iter().copied();
        children.find(|child| self.entries[*child].role == Role::Key && snake_case(&self.entries[*child].name) == name)
    }

    pub(crate) fn keys(&self, id: usize) -> impl Iterator<Item = usize> + '_ {
        self.of_role(id, Role::Key)
    }

    pub(crate) fn items(&self, id: usize) -> impl Iterator<Item = usize> + '_ {
        self.of_role(id, Role::Item)
    }

    fn of_role(&self, id: usize, role: Role) -> impl Iterator<Item = usize> + '_ {
        self.entries[id].children.iter().copied().filter(move |child| self.entries[*child].role == role)
    }

    /// The range of a scalar value without its quotes.
    pub(crate) fn inner(&self, id: usize, text: &str) -> Option<Range<usize>> {
        let range = self.entries[id].value.clone()?;
        let written = text.get(range.clone())?;
        let Some(quote) = written.chars().next().filter(|first| matches!(first, '"' | '\'')) else {
            return Some(range);
        };
        let closed = written.len() > 1 && written.ends_with(quote);
        Some(range.start + 1..if closed { range.end - 1 } else { range.end })
    }

    /// A scalar value without its quotes.
    pub(crate) fn scalar<'a>(&self, id: usize, text: &'a str) -> Option<&'a str> {
        text.get(self.inner(id, text)?)
    }

    /// The scalar value of a member.
    pub(crate) fn text_of<'a>(&self, id: usize, name: &str, text: &'a str) -> Option<&'a str> {
        self.scalar(self.child(id, name)?, text)
    }
}

impl Entry {
    fn new(role: Role, parent: usize, name: &str, span: Range<usize>, column: i64) -> Entry {
        Entry {
            role,
            parent,
            children: Vec::new(),
            name: name.to_owned(),
            span,
            column,
            value: None,
            flow: None,
            in_flow: false,
        }
    }

    pub(crate) fn has_value(&self) -> bool {
        self.value.is_some() || self.flow.is_some()
    }
}

struct Reader<'a> {
    text: &'a str,
    entries: Vec<Entry>,
    /// The open block entries, by rising indentation.
    stack: Vec<usize>,
    /// Where an unclosed bracket was given up.
    stopped: Option<usize>,
}

impl Reader<'_> {
    fn add(&mut self, entry: Entry) -> usize {
        let id = self.entries.len();
        self.entries[entry.parent].children.push(id);
        self.entries.push(entry);
        id
    }

    fn top(&self) -> usize {
        self.stack.last().copied().unwrap_or(ROOT)
    }

    /// Closes what is indented at least as far; a key may hold a list at its own indentation.
    fn close(&mut self, column: i64, for_item: bool) {
        while self.stack.len() > 1 {
            let top = &self.entries[self.top()];
            let holds = for_item && top.column == column && top.role == Role::Key;
            if top.column < column || holds {
                break;
            }
            self.stack.pop();
        }
    }

    /// Reads a line; gives the end of a value that goes on behind it.
    fn line(&mut self, line: Range<usize>) -> Option<usize> {
        let blanks = |text: &str| text.len() - text.trim_start_matches([' ', '\t']).len();
        let mut at = line.start + blanks(&self.text[line.clone()]);
        let mut column = (at - line.start) as i64;
        let rest = &self.text[at..line.end];
        if rest.is_empty()
            || rest.starts_with('#')
            || (column == 0 && (rest.starts_with("---") || rest.starts_with('%')))
        {
            return None;
        }
        let mut item = None;
        while self.text[at..line.end] == *"-" || self.text[at..line.end].starts_with("- ") {
            self.close(column, true);
            let parent = self.top();
            let id = self.add(Entry::new(Role::Item, parent, "", at..at + 1, column));
            self.stack.push(id);
            item = Some(id);
            at += 1;
            at += blanks(&self.text[at..line.end]);
            column = (at - line.start) as i64;
        }
        if at == line.end || self.text[at..line.end].starts_with('#') {
            return None;
        }
        if let Some(key) = key(&self.text[at..line.end]) {
            self.close(column, false);
            let parent = self.top();
            let id = self.add(Entry::new(Role::Key, parent, key.name, at..at + key.length, column));
            self.stack.push(id);
            return self.value(id, at + key.value..line.end);
        }
        if let Some(item) = item {
            return self.value(item, at..line.end);
        }
        self.close(column, false);
        let parent = self.top();
        if self.text[at..line.end].starts_with(['{', '[']) && !self.entries[parent].has_value() {
            return self.value(parent, at..line.end);
        }
        let written = self.text[at..line.end].trim_end();
        self.add(Entry::new(Role::Word, parent, written, at..at + written.len(), column));
        None
    }

    /// Reads what stands behind a colon or a dash on its line.
    fn value(&mut self, id: usize, line: Range<usize>) -> Option<usize> {
        let mut at = line.start;
        loop {
            let rest = &self.text[at..line.end];
            at += rest.len() - rest.trim_start().len();
            // Anchors and tags.
            let rest = &self.text[at..line.end];
            if !rest.starts_with(['&', '!']) {
                break;
            }
            at += rest.find(' ').unwrap_or(rest.len());
        }
        let rest = &self.text[at..line.end];
        if rest.is_empty() || rest.starts_with('#') {
            return None;
        }
        let base = self.entries[id].column;
        if rest.starts_with(['{', '[']) && !rest.starts_with("{{") {
            self.stopped = None;
            let end = self.flow(at, id, base, 0);
            return (end > line.end).then_some(end);
        }
        let is_block = rest.starts_with(['|', '>'])
            && rest.split('#').next().is_some_and(|head| head.trim().chars().all(|c| "|>+-123456789".contains(c)));
        let end = if is_block {
            self.deeper(line.end, base)
        } else if rest.starts_with(['"', '\'']) {
            let limit = self.deeper(line.end, base);
            quoted_end(&self.text[at..limit], Within::Text).map_or(line.end, |length| at + length)
        } else {
            at + plain_length(rest)
        };
        self.entries[id].value = Some(at..end);
        (end > line.end).then_some(end)
    }

    /// Where the lines end that are blank or indented further than `base`.
    fn deeper(&self, from: usize, base: i64) -> usize {
        let mut end = from;
        for line in self.text[from..].split_inclusive('\n').skip(1) {
            let content = line.trim_start_matches(' ');
            let is_blank = content.trim().is_empty();
            if !is_blank && ((line.len() - content.len()) as i64) <= base {
                break;
            }
            end = line.as_ptr() as usize - self.text.as_ptr() as usize + line.trim_end_matches(['\n', '\r']).len();
        }
        end
    }
}

struct WrittenKey<'a> {
    name: &'a str,
    length: usize,
    /// Where the value may start.
    value: usize,
}

/// The key at the start of a text.
fn key(text: &str) -> Option<WrittenKey<'_>> {
    if text.starts_with(['"', '\'']) {
        let length = quoted_end(text, Within::Line)?;
        let rest = &text[length..];
        let blanks = rest.len() - rest.trim_start().len();
        let rest = rest.trim_start().strip_prefix(':')?;
        let is_key = rest.is_empty() || rest.starts_with([' ', '\t']);
        return is_key.then(|| WrittenKey { name: &text[1..length - 1], length, value: length + blanks + 1 });
    }
    if text.starts_with(['{', '[', '|', '>', '&', '*', '!', '@', '`', ']', '}']) {
        return None;
    }
    let end = plain_length(text);
    let colon = text[..end].match_indices(':').map(|(at, _)| at).find(|at| {
        let rest = &text[at + 1..];
        rest.is_empty() || rest.starts_with([' ', '\t'])
    })?;
    let name = text[..colon].trim_end();
    (!name.is_empty()).then_some(WrittenKey { name, length: name.len(), value: colon + 1 })
}

/// How long an unquoted text is, without the comment behind it.
fn plain_length(text: &str) -> usize {
    let end = text.find(" #").unwrap_or(text.len());
    text[..end].trim_end().len()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Line,
    Text,
}

/// The length of a quoted text with its quotes; `None` when it is not closed.
fn quoted_end(text: &str, within: Within) -> Option<usize> {
    let quote = text.chars().next()?;
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if within == Within::Line && matches!(letter, '\n' | '\r') {
            return None;
        }
        if letter == '\\' && quote == '"' {
            letters.next();
        } else if letter == quote {
            if quote == '\'' && letters.peek().is_some_and(|(_, next)| *next == '\'') {
                letters.next();
                continue;
            }
            return Some(at + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests;
