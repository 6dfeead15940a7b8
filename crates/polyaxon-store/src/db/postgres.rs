//! The seam over PostgreSQL: sessions and their transactions.
//!
//! Invariants: `COMMIT` is the last thing that is sent, and what fails before it was not saved; statements that only
//! steer the transaction travel with the next one, so that they cost no time of their own.

mod address;
mod error;
pub(crate) mod server;
mod tls;
mod values;

use std::collections::HashMap;

use ::postgres::fallible_iterator::FallibleIterator as _;
use ::postgres::types::ToSql;
use ::postgres::{Client, Statement};

pub(crate) use address::{Address, is_address};

use super::connection::{Access, Patience};
use super::{Dialect, Place, Row, Tx, Value};
use crate::{Error, Result};
use error::explain;

/// Prepared statements that a connection keeps before it forgets all of them.
const STATEMENT_CACHE: usize = 512;

/// The channel on which a committed change is announced.
const CHANNEL: &str = "polyaxon_changed";

/// Who holds this lock is the one writer of the database. Any number does, as long as it stays the same.
const WRITER_LOCK: i64 = 0x706c_7864_6200_0001;

/// A connection; when transactions begin and end is the owner's business.
pub(crate) struct Session {
    /// Only absent while it is dropped.
    client: Option<Client>,
    place: Place,
    /// How announcements of this process are told from those of others.
    sender: String,
    statements: HashMap<String, Statement>,
    /// Statements that go ahead of the next one.
    ahead: String,
    /// A statement of this part was refused: the part cannot be kept.
    is_spoiled: bool,
    has_changes: bool,
    is_lost: bool,
}

impl Session {
    fn new(client: Client, place: Place, sender: String) -> Session {
        Session {
            client: Some(client),
            place,
            sender,
            statements: HashMap::new(),
            ahead: String::new(),
            is_spoiled: false,
            has_changes: false,
            is_lost: false,
        }
    }

    pub(crate) fn begin(&mut self, access: Access) -> Result<()> {
        self.ahead.clear();
        self.is_spoiled = false;
        self.has_changes = false;
        let begun = match access {
            Access::Write => self.script(&format!("BEGIN; SELECT pg_advisory_xact_lock({WRITER_LOCK})")),
            Access::Read => self.script("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
        };
        if begun.is_err() {
            // Waiting for the lock took too long, in a transaction that had begun.
            self.roll_back();
        }
        begun
    }

    /// Statements and locks may take as long as they need, as when a schema changes; or no longer than usual.
    pub(crate) fn set_patience(&mut self, patience: Patience) -> Result<()> {
        self.script(match patience {
            Patience::Endless => "SET lock_timeout = 0; SET statement_timeout = 0",
            Patience::Usual => "SET lock_timeout = '10s'; SET statement_timeout = '120s'",
        })
    }

    pub(crate) fn begin_part(&mut self) -> Result<()> {
        self.is_spoiled = false;
        self.push("SAVEPOINT part");
        Ok(())
    }

    pub(crate) fn keep_part(&mut self) -> Result<()> {
        self.push("RELEASE part");
        Ok(())
    }

    pub(crate) fn undo_part(&mut self) -> Result<()> {
        self.is_spoiled = false;
        self.script("ROLLBACK TO part; RELEASE part")
    }

    pub(crate) fn is_spoiled(&self) -> bool {
        self.is_spoiled
    }

    pub(crate) fn has_changes(&self) -> bool {
        self.has_changes
    }

    pub(crate) fn commit(&mut self) -> Result<()> {
        if self.has_changes {
            self.push(&format!("NOTIFY {CHANNEL}, '{}'", self.sender));
        }
        match self.script("COMMIT") {
            Err(Error::Unavailable { database, .. }) if self.has_changes => Err(Error::Uncertain { database }),
            committed => committed,
        }
    }

    pub(crate) fn roll_back(&mut self) {
        self.ahead.clear();
        if !self.is_lost && self.script("ROLLBACK").is_err() {
            self.is_lost = true;
        }
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.is_lost || self.client.as_ref().is_none_or(Client::is_closed)
    }

    pub(crate) fn script(&mut self, sql: &str) -> Result<()> {
        self.push(sql);
        self.send_ahead()
    }

    fn push(&mut self, sql: &str) {
        if !self.ahead.is_empty() {
            self.ahead.push_str("; ");
        }
        self.ahead.push_str(sql);
    }

    fn send_ahead(&mut self) -> Result<()> {
        if self.ahead.is_empty() {
            return Ok(());
        }
        let sql = std::mem::take(&mut self.ahead);
        self.call(|client| client.batch_execute(&sql))
    }

    /// Calls with a prepared statement, which is prepared at its first use.
    fn with_statement<T>(
        &mut self,
        sql: &str,
        args: &[Value],
        call: impl FnOnce(&mut Client, &Statement, &[&(dyn ToSql + Sync)]) -> Result<T, ::postgres::Error>,
    ) -> Result<T> {
        self.send_ahead()?;
        let statement = match self.statements.get(sql) {
            Some(statement) => statement.clone(),
            None => {
                let numbered = sql.replace('?', "$");
                let statement = self.call(|client| client.prepare(&numbered))?;
                if self.statements.len() >= STATEMENT_CACHE {
                    self.statements.clear();
                }
                self.statements.insert(sql.to_owned(), statement.clone());
                statement
            }
        };
        let args: Vec<&(dyn ToSql + Sync)> = args.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        let answer = self.call(|client| call(client, &statement, &args));
        if answer.is_err() {
            // It may have been prepared for tables that a newer server has changed since.
            self.statements.remove(sql);
        }
        answer
    }

    fn call<T>(&mut self, call: impl FnOnce(&mut Client) -> Result<T, ::postgres::Error>) -> Result<T> {
        let client = self.client.as_mut().ok_or(Error::Closed)?;
        call(client).map_err(|source| {
            self.is_spoiled = true;
            let error = explain(&self.place, source);
            self.is_lost |= matches!(error, Error::Unavailable { .. }) || client.is_closed();
            error
        })
    }
}

impl Tx for Session {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn query(&mut self, sql: &str, args: &[Value]) -> Result<Vec<Row>> {
        let found = self.with_statement(sql, args, |client, statement, args| client.query(statement, args))?;
        self.has_changes |= !found.is_empty() && !sql.starts_with("SELECT");
        found
            .iter()
            .map(|row| (0..row.len()).map(|column| row.try_get(column)).collect::<Result<_, _>>())
            .map(|values| values.map(Row::new).map_err(|source| explain(&self.place, source)))
            .collect()
    }

    fn visit(&mut self, sql: &str, args: &[Value], each: &mut dyn FnMut(&[Value])) -> Result<()> {
        self.with_statement(sql, args, |client, statement, args| {
            let mut rows = client.query_raw(statement, args.iter().copied())?;
            let mut values = vec![Value::Null; statement.columns().len()];
            while let Some(row) = rows.next()? {
                for (column, value) in values.iter_mut().enumerate() {
                    *value = row.try_get(column)?;
                }
                each(&values);
            }
            Ok(())
        })
    }

    fn execute(&mut self, sql: &str, args: &[Value]) -> Result<u64> {
        let changed = self.with_statement(sql, args, |client, statement, args| client.execute(statement, args))?;
        self.has_changes |= changed > 0;
        Ok(changed)
    }
}

impl Drop for Session {
    /// Closing waits for the network, which a thread that serves async tasks must not do.
    fn drop(&mut self) {
        let client = self.client.take();
        if tokio::runtime::Handle::try_current().is_ok() {
            std::thread::spawn(move || drop(client));
        }
    }
}
