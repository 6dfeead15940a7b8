//! The output of one task: from two pipes into its log, whatever the disk does.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{Child, ChildStderr, ChildStdout};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use polyaxon_artifacts::logs::{MAX_CHUNK_BYTES, Stamp, Stream, TaskLog};

use super::socket::{Bell, Topic};

/// At most one wake-up for new output in this time.
const QUIET: Duration = Duration::from_millis(50);

/// More than a pipe can hold, in reads.
const READS_OF_A_FULL_PIPE: usize = 64;

pub(super) struct Output<'a> {
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    log: TaskLog,
    stamp: &'a mut Stamp,
    bell: &'a Bell,
    buffer: Vec<u8>,
    rung_at: Option<Instant>,
    unheard: bool,
}

pub(super) fn now_us() -> u64 {
    u64::try_from(Timestamp::now().as_microsecond()).unwrap_or(0)
}

impl<'a> Output<'a> {
    pub(super) fn new(child: &mut Child, log: TaskLog, stamp: &'a mut Stamp, bell: &'a Bell) -> Output<'a> {
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        for pipe in [stdout.as_ref().map(AsFd::as_fd), stderr.as_ref().map(AsFd::as_fd)].into_iter().flatten() {
            // Cannot fail on a pipe of our own.
            let _ = rustix::io::ioctl_fionbio(pipe, true);
        }
        Output { stdout, stderr, log, stamp, bell, buffer: vec![0; MAX_CHUNK_BYTES], rung_at: None, unheard: false }
    }

    pub(super) fn stdout(&self) -> Option<BorrowedFd<'_>> {
        self.stdout.as_ref().map(AsFd::as_fd)
    }

    pub(super) fn stderr(&self) -> Option<BorrowedFd<'_>> {
        self.stderr.as_ref().map(AsFd::as_fd)
    }

    /// Takes what one read of each pipe gives. Answers whether there was anything.
    pub(super) fn read_once(&mut self) -> bool {
        self.read_stream(Stream::Stdout) | self.read_stream(Stream::Stderr)
    }

    fn read_stream(&mut self, stream: Stream) -> bool {
        let result = match (stream, &mut self.stdout, &mut self.stderr) {
            (Stream::Stdout, Some(pipe), _) => pipe.read(&mut self.buffer),
            (Stream::Stderr, _, Some(pipe)) => pipe.read(&mut self.buffer),
            _ => return false,
        };
        match result {
            Ok(0) => self.close(stream),
            Ok(count) => {
                self.log.append(stream, &self.buffer[..count], self.stamp, now_us());
                self.unheard = true;
                self.ring_when_due();
                return true;
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(_) => self.close(stream),
        }
        false
    }

    fn close(&mut self, stream: Stream) {
        self.log.end(stream, self.stamp, now_us());
        match stream {
            Stream::Stdout => self.stdout = None,
            Stream::Stderr => self.stderr = None,
            Stream::Notice => {}
        }
    }

    /// Takes everything that is in the pipes now, though not what somebody goes on writing for ever.
    pub(super) fn drain(&mut self) {
        for _ in 0..READS_OF_A_FULL_PIPE {
            if !self.read_once() {
                break;
            }
        }
    }

    pub(super) fn ring_when_due(&mut self) {
        if self.unheard && self.rung_at.is_none_or(|at| at.elapsed() >= QUIET) {
            self.bell.ring(Topic::Logs);
            self.rung_at = Some(Instant::now());
            self.unheard = false;
        }
    }

    /// When a wake-up that was held back becomes due.
    pub(super) fn rings_at(&self) -> Option<Instant> {
        if self.unheard { self.rung_at.map(|at| at + QUIET) } else { None }
    }

    /// Ends the log. Answers how many bytes were lost and why.
    pub(super) fn finish(mut self) -> (u64, String) {
        self.log.finish(self.stamp, now_us());
        (self.log.lost(), self.log.last_error().to_owned())
    }
}
