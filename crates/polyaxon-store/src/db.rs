//! The seam between SQL text and a database engine.
//!
//! SQL is portable: `?1` placeholders (and no other question mark), `TEXT BIGINT {json} BOOLEAN`, timestamps as
//! microseconds, ids as text. What the engines say differently is in [`dialect`], and only there.

pub(crate) mod checkpoints;
pub(crate) mod connection;
pub mod dialect;
pub mod place;
pub(crate) mod postgres;
pub(crate) mod signed;
pub(crate) mod sqlite;
pub mod value;

use polyaxon_model::ids::ExecutorId;

use crate::Result;
pub use dialect::Dialect;
pub use place::Place;
pub use value::{FromValue, Row, Value};

/// An open transaction.
pub trait Tx {
    /// The language that [`Tx::query`] and [`Tx::execute`] understand.
    fn dialect(&self) -> Dialect;

    fn query(&mut self, sql: &str, args: &[Value]) -> Result<Vec<Row>>;

    /// The rows of a query one by one, for those that are too many to hold. The slice is used again for each row.
    fn visit(&mut self, sql: &str, args: &[Value], each: &mut dyn FnMut(&[Value])) -> Result<()>;

    /// Runs a statement and tells how many rows it changed.
    fn execute(&mut self, sql: &str, args: &[Value]) -> Result<u64>;

    /// The server that writes: what it decides to do is its own to do.
    fn server(&self) -> Option<ExecutorId> {
        None
    }
}

/// The first row of a query.
pub fn first(tx: &mut dyn Tx, sql: &str, args: &[Value]) -> Result<Option<Row>> {
    Ok(tx.query(sql, args)?.into_iter().next())
}

/// The first column of the first row of a query.
pub fn scalar<T: FromValue>(tx: &mut dyn Tx, sql: &str, args: &[Value]) -> Result<Option<T>> {
    first(tx, sql, args)?.map(|mut row| row.take()).transpose()
}

/// Builds the arguments of a statement.
macro_rules! args {
    ($($value:expr),* $(,)?) => { &[$($crate::db::Value::from($value)),*] };
}

pub(crate) use args;
