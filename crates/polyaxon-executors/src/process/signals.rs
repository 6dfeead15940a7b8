//! Signals to the supervisor itself: a request to stop arrives as a byte in a pipe, what must not end it is swallowed.
//!
//! Handlers, unlike ignored signals, are not inherited by the programs that the supervisor starts.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXFSZ};

#[derive(Debug)]
pub(super) struct StopSignal {
    receiver: UnixStream,
}

impl StopSignal {
    /// From now on SIGTERM and SIGINT ask for a stop; hanging up, or a limit on file sizes, does not end the process.
    pub(super) fn install() -> io::Result<StopSignal> {
        let (receiver, sender) = UnixStream::pair()?;
        receiver.set_nonblocking(true)?;
        signal_hook::low_level::pipe::register(SIGTERM, sender.try_clone()?)?;
        signal_hook::low_level::pipe::register(SIGINT, sender)?;
        let swallowed = Arc::new(AtomicBool::new(false));
        for signal in [SIGHUP, SIGQUIT, SIGXFSZ] {
            signal_hook::flag::register(signal, Arc::clone(&swallowed))?;
        }
        Ok(StopSignal { receiver })
    }

    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.receiver.as_fd()
    }

    /// Whether a signal arrived since the last time this was asked.
    pub(super) fn take(&self) -> bool {
        let mut buffer = [0; 64];
        matches!((&self.receiver).read(&mut buffer), Ok(count) if count > 0)
    }
}
