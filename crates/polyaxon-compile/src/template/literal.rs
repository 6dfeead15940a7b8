//! Python literals in text (spec §16.3): `5`, `1_000`, `0x10`, `1e3`, `True`, `None`, `'a' "b"`, `[1]`, `{'k': 2}`.
//!
//! Tuples, sets, bytes, complex numbers and everything else stay text (spec §19 row 10).

#[cfg(test)]
mod tests;

use polyaxon_spec::node::{Key, Node, Value};

use super::number::{number, signed};
use super::value::distinct;
use crate::text;

/// Python refuses deeper brackets.
const MAX_DEPTH: usize = 90;

/// The value of a text that is a Python literal, `None` for every other text.
pub fn read(text: &str) -> Option<Node> {
    let text = text.trim_start_matches([' ', '\t']);
    // Almost every string fails here.
    let first = text.chars().next().filter(|_| text.len() <= super::MAX_OUTPUT && !text.contains('\0'))?;
    let begins =
        first.is_ascii_digit() || matches!(first, '+' | '-' | '.' | '\'' | '"' | '[' | '{' | '(' | '#' | '\n' | '\r');
    if !begins && !["T", "F", "N", "r", "R", "u", "U"].iter().any(|start| text.starts_with(start)) {
        return None;
    }
    let mut reader = Reader { rest: text, depth: 0 };
    reader.skip_lines()?;
    let node = reader.value()?;
    reader.end()?;
    Some(node)
}

struct Reader<'a> {
    rest: &'a str,
    /// Open brackets; inside them line breaks are blanks.
    depth: usize,
}

