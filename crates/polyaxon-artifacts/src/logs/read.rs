//! Reading logs page by page: every task and stream merged by timestamp, with memory bounded by a page and a chunk.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use polyaxon_model::ids::RunId;
use polyaxon_model::time::Timestamp;

use super::index::{Entries, Entry, read_from, split};
use super::lines::{Form, Lines};
use super::{Cursor, LOCAL_NODE, LogLine, MAX_CHUNK_BYTES, MAX_LINE_BYTES, Page, Stream};
use crate::error::{Error, Result};

pub const PAGE_LINES: usize = 6000;
pub const PAGE_BYTES: usize = 1 << 20;

/// A line with its timestamp in microseconds, before it is rendered.
pub(super) struct RawLine {
    pub(super) timestamp: u64,
    pub(super) node: Option<String>,
    pub(super) pod: Option<String>,
    pub(super) container: Option<String>,
    pub(super) value: Vec<u8>,
}

/// The lines after `after` in `folder` (the `plxlogs` folder of `run`): at most [`PAGE_LINES`] or about [`PAGE_BYTES`].
pub fn page(folder: &Path, run: RunId, after: Cursor) -> Result<Page> {
    Reader::open(folder, run, after)?.page(PAGE_LINES, PAGE_BYTES)
}

/// The logs of a run, open; for callers that want more than one page.
pub struct Reader {
    sources: Vec<Source>,
    last: u64,
}

impl Reader {
    pub fn open(folder: &Path, run: RunId, after: Cursor) -> Result<Reader> {
        Ok(Reader { sources: open_sources(folder, run, after.0)?, last: after.0 })
    }

    /// Whether there is any file of logs at all, be it empty.
    pub fn has_sources(&self) -> bool {
        !self.sources.is_empty()
    }

    /// The next lines: at most `max_lines`, or about `max_bytes`.
    pub fn page(&mut self, max_lines: usize, max_bytes: usize) -> Result<Page> {
        let mut lines = Vec::new();
        let mut bytes = 0;
        loop {
            let mut first: Option<(u64, usize)> = None;
            for (position, source) in self.sources.iter_mut().enumerate() {
                if let Some(timestamp) = source.peek()?
                    && first.is_none_or(|(best, _)| timestamp < best)
                {
                    first = Some((timestamp, position));
                }
            }
            let Some((timestamp, position)) = first else {
                return Ok(Page { lines, cursor: Cursor(self.last), more: false });
            };
            // Lines of equal timestamps (from files of others) must not be parted: the cursor could not tell them apart.
            if (lines.len() >= max_lines || bytes >= max_bytes) && timestamp > self.last {
                return Ok(Page { lines, cursor: Cursor(self.last), more: true });
            }
            let Some(line) = self.sources[position].take() else { continue };
            self.last = line.timestamp.max(self.last + 1);
            bytes += line.value.len();
            lines.push(LogLine {
                timestamp: Timestamp::from_micros(i64::try_from(self.last).unwrap_or(i64::MAX)),
                node: line.node,
                pod: line.pod,
                container: line.container,
                value: String::from_utf8_lossy(&line.value).into_owned(),
            });
        }
    }
}

enum Source {
    Task(Box<TaskLines>),
    Other(Box<Lines>),
}

impl Source {
    fn peek(&mut self) -> Result<Option<u64>> {
        match self {
            Source::Task(lines) => lines.peek(),
            Source::Other(lines) => lines.peek(),
        }
    }

    fn take(&mut self) -> Option<RawLine> {
        match self {
            Source::Task(lines) => lines.ready.pop_front(),
            Source::Other(lines) => lines.take(),
        }
    }
}

fn open_sources(folder: &Path, run: RunId, after: u64) -> Result<Vec<Source>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::read(folder, error)),
    };
    // A link could lead out of the run, and a pipe would block.
    let files = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let mut paths: Vec<PathBuf> = files.map(|entry| entry.path()).collect();
    paths.sort();
    let mut sources = Vec::new();
    for path in paths {
        let source = match path.extension().and_then(|end| end.to_str()) {
            Some("index") => Source::Task(Box::new(TaskLines::open(&path, run, after)?)),
            Some("jsonl") => Source::Other(Box::new(Lines::open(&path, Form::Json, after)?)),
            Some("plx") => Source::Other(Box::new(Lines::open(&path, Form::Separated, after)?)),
            _ => continue,
        };
        sources.push(source);
    }
    Ok(sources)
}

