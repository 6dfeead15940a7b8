//! A database in memory that only its callers' thread works on: for simulators, which decide what becomes of each write.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::db::connection::{Access, Connection};
use crate::db::{Place, Tx, sqlite};
use crate::{Error, Result, migrate};

/// What becomes of a write that has done its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is kept, and the writer learns of it.
    Kept,
    /// The process ends before it is kept.
    Lost,
    /// It is kept, and the process ends before the writer learns of it.
    Unheard,
}

/// Asked about every write that changes something.
pub type Fates = Box<dyn FnMut() -> Fate + Send>;

pub(crate) struct Alone {
    inner: Mutex<Inner>,
}

struct Inner {
    connection: Connection,
    fates: Fates,
}

impl Alone {
    pub(crate) fn open(place: &Place, fates: Fates) -> Result<Alone> {
        let mut connection = Connection::Sqlite(sqlite::Session::in_memory(place)?);
        migrate::migrate(&mut connection, place)?;
        Ok(Alone { inner: Mutex::new(Inner { connection, fates }) })
    }

    pub(crate) fn read<T>(&self, closure: impl FnOnce(&mut dyn Tx) -> Result<T>) -> Result<T> {
        let mut inner = self.begin(Access::Read)?;
        let answer = closure(inner.connection.tx());
        inner.connection.roll_back();
        answer
    }

    pub(crate) fn write<T>(&self, closure: impl FnOnce(&mut dyn Tx) -> Result<T>) -> Result<T> {
        let mut inner = self.begin(Access::Write)?;
        let answer = closure(inner.connection.tx());
        let fate = match &answer {
            Ok(_) if inner.connection.has_changes() => (inner.fates)(),
            Ok(_) => Fate::Kept,
            Err(_) => Fate::Lost,
        };
        if fate == Fate::Lost {
            inner.connection.roll_back();
            return answer.and(Err(Error::Closed));
        }
        inner.connection.commit()?;
        if fate == Fate::Unheard { Err(Error::Closed) } else { answer }
    }

    fn begin(&self, access: Access) -> Result<MutexGuard<'_, Inner>> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.connection.roll_back();
        inner.connection.begin(access)?;
        Ok(inner)
    }
}
