//! What was appended to an event file since the last look, without reading the rest again.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use polyaxon_model::artifact::RelativePath;

use super::Row;
use super::read::Form;
use crate::error::{Error, Result};
use crate::path;

/// More is left for the next look.
const MAX_BYTES: u64 = 8 << 20;

/// How far an event file was read.
#[derive(Clone, Debug, Default)]
pub struct Tail {
    offset: u64,
    /// The length of the file at the last look.
    length: u64,
    form: Option<Form>,
    rows: u64,
}

/// Rows that follow each other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Appended {
    /// The number of the first of them, from 0.
    pub from: u64,
    pub rows: Vec<Row>,
}

/// Reads the rows that came since the last look; a file that became shorter is read anew.
///
/// Writers put the line break before a row. So a last row without one is taken when the file did not grow between two
/// looks: before, it may be only half there.
pub fn tail(run_folder: &Path, relative: &RelativePath, kind: &str, tail: &mut Tail) -> Result<Appended> {
    let (mut file, metadata) = match path::open(run_folder, relative) {
        Ok(opened) => opened,
        Err(error) if error.is_missing() => return Ok(Appended::default()),
        Err(error) => return Err(error),
    };
    let length = metadata.len();
    if length < tail.offset {
        *tail = Tail::default();
    }
    let is_quiet = length == tail.length;
    tail.length = length;
    let mut bytes = Vec::new();
    if length > tail.offset {
        let place = || run_folder.join(relative.as_str());
        file.seek(SeekFrom::Start(tail.offset)).map_err(|source| Error::read(&place(), source))?;
        file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(|source| Error::read(&place(), source))?;
    }
    let reaches_end = tail.offset + bytes.len() as u64 >= length;
    let whole = match memchr::memrchr(b'\n', &bytes) {
        _ if is_quiet && reaches_end => bytes.len(),
        Some(end) => end + 1,
        None => 0,
    };
    tail.offset += whole as u64;
    let from = tail.rows;
    let mut rows = Vec::new();
    for line in bytes[..whole].split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match &tail.form {
            Some(form) => rows.extend(form.row(line)),
            None => {
                let (form, is_header) = Form::of(line, kind);
                rows.extend(if is_header { None } else { form.row(line) });
                tail.form = Some(form);
            }
        }
    }
    tail.rows += rows.len() as u64;
    Ok(Appended { from, rows })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::events::Value;

    #[test]
    fn each_row_comes_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = RelativePath::parse("events/metric/loss.plx").unwrap();
        let place = folder.path().join(path.as_str());
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        let mut known = Tail::default();
        let mut look = |text: &str| {
            fs::write(&place, text).unwrap();
            let appended = tail(folder.path(), &path, "metric", &mut known).unwrap();
            let number = |row: Row| match row.value {
                Value::Number(number) => (row.step, number),
                Value::Text(text) => panic!("{text}"),
            };
            (appended.from, appended.rows.into_iter().map(number).collect::<Vec<_>>())
        };
        let row = |step: u32, value: &str| format!("\n{step}|2026-01-02 03:04:05+00:00|{value}");
        let mut text = "step|timestamp|metric".to_owned();
        assert_eq!(look(&text), (0, vec![]));
        text += &row(1, "0.5");
        assert_eq!(look(&text), (0, vec![]));
        assert_eq!(look(&text), (0, vec![(Some(1), 0.5)]));
        text += &row(2, "0.25");
        text += &row(3, "0.1");
        assert_eq!(look(&text), (1, vec![(Some(2), 0.25)]));
        text += "25";
        assert_eq!(look(&text), (2, vec![]));
        text += &row(4, "0.2");
        assert_eq!(look(&text), (2, vec![(Some(3), 0.125)]));
        assert_eq!(look(&text), (3, vec![(Some(4), 0.2)]));
        assert_eq!(look(&text), (4, vec![]));
        let shorter = format!("step|timestamp|metric{}\n", row(1, "7"));
        assert_eq!(look(&shorter), (0, vec![(Some(1), 7.0)]));
    }
}
