//! A fixed set of read-only connections. A closure sees one consistent state of the database.
//!
//! Must not know async: callers bring themselves to a thread that may wait.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};

use rusqlite::Connection;

use crate::db::Tx;
use crate::db::sqlite::{self, Access, SqliteTx, explain};
use crate::{Error, Result};

pub(crate) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    returned: Condvar,
}

impl Readers {
    pub(crate) fn open(path: &Path, count: usize) -> Result<Readers> {
        let idle = (0..count.max(1)).map(|_| sqlite::open(path, Access::Read)).collect::<Result<_>>()?;
        Ok(Readers { path: path.to_owned(), idle: Mutex::new(idle), returned: Condvar::new() })
    }

    pub(crate) fn read<T>(&self, closure: impl FnOnce(&mut dyn Tx) -> Result<T>) -> Result<T> {
        let connection = self.borrow();
        let answer = match catch_unwind(AssertUnwindSafe(|| in_transaction(&connection, &self.path, closure))) {
            Ok(answer) => answer,
            Err(_) => Err(Error::Panicked),
        };
        if !connection.is_autocommit() {
            // An unfinished transaction would show this reader the same old state for ever.
            drop(connection.execute_batch("ROLLBACK"));
        }
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        self.returned.notify_one();
        answer
    }

    fn borrow(&self) -> Connection {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match idle.pop() {
                Some(connection) => return connection,
                None => idle = self.returned.wait(idle).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

fn in_transaction<T>(
    connection: &Connection,
    path: &Path,
    closure: impl FnOnce(&mut dyn Tx) -> Result<T>,
) -> Result<T> {
    connection.execute_batch("BEGIN").map_err(|source| explain(path, source))?;
    let answer = closure(&mut SqliteTx::new(connection, path));
    connection.execute_batch("COMMIT").map_err(|source| explain(path, source))?;
    answer
}
