//! Logs of a run on disk: `plxlogs/` holds, per task, the raw bytes of each stream and one index.
//!
//! * `<task>.stdout`, `<task>.stderr`: exactly the bytes that the task wrote. `<task>.notice`: what we have to say.
//! * `<task>.index`: one text line per chunk, written after its bytes: `timestamp_us stream offset length start lines`.
//!   `start` is where the unfinished line began before the chunk, `lines` how many lines the chunk finishes.
//!   A chunk of length 0 ends its stream and with it an unfinished line.
//!
//! The n-th line that a chunk finishes has the timestamp `timestamp_us + n`, and the writer leaves room for them:
//! timestamps are strictly increasing over all tasks of a run, and a timestamp is a cursor.
//!
//! What other programs bring along is read beside it: [`lines`], merged by time, and [`chunks`], one file after the other.
//!
//! Must not know who writes (a supervisor) or who asks (a server).

use std::fmt;
use std::str::FromStr;

use polyaxon_model::time::Timestamp;
use serde::{Serialize, Serializer};

mod chunks;
mod index;
mod lines;
mod read;
mod room;
mod write;

pub use chunks::{chunk_after, chunk_names, read_chunk};
pub use read::{PAGE_BYTES, PAGE_LINES, Reader, page};
pub use write::{Stamp, TaskLog, repair};

/// Longer lines are cut, so that a reader's memory is bounded.
pub const MAX_LINE_BYTES: u64 = 256 * 1024;

/// More than this is never handed to [`TaskLog::append`] at once.
pub const MAX_CHUNK_BYTES: usize = 64 * 1024;

/// The node that local runs name as their place.
pub const LOCAL_NODE: &str = "process-agent";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stream {
    Stdout,
    Stderr,
    /// Remarks of ours, kept apart so that the streams stay exactly what the task wrote.
    Notice,
}

impl Stream {
    pub const ALL: [Stream; 3] = [Stream::Stdout, Stream::Stderr, Stream::Notice];

    fn letter(self) -> char {
        match self {
            Stream::Stdout => 'o',
            Stream::Stderr => 'e',
            Stream::Notice => 'n',
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
            Stream::Notice => "notice",
        }
    }
}

/// One line as clients read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogLine {
    #[serde(serialize_with = "official_timestamp")]
    pub timestamp: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// Without its line end; bytes that are no UTF-8 show as `\u{fffd}`.
    pub value: String,
}

fn official_timestamp<S: Serializer>(timestamp: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&timestamp.to_jiff().strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00"))
}

/// The position after a line: its timestamp in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(u64);

impl Cursor {
    pub const START: Cursor = Cursor(0);

    /// After everything up to `timestamp`.
    pub fn after(timestamp: Timestamp) -> Cursor {
        Cursor(u64::try_from(timestamp.as_micros()).unwrap_or(0))
    }

    /// `None` at the start.
    pub fn timestamp(self) -> Option<Timestamp> {
        if self.0 == 0 { None } else { Some(Timestamp::from_micros(i64::try_from(self.0).ok()?)) }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// A text that no server gave out as a cursor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a log cursor, expected the value of an earlier answer")]
pub struct InvalidCursor(pub String);

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Cursor, InvalidCursor> {
        text.parse().map(Cursor).map_err(|_| InvalidCursor(text.to_owned()))
    }
}

/// Some lines in order, and where to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub lines: Vec<LogLine>,
    pub cursor: Cursor,
    /// Whether there is more to read right now.
    pub more: bool,
}
