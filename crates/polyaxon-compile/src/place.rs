//! From a failed template to a finding that points at it.

use std::ops::Range;

use polyaxon_spec::diagnostic::{Diagnostic, codes};
use polyaxon_spec::span::Span;

use crate::template::expand::Failure;
use crate::template::{Cause, TemplateError};

/// The part `range` of the text that was read from `span`.
///
/// Exact for plain and quoted text on one line without escapes: there the source is as long as the text, or two
/// quotes longer. For other texts the whole span.
pub fn within(text: &str, span: Span, range: Range<usize>) -> Span {
    let length = (span.end.saturating_sub(span.start)) as usize;
    let quotes = match length.checked_sub(text.len()) {
        Some(0) => 0,
        Some(2) => 1,
        _ => return span,
    };
    if span.is_none() || text.contains('\n') || range.end > text.len() || range.start >= range.end {
        return span;
    }
    let start = span.start as usize + quotes;
    Span::new(span.source, start + range.start, start + range.end)
}

/// The finding for a string that cannot be rendered.
pub fn diagnostic(failure: &Failure) -> Diagnostic {
    let span = match &failure.error.range {
        Some(range) => within(&failure.text, failure.span, expression(&failure.text, range)),
        None => failure.span,
    };
    let code = match failure.error.cause {
        Cause::Recursion => codes::RECURSION,
        Cause::Undefined => codes::TEMPLATE_UNDEFINED,
        Cause::Syntax | Cause::Unknown | Cause::Limit | Cause::Expression => codes::TEMPLATE,
    };
    let message = format!("`{}` cannot be rendered: {}", shortened(&failure.text), failure.error.message);
    let finding = Diagnostic::error(code, span, message).label(label(&failure.error)).path(failure.path.as_str());
    match help(&failure.error) {
        Some(help) => finding.help(help),
        None => finding,
    }
}

/// A text fit for a message of one line.
pub fn shortened(text: &str) -> String {
    const LONGEST: usize = 80;
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= LONGEST && line.len() == text.trim_end().len() {
        return line.to_owned();
    }
    let start: String = line.chars().take(LONGEST).collect();
    format!("{start}…")
}

/// The whole `{{ … }}` or `{% … %}` around a place; the engine's own ranges may be only an operator.
fn expression(text: &str, range: &Range<usize>) -> Range<usize> {
    let at = range.start.min(text.len());
    let Some(before) = text.get(..at) else { return range.clone() };
    let opened = ["{{", "{%"].iter().filter_map(|open| before.rfind(open)).max();
    let Some(start) = opened else { return range.clone() };
    let end = ["}}", "%}"].iter().filter_map(|close| text[start..].find(close)).min();
    start..end.map_or(text.len(), |end| start + end + 2)
}

fn label(error: &TemplateError) -> &'static str {
    match error.cause {
        Cause::Syntax => "not a valid template",
        Cause::Unknown => "no such filter, test, function or method",
        Cause::Undefined => "the value does not exist",
        Cause::Limit => "too much work",
        Cause::Recursion => "never ends",
        Cause::Expression => "fails here",
    }
}

fn help(error: &TemplateError) -> Option<&'static str> {
    match error.cause {
        Cause::Syntax => Some("templates are Jinja2: `{{ name }}`, `{% if name %}…{% endif %}`"),
        Cause::Undefined => Some("declare it under `inputs`, or give a default: `{{ name | default('x') }}`"),
        Cause::Recursion => Some("give the value a text that does not contain its own name"),
        Cause::Limit => Some("templates are for small texts: compute large values in the program itself"),
        Cause::Unknown | Cause::Expression => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use polyaxon_spec::span::SourceId;

    #[test]
    fn spans_inside_plain_and_quoted_text_are_exact() {
        let span = |start, end| Span::new(SourceId(0), start, end);
        let text = "a {{ b }}";
        assert_eq!(within(text, span(10, 19), 2..9), span(12, 19));
        assert_eq!(within(text, span(10, 21), 2..9), span(13, 20));
        assert_eq!(within(text, span(10, 30), 2..9), span(10, 30));
        assert_eq!(within(text, Span::NONE, 2..9), Span::NONE);
    }

    #[test]
    fn the_whole_expression_is_shown() {
        assert_eq!(expression("x {{ a + b }} y {{ c }}", &(7..8)), 2..13);
        assert_eq!(expression("x {{ a + b }} y {% if %}", &(20..22)), 16..24);
        assert_eq!(expression("{{ a", &(3..4)), 0..4);
    }
}
