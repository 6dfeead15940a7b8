//! The grammar of PQL: `AND` binds tighter than `OR`, `,` is `AND`, `|` before a field or a parenthesis is `OR`.
//!
//! Must not know fields or what operations mean: a term is a name, a key and a text.

use super::{Expression, PqlError};

/// A term before its field is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawTerm {
    pub field: String,
    pub key: Option<String>,
    pub operation: String,
}

/// Parentheses nest at most this deep.
const MAX_DEPTH: usize = 64;

/// Parses a text that is not blank.
pub fn parse(text: &str) -> Result<Expression<RawTerm>, PqlError> {
    let mut reader = Reader { text, at: 0 };
    let expression = reader.any(0)?;
    reader.skip_blanks();
    if reader.rest().is_empty() { Ok(expression) } else { Err(reader.unexpected("the end, `,`, AND or OR")) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn any(&mut self, depth: usize) -> Result<Expression<RawTerm>, PqlError> {
        let mut parts = vec![self.all(depth)?];
        while self.accept_or() {
            parts.push(self.all(depth)?);
        }
        Ok(one_or(parts, Expression::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Expression<RawTerm>, PqlError> {
        let mut parts = vec![self.primary(depth)?];
        while self.accept_and() {
            parts.push(self.primary(depth)?);
        }
        Ok(one_or(parts, Expression::All))
    }

    fn primary(&mut self, depth: usize) -> Result<Expression<RawTerm>, PqlError> {
        self.skip_blanks();
        if !self.rest().starts_with('(') {
            return self.term().map(Expression::Test);
        }
        if depth >= MAX_DEPTH {
            return Err(PqlError(format!("query nests deeper than {MAX_DEPTH} parentheses")));
        }
        self.at += 1;
        let inner = self.any(depth + 1)?;
        self.skip_blanks();
        if !self.rest().starts_with(')') {
            return Err(self.unexpected("`)`"));
        }
        self.at += 1;
        Ok(inner)
    }

    fn term(&mut self) -> Result<RawTerm, PqlError> {
        let Some((length, field, key)) = field_before_colon(self.rest()) else {
            return Err(self.unexpected("`field:operation`"));
        };
        let (field, key) = (field.to_owned(), key.map(str::to_owned));
        self.at += length;
        self.skip_blanks();
        let operation = self.operation();
        if operation.is_empty() {
            return Err(self.unexpected(&format!("an operation after `{field}:`")));
        }
        Ok(RawTerm { field, key, operation: operation.to_owned() })
    }

    /// The shortest text that something else can follow.
    fn operation(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let end = rest
            .char_indices()
            .find(|(at, character)| matches!(character, ',' | '(' | ')') || (*at > 0 && ends_operation(&rest[*at..])))
            .map_or(rest.len(), |(at, _)| at);
        self.at += end;
        rest[..end].trim()
    }

    fn accept_and(&mut self) -> bool {
        let start = self.at;
        self.skip_blanks();
        if self.rest().starts_with(',') {
            self.at += 1;
            return true;
        }
        self.accept_word("AND", start)
    }

    fn accept_or(&mut self) -> bool {
        let start = self.at;
        self.skip_blanks();
        if self.rest().strip_prefix('|').is_some_and(starts_primary) {
            self.at += 1;
            return true;
        }
        self.accept_word("OR", start)
    }

    fn accept_word(&mut self, word: &str, start: usize) -> bool {
        if starts_with_word(self.rest(), word) {
            self.at += word.len();
            return true;
        }
        self.at = start;
        false
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn unexpected(&self, expected: &str) -> PqlError {
        let found: String = self.rest().chars().take(20).collect();
        let found = if found.is_empty() { "the end".to_owned() } else { format!("`{found}`") };
        PqlError(format!("query `{}` is not valid: expected {expected}, found {found}", self.text))
    }
}

fn one_or<T>(mut parts: Vec<Expression<T>>, several: impl Fn(Vec<Expression<T>>) -> Expression<T>) -> Expression<T> {
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            parts.extend(last);
            several(parts)
        }
    }
}

/// Whether an operation ends before `rest`: a blank, then a connective that is one.
fn ends_operation(rest: &str) -> bool {
    let trimmed = rest.trim_start();
    if trimmed.len() == rest.len() {
        return false;
    }
    starts_with_word(trimmed, "AND")
        || starts_with_word(trimmed, "OR")
        || trimmed.strip_prefix('|').is_some_and(starts_primary)
}

fn starts_with_word(text: &str, word: &str) -> bool {
    let head = text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
    head && text[word.len()..].chars().next().is_none_or(|next| next.is_whitespace() || next == '(')
}

fn starts_primary(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with('(') || field_before_colon(text).is_some()
}

/// `name` or `name.key` up to and with the colon: its length, the name, the key.
fn field_before_colon(text: &str) -> Option<(usize, &str, Option<&str>)> {
    let (field, _) = text.split_once(':')?;
    let length = field.len() + 1;
    let field = field.trim();
    let (name, key) = match field.split_once('.') {
        Some((name, key)) => (name, Some(key)),
        None => (field, None),
    };
    (is_name(name) && key.is_none_or(is_name)).then_some((length, name, key))
}

fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|character| character.is_ascii_alphanumeric() || character == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parentheses for structure, `;` within AND, `/` within OR.
    fn shape(expression: &Expression<RawTerm>) -> String {
        let list = |parts: &[Expression<RawTerm>], by: &str| parts.iter().map(shape).collect::<Vec<_>>().join(by);
        match expression {
            Expression::All(parts) => format!("({})", list(parts, " ; ")),
            Expression::Any(parts) => format!("({})", list(parts, " / ")),
            Expression::Test(RawTerm { field, key, operation }) => {
                format!("{field}{}={operation}", key.as_ref().map_or(String::new(), |key| format!(".{key}")))
            }
        }
    }

    #[test]
    fn texts_become_trees() {
        for (text, tree) in [
            ("a:1", "a=1"),
            (" a : 1 , b.x: ~2|3 ", "(a=1 ; b.x=~2|3)"),
            ("a:1 AND b:2 or c:3", "((a=1 ; b=2) / c=3)"),
            ("(a:1 OR b:2) and c:3", "((a=1 / b=2) ; c=3)"),
            ("a:1 | b:2", "(a=1 / b=2)"),
            ("a:1|b:2", "a=1|b:2"),
            ("a:x | (b:2)", "(a=x / b=2)"),
            ("a:x | y", "a=x | y"),
            ("a:b:c", "a=b:c"),
            ("a::", "a=:"),
            ("s:running;k:job", "s=running;k:job"),
            ("t:2026-11-20 10:00", "t=2026-11-20 10:00"),
            ("name:band", "name=band"),
        ] {
            assert_eq!(parse(text).map(|tree| shape(&tree)).as_deref(), Ok(tree), "{text}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in [
            "status",
            "status:",
            "status:running,",
            "(status:running",
            "a.b.c:1",
            "NOT x:y",
            "()",
            "a:1)",
            ",a:1",
            "name:sand and more",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&format!("{}a:1", "(".repeat(1000))).is_err());
    }
}