impl Reader<'_> {
    fn value(&mut self) -> Option<Node> {
        let node = match self.peek()? {
            '+' | '-' => {
                let negative = self.next()? == '-';
                self.blanks();
                signed(self.number()?, negative)?
            }
            '0'..='9' | '.' => self.number()?,
            '[' => self.list()?,
            '{' => self.mapping()?,
            '(' => self.parenthesised()?,
            '\'' | '"' => self.strings()?,
            _ => match self.word() {
                "True" => self.take("True", Value::Bool(true)),
                "False" => self.take("False", Value::Bool(false)),
                "None" => self.take("None", Value::Null),
                "r" | "R" | "u" | "U" => self.strings()?,
                _ => return None,
            },
        };
        self.blanks();
        Some(node)
    }

    fn number(&mut self) -> Option<Node> {
        let end = self.number_end();
        let (token, rest) = self.rest.split_at(end);
        self.rest = rest;
        number(token).map(Node::bare)
    }

    /// The longest run that can belong to one number: letters too, so that `5x` is no number.
    fn number_end(&self) -> usize {
        let mut previous = ' ';
        for (at, char) in self.rest.char_indices() {
            let is_exponent_sign = matches!(char, '+' | '-')
                && matches!(previous, 'e' | 'E')
                && !self.rest.starts_with("0x")
                && !self.rest.starts_with("0X");
            if !(char.is_alphanumeric() || matches!(char, '_' | '.') || is_exponent_sign) {
                return at;
            }
            previous = char;
        }
        self.rest.len()
    }

    fn list(&mut self) -> Option<Node> {
        self.open()?;
        let mut items = Vec::new();
        while !self.close(']') {
            items.push(self.value()?);
            if !self.comma(']')? {
                break;
            }
        }
        Some(Node::list(items))
    }

    fn mapping(&mut self) -> Option<Node> {
        self.open()?;
        let mut entries = Vec::new();
        while !self.close('}') {
            let key = self.value()?;
            // A set has no colon.
            self.expect(':')?;
            self.blanks();
            let value = self.value()?;
            let key = match &key.value {
                Value::List(_) | Value::Map(_) => return None,
                Value::Str(text) => Key::new(text.clone()),
                _ => Key { is_text: false, ..Key::new(text::general(&key)) },
            };
            entries.push((key, value));
            if !self.comma('}')? {
                break;
            }
        }
        Some(Node::map(distinct(entries)))
    }

    /// Parentheses around one value; with a comma it is a tuple.
    fn parenthesised(&mut self) -> Option<Node> {
        self.open()?;
        let node = self.value()?;
        self.close(')').then_some(node)
    }

    /// One string or several next to each other.
    fn strings(&mut self) -> Option<Node> {
        let mut text = String::new();
        let mut count = 0;
        loop {
            let word = self.word();
            let raw = match word {
                "" | "u" | "U" => false,
                "r" | "R" => true,
                _ => break,
            };
            let rest = &self.rest[word.len()..];
            if !rest.starts_with(['\'', '"']) {
                break;
            }
            self.rest = rest;
            self.string(raw, &mut text)?;
            self.blanks();
            count += 1;
        }
        (count > 0).then(|| Node::string(text))
    }

    fn string(&mut self, raw: bool, text: &mut String) -> Option<()> {
        let quote = self.next()?;
        let triple: String = [quote; 3].iter().collect();
        let is_triple = self.rest.starts_with(&triple[..2]);
        if is_triple {
            self.rest = &self.rest[2..];
        }
        loop {
            if is_triple && self.rest.starts_with(&triple) {
                self.rest = &self.rest[3..];
                return Some(());
            }
            match self.next()? {
                char if char == quote && !is_triple => return Some(()),
                '\n' if !is_triple => return None,
                '\\' if raw => {
                    text.push('\\');
                    text.push(self.next()?);
                }
                '\\' => self.escape(text)?,
                char => text.push(char),
            }
        }
    }

    fn escape(&mut self, text: &mut String) -> Option<()> {
        match self.next()? {
            '\n' => {}
            char @ ('\\' | '\'' | '"') => text.push(char),
            'a' => text.push('\u{7}'),
            'b' => text.push('\u{8}'),
            'f' => text.push('\u{c}'),
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            't' => text.push('\t'),
            'v' => text.push('\u{b}'),
            'x' => text.push(self.code(2, 16)?),
            'u' => text.push(self.code(4, 16)?),
            'U' => text.push(self.code(8, 16)?),
            // Names of characters are not known here.
            'N' => return None,
            digit @ '0'..='7' => {
                let mut value = digit.to_digit(8)?;
                for _ in 0..2 {
                    let Some(next) = self.peek().and_then(|char| char.to_digit(8)) else { break };
                    value = value * 8 + next;
                    self.next();
                }
                text.push(char::from_u32(value)?);
            }
            other => {
                text.push('\\');
                text.push(other);
            }
        }
        Some(())
    }

    fn code(&mut self, length: usize, radix: u32) -> Option<char> {
        let digits = self.rest.get(..length)?;
        self.rest = &self.rest[length..];
        digits
            .chars()
            .all(|char| char.is_digit(radix))
            .then(|| u32::from_str_radix(digits, radix).ok())?
            .map(char::from_u32)?
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let char = self.peek()?;
        self.rest = &self.rest[char.len_utf8()..];
        Some(char)
    }

    /// The name that stands here.
    fn word(&self) -> &str {
        let end = self.rest.find(|char: char| !(char.is_alphanumeric() || char == '_')).unwrap_or(self.rest.len());
        &self.rest[..end]
    }

    fn take(&mut self, word: &str, value: Value) -> Node {
        self.rest = &self.rest[word.len()..];
        Node::bare(value)
    }

    fn open(&mut self) -> Option<()> {
        self.next()?;
        self.depth += 1;
        self.blanks();
        (self.depth <= MAX_DEPTH).then_some(())
    }

    fn close(&mut self, bracket: char) -> bool {
        if self.peek() != Some(bracket) {
            return false;
        }
        self.next();
        self.depth -= 1;
        self.blanks();
        true
    }

    /// After an item: true for a comma, false for the closing bracket.
    fn comma(&mut self, bracket: char) -> Option<bool> {
        if self.close(bracket) {
            return Some(false);
        }
        self.expect(',')?;
        self.blanks();
        Some(true)
    }

    fn expect(&mut self, char: char) -> Option<()> {
        (self.next()? == char).then_some(())
    }

    /// Skips blanks, continued lines, and inside brackets also line breaks and comments.
    fn blanks(&mut self) {
        loop {
            let trimmed = self.rest.trim_start_matches([' ', '\t', '\u{c}']);
            self.rest = trimmed;
            if let Some(rest) = trimmed.strip_prefix("\\\n") {
                self.rest = rest;
            } else if self.depth > 0 && trimmed.starts_with(['\n', '\r']) {
                self.rest = &trimmed[1..];
            } else if self.depth > 0 && trimmed.starts_with('#') {
                self.rest = trimmed.find('\n').map_or("", |at| &trimmed[at..]);
            } else {
                return;
            }
        }
    }

    /// Skips whole lines that hold nothing; the value's own line must not be indented.
    fn skip_lines(&mut self) -> Option<()> {
        loop {
            let trimmed = self.rest.trim_start_matches([' ', '\t', '\u{c}']);
            if trimmed.starts_with('#') {
                self.rest = trimmed.split_once('\n')?.1;
            } else if let Some(rest) = trimmed.strip_prefix("\r\n").or_else(|| trimmed.strip_prefix('\n')) {
                self.rest = rest;
            } else {
                return (trimmed.len() == self.rest.len()).then_some(());
            }
        }
    }

    /// Nothing but blanks, line breaks and comments may follow.
    fn end(&mut self) -> Option<()> {
        // Python takes blanks after the last line break for the start of a block.
        if self.rest.rsplit_once('\n').is_some_and(|(_, last)| !last.is_empty() && last.trim().is_empty()) {
            return None;
        }
        for line in self.rest.split('\n') {
            let line = line.trim_matches([' ', '\t', '\u{c}', '\r']);
            if !line.is_empty() && !line.starts_with('#') {
                return None;
            }
        }
        Some(())
    }
}
