//! Python's `'pattern' % value`, which the engine does not have, written as a filter.
//!
//! Works on the text of a template: a quoted string followed by `%` becomes the input of a filter. A pattern that is
//! held by a variable is not found.

use std::borrow::Cow;

/// The filter that the operator becomes.
pub(super) const FILTER: &str = "percent_format";

/// Longer templates and deeper operands are left alone, which bounds the work.
const LONGEST: usize = 1 << 14;
const DEEPEST: usize = 20;

/// Rewrites every `'…' % operand` inside `{{ }}` and `{% %}`.
pub(super) fn rewrite(text: &str) -> Cow<'_, str> {
    rewrite_at(text, 0)
}

fn rewrite_at(text: &str, depth: usize) -> Cow<'_, str> {
    if text.len() > LONGEST || depth > DEEPEST || !text.contains('%') || !text.contains(['\'', '"']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let mut changed = false;
    let mut inside = false;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if !inside {
            let Some(open) = ["{{", "{%"].iter().filter_map(|open| rest.find(open)).min() else {
                out.push_str(rest);
                break;
            };
            out.push_str(&rest[..open + 2]);
            at += open + 2;
            inside = true;
        } else if rest.starts_with("}}") || rest.starts_with("%}") {
            out.push_str(&rest[..2]);
            at += 2;
            inside = false;
        } else if let Some(length) = string_length(rest) {
            let (string, after) = rest.split_at(length);
            match operand(after) {
                Some((operand, consumed)) => {
                    out.push_str(&format!("({string}|{FILTER}({}))", rewrite_operand(operand, depth)));
                    at += length + consumed;
                    changed = true;
                }
                None => {
                    out.push_str(string);
                    at += length;
                }
            }
        } else {
            let length = rest.chars().next().map_or(1, char::len_utf8);
            out.push_str(&rest[..length]);
            at += length;
        }
    }
    if changed { Cow::Owned(out) } else { Cow::Borrowed(text) }
}

/// The operand may itself hold the operator.
fn rewrite_operand(operand: &str, depth: usize) -> String {
    let wrapped = format!("{{{{{operand}}}}}");
    let rewritten = rewrite_at(&wrapped, depth + 1);
    rewritten[2..rewritten.len() - 2].to_owned()
}

/// The length of the quoted string at the start of `text`.
fn string_length(text: &str) -> Option<usize> {
    let quote = text.chars().next().filter(|char| matches!(char, '\'' | '"'))?;
    let mut escaped = false;
    for (at, char) in text.char_indices().skip(1) {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            char if char == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// What follows `%`, with the length of operator and operand.
fn operand(after: &str) -> Option<(&str, usize)> {
    let trimmed = after.trim_start();
    let rest = trimmed.strip_prefix('%').filter(|rest| !rest.starts_with('}'))?;
    let start = after.len() - rest.trim_start().len();
    let length = primary_length(&after[start..])?;
    Some((&after[start..start + length], start + length))
}

/// The length of a name, number, string or bracket with everything that is attached to it: `a.b[0](c)`.
fn primary_length(text: &str) -> Option<usize> {
    let mut at = match text.chars().next()? {
        '\'' | '"' => string_length(text)?,
        '(' | '[' | '{' => bracket_length(text)?,
        char if char.is_alphanumeric() || char == '_' => word_length(text),
        _ => return None,
    };
    loop {
        let rest = &text[at..];
        at += match rest.chars().next() {
            Some('.') => 1 + word_length(&rest[1..]),
            Some('(' | '[') => bracket_length(rest)?,
            _ => return Some(at),
        };
    }
}

fn word_length(text: &str) -> usize {
    text.find(|char: char| !(char.is_alphanumeric() || char == '_')).unwrap_or(text.len())
}

fn bracket_length(text: &str) -> Option<usize> {
    let mut open = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if let Some(length) = string_length(rest) {
            at += length;
            continue;
        }
        let char = rest.chars().next()?;
        at += char.len_utf8();
        match char {
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' if open.pop() != Some(char) => return None,
            _ => {}
        }
        if open.is_empty() {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_strings_before_a_percent_sign_change() {
        let cases = [
            ("{{ '%s-%d' % ('a', 3) }}", "{{ ('%s-%d'|percent_format(('a', 3))) }}"),
            ("{{ \"%s\"%x.y[0] ~ 'z' }}", "{{ (\"%s\"|percent_format(x.y[0])) ~ 'z' }}"),
            ("{{ '%s' % '%s' }}", "{{ ('%s'|percent_format('%s')) }}"),
            ("{{ 7 % 3 }} '%s' % x", "{{ 7 % 3 }} '%s' % x"),
            ("{% if 'a' %}%{% endif %}", "{% if 'a' %}%{% endif %}"),
            ("{{ 'a", "{{ 'a"),
            ("'a' % {{ x }}", "'a' % {{ x }}"),
            ("{{ '%s' % ( }}", "{{ '%s' % ( }}"),
        ];
        for (text, expected) in cases {
            assert_eq!(rewrite(text), expected);
        }
    }
}
