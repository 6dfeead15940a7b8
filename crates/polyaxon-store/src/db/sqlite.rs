//! The seam over SQLite.

use std::path::{Path, PathBuf};

use rusqlite::ffi::ErrorCode;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql};

use super::{Row, Tx, Value};
use crate::{Error, Result};

/// Prepared statements that a connection keeps.
const STATEMENT_CACHE: usize = 256;

/// What a connection may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Write,
    Read,
}

/// A transaction on a connection; beginning and ending it is the owner's business.
pub struct SqliteTx<'a> {
    connection: &'a Connection,
    path: &'a Path,
}

impl<'a> SqliteTx<'a> {
    pub(crate) fn new(connection: &'a Connection, path: &'a Path) -> SqliteTx<'a> {
        SqliteTx { connection, path }
    }
}

impl Tx for SqliteTx<'_> {
    fn query(&mut self, sql: &str, args: &[Value]) -> Result<Vec<Row>> {
        let read = || {
            let mut statement = self.connection.prepare_cached(sql)?;
            let width = statement.column_count();
            let mut found = Vec::new();
            let mut rows = statement.query(rusqlite::params_from_iter(args))?;
            while let Some(row) = rows.next()? {
                let values = (0..width).map(|column| row.get_ref(column).map(Value::from)).collect::<Result<_, _>>()?;
                found.push(Row::new(values));
            }
            Ok(found)
        };
        read().map_err(|source| explain(self.path, source))
    }

    fn visit(&mut self, sql: &str, args: &[Value], each: &mut dyn FnMut(&[Value])) -> Result<()> {
        let mut read = || {
            let mut statement = self.connection.prepare_cached(sql)?;
            let mut values = vec![Value::Null; statement.column_count()];
            let mut rows = statement.query(rusqlite::params_from_iter(args))?;
            while let Some(row) = rows.next()? {
                for (column, value) in values.iter_mut().enumerate() {
                    *value = row.get_ref(column)?.into();
                }
                each(&values);
            }
            Ok(())
        };
        read().map_err(|source| explain(self.path, source))
    }

    fn execute(&mut self, sql: &str, args: &[Value]) -> Result<u64> {
        let run = || self.connection.prepare_cached(sql)?.execute(rusqlite::params_from_iter(args));
        run().map(|changed| changed as u64).map_err(|source| explain(self.path, source))
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Bool(value) => ValueRef::Integer((*value).into()),
            Value::Int(value) => ValueRef::Integer(*value),
            Value::Float(value) => ValueRef::Real(*value),
            Value::Text(value) => ValueRef::Text(value.as_bytes()),
        }))
    }
}

impl From<ValueRef<'_>> for Value {
    fn from(value: ValueRef<'_>) -> Value {
        match value {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(value) => Value::Int(value),
            ValueRef::Real(value) => Value::Float(value),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
        }
    }
}

/// Opens a connection with our pragmas.
pub(crate) fn open(path: &Path, access: Access) -> Result<Connection> {
    let flags = match access {
        Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let connect = || {
        let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.pragma_update(None, "foreign_keys", true)?;
        if access == Access::Write {
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))?;
            connection.pragma_update(None, "synchronous", "NORMAL")?;
        }
        Ok(connection)
    };
    connect().map_err(|source| match explain(path, source) {
        Error::Statement { source } => Error::Open { path: path.to_owned(), source },
        clear => clear,
    })
}

/// The error as a person can act on it.
pub(crate) fn explain(path: &Path, source: rusqlite::Error) -> Error {
    let path: PathBuf = path.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Error::DiskFull { path },
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Error::ReadOnly { path },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            Error::Damaged { path, message: source.to_string() }
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Locked { path },
        Some(ErrorCode::ConstraintViolation) => Error::Conflict { source },
        _ => Error::Statement { source },
    }
}

/// Makes writes fail beyond a size, as a full disk would.
pub(crate) fn limit_size(connection: &Connection, path: &Path, bytes: u64) -> Result<()> {
    let limit = || {
        let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = i64::try_from(bytes).unwrap_or(i64::MAX) / page.max(1);
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
    };
    limit().map_err(|source| explain(path, source))
}