/// The lines of one task, read chunk by chunk.
struct TaskLines {
    path: PathBuf,
    entries: Entries,
    data: [Option<File>; 3],
    ready: VecDeque<RawLine>,
    after: u64,
    pod: String,
    container: String,
    buffer: Vec<u8>,
}

impl TaskLines {
    fn open(path: &Path, run: RunId, after: u64) -> Result<TaskLines> {
        Ok(TaskLines {
            entries: read_from(path, after).map_err(|source| Error::read(path, source))?,
            data: [None, None, None],
            ready: VecDeque::new(),
            after,
            pod: format!("plx-operation-{run}"),
            container: path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            path: path.to_owned(),
            buffer: Vec::new(),
        })
    }

    fn peek(&mut self) -> Result<Option<u64>> {
        while self.ready.is_empty() {
            let entry = self.entries.next().map_err(|source| Error::read(&self.path, source))?;
            let Some(entry) = entry else { return Ok(None) };
            if entry.next_timestamp() > self.after + 1 {
                self.read_chunk(&entry)?;
            }
        }
        Ok(self.ready.front().map(|line| line.timestamp))
    }

    fn read_chunk(&mut self, entry: &Entry) -> Result<()> {
        let path = self.path.with_extension(entry.stream.extension());
        self.fill_buffer(entry, &path).map_err(|source| Error::read(&path, source))?;
        for (number, line) in split(&self.buffer, entry.length == 0).enumerate() {
            let timestamp = entry.timestamp + number as u64;
            if timestamp > self.after {
                self.ready.push_back(RawLine {
                    timestamp,
                    node: Some(LOCAL_NODE.to_owned()),
                    pod: Some(self.pod.clone()),
                    container: Some(self.container.clone()),
                    value: line.to_vec(),
                });
            }
        }
        Ok(())
    }

    /// Reads from the start of the unfinished line to the end of the chunk. Less is there after a power cut.
    fn fill_buffer(&mut self, entry: &Entry, path: &Path) -> io::Result<()> {
        self.buffer.clear();
        let file = &mut self.data[entry.stream as usize];
        if file.is_none() {
            *file = match File::open(path) {
                Ok(file) => Some(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error),
            };
        }
        let Some(file) = file else { return Ok(()) };
        file.seek(SeekFrom::Start(entry.start))?;
        let limit = (entry.end() - entry.start).min(MAX_LINE_BYTES + MAX_CHUNK_BYTES as u64);
        file.take(limit).read_to_end(&mut self.buffer)?;
        Ok(())
    }
}

