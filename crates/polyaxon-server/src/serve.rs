//! The accept loop: connections in, bounds on each of them, graceful end.
//!
//! What is bounded here is what HTTP itself costs: the number of connections, their heads, and peers that stop reading.
//! Bodies are bounded by the layers of the router.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::net::sockopt;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::connection::Patient;

/// What one peer, and all together, may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open connections; one more is answered 503 at once.
    pub connections: usize,
    /// From the first byte of a connection, or the end of the answer before, until the head of a request is complete.
    pub head: Duration,
    /// Bytes of a request line with all headers.
    pub head_bytes: usize,
    /// How long a peer may take nothing of an answer.
    pub stalled: Duration,
    /// How long requests in flight may take to end after a shutdown; followers never end by themselves.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 16_000,
            head: Duration::from_secs(30),
            head_bytes: 64 * 1024,
            stalled: Duration::from_mins(1),
            grace: Duration::from_secs(2),
        }
    }
}

/// Serves until `shutdown` completes, then lets running requests end.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send,
) -> std::io::Result<()> {
    let slots = Arc::new(Semaphore::new(limits.connections));
    let (tell, told) = watch::channel(());
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        let connection = match accepted {
            Ok((connection, _)) => connection,
            Err(error) => {
                // Out of file descriptors, most likely: those that are open must end first.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        match slots.clone().try_acquire_owned() {
            Ok(slot) => {
                tokio::spawn(attend(connection, router.clone(), limits, told.clone(), slot));
            }
            Err(_) => {
                tokio::spawn(turn_away(connection));
            }
        }
    }
    drop(listener);
    // Nobody listens when there is no connection.
    let _ = tell.send(());
    let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
    // Who has not ended by then is cut off with the process.
    let _ = tokio::time::timeout(limits.grace, slots.acquire_many(all)).await;
    Ok(())
}

/// Answers the requests of one connection until either side ends it.
async fn attend(
    connection: TcpStream,
    router: Router,
    limits: Limits,
    mut told: watch::Receiver<()>,
    _slot: OwnedSemaphorePermit,
) {
    // Answers are small; waiting to fill a packet would only add latency. A failure costs speed, nothing else.
    let _ = connection.set_nodelay(true);
    keep_alive(&connection);
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(limits.head_bytes)
        // A peer that closed its side is gone: followers must end then, although nothing is written to them.
        .half_close(false)
        .serve_connection(TokioIo::new(Patient::new(connection, limits.stalled)), TowerToHyperService::new(router))
        .with_upgrades();
    let mut serving = pin!(serving);
    let served = tokio::select! {
        served = serving.as_mut() => served,
        // An error means that the server is gone, which is a shutdown too.
        _ = told.changed() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// Finds out about peers whose machine vanished: an open follower writes nothing that could fail.
fn keep_alive(connection: &TcpStream) {
    let set = sockopt::set_socket_keepalive(connection, true)
        .and_then(|()| sockopt::set_tcp_keepidle(connection, Duration::from_mins(1)))
        .and_then(|()| sockopt::set_tcp_keepintvl(connection, Duration::from_secs(15)))
        .and_then(|()| sockopt::set_tcp_keepcnt(connection, 4));
    if let Err(error) = set {
        tracing::debug!(%error, "cannot watch over an idle connection");
    }
}

async fn turn_away(mut connection: TcpStream) {
    const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\n\
        content-type: application/json\r\ncontent-length: 54\r\n\r\n\
        {\"detail\": \"Too many connections are open, try again\"}";
    // The peer may be gone already.
    let _ = tokio::time::timeout(Duration::from_secs(1), connection.write_all(FULL)).await;
}
