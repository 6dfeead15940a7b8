//! The seam over SQLite: sessions, values, errors.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::ffi::ErrorCode;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{OpenFlags, ToSql};

use super::connection::Access;
use super::{Dialect, Place, Row, Tx, Value, checkpoints};
use crate::Result;
use crate::error::{DatabaseError, Error};

/// Prepared statements that a connection keeps.
const STATEMENT_CACHE: usize = 256;

/// The ids of runs are in no order: writing many of them touches pages all over an index.
const WRITER_CACHE_KILOBYTES: i64 = 16 * 1024;

/// A connection; when transactions begin and end is the owner's business.
pub(crate) struct Session {
    connection: rusqlite::Connection,
    place: Place,
    /// Changes of all times when the transaction began.
    changes_before: u64,
}

impl Session {
    /// Opens a connection with our pragmas.
    pub(crate) fn open(path: &Path, access: Access) -> Result<Session> {
        let flags = match access {
            Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
            Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
        };
        let connect = || {
            let mut connection = rusqlite::Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
            connection.busy_timeout(std::time::Duration::from_secs(5))?;
            prepare(&connection)?;
            if access == Access::Write {
                connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))?;
                connection.pragma_update(None, "synchronous", "NORMAL")?;
                connection.pragma_update(None, "cache_size", -WRITER_CACHE_KILOBYTES)?;
                // What may have to be undone is kept in memory.
                connection.pragma_update(None, "temp_store", "MEMORY")?;
                checkpoints::beside(&mut connection, path)?;
            }
            Ok(connection)
        };
        let place = Place::from(path);
        match connect() {
            Ok(connection) => Ok(Session { connection, place, changes_before: 0 }),
            Err(source) => Err(match explain(&place, source) {
                Error::Statement { source } => Error::Open { database: place, source },
                clear => clear,
            }),
        }
    }

    /// A database of its own that ends with the connection.
    pub(crate) fn in_memory(place: &Place) -> Result<Session> {
        let connect = || {
            let connection = rusqlite::Connection::open_in_memory()?;
            prepare(&connection)?;
            Ok(connection)
        };
        let place = place.clone();
        match connect() {
            Ok(connection) => Ok(Session { connection, place, changes_before: 0 }),
            Err(source) => Err(explain(&place, source)),
        }
    }

    pub(crate) fn begin(&mut self, access: Access) -> Result<()> {
        self.changes_before = self.connection.total_changes();
        self.script(match access {
            Access::Write => "BEGIN IMMEDIATE",
            Access::Read => "BEGIN",
        })
    }

    pub(crate) fn script(&mut self, sql: &str) -> Result<()> {
        self.connection.execute_batch(sql).map_err(|source| explain(&self.place, source))
    }

    pub(crate) fn is_in_transaction(&self) -> bool {
        !self.connection.is_autocommit()
    }

    pub(crate) fn has_changes(&self) -> bool {
        self.connection.total_changes() != self.changes_before
    }

    /// Copies the whole database into a new file.
    pub(crate) fn copy_to(&self, path: &Path) -> Result<()> {
        let copied = self.connection.execute("VACUUM INTO ?1", [path.to_string_lossy()]);
        copied.map(drop).map_err(|source| explain(&Place::from(path), source))
    }

    /// Makes writes fail beyond a size, as a full disk would.
    pub(crate) fn limit_size(&self, bytes: u64) -> Result<()> {
        let limit = || {
            let page: i64 = self.connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
            let pages = i64::try_from(bytes).unwrap_or(i64::MAX) / page.max(1);
            self.connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
        };
        limit().map_err(|source| explain(&self.place, source))
    }
}

/// What every connection is set to.
fn prepare(connection: &rusqlite::Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    // Without it, statements are planned anew for every other value that they are given.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "foreign_keys", true)
}

impl Tx for Session {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

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
        read().map_err(|source| explain(&self.place, source))
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
        read().map_err(|source| explain(&self.place, source))
    }

    fn execute(&mut self, sql: &str, args: &[Value]) -> Result<u64> {
        let run = || self.connection.prepare_cached(sql)?.execute(rusqlite::params_from_iter(args));
        run().map(|changed| changed as u64).map_err(|source| explain(&self.place, source))
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

/// The error as a person can act on it.
fn explain(place: &Place, source: rusqlite::Error) -> Error {
    let database = place.clone();
    let code = source.sqlite_error_code();
    let message = source.to_string();
    let source = DatabaseError::Sqlite(source);
    match code {
        Some(ErrorCode::DiskFull) => Error::DiskFull { database },
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Error::ReadOnly { database },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Error::Damaged { database, message },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Locked { database },
        Some(ErrorCode::ConstraintViolation) => Error::Conflict { source },
        _ => Error::Statement { source },
    }
}
