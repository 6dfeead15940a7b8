//! Appending what a task prints. A full disk never blocks or fails the task: bytes that find no room are counted,
//! and the log says so as soon as there is room again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::index::{Entry, read_from, split};
use super::{MAX_CHUNK_BYTES, Stream, room};

/// Gives out timestamps that only grow, also when the clock is set back and over all tasks of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stamp {
    free_from: u64,
}

impl Stamp {
    /// Goes on after everything that `folder` (a `plxlogs` folder) holds.
    pub fn after_existing(folder: &Path) -> Stamp {
        let mut stamp = Stamp::default();
        for path in index_paths(folder) {
            if let Ok(Some(entry)) = last_entry(&path) {
                stamp.free_from = stamp.free_from.max(entry.next_timestamp());
            }
        }
        stamp
    }

    fn take(&mut self, now_us: u64, lines: u64) -> u64 {
        let timestamp = now_us.max(self.free_from);
        self.free_from = timestamp + lines.max(1);
        timestamp
    }
}

fn index_paths(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "index")).collect()
}

fn last_entry(path: &Path) -> io::Result<Option<Entry>> {
    let mut entries = read_from(path, u64::MAX / 4)?;
    let mut last = None;
    while let Some(entry) = entries.next()? {
        last = Some(entry);
    }
    Ok(last)
}

/// The log of one task, open for appending.
#[derive(Debug)]
pub struct TaskLog {
    streams: [StreamFile; 3],
    index: File,
    index_length: u64,
    lost: u64,
    /// Lost since the last remark about it.
    unreported: u64,
    last_error: String,
}

#[derive(Debug)]
struct StreamFile {
    file: Option<File>,
    path: std::path::PathBuf,
    length: u64,
    /// The unfinished line.
    unfinished: Vec<u8>,
}

impl TaskLog {
    /// Opens or goes on with the log of `task`, after repairing what an earlier writer left.
    pub fn open(folder: &Path, task: &str, stamp: &mut Stamp, now_us: u64) -> io::Result<TaskLog> {
        fs::create_dir_all(folder)?;
        let mut index =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(index_path(folder, task))?;
        let mut last = [None; 3];
        let mut entries = read_from(&index_path(folder, task), 0)?;
        while let Some(entry) = entries.next()? {
            last[entry.stream as usize] = Some(entry);
        }
        let streams = Stream::ALL.map(|stream| StreamFile {
            file: None,
            path: folder.join(format!("{task}.{}", stream.extension())),
            length: last[stream as usize].map_or(0, |entry| entry.end()),
            unfinished: Vec::new(),
        });
        let index_length = mend_last_line(&mut index)?;
        let mut log = TaskLog { streams, index, index_length, lost: 0, unreported: 0, last_error: String::new() };
        for stream in Stream::ALL {
            let unfinished = last[stream as usize].map_or(Ok(0), |entry| unfinished_after(folder, task, &entry))?;
            log.index_what_is_there(stream, unfinished, stamp, now_us)?;
            log.end(stream, stamp, now_us);
        }
        Ok(log)
    }

    /// Adds bytes, at most [`MAX_CHUNK_BYTES`], that `stream` gave at `now_us`.
    pub fn append(&mut self, stream: Stream, bytes: &[u8], stamp: &mut Stamp, now_us: u64) {
        if self.unreported > 0 && stream != Stream::Notice {
            self.report_loss(stamp, now_us);
        }
        let room = if stream == Stream::Notice { Ok(()) } else { room::check(&self.index, bytes.len()) };
        let written = match room.map_err(|error| (0, error)).and_then(|()| self.streams[stream as usize].write(bytes)) {
            Ok(written) => written,
            Err((written, error)) => {
                self.lose(bytes.len() - written, &error);
                written
            }
        };
        if written > 0
            && let Err(error) = self.index_chunk(stream, &bytes[..written], stamp, now_us)
        {
            self.lose(written, &error);
        }
    }

    /// A remark of ours, on a line of its own.
    pub fn notice(&mut self, text: &str, stamp: &mut Stamp, now_us: u64) {
        self.append(Stream::Notice, format!("{text}\n").as_bytes(), stamp, now_us);
    }

    /// The stream is over: what it wrote last is a line even without a line end.
    pub fn end(&mut self, stream: Stream, stamp: &mut Stamp, now_us: u64) {
        if !self.streams[stream as usize].unfinished.is_empty() {
            // Without room the line stays unfinished, and a later writer or repair ends it.
            let _ = self.index_chunk(stream, &[], stamp, now_us);
        }
    }

    /// Tries once more to say how much was lost. For the end of the task.
    pub fn finish(&mut self, stamp: &mut Stamp, now_us: u64) {
        for stream in Stream::ALL {
            self.end(stream, stamp, now_us);
        }
        if self.unreported > 0 {
            self.report_loss(stamp, now_us);
        }
    }

    /// Bytes that found no room, in all.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Why, in the words of the system; empty when nothing was lost.
    pub fn last_error(&self) -> &str {
        &self.last_error
    }

    fn lose(&mut self, count: usize, error: &io::Error) {
        self.lost += count as u64;
        self.unreported += count as u64;
        self.last_error = error.to_string();
    }

