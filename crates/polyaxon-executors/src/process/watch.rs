//! Waking the server when something happens to a supervisor: datagrams while it lives, its pid descriptor at the end.

use std::io;
use std::os::fd::OwnedFd;
use std::process::Child;

use polyaxon_model::ids::RunId;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::UnixDatagram;
use tokio::sync::mpsc;

use super::error::{Error, Result};
use super::socket::{Topic, parse};

/// Something happened to a run: look at it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wakeup {
    /// Its supervisor wrote a new record.
    Phase(RunId),
    /// There is new output.
    Logs(RunId),
    /// Its supervisor ended.
    Ended(RunId),
}

/// The wake-ups of one executor, in order.
#[derive(Debug)]
pub struct Wakeups {
    pub(super) receiver: mpsc::UnboundedReceiver<Wakeup>,
}

impl Wakeups {
    /// The next one. `None` when the executor is gone.
    pub async fn next(&mut self) -> Option<Wakeup> {
        self.receiver.recv().await
    }

    /// One that is already there.
    pub fn try_next(&mut self) -> Option<Wakeup> {
        self.receiver.try_recv().ok()
    }
}

/// Turns datagrams into wake-ups until nobody wants them.
pub(super) fn listen(socket: std::os::unix::net::UnixDatagram, sender: mpsc::UnboundedSender<Wakeup>) -> Result<()> {
    let socket = UnixDatagram::from_std(socket).map_err(|source| Error::Watch { source })?;
    tokio::spawn(async move {
        let mut buffer = [0; 128];
        loop {
            let length = tokio::select! {
                received = socket.recv(&mut buffer) => match received {
                    Ok(length) => length,
                    Err(error) => {
                        tracing::warn!(%error, "no more wake-ups from supervisors");
                        return;
                    }
                },
                () = sender.closed() => return,
            };
            let wakeup = match parse(&buffer[..length]) {
                Some((run, Topic::Phase)) => Wakeup::Phase(run),
                Some((run, Topic::Logs)) => Wakeup::Logs(run),
                None => continue,
            };
            let _ = sender.send(wakeup);
        }
    });
    Ok(())
}

/// Waits for the end of a process and calls `ended`. A child of ours is taken off the process table.
pub(super) fn until_end(
    descriptor: OwnedFd,
    child: Option<Child>,
    ended: impl FnOnce() + Send + 'static,
) -> Result<()> {
    let descriptor = readable(descriptor).map_err(|source| Error::Watch { source })?;
    tokio::spawn(async move {
        if let Err(error) = descriptor.readable().await {
            tracing::warn!(%error, "cannot wait for a supervisor");
        }
        if let Some(mut child) = child {
            let _ = child.wait();
        }
        ended();
    });
    Ok(())
}

/// A descriptor that the async runtime waits for.
#[expect(deprecated, reason = "the replacement is unsafe; what it asks for, one open file for ever, an OwnedFd is")]
pub(super) fn readable(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(descriptor, Interest::READABLE)
}
