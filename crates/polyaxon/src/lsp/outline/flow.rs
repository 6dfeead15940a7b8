//! Mappings and lists in brackets, JSON included, also unclosed ones.

use super::{Entry, Reader, Role, Within, quoted_end};

/// Deeper brackets are passed over; the strict reader refuses them.
const DEEPEST: usize = 100;

impl Reader<'_> {
    /// Reads from the opening bracket at `at`; gives where it ends. An unclosed bracket ends before the first line that is
    /// not indented further than `base`.
    pub(super) fn flow(&mut self, at: usize, parent: usize, base: i64, depth: usize) -> usize {
        let is_map = self.text[at..].starts_with('{');
        let mut position = at + 1;
        if depth >= DEEPEST {
            self.entries[parent].flow = Some(at..self.text.len());
            return self.text.len();
        }
        loop {
            position = self.blanks(position, base);
            let Some(letter) = self.letter(position).filter(|_| self.stopped.is_none()) else { break };
            match letter {
                '}' | ']' => {
                    position += 1;
                    break;
                }
                ',' => position += 1,
                _ if is_map => position = self.member(position, parent, base, depth),
                _ => {
                    let id = self.child(Role::Item, parent, "", position..position);
                    position = self.flow_value(position, id, base, depth);
                }
            }
        }
        self.entries[parent].flow = Some(at..position);
        position
    }

    fn member(&mut self, at: usize, parent: usize, base: i64, depth: usize) -> usize {
        let end = self.token(at);
        if end == at {
            return at + self.letter(at).map_or(1, char::len_utf8);
        }
        let name = self.text[at..end].trim_matches(['"', '\'']).to_owned();
        let blanks = self.text[end..].len() - self.text[end..].trim_start_matches([' ', '\t']).len();
        if !self.text[end + blanks..].starts_with(':') {
            self.child(Role::Word, parent, &name, at..end);
            return end;
        }
        let id = self.child(Role::Key, parent, &name, at..end);
        let value = self.blanks(end + blanks + 1, base);
        if self.stopped.is_some() {
            return value;
        }
        self.flow_value(value, id, base, depth)
    }

    fn flow_value(&mut self, at: usize, id: usize, base: i64, depth: usize) -> usize {
        let rest = &self.text[at..];
        if rest.starts_with(['{', '[']) && !rest.starts_with("{{") {
            return self.flow(at, id, base, depth + 1);
        }
        let end = self.token(at);
        if end > at {
            self.entries[id].value = Some(at..end);
            return end;
        }
        // What ends a value is read by the bracket; a stray colon is nothing.
        if rest.starts_with(['}', ']', ',']) || rest.is_empty() {
            at
        } else {
            at + self.letter(at).map_or(1, char::len_utf8)
        }
    }

    fn child(&mut self, role: Role, parent: usize, name: &str, span: std::ops::Range<usize>) -> usize {
        let column = self.entries[parent].column;
        self.add(Entry { in_flow: true, ..Entry::new(role, parent, name, span, column) })
    }

    fn letter(&self, at: usize) -> Option<char> {
        self.text[at..].chars().next()
    }

    /// Passes over blanks, line ends and comments.
    fn blanks(&mut self, mut at: usize, base: i64) -> usize {
        loop {
            match self.letter(at) {
                Some(' ' | '\t' | '\r') => at += 1,
                Some('#') => at += self.text[at..].find('\n').unwrap_or(self.text.len() - at),
                Some('\n') => {
                    let line = &self.text[at + 1..];
                    let content = line.trim_start_matches(' ');
                    let is_blank = content.starts_with(['\n', '\r', '#']) || content.is_empty();
                    let closes = content.starts_with(['}', ']']);
                    if !is_blank && !closes && ((line.len() - content.len()) as i64) <= base {
                        self.stopped = Some(at);
                        return at;
                    }
                    at += 1;
                }
                _ => return at,
            }
        }
    }

    /// Where a quoted or plain text ends, at the end of its line at the latest. Never looks further than it reads, because
    /// a whole document may be one line.
    fn token(&self, at: usize) -> usize {
        let rest = &self.text[at..];
        let line_end = |from: usize| from + self.text[from..].find(['\n', '\r']).unwrap_or(self.text.len() - from);
        if rest.starts_with(['"', '\'']) {
            return quoted_end(rest, Within::Line).map_or_else(|| line_end(at), |length| at + length);
        }
        let mut end = at;
        while let Some(letter) = self.letter(end) {
            let rest = &self.text[end..];
            if rest.starts_with("{{") {
                let line_end = line_end(end);
                end = self.text[end..line_end].find("}}").map_or(line_end, |length| end + length + 2);
                continue;
            }
            let is_colon = letter == ':' && rest[1..].chars().next().is_none_or(|next| " \t\r\n,}]{[\"".contains(next));
            if matches!(letter, ',' | '}' | ']' | '{' | '[' | '\n' | '\r') || is_colon || rest.starts_with(" #") {
                break;
            }
            end += letter.len_utf8();
        }
        at + self.text[at..end].trim_end().len()
    }
}
