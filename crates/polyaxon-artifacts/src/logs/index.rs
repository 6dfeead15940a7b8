//! Entries of a task's index: text lines, sorted by timestamp, found by binary search.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;

use super::{MAX_LINE_BYTES, Stream};

/// One chunk of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Microseconds since the epoch, of the first line that the chunk finishes.
    pub(super) timestamp: u64,
    pub(super) stream: Stream,
    pub(super) offset: u64,
    pub(super) length: u64,
    /// Where the line that the chunk goes on with began.
    pub(super) start: u64,
    pub(super) lines: u64,
}

impl Entry {
    pub(super) fn end(&self) -> u64 {
        self.offset + self.length
    }

    /// The first timestamp that is free after this entry.
    pub(super) fn next_timestamp(&self) -> u64 {
        self.timestamp + self.lines.max(1)
    }

    pub(super) fn write_to(&self, text: &mut String) {
        let Entry { timestamp, stream, offset, length, start, lines } = self;
        let letter = stream.letter();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{timestamp} {letter} {offset} {length} {start} {lines}");
    }

    pub(super) fn parse(line: &[u8]) -> Option<Entry> {
        let mut words = std::str::from_utf8(line).ok()?.strip_suffix('\n')?.split(' ');
        let timestamp = words.next()?.parse().ok()?;
        let letter = words.next()?;
        let stream = Stream::ALL.into_iter().find(|stream| letter.len() == 1 && letter.starts_with(stream.letter()))?;
        let mut number = || words.next()?.parse::<u64>().ok();
        let entry =
            Entry { timestamp, stream, offset: number()?, length: number()?, start: number()?, lines: number()? };
        // Sums of a damaged line must not overflow later.
        (entry.end() < u64::MAX / 2 && entry.start <= entry.offset && timestamp < u64::MAX / 2).then_some(entry)
    }
}

/// What one chunk does to the line in progress: used by the writer to count and by the reader to cut.
pub(super) struct Split<'a> {
    rest: &'a [u8],
    ends: bool,
    done: bool,
}

/// Cuts `bytes` (from the start of the unfinished line to the end of the chunk) into the lines that it finishes.
pub(super) fn split(bytes: &[u8], ends: bool) -> Split<'_> {
    Split { rest: bytes, ends, done: false }
}

impl Split<'_> {
    /// What belongs to a line that is not finished yet.
    pub(super) fn unfinished(&self) -> u64 {
        self.rest.len() as u64
    }
}

impl<'a> Iterator for Split<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.done {
            return None;
        }
        if let Some(position) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line = &self.rest[..position];
            self.rest = &self.rest[position + 1..];
            return Some(line.strip_suffix(b"\r").unwrap_or(line));
        }
        self.done = true;
        let cut = (self.ends && !self.rest.is_empty()) || self.rest.len() as u64 >= MAX_LINE_BYTES;
        cut.then(|| std::mem::take(&mut self.rest))
    }
}

/// Reads the entries of an index from the first one that may finish a line after `after`.
pub(super) fn read_from(path: &Path, after: u64) -> io::Result<Entries> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut reader = BufReader::with_capacity(16 * 1024, file);
    let mut line = Vec::new();
    // `low` is always the start of a line whose timestamp is at most `after` (or 0).
    let (mut low, mut high) = (0, length);
    while after > 0 && high - low > 4096 {
        let middle = low + (high - low) / 2;
        match entry_after(&mut reader, middle, &mut line)? {
            Some((position, entry)) if position < high && entry.timestamp <= after => low = position,
            _ => high = middle,
        }
    }
    reader.seek(SeekFrom::Start(low))?;
    Ok(Entries { reader, line })
}

/// The first readable entry that begins after `position`, and where it begins.
fn entry_after(reader: &mut BufReader<File>, position: u64, line: &mut Vec<u8>) -> io::Result<Option<(u64, Entry)>> {
    reader.seek(SeekFrom::Start(position))?;
    line.clear();
    // The seek landed inside a line.
    let mut begin = position + reader.read_until(b'\n', line)? as u64;
    loop {
        line.clear();
        let length = reader.read_until(b'\n', line)? as u64;
        if length == 0 {
            return Ok(None);
        }
        if let Some(entry) = Entry::parse(line) {
            return Ok(Some((begin, entry)));
        }
        begin += length;
    }
}

pub(super) struct Entries {
    reader: BufReader<File>,
    line: Vec<u8>,
}

impl Entries {
    /// The next readable entry. Damaged lines are passed over; a last line without its end is not there yet.
    pub(super) fn next(&mut self) -> io::Result<Option<Entry>> {
        loop {
            self.line.clear();
            if self.reader.read_until(b'\n', &mut self.line)? == 0 {
                return Ok(None);
            }
            if let Some(entry) = Entry::parse(&self.line) {
                return Ok(Some(entry));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_survives_its_text_form_and_damaged_lines_are_refused() {
        let entry = Entry { timestamp: 12, stream: Stream::Stderr, offset: 5, length: 7, start: 3, lines: 2 };
        let mut text = String::new();
        entry.write_to(&mut text);
        assert_eq!(text, "12 e 5 7 3 2\n");
        assert_eq!(Entry::parse(text.as_bytes()), Some(entry));
        for damaged in ["12 e 5 7 3 2", "12 x 5 7 3 2\n", "12 e 5\n", "\n", "12 e 5 7 9 2\n", "\u{fffd}\n"] {
            assert_eq!(Entry::parse(damaged.as_bytes()), None, "{damaged:?}");
        }
    }

    #[test]
    fn lines_are_cut_at_newlines_at_the_end_and_when_too_long() {
        let cut = |bytes: &[u8], ends| {
            let mut lines = split(bytes, ends);
            let texts: Vec<_> = lines.by_ref().map(|line| String::from_utf8_lossy(line).into_owned()).collect();
            (texts, lines.unfinished())
        };
        assert_eq!(cut(b"a\nb\r\nc", false), (vec!["a".into(), "b".into()], 1));
        assert_eq!(cut(b"a\n\nc", true), (vec!["a".into(), String::new(), "c".into()], 0));
        assert_eq!(cut(b"", true), (vec![], 0));
        let long = vec![b'x'; MAX_LINE_BYTES as usize];
        assert_eq!(cut(&long, false).0[0].len(), long.len());
        assert_eq!(cut(&long[1..], false), (vec![], MAX_LINE_BYTES - 1));
    }

    #[test]
    fn the_search_finds_every_position() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index");
        let mut text = String::new();
        for number in 0..5000 {
            let timestamp = 1000 + number * 10;
            Entry { timestamp, stream: Stream::Stdout, offset: number, length: 1, start: number, lines: 3 }
                .write_to(&mut text);
            if number % 700 == 0 {
                text.push_str("damaged line\n");
            }
        }
        std::fs::write(&path, text).unwrap();
        for after in [0, 1, 999, 1000, 1001, 25_000, 25_009, 50_989, 50_990, 90_000] {
            let mut entries = read_from(&path, after).unwrap();
            let mut passed = 0;
            let found = loop {
                match entries.next().unwrap() {
                    Some(entry) if entry.timestamp + entry.lines > after + 1 => break Some(entry.timestamp),
                    Some(_) => passed += 1,
                    None => break None,
                }
            };
            let expected = (0..5000).map(|number| 1000 + number * 10).find(|timestamp| timestamp + 3 > after + 1);
            assert_eq!(found, expected, "after {after}");
            assert!(after == 0 || passed < 400, "read {passed} entries before {after}");
        }
    }
}
