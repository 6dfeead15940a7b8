//! A fixed set of read-only connections. A closure sees one consistent state of the database.
//!
//! Must not know async: callers bring themselves to a thread that may wait.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, PoisonError};

use crate::db::Tx;
use crate::db::connection::{Access, Connection, Database};
use crate::{Error, Result};

pub(crate) struct Readers {
    database: Database,
    /// A place without a connection gets one when it is used.
    idle: Mutex<Vec<Option<Connection>>>,
    returned: Condvar,
}

impl Readers {
    pub(crate) fn open(database: Database, count: usize) -> Result<Readers> {
        let mut idle: Vec<Option<Connection>> = (0..count.max(1)).map(|_| None).collect();
        match &database {
            Database::File(_) => {
                for connection in &mut idle {
                    *connection = Some(database.connect(Access::Read)?);
                }
            }
            // Connections of a server cost it memory.
            Database::Server(_) => {}
        }
        Ok(Readers { database, idle: Mutex::new(idle), returned: Condvar::new() })
    }

    pub(crate) fn read<T>(&self, closure: impl FnOnce(&mut dyn Tx) -> Result<T>) -> Result<T> {
        let mut slot = self.borrow();
        let answer = match catch_unwind(AssertUnwindSafe(|| self.in_transaction(&mut slot, closure))) {
            Ok(answer) => answer,
            Err(_) => Err(Error::Panicked),
        };
        if answer.is_err() {
            // An unfinished transaction would show this reader the same old state for ever.
            if let Some(connection) = &mut slot {
                connection.roll_back();
            }
        }
        let slot = slot.filter(|connection| !connection.is_lost());
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(slot);
        self.returned.notify_one();
        answer
    }

    fn in_transaction<T>(
        &self,
        slot: &mut Option<Connection>,
        closure: impl FnOnce(&mut dyn Tx) -> Result<T>,
    ) -> Result<T> {
        let connection = self.database.begin(slot, Access::Read)?;
        let answer = closure(connection.tx())?;
        connection.commit()?;
        Ok(answer)
    }

    fn borrow(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match idle.pop() {
                Some(connection) => return connection,
                None => idle = self.returned.wait(idle).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}
