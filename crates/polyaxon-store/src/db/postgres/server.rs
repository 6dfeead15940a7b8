//! A database server and whether it answers: connections to it, and the thread that listens to changes.
//!
//! Invariant: while the server does not answer, nobody but the listening thread waits for attempts to reach it;
//! everybody else is told at once.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use ::postgres::Client;
use ::postgres::fallible_iterator::FallibleIterator as _;
use tokio::sync::watch;

use super::address::Address;
use super::error::{explain, explain_connect};
use super::{CHANNEL, Session, tls};
use crate::db::Place;
use crate::db::connection::Patience;
use crate::{Error, Result};

/// What every connection begins with. A process that hangs must not keep the lock of the writers.
const SETTINGS: &str = "SET idle_in_transaction_session_timeout = '30s'; SET jit = off";

/// Between two attempts to reach a server.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// An attempt that fails so quickly keeps nobody waiting.
const QUICK: Duration = Duration::from_millis(50);

/// How often the listening thread looks whether the store was closed.
const LISTEN: Duration = Duration::from_millis(500);

pub(crate) struct Server {
    address: Address,
    tls: tokio_postgres_rustls::MakeRustlsConnect,
    /// How announcements of this process are told from those of others.
    sender: String,
    absence: Mutex<Option<Absence>>,
}

/// The server does not answer.
#[derive(Clone, Debug)]
struct Absence {
    reason: String,
    /// When others than the listening thread may try again. Never, when that would keep them waiting.
    retry_at: Option<Instant>,
}

impl Server {
    pub(crate) fn new(address: Address) -> Result<Server> {
        let tls = tls::connector(&address.protection)?;
        let sender = uuid::Uuid::new_v4().simple().to_string();
        Ok(Server { address, tls, sender, absence: Mutex::new(None) })
    }

    pub(crate) fn place(&self) -> &Place {
        &self.address.place
    }

    /// A new connection; an error at once when the server is known not to answer.
    pub(crate) fn connect(&self) -> Result<Session> {
        if let Some(Absence { reason, retry_at }) = self.absence()
            && retry_at.is_none_or(|retry_at| Instant::now() < retry_at)
        {
            return Err(Error::Unavailable { database: self.place().clone(), reason });
        }
        let client = self.reach()?;
        let mut session = Session::new(client, self.place().clone(), self.sender.clone());
        session.set_patience(Patience::Usual)?;
        Ok(session)
    }

    /// Waits until the server answers, at most `patience`.
    pub(crate) fn wait(&self, patience: Duration) -> Result<()> {
        let start = Instant::now();
        loop {
            match self.reach() {
                Err(Error::Unavailable { .. }) if start.elapsed() < patience => std::thread::sleep(SHORTEST_PAUSE),
                answer => return answer.map(drop),
            }
        }
    }

    /// A connection that is told of committed changes.
    fn subscribe(&self) -> Result<Client> {
        let mut client = self.reach()?;
        client
            .batch_execute(&format!("LISTEN {CHANNEL}"))
            .map_err(|source| explain(self.place(), source))
            .map(|()| client)
    }

    fn reach(&self) -> Result<Client> {
        let connect = || {
            let mut client = self.address.config.connect(self.tls.clone())?;
            client.batch_execute(SETTINGS)?;
            Ok(client)
        };
        let start = Instant::now();
        let reached = connect().map_err(|source| explain_connect(self.place(), &source));
        let absence = reached.as_ref().err().map(|error| Absence {
            reason: match error {
                Error::Unavailable { reason, .. } | Error::Refused { reason, .. } => reason.clone(),
                other => other.to_string(),
            },
            retry_at: (start.elapsed() < QUICK).then(|| Instant::now() + SHORTEST_PAUSE),
        });
        let mut known = self.absence.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*known, &absence) {
            (None, Some(absence)) => {
                tracing::warn!(database = %self.place(), reason = absence.reason, "the database does not answer");
            }
            (Some(_), None) => tracing::info!(database = %self.place(), "the database answers again"),
            (None, None) | (Some(_), Some(_)) => {}
        }
        *known = absence;
        drop(known);
        reached
    }

    fn absence(&self) -> Option<Absence> {
        self.absence.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets others try again, since this connection is there.
    fn may_be_tried_again(&self) {
        if let Some(absence) = self.absence.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            absence.retry_at = Some(Instant::now());
        }
    }
}

/// Bumps `changed` when another process has committed a change, for as long as the server is used.
pub(crate) fn listen(server: &Arc<Server>, changed: watch::Sender<u64>) -> Result<()> {
    let client = server.subscribe()?;
    let server = Arc::downgrade(server);
    std::thread::Builder::new()
        .name("store-listener".to_owned())
        .spawn(move || keep_listening(&server, client, &changed))
        .map(drop)
        .map_err(|_| Error::Closed)
}

fn keep_listening(server: &Weak<Server>, mut client: Client, changed: &watch::Sender<u64>) {
    loop {
        listen_on(server, client, changed);
        match subscribe_again(server) {
            Some(again) => client = again,
            None => return,
        }
        // What happened while nobody listened is unknown.
        changed.send_modify(|version| *version += 1);
    }
}

/// Listens until the connection or the store is closed.
fn listen_on(server: &Weak<Server>, mut client: Client, changed: &watch::Sender<u64>) {
    while !client.is_closed() {
        let notification = client.notifications().timeout_iter(LISTEN).next();
        let Some(server) = server.upgrade() else { return };
        match notification {
            // The writer of this process has said so already.
            Ok(Some(notification)) if notification.payload() == server.sender => {}
            Ok(Some(_)) => changed.send_modify(|version| *version += 1),
            Ok(None) => server.may_be_tried_again(),
            Err(_) => return,
        }
    }
}

/// A new connection that listens, as soon as there can be one; none when the store was closed.
fn subscribe_again(server: &Weak<Server>) -> Option<Client> {
    let mut pause = SHORTEST_PAUSE;
    loop {
        let alive = server.upgrade()?;
        if let Ok(client) = alive.subscribe() {
            return Some(client);
        }
        drop(alive);
        std::thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