    fn report_loss(&mut self, stamp: &mut Stamp, now_us: u64) {
        let (count, lost) = (self.unreported, self.lost);
        self.unreported = 0;
        let text = format!("[polyaxon] {count} bytes of output were lost here: {}", self.last_error);
        self.notice(&text, stamp, now_us);
        if self.lost > lost {
            // No room for the remark either: it will be made later, and its own bytes are not output.
            self.lost = lost;
            self.unreported = count;
        }
    }

    fn index_chunk(&mut self, stream: Stream, bytes: &[u8], stamp: &mut Stamp, now_us: u64) -> io::Result<()> {
        let file = &mut self.streams[stream as usize];
        let offset = file.length;
        let start = offset - file.unfinished.len() as u64;
        let before = file.unfinished.len();
        file.unfinished.extend_from_slice(bytes);
        let mut cut = split(&file.unfinished, bytes.is_empty());
        let lines = cut.by_ref().count() as u64;
        let rest = file.unfinished.len() - cut.unfinished() as usize;
        let timestamp = stamp.take(now_us, lines);
        let mut text = String::new();
        Entry { timestamp, stream, offset, length: bytes.len() as u64, start, lines }.write_to(&mut text);
        if let Err(error) = self.index.write_all_at(text.as_bytes(), self.index_length) {
            // Bytes without an entry would be served twice or never: give the room back.
            file.unfinished.truncate(before);
            if let Some(data) = &file.file {
                let _ = data.set_len(offset);
            }
            let _ = self.index.set_len(self.index_length);
            return Err(error);
        }
        self.index_length += text.len() as u64;
        file.length += bytes.len() as u64;
        file.unfinished.drain(..rest);
        Ok(())
    }

    /// Makes entries for bytes that a writer that died left without one.
    fn index_what_is_there(
        &mut self,
        stream: Stream,
        unfinished: u64,
        stamp: &mut Stamp,
        now_us: u64,
    ) -> io::Result<()> {
        let file = &mut self.streams[stream as usize];
        let mut data = match File::open(&file.path) {
            Ok(data) => data,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut buffer = vec![0; MAX_CHUNK_BYTES];
        let end = file.length.min(data.metadata()?.len());
        file.length = end;
        let unfinished = unfinished.min(end);
        data.seek(SeekFrom::Start(end - unfinished))?;
        (&mut data).take(unfinished).read_to_end(&mut file.unfinished)?;
        loop {
            let read = data.read(&mut buffer)?;
            if read == 0 {
                return Ok(());
            }
            self.index_chunk(stream, &buffer[..read], stamp, now_us)?;
        }
    }
}

impl StreamFile {
    /// Writes at the end. On an error: how many bytes are there nevertheless.
    fn write(&mut self, bytes: &[u8]) -> Result<usize, (usize, io::Error)> {
        if self.file.is_none() {
            let mut options = OpenOptions::new();
            let file = options.write(true).create(true).truncate(false).open(&self.path);
            self.file = Some(file.map_err(|error| (0, error))?);
        }
        let Some(file) = &self.file else { return Ok(0) };
        let mut written = 0;
        while written < bytes.len() {
            match file.write_at(&bytes[written..], self.length + written as u64) {
                Ok(0) => return Err((written, io::ErrorKind::WriteZero.into())),
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err((written, error)),
            }
        }
        Ok(written)
    }
}

fn index_path(folder: &Path, task: &str) -> std::path::PathBuf {
    folder.join(format!("{task}.index"))
}

/// How much of the line in progress is unfinished after `entry`.
fn unfinished_after(folder: &Path, task: &str, entry: &Entry) -> io::Result<u64> {
    if entry.length == 0 {
        return Ok(0);
    }
    let path = folder.join(format!("{task}.{}", entry.stream.extension()));
    let mut bytes = Vec::new();
    if let Ok(mut data) = File::open(path) {
        data.seek(SeekFrom::Start(entry.start))?;
        data.take(entry.end() - entry.start).read_to_end(&mut bytes)?;
    }
    let mut lines = split(&bytes, false);
    lines.by_ref().for_each(drop);
    Ok(lines.unfinished())
}

/// Ends a line that a crash cut, so that the next entry starts on a line of its own. Answers the length.
fn mend_last_line(index: &mut File) -> io::Result<u64> {
    let length = index.metadata()?.len();
    if length > 0 {
        let mut last = [0];
        index.read_exact_at(&mut last, length - 1)?;
        if last != *b"\n" {
            index.seek(SeekFrom::End(0))?;
            index.write_all(b"\n")?;
            return Ok(length + 1);
        }
    }
    Ok(length)
}

/// Makes everything in a `plxlogs` folder readable after its writer died: bytes without an entry get one, unfinished
/// lines are ended. Only when no writer is alive.
pub fn repair(folder: &Path, now_us: u64) -> io::Result<()> {
    let mut stamp = Stamp::after_existing(folder);
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    let mut tasks: Vec<String> = entries
        .flatten()
        .filter_map(|entry| {
            let path = entry.path();
            let end = path.extension()?.to_str()?.to_owned();
            let is_stream = Stream::ALL.iter().any(|stream| stream.extension() == end);
            (is_stream || end == "index").then(|| Some(path.file_stem()?.to_str()?.to_owned())).flatten()
        })
        .collect();
    tasks.sort();
    tasks.dedup();
    for task in tasks {
        TaskLog::open(folder, &task, &mut stamp, now_us)?;
    }
    Ok(())
}
