//! Why a search cannot be made of a matrix. The decoder of files refuses most of it earlier, with positions.

/// What is wrong with a matrix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the parameter `{parameter}` {reason}")]
    Parameter { parameter: String, reason: String },
    #[error("`{parameter}` cannot depend on `{other}`: {reason}")]
    Condition { parameter: String, other: String, reason: String },
    #[error("a {kind} search needs `{field}`: {expected}")]
    Missing { kind: String, field: &'static str, expected: &'static str },
    #[error("`{field}` of the search is {found}; expected {expected}")]
    Field { field: &'static str, found: String, expected: &'static str },
    #[error("{0} is no kind of search; the kinds are {kinds}", kinds = crate::read::KINDS.join(", "))]
    Kind(String),
    /// The matrix is not valid; one message a line.
    #[error("{0}")]
    Document(String),
}
