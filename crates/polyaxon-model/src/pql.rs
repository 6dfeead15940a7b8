//! PQL: the filter language of lists, `status:running, metrics.loss:<0.2`.
//!
//! [`parse`] turns a text into typed tests of known fields; making SQL of them is the store's business.
//!
//! * [`grammar`] expressions and their terms · [`operation`] what stands after the colon · [`fields`] the tables
//!   of fields that can be asked for and sorted by

pub mod fields;
pub mod grammar;
pub mod operation;

use crate::time::Timestamp;
use fields::{Field, Table};
use operation::{Operation, Test};

/// Why a query is refused; the message is for the person who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PqlError(pub String);

/// A tree of tests.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression<T> {
    All(Vec<Expression<T>>),
    Any(Vec<Expression<T>>),
    Test(T),
}

/// One test of one field.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    pub field: &'static Field,
    /// `loss` of `metrics.loss`.
    pub key: Option<String>,
    pub negated: bool,
    pub test: Test,
}

/// A parsed query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// None when nothing is left to test.
    pub expression: Option<Expression<Term>>,
    /// The fields that the text names, also those whose test was dropped with `_any_`.
    pub named: Vec<&'static str>,
}

impl Query {
    /// Whether the text names this field, which turns its implicit test off.
    pub fn names(&self, field: &str) -> bool {
        self.named.contains(&field)
    }
}

/// Parses a query over the fields of `table`. A blank text is a query without tests.
pub fn parse(text: &str, table: &'static Table, now: Timestamp) -> Result<Query, PqlError> {
    if text.trim().is_empty() {
        return Ok(Query::default());
    }
    let mut named = Vec::new();
    let expression = typed(grammar::parse(text)?, table, now, &mut named)?;
    Ok(Query { expression, named })
}

fn typed(
    raw: Expression<grammar::RawTerm>,
    table: &'static Table,
    now: Timestamp,
    named: &mut Vec<&'static str>,
) -> Result<Option<Expression<Term>>, PqlError> {
    let mut several = |parts: Vec<Expression<grammar::RawTerm>>| -> Result<Vec<Expression<Term>>, PqlError> {
        let parts: Result<Vec<_>, _> = parts.into_iter().map(|part| typed(part, table, now, named)).collect();
        Ok(parts?.into_iter().flatten().collect())
    };
    match raw {
        Expression::All(parts) => Ok(Some(several(parts)?).filter(|parts| !parts.is_empty()).map(Expression::All)),
        Expression::Any(parts) => Ok(Some(several(parts)?).filter(|parts| !parts.is_empty()).map(Expression::Any)),
        Expression::Test(term) => {
            let field = table.find(&term.field, term.key.as_deref())?;
            named.push(field.name);
            let Operation { negated, test } = operation::read(field, term.key.as_deref(), &term.operation, now)?;
            let key = term.key.filter(|_| field.has_keys());
            Ok(test.map(|test| Expression::Test(Term { field, key, negated, test })))
        }
    }
}
