//! Moves the write-ahead log into the database file beside the writer, which otherwise stops for it.
//!
//! Writing pages to their places and waiting for the disk takes long, and is done by a thread with a connection of
//! its own. What was committed meanwhile is little, and is moved by the writer, so that the log can begin anew.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use rusqlite::hooks::Wal;
use rusqlite::{Connection, OpenFlags, Result};

/// The pages of the log with which the thread begins; 16 MB.
const MANY: i32 = 4_000;

/// With so many pages the writer waits after all, so that the log does not grow without end.
const TOO_MANY: i32 = 64_000;

/// Takes the checkpoints of a writer over.
pub(crate) fn beside(connection: &mut Connection, path: &Path) -> Result<()> {
    let (wake, wakes) = sync_channel(1);
    let has_moved = Arc::new(AtomicBool::new(false));
    let mover = Mover { path: path.to_owned(), wakes, has_moved: Arc::clone(&has_moved) };
    if std::thread::Builder::new().name("store-checkpoints".to_owned()).spawn(move || mover.run()).is_err() {
        // The writer keeps doing it itself.
        return Ok(());
    }
    let mut is_moving = false;
    connection.wal_hook(Some(move |log: &mut Wal, pages| {
        after_commit(&wake, &has_moved, &mut is_moving, log, pages);
        Ok(())
    }))
}

/// A checkpoint that fails is tried again after the next commit; the transaction is committed all the same.
fn after_commit(wake: &SyncSender<()>, has_moved: &AtomicBool, is_moving: &mut bool, log: &mut Wal, pages: i32) {
    if has_moved.swap(false, Ordering::AcqRel) {
        *is_moving = false;
        drop(log.checkpoint());
    } else if pages >= TOO_MANY {
        drop(log.checkpoint());
    } else if pages >= MANY && !*is_moving {
        *is_moving = wake.try_send(()).is_ok();
    }
}

struct Mover {
    path: PathBuf,
    /// Ends with the writer's connection.
    wakes: Receiver<()>,
    has_moved: Arc<AtomicBool>,
}

impl Mover {
    fn run(self) {
        while self.wakes.recv().is_ok() {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            if let Ok(connection) = Connection::open_with_flags(&self.path, flags) {
                drop(connection.wal_checkpoint_v2::<&str>(None, Default::default()));
            }
            self.has_moved.store(true, Ordering::Release);
        }
    }
}
