//! The one thread that writes. It takes everything that is queued into one transaction (group commit).
//!
//! Invariants: a closure is acknowledged after its transaction is committed, never before; a closure that fails
//! or panics is undone alone, the first together with its transaction, before others join it, and any other by a
//! savepoint; when the database gives the whole transaction up, every closure of it fails.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, watch};

use crate::db::Tx;
use crate::db::connection::{Access, Connection, Database};
use crate::{Error, Result};

/// Closures per transaction, so that the first does not wait for ever.
const BATCH: usize = 256;

/// How the caller of a closure is answered.
type Answer<T> = Box<dyn FnOnce(Result<T>) + Send>;

/// Tells the caller what became of the transaction: nothing when it was committed, else why not.
type Acknowledge = Box<dyn FnOnce(Option<Error>) + Send>;

pub(crate) struct Writer {
    jobs: Option<mpsc::UnboundedSender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(connection: Connection, database: Database, changed: watch::Sender<u64>) -> Result<Writer> {
        let (jobs, queue) = mpsc::unbounded_channel();
        let committer = Committer { connection: Some(connection), database, changed };
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || committer.run(queue))
            .map_err(|_| Error::Closed)?;
        Ok(Writer { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Queues a closure. `answer` is called once, or dropped when the closure panics.
    pub(crate) fn send<T, F, A>(&self, closure: F, answer: A) -> Result<()>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Tx) -> Result<T> + Send + 'static,
        A: FnOnce(Result<T>) + Send + 'static,
    {
        let job = Box::new(Closure { closure, answer: Box::new(answer) });
        self.jobs.as_ref().ok_or(Error::Closed)?.send(job).map_err(|_| Error::Closed)
    }
}

/// Waits for what was queued, so that closing a store loses nothing that was asked for.
impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// A queued closure, its types forgotten.
trait Job: Send {
    fn run(self: Box<Self>, tx: &mut dyn Tx) -> Outcome;
    fn refuse(self: Box<Self>, error: Error);
}

struct Outcome {
    /// Why the closure's writes must be undone.
    failure: Option<Error>,
    acknowledge: Acknowledge,
}

struct Closure<T, F> {
    closure: F,
    answer: Answer<T>,
}

impl<T, F> Job for Closure<T, F>
where
    T: Send + 'static,
    F: FnOnce(&mut dyn Tx) -> Result<T> + Send,
{
    fn run(self: Box<Self>, tx: &mut dyn Tx) -> Outcome {
        let Closure { closure, answer } = *self;
        let result = closure(tx);
        let failure = result.as_ref().err().map(Error::share);
        let acknowledge = Box::new(move |broken: Option<Error>| match (result, broken) {
            (Ok(_), Some(error)) => answer(Err(error)),
            (result, _) => answer(result),
        });
        Outcome { failure, acknowledge }
    }

    fn refuse(self: Box<Self>, error: Error) {
        (self.answer)(Err(error));
    }
}

struct Committer {
    /// None after it was lost, until the next transaction.
    connection: Option<Connection>,
    database: Database,
    changed: watch::Sender<u64>,
}

impl Committer {
    fn run(mut self, mut queue: mpsc::UnboundedReceiver<Box<dyn Job>>) {
        while let Some(first) = queue.blocking_recv() {
            let connection = match self.database.begin(&mut self.connection, Access::Write) {
                Ok(connection) => connection,
                Err(error) => {
                    first.refuse(error);
                    continue;
                }
            };
            let mut waiting = Vec::new();
            let mut result = run_job(connection, first, Extent::Whole, &mut waiting);
            for _ in 1..BATCH {
                if result.is_err() {
                    break;
                }
                let Ok(job) = queue.try_recv() else { break };
                result = run_job(connection, job, Extent::Part, &mut waiting);
            }
            let has_changes = connection.has_changes();
            let result = result.and_then(|()| connection.commit());
            if result.is_err() {
                connection.roll_back();
            }
            if result.is_ok() && has_changes {
                self.changed.send_modify(|version| *version += 1);
            }
            for acknowledge in waiting {
                acknowledge(result.as_ref().err().map(Error::share));
            }
        }
    }
}

/// How much of a transaction a closure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// All of it so far: undoing the closure costs nothing to prepare.
    Whole,
    Part,
}

/// Runs one closure. An error means that the whole transaction is lost.
fn run_job(
    connection: &mut Connection,
    job: Box<dyn Job>,
    extent: Extent,
    waiting: &mut Vec<Acknowledge>,
) -> Result<()> {
    if extent == Extent::Part
        && let Err(error) = connection.begin_part()
    {
        job.refuse(error.share());
        return Err(error);
    }
    // A closure that panics drops its way to answer, which is how its caller learns of it.
    let outcome = catch_unwind(AssertUnwindSafe(|| job.run(connection.tx()))).ok();
    let is_spoiled = connection.is_spoiled();
    let is_kept = matches!(&outcome, Some(Outcome { failure: None, .. })) && !is_spoiled;
    let failure = outcome.and_then(|Outcome { failure, acknowledge }| {
        waiting.push(if is_spoiled && failure.is_none() { undone(acknowledge) } else { acknowledge });
        failure
    });
    if connection.has_given_up() {
        return Err(failure.unwrap_or(Error::Undone("the database gave the transaction up".to_owned())));
    }
    match (extent, is_kept) {
        (Extent::Whole, true) => Ok(()),
        (Extent::Whole, false) => Err(failure.unwrap_or_else(refused)),
        (Extent::Part, true) => connection.keep_part(),
        (Extent::Part, false) => connection.undo_part(),
    }
}

/// The caller of a closure that made light of a statement's failure.
fn undone(acknowledge: Acknowledge) -> Acknowledge {
    Box::new(|broken| acknowledge(broken.or_else(|| Some(refused()))))
}

fn refused() -> Error {
    Error::Undone("a statement of it was refused".to_owned())
}
