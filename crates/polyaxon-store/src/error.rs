//! What can go wrong with the store, by what was attempted.

use std::path::PathBuf;

/// The result of store functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot open the database {path}")]
    Open { path: PathBuf, source: rusqlite::Error },

    #[error(
        "the database {path} was written by a newer version of this program (schema {found}, this one knows {known}); use that version, or another home folder"
    )]
    NewerSchema { path: PathBuf, found: i64, known: i64 },

    #[error(
        "the database {path} was made with another text of migration {version}; restore its backup or use the program that made it"
    )]
    EditedMigration { path: PathBuf, version: i64 },

    #[error("cannot bring the database {path} to schema {version}")]
    Migrate { path: PathBuf, version: i64, source: Box<Error> },

    #[error("cannot copy the database to {backup} before changing its schema")]
    Backup { backup: PathBuf, source: Box<Error> },

    /// Nothing was written: there is no room left.
    #[error("the disk with the database {path} is full; nothing was saved, free some space and try again")]
    DiskFull { path: PathBuf },

    /// Nothing was written: the file or its folder may not be changed.
    #[error("the database {path} cannot be written; check the permissions of the file and its folder")]
    ReadOnly { path: PathBuf },

    #[error("the database {path} is damaged ({message}); restore a backup of it")]
    Damaged { path: PathBuf, message: String },

    #[error("the database {path} is locked by another program")]
    Locked { path: PathBuf },

    #[error("the database refused a statement")]
    Statement {
        #[source]
        source: rusqlite::Error,
    },

    /// A record breaks a rule that a constraint guards.
    #[error("the record conflicts with an existing one")]
    Conflict {
        #[source]
        source: rusqlite::Error,
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

impl Error {
    /// The same error for another caller of the same transaction.
    pub(crate) fn share(&self) -> Error {
        match self {
            Error::DiskFull { path } => Error::DiskFull { path: path.clone() },
            Error::ReadOnly { path } => Error::ReadOnly { path: path.clone() },
            Error::Locked { path } => Error::Locked { path: path.clone() },
            Error::Damaged { path, message } => Error::Damaged { path: path.clone(), message: message.clone() },
            other => Error::Undone(other.to_string()),
        }
    }

    pub fn not_found(record: &'static str, key: impl std::fmt::Display) -> Error {
        Error::NotFound { record, key: key.to_string() }
    }
}
