//! A connection to either database, and the steps of its transactions.
//!
//! Invariant: a connection that was lost is replaced before a transaction, never within one.

use std::path::PathBuf;
use std::sync::Arc;

use super::postgres::server::Server;
use super::{Place, Tx, postgres, sqlite};
use crate::Result;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Transactions that write, one at a time over all processes.
    Write,
    /// Transactions that see one state.
    Read,
}

/// How long a connection waits for locks and answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    Usual,
    Endless,
}

/// Where connections come from.
#[derive(Clone)]
pub(crate) enum Database {
    File(PathBuf),
    Server(Arc<Server>),
}

impl Database {
    pub(crate) fn place(&self) -> Place {
        match self {
            Database::File(path) => Place::File(path.clone()),
            Database::Server(server) => server.place().clone(),
        }
    }

    pub(crate) fn connect(&self, access: Access) -> Result<Connection> {
        match self {
            Database::File(path) => sqlite::Session::open(path, access).map(Connection::Sqlite),
            Database::Server(server) => server.connect().map(|session| Connection::Postgres(Box::new(session))),
        }
    }

    /// Begins a transaction on the connection in the slot, or on a new one when it is empty or was lost.
    pub(crate) fn begin<'a>(&self, slot: &'a mut Option<Connection>, access: Access) -> Result<&'a mut Connection> {
        if let Some(connection) = slot {
            match connection.begin(access) {
                Err(_) if connection.is_lost() => *slot = None,
                begun => begun?,
            }
        }
        match slot {
            Some(connection) => Ok(connection),
            None => {
                let connection = slot.insert(self.connect(access)?);
                connection.begin(access)?;
                Ok(connection)
            }
        }
    }
}

pub(crate) enum Connection {
    Sqlite(sqlite::Session),
    Postgres(Box<postgres::Session>),
}

impl Connection {
    pub(crate) fn begin(&mut self, access: Access) -> Result<()> {
        match self {
            Connection::Sqlite(session) => session.begin(access),
            Connection::Postgres(session) => session.begin(access),
        }
    }

    pub(crate) fn set_patience(&mut self, patience: Patience) -> Result<()> {
        match self {
            // Nobody else changes the file.
            Connection::Sqlite(_) => Ok(()),
            Connection::Postgres(session) => session.set_patience(patience),
        }
    }

    /// The way to its statements, between the beginning and the end of a transaction.
    pub(crate) fn tx(&mut self) -> &mut dyn Tx {
        match self {
            Connection::Sqlite(session) => session,
            Connection::Postgres(session) => session.as_mut(),
        }
    }

    /// Runs several statements without arguments.
    pub(crate) fn script(&mut self, sql: &str) -> Result<()> {
        match self {
            Connection::Sqlite(session) => session.script(sql),
            Connection::Postgres(session) => session.script(sql),
        }
    }

    /// Begins a part of the transaction that can be undone alone.
    pub(crate) fn begin_part(&mut self) -> Result<()> {
        match self {
            Connection::Sqlite(session) => session.script("SAVEPOINT part"),
            Connection::Postgres(session) => session.begin_part(),
        }
    }

    pub(crate) fn keep_part(&mut self) -> Result<()> {
        match self {
            Connection::Sqlite(session) => session.script("RELEASE part"),
            Connection::Postgres(session) => session.keep_part(),
        }
    }

    pub(crate) fn undo_part(&mut self) -> Result<()> {
        match self {
            Connection::Sqlite(session) => session.script("ROLLBACK TO part; RELEASE part"),
            Connection::Postgres(session) => session.undo_part(),
        }
    }

    /// Whether a statement of the part was refused, after which it can only be undone.
    pub(crate) fn is_spoiled(&self) -> bool {
        match self {
            Connection::Sqlite(_) => false,
            Connection::Postgres(session) => session.is_spoiled(),
        }
    }

    /// Whether the database has ended the transaction by itself.
    pub(crate) fn has_given_up(&self) -> bool {
        match self {
            Connection::Sqlite(session) => !session.is_in_transaction(),
            Connection::Postgres(session) => session.is_lost(),
        }
    }

    /// Whether the transaction has changed anything.
    pub(crate) fn has_changes(&self) -> bool {
        match self {
            Connection::Sqlite(session) => session.has_changes(),
            Connection::Postgres(session) => session.has_changes(),
        }
    }

    pub(crate) fn commit(&mut self) -> Result<()> {
        match self {
            Connection::Sqlite(session) => session.script("COMMIT"),
            Connection::Postgres(session) => session.commit(),
        }
    }

    /// Ends a transaction that failed.
    pub(crate) fn roll_back(&mut self) {
        match self {
            Connection::Sqlite(session) if session.is_in_transaction() => drop(session.script("ROLLBACK")),
            Connection::Sqlite(_) => {}
            Connection::Postgres(session) => session.roll_back(),
        }
    }

    /// Whether the connection has to be replaced.
    pub(crate) fn is_lost(&self) -> bool {
        match self {
            Connection::Sqlite(_) => false,
            Connection::Postgres(session) => session.is_lost(),
        }
    }
}