impl Stream {
    #[cfg(test)]
    pub(super) fn path(self, folder: &Path, task: &str) -> PathBuf {
        folder.join(format!("{task}.{}", self.extension()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::{Stamp, TaskLog, repair};

    fn run() -> RunId {
        "9b0a3806e3f84ea1959a7842e34129ed".parse().unwrap()
    }

    fn all(folder: &Path) -> Vec<(i64, String)> {
        let (mut lines, mut cursor) = (Vec::new(), Cursor::START);
        loop {
            let page = page(folder, run(), cursor).unwrap();
            assert!(page.lines.len() <= PAGE_LINES);
            lines.extend(page.lines.into_iter().map(|line| (line.timestamp.as_micros(), line.value)));
            cursor = page.cursor;
            if !page.more {
                break;
            }
        }
        assert!(lines.windows(2).all(|pair| pair[0].0 < pair[1].0), "timestamps must increase");
        lines
    }

    fn values(folder: &Path) -> Vec<String> {
        all(folder).into_iter().map(|(_, value)| value).collect()
    }

    #[test]
    fn streams_are_merged_in_order_and_unfinished_lines_wait_for_their_end() {
        let folder = tempfile::tempdir().unwrap();
        let mut stamp = Stamp::default();
        let mut log = TaskLog::open(folder.path(), "polyaxon-main", &mut stamp, 1).unwrap();
        log.append(Stream::Stdout, b"one\ntw", &mut stamp, 1000);
        log.append(Stream::Stderr, b"warning\n", &mut stamp, 900);
        log.append(Stream::Stdout, b"o\nprompt> ", &mut stamp, 900);
        assert_eq!(values(folder.path()), ["one", "warning", "two"]);
        log.finish(&mut stamp, 2000);
        assert_eq!(all(folder.path()).last().unwrap(), &(2000, "prompt> ".to_owned()));
        assert_eq!(fs::read(Stream::Stdout.path(folder.path(), "polyaxon-main")).unwrap(), b"one\ntwo\nprompt> ");
        let line = &page(folder.path(), run(), Cursor::START).unwrap().lines[0];
        assert_eq!(
            serde_json::to_string(line).unwrap(),
            r#"{"timestamp":"1970-01-01T00:00:00.001000+00:00","node":"process-agent","pod":"plx-operation-9b0a3806e3f84ea1959a7842e34129ed","container":"polyaxon-main","value":"one"}"#
        );
    }

    #[test]
    fn a_second_attempt_goes_on_after_the_first_even_with_the_clock_set_back() {
        let folder = tempfile::tempdir().unwrap();
        for (attempt, now) in [(1, 5000), (2, 40)] {
            let mut stamp = Stamp::after_existing(folder.path());
            for task in ["init", "main"] {
                let mut log = TaskLog::open(folder.path(), task, &mut stamp, now).unwrap();
                log.append(Stream::Stdout, format!("{task} {attempt}").as_bytes(), &mut stamp, now);
            }
        }
        repair(folder.path(), 0).unwrap();
        assert_eq!(values(folder.path()), ["init 1", "main 1", "init 2", "main 2"]);
    }

    #[test]
    fn bytes_without_an_entry_after_a_crash_are_served_and_nothing_is_changed() {
        let folder = tempfile::tempdir().unwrap();
        let mut stamp = Stamp::default();
        let mut log = TaskLog::open(folder.path(), "main", &mut stamp, 1).unwrap();
        log.append(Stream::Stdout, b"first\nsec", &mut stamp, 100);
        drop(log);
        let data = Stream::Stdout.path(folder.path(), "main");
        fs::write(&data, b"first\nsecond\nthi").unwrap();
        fs::write(Stream::Stderr.path(folder.path(), "other"), b"no index at all").unwrap();
        let index = folder.path().join("main.index");
        let text = fs::read_to_string(&index).unwrap();
        fs::write(&index, format!("{text}17 o 4")).unwrap();
        repair(folder.path(), 200).unwrap();
        repair(folder.path(), 300).unwrap();
        assert_eq!(values(folder.path()), ["first", "second", "thi", "no index at all"]);
        assert_eq!(fs::read(&data).unwrap(), b"first\nsecond\nthi");
    }

    #[test]
    fn invalid_utf8_is_shown_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut stamp = Stamp::default();
        let mut log = TaskLog::open(folder.path(), "main", &mut stamp, 1).unwrap();
        log.append(Stream::Stdout, b"a\xff\xfeb\n", &mut stamp, 1);
        assert_eq!(values(folder.path()), ["a\u{fffd}\u{fffd}b"]);
        assert_eq!(fs::read(Stream::Stdout.path(folder.path(), "main")).unwrap(), b"a\xff\xfeb\n");
    }

    #[test]
    fn a_large_log_is_read_in_pages_and_a_line_without_end_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let mut stamp = Stamp::default();
        let mut log = TaskLog::open(folder.path(), "main", &mut stamp, 1).unwrap();
        let text: String = (0..200_000).fold(String::new(), |text, number| text + &format!("line {number}\n"));
        for chunk in text.as_bytes().chunks(MAX_CHUNK_BYTES) {
            log.append(Stream::Stdout, chunk, &mut stamp, 1);
        }
        for _ in 0..40 {
            log.append(Stream::Stdout, &vec![b'x'; MAX_CHUNK_BYTES], &mut stamp, 1);
        }
        log.finish(&mut stamp, 1);
        let lines = values(folder.path());
        assert_eq!(lines.len(), 200_010);
        assert_eq!(lines[199_999], "line 199999");
        assert!(lines[200_000..].iter().all(|line| line.len() == 4 * MAX_CHUNK_BYTES));
    }

    #[test]
    fn lines_of_other_programs_are_merged_without_losing_equal_timestamps() {
        let folder = tempfile::tempdir().unwrap();
        let line = |value: usize| {
            format!(r#"{{"timestamp":"2026-01-01T00:00:00.000001+00:00","container":"c","value":"{value}"}}"#)
        };
        let text: String = (0..PAGE_LINES + 10).fold(String::new(), |text, number| text + "\n" + &line(number));
        fs::write(folder.path().join("a.jsonl"), &text).unwrap();
        fs::write(folder.path().join("b.jsonl"), format!("\nnot json\n{}", line(7))).unwrap();
        let page = page(folder.path(), run(), Cursor::START).unwrap();
        assert_eq!((page.lines.len(), page.more), (PAGE_LINES + 11, false));
    }
}
