//! Why a template could not be rendered, without the engine's own types.

use std::ops::Range;

use minijinja::ErrorKind;

/// A template that failed, with the place in its text when it is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    pub cause: Cause,
    /// A lowercase fragment: `unknown filter: filter nope is unknown`.
    pub message: String,
    /// Bytes of the template's text.
    pub range: Option<Range<usize>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The text is not a template.
    Syntax,
    /// A filter, test, function or method that does not exist.
    Unknown,
    /// Something of a value that does not exist.
    Undefined,
    /// The template needs more work or memory than allowed.
    Limit,
    /// A text that becomes a template again and again.
    Recursion,
    /// Any other failure of an expression.
    Expression,
}

impl TemplateError {
    pub(super) fn exhausted() -> TemplateError {
        TemplateError {
            cause: Cause::Limit,
            message: "the templates of this document do too much work".to_owned(),
            range: None,
        }
    }

    pub(super) fn recursion() -> TemplateError {
        TemplateError {
            cause: Cause::Recursion,
            message: "the value refers to itself: what it renders to is a template again and again".to_owned(),
            range: None,
        }
    }
}

impl From<minijinja::Error> for TemplateError {
    fn from(error: minijinja::Error) -> TemplateError {
        let cause = match error.kind() {
            ErrorKind::SyntaxError | ErrorKind::BadEscape => Cause::Syntax,
            ErrorKind::UnknownFilter
            | ErrorKind::UnknownTest
            | ErrorKind::UnknownFunction
            | ErrorKind::UnknownMethod
            | ErrorKind::TemplateNotFound => Cause::Unknown,
            ErrorKind::UndefinedError => Cause::Undefined,
            ErrorKind::OutOfFuel => Cause::Limit,
            _ => Cause::Expression,
        };
        let message = match (cause, error.detail()) {
            (Cause::Limit, _) => "the template does too much work, or its text is too large".to_owned(),
            (_, Some(detail)) => format!("{}: {detail}", error.kind()),
            (_, None) => error.kind().to_string(),
        };
        TemplateError { cause, message, range: error.range() }
    }
}
