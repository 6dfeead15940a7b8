//! What PostgreSQL says when something fails, as a person can act on it.

use std::error::Error as StdError;

use ::postgres::error::{DbError, SqlState};

use crate::db::Place;
use crate::error::{DatabaseError, Error};

/// An error of a session that was open.
pub(super) fn explain(place: &Place, source: ::postgres::Error) -> Error {
    let database = place.clone();
    let Some(answer) = source.as_db_error() else {
        let is_lost = source.is_closed() || has_io_error(&source);
        return if is_lost {
            Error::Unavailable { database, reason: "the connection was lost".to_owned() }
        } else {
            Error::Statement { source: DatabaseError::Postgres(source) }
        };
    };
    let reason = answer.message().to_owned();
    match answer.code() {
        &SqlState::DISK_FULL => Error::DiskFull { database },
        &SqlState::READ_ONLY_SQL_TRANSACTION | &SqlState::INSUFFICIENT_PRIVILEGE => Error::ReadOnly { database },
        &SqlState::T_R_DEADLOCK_DETECTED | &SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::LOCK_NOT_AVAILABLE => {
            Error::Locked { database }
        }
        &SqlState::DATA_CORRUPTED | &SqlState::INDEX_CORRUPTED => Error::Damaged { database, message: reason },
        _ if is_absence(answer) => Error::Unavailable { database, reason },
        code if code.code().starts_with("23") => Error::Conflict { source: DatabaseError::Postgres(source) },
        _ => Error::Statement { source: DatabaseError::Postgres(source) },
    }
}

/// An error of an attempt to connect: [`Error::Unavailable`] when it may work later, else [`Error::Refused`].
pub(super) fn explain_connect(place: &Place, source: &::postgres::Error) -> Error {
    let database = place.clone();
    let Some(answer) = source.as_db_error() else {
        let reason = deepest(source);
        return if has_io_error(source) || source.is_closed() {
            Error::Unavailable { database, reason }
        } else if reason.contains("timed out") {
            Error::Unavailable { database, reason: "no answer in time".to_owned() }
        } else {
            Error::Refused { database, reason }
        };
    };
    if is_absence(answer) {
        return Error::Unavailable { database, reason: answer.message().to_owned() };
    }
    let advice = match answer.code() {
        &SqlState::INVALID_PASSWORD | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            "check the user and the password in the address, and pg_hba.conf of the server"
        }
        &SqlState::INVALID_CATALOG_NAME => "create it with `createdb`, or change the name in the address",
        _ => "check the address",
    };
    Error::Refused { database, reason: format!("{}; {advice}", answer.message()) }
}

/// Whether the server starts, stops, or has no place for us at the moment.
fn is_absence(answer: &DbError) -> bool {
    let code = answer.code();
    code.code().starts_with("08")
        || code.code().starts_with("57P")
        || matches!(
            code,
            &SqlState::TOO_MANY_CONNECTIONS | &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT | &SqlState::OUT_OF_MEMORY
        )
}

fn has_io_error(error: &(dyn StdError + 'static)) -> bool {
    error.is::<std::io::Error>() || error.source().is_some_and(has_io_error)
}

fn deepest(error: &(dyn StdError + 'static)) -> String {
    error.source().map_or_else(|| error.to_string(), deepest)
}
