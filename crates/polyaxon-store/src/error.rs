//! What can go wrong with the store, by what was attempted.

use std::path::PathBuf;

use crate::db::Place;

/// The result of store functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is not one.
    #[error("{0}")]
    Address(String),

    /// The server of the database does not let us in.
    #[error("cannot use the database {database}: {reason}")]
    Refused { database: Place, reason: String },

    /// Nothing was read or written: the database does not answer. It is looked for until it is back.
    #[error("the database {database} cannot be reached ({reason}); try again in a moment")]
    Unavailable { database: Place, reason: String },

    /// The connection ended while the transaction was being committed.
    #[error(
        "the connection to the database {database} was lost while saving; it is not known whether this was saved, look before you try again"
    )]
    Uncertain { database: Place },

    #[error("cannot open the database {database}")]
    Open { database: Place, source: DatabaseError },

    #[error(
        "the database {database} was written by a newer version of this program (schema {found}, this one knows {known}); use that version, or another home folder"
    )]
    NewerSchema { database: Place, found: i64, known: i64 },

    #[error(
        "the database {database} was made with another text of migration {version}; restore its backup or use the program that made it"
    )]
    EditedMigration { database: Place, version: i64 },

    #[error("cannot bring the database {database} to schema {version}")]
    Migrate { database: Place, version: i64, source: Box<Error> },

    #[error("cannot copy the database to {backup} before changing its schema")]
    Backup { backup: PathBuf, source: Box<Error> },

    #[error(
        "the database {database} has schema {found} and this program needs {known}; `polyaxon admin upgrade` upgrades it"
    )]
    OldSchema { database: Place, found: usize, known: usize },

    /// The copy of the database could not be passed on.
    #[error("cannot write the copy of the database")]
    Copy { source: std::io::Error },

    #[error("the records of the table `{table}` cannot be restored: {message}")]
    Part { table: String, message: String },

    #[error("the database {database} is not empty: it has {runs} runs in {projects} projects")]
    NotEmpty { database: Place, runs: i64, projects: i64 },

    #[error("the server at {address} uses the database {database}; stop it, and try again a minute later")]
    Served { database: Place, address: String },

    /// Nothing was written: there is no room left.
    #[error("the disk with the database {database} is full; nothing was saved, free some space and try again")]
    DiskFull { database: Place },

    /// Nothing was written: the file or its folder may not be changed.
    #[error("the database {database} cannot be written; check {}", database.permissions())]
    ReadOnly { database: Place },

    #[error("the database {database} is damaged ({message}); restore a backup of it")]
    Damaged { database: Place, message: String },

    #[error("the database {database} is locked by another program")]
    Locked { database: Place },

    #[error("the database refused a statement")]
    Statement {
        #[source]
        source: DatabaseError,
    },

    /// A record breaks a rule that a constraint guards.
    #[error("the record conflicts with an existing one")]
    Conflict {
        #[source]
        source: DatabaseError,
    },

    #[error("column {column} of a record cannot be read: {message}")]
    Corrupt { column: usize, message: String },

    /// The write of another caller took the whole transaction down.
    #[error("the write was undone because the transaction failed: {0}")]
    Undone(String),

    #[error("no {record} matches `{key}`")]
    NotFound { record: &'static str, key: String },

    #[error("{record} with this name already exists")]
    NameTaken { record: &'static str },

    /// A rule of the domain was broken; the message is for the person who asked.
    #[error("{0}")]
    Rule(String),

    /// A field of a body points to something that is not there.
    #[error("{field}: {message}")]
    Field { field: &'static str, message: String },

    /// A filter or sort that makes no sense; the message is for the person who wrote it.
    #[error("{0}")]
    Query(String),

    #[error("the store was closed")]
    Closed,

    #[error("a store closure panicked; nothing of it was saved")]
    Panicked,
}

/// What an engine said.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error(transparent)]
    Postgres(#[from] postgres::Error),
}

impl Error {
    /// The same error for another caller of the same transaction.
    pub(crate) fn share(&self) -> Error {
        match self {
            Error::DiskFull { database } => Error::DiskFull { database: database.clone() },
            Error::ReadOnly { database } => Error::ReadOnly { database: database.clone() },
            Error::Locked { database } => Error::Locked { database: database.clone() },
            Error::Damaged { database, message } => {
                Error::Damaged { database: database.clone(), message: message.clone() }
            }
            Error::Unavailable { database, reason } => {
                Error::Unavailable { database: database.clone(), reason: reason.clone() }
            }
            Error::Uncertain { database } => Error::Uncertain { database: database.clone() },
            other => Error::Undone(other.to_string()),
        }
    }

    pub fn not_found(record: &'static str, key: impl std::fmt::Display) -> Error {
        Error::NotFound { record, key: key.to_string() }
    }
}
