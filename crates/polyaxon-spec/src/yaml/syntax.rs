//! Turns a fault that the parser reports into a diagnostic that says how to mend it.

use granit_parser::{ErrorKind, ScanError};

use crate::diagnostic::{Diagnostic, codes};
use crate::span::{SourceId, Span};

pub(super) const QUOTE_TEMPLATE: &str = "templates that start a value must be quoted, like \"{{ name }}\"";

pub(super) fn diagnostic(source: SourceId, text: &str, error: &ScanError) -> Diagnostic {
    let at = error.marker().byte_offset().unwrap_or(0).min(text.len());
    let width = text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    let span = Span::new(source, at, at + width);
    let (code, message, help) = match error.kind() {
        ErrorKind::RecursionLimitExceeded => return too_deep(span),
        ErrorKind::UnexpectedCharacter { character } => {
            (codes::YAML, format!("a value cannot start with `{character}`"), "put the value in quotes")
        }
        ErrorKind::MappingValueNotAllowed => (
            codes::YAML,
            "a `:` is not possible here".to_owned(),
            "put a value that holds `: ` in quotes, and check the indentation of this line",
        ),
        ErrorKind::UnknownAnchor => {
            let name = text[at..].split(|c: char| c.is_whitespace() || ",[]{}".contains(c)).next().unwrap_or_default();
            let message = format!("`{name}` refers to an anchor that is not defined above");
            (codes::YAML, message, "define it with `&name`, or put the value in quotes if it is plain text")
        }
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart => return tab(span),
        ErrorKind::UnclosedFlowCollection { open } => {
            (codes::YAML, format!("`{open}` is never closed"), "add the closing bracket, or quote the value")
        }
        ErrorKind::InvalidQuotedScalarIndent => (
            codes::YAML,
            "a quoted value goes on without indentation".to_owned(),
            "indent its further lines more than its key, or use a block of text (`|`)",
        ),
        ErrorKind::UnclosedQuotedScalar => (codes::YAML, "a quote is never closed".to_owned(), "add the closing quote"),
        kind => (codes::YAML, format!("not valid YAML: {kind}"), "check the indentation and the quotes of this line"),
    };
    let help = if starts_with_template(text, at) { QUOTE_TEMPLATE } else { help };
    Diagnostic::error(code, span, message).help(help)
}

pub(super) fn tab(span: Span) -> Diagnostic {
    Diagnostic::error(codes::YAML, span, "a tab stands between the parts of the text")
        .label("tab")
        .help("use spaces; tabs are only allowed inside quotes and blocks of text")
}

pub(super) fn too_deep(span: Span) -> Diagnostic {
    let message = format!("values are nested more than {} levels deep", super::MAX_DEPTH);
    Diagnostic::error(codes::TOO_LARGE, span, message).label("one level too deep")
}

/// Whether the line of the fault, up to it, holds a value that starts with an unquoted template.
fn starts_with_template(text: &str, at: usize) -> bool {
    let line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = &text[line_start..at];
    line.match_indices("{{").any(|(open, _)| {
        let before = line[..open].trim_end();
        before.is_empty() || (before.len() < open && before.ends_with([':', '-'])) || before.ends_with(['[', ','])
    })
}
