//! A database server and whether it answers: connections to it, and the thread that listens to changes.
//!
//! Invariant: while the server does not answer, only the listening thread tries to reach it; everybody else is told
//! at once, instead of waiting for their own attempt to fail.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use ::postgres::Client;
use ::postgres::fallible_iterator::FallibleIterator as _;
use tokio::sync::watch;

use super::address::Address;
use super::error::{explain, explain_connect};
use super::{CHANNEL, Session, tls};
use crate::db::Place;
use crate::{Error, Result};

/// What every connection begins with. A process that hangs must not keep the lock of the writers.
const SETTINGS: &str = "SET idle_in_transaction_session_timeout = '30s'; SET lock_timeout = '10s'; \
     SET statement_timeout = '120s'; SET jit = off";

/// Between two attempts to reach a server.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// How often the listening thread looks whether the store was closed.
const LISTEN: Duration = Duration::from_millis(500);

pub(crate) struct Server {
    address: Address,
    tls: tokio_postgres_rustls::MakeRustlsConnect,
    /// How announcements of this process are told from those of others.
    sender: String,
    /// Why the server does not answer, while it does not.
    absence: Mutex<Option<String>>,
    is_absent: AtomicBool,
}

impl Server {
    pub(crate) fn new(address: Address) -> Result<Server> {
        let tls = tls::connector(&address.protection)?;
        let sender = uuid::Uuid::new_v4().simple().to_string();
        Ok(Server { address, tls, sender, absence: Mutex::new(None), is_absent: AtomicBool::new(false) })
    }

    pub(crate) fn place(&self) -> &Place {
        &self.address.place
    }

    /// A new connection; an error at once when the server is known not to answer.
    pub(crate) fn connect(&self) -> Result<Session> {
        if self.is_absent.load(Ordering::Acquire) {
            let reason = self.absence.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let reason = reason.unwrap_or_else(|| "no answer".to_owned());
            return Err(Error::Unavailable { database: self.place().clone(), reason });
        }
        let client = self.reach()?;
        Ok(Session::new(client, self.place().clone(), self.sender.clone()))
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
        let reached = connect().map_err(|source| explain_connect(self.place(), &source));
        match &reached {
            Ok(_) => self.is_absent.store(false, Ordering::Release),
            Err(error) => {
                let reason = match error {
                    Error::Unavailable { reason, .. } => reason.clone(),
                    other => other.to_string(),
                };
                *self.absence.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
                if !self.is_absent.swap(true, Ordering::AcqRel) {
                    tracing::warn!(database = %self.place(), %error, "the database does not answer");
                }
            }
        }
        reached
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
            // When somebody failed to connect although the server is there, the next one may try again.
            Ok(None) => server.is_absent.store(false, Ordering::Release),
            Err(_) => return,
        }
    }
}

/// A new connection that listens, as soon as there can be one; none when the store was closed.
fn subscribe_again(server: &Weak<Server>) -> Option<Client> {
    let mut pause = SHORTEST_PAUSE;
    loop {
        let alive = server.upgrade()?;
        let was_absent = alive.is_absent.load(Ordering::Acquire);
        if let Ok(client) = alive.subscribe() {
            if was_absent {
                tracing::info!(database = %alive.place(), "the database answers again");
            }
            return Some(client);
        }
        drop(alive);
        std::thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
