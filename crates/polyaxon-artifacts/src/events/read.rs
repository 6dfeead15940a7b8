//! From the text of an event file to rows. Both forms are recognised by their content, whatever the kind.

use std::fs::{File, Metadata};
use std::io::Read;
use std::path::Path;

use polyaxon_model::artifact::RelativePath;
use polyaxon_model::time::Timestamp;
use serde::Deserialize;

use super::{Row, Series, TEXT_KINDS, Value, clock};
use crate::error::{Error, Result};
use crate::path;

/// More than this is no event file that a client should ask for at once.
const MAX_BYTES: u64 = 512 << 20;

/// Reads the event file at `relative` below a run's folder. `None`: it does not exist or is empty.
pub fn read(run_folder: &Path, relative: &RelativePath, kind: &str) -> Result<Option<Series>> {
    match path::open(run_folder, relative) {
        Ok((file, metadata)) => read_file(file, &metadata, &run_folder.join(relative.as_str()), kind),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}

/// As [`read`], of a file that is open; `place` is its name in messages.
pub fn read_file(file: File, metadata: &Metadata, place: &Path, kind: &str) -> Result<Option<Series>> {
    Ok(parse(&read_bytes(file, metadata, place)?, kind))
}

/// The content of an event file, unless it is too long to be one.
pub fn read_bytes(file: File, metadata: &Metadata, place: &Path) -> Result<Vec<u8>> {
    if metadata.len() > MAX_BYTES {
        let reason = format!("{} bytes are more than the {MAX_BYTES} that can be read", metadata.len());
        return Err(Error::BadEvents { path: place.to_owned(), reason });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1);
    file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(|source| Error::read(place, source))?;
    Ok(bytes)
}

/// Reads the text of an event file. Rows that are damaged, or not written to their end yet, are left out.
pub fn parse(text: &[u8], kind: &str) -> Option<Series> {
    let mut lines = lines(text).filter(|line| !line.trim_ascii().is_empty()).peekable();
    let (form, is_header) = Form::of(lines.peek()?, kind);
    lines.by_ref().take(usize::from(is_header)).for_each(drop);
    let mut rows = Vec::with_capacity(text.len() / TYPICAL_ROW_BYTES);
    rows.extend(lines.filter_map(|line| form.row(line)));
    Some(Series { kind: form.kind, rows })
}

const TYPICAL_ROW_BYTES: usize = 44;

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    memchr::memchr_iter(b'\n', text).chain(std::iter::once(text.len())).map(move |end| {
        let line = &text[start.min(end)..end];
        start = end + 1;
        line.strip_suffix(b"\r").unwrap_or(line)
    })
}

/// How the lines of a file are written; its first line tells.
#[derive(Clone, Debug)]
pub(super) struct Form {
    /// None for lines of JSON.
    order: Option<Order>,
    kind: String,
}

impl Form {
    /// The form, and whether the line is no row but the header; `kind` is that of the folder.
    pub(super) fn of(first_line: &[u8], kind: &str) -> (Form, bool) {
        match Order::of(first_line) {
            Some((order, named)) => {
                let kind = String::from_utf8_lossy(named.trim_ascii()).into_owned();
                (Form { order: Some(order), kind }, true)
            }
            None => (Form { order: None, kind: kind.to_owned() }, false),
        }
    }

    /// Nothing for a row that is damaged.
    pub(super) fn row(&self, line: &[u8]) -> Option<Row> {
        match self.order {
            Some(order) => separated_row(line, order, &self.kind),
            None => json_row(&String::from_utf8_lossy(line), &self.kind),
        }
    }
}

/// The order of the first two columns.
#[derive(Clone, Copy, Debug)]
enum Order {
    StepFirst,
    TimestampFirst,
}

impl Order {
    /// The order, and the name of the last column.
    fn of(header: &[u8]) -> Option<(Order, &[u8])> {
        let step_first = header.strip_prefix(b"step|timestamp|").map(|named| (Order::StepFirst, named));
        step_first.or_else(|| header.strip_prefix(b"timestamp|step|").map(|named| (Order::TimestampFirst, named)))
    }
}

fn separated_row(line: &[u8], order: Order, kind: &str) -> Option<Row> {
    let mut bars = memchr::memchr_iter(b'|', line);
    let (first_bar, second_bar) = (bars.next()?, bars.next()?);
    let (first, second, value) = (&line[..first_bar], &line[first_bar + 1..second_bar], &line[second_bar + 1..]);
    let (step, timestamp) = match order {
        Order::StepFirst => (first, second),
        Order::TimestampFirst => (second, first),
    };
    let value = if kind == "metric" {
        Value::Number(metric(value)?)
    } else {
        let text = unquoted(&String::from_utf8_lossy(value));
        if !TEXT_KINDS.contains(&kind) {
            // An object whose end is missing is still being written.
            serde_json::from_str::<serde::de::IgnoredAny>(&text).ok()?;
        }
        Value::Text(text)
    };
    let step = if step.trim_ascii().is_empty() { None } else { Some(step_number(step)?) };
    Some(Row { step, timestamp: clock::read(timestamp)?, value })
}

fn step_number(cell: &[u8]) -> Option<i64> {
    let cell = std::str::from_utf8(cell.trim_ascii()).ok()?;
    // A column with a missing step was once written with floats.
    cell.parse().ok().or_else(|| cell.parse::<f64>().ok().map(|step| step as i64))
}

fn metric(cell: &[u8]) -> Option<f64> {
    let cell = std::str::from_utf8(cell.trim_ascii()).ok()?;
    if cell.is_empty() || cell.eq_ignore_ascii_case("none") || cell.eq_ignore_ascii_case("null") {
        return Some(f64::NAN);
    }
    cell.parse().ok()
}

/// A cell in quotes (doubled inside) as other writers of separated values make them.
fn unquoted(cell: &str) -> String {
    match cell.strip_prefix('"').and_then(|cell| cell.strip_suffix('"')) {
        Some(inner) if cell.len() > 2 && inner.contains("\"\"") => inner.replace("\"\"", "\""),
        _ => cell.to_owned(),
    }
}

fn json_row(line: &str, kind: &str) -> Option<Row> {
    #[derive(Deserialize)]
    struct Line {
        timestamp: Timestamp,
        step: Option<i64>,
        #[serde(flatten)]
        rest: serde_json::Map<String, serde_json::Value>,
    }
    let mut line: Line = serde_json::from_str(line).ok()?;
    let value = match line.rest.remove(kind)? {
        serde_json::Value::Number(number) if kind == "metric" => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
        serde_json::Value::String(text) => Value::Text(text),
        other => Value::Text(other.to_string()),
    };
    Some(Row { step: line.step, timestamp: line.timestamp, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_damaged_rows_left_out() {
        let parse = |text: &str, kind| parse(text.as_bytes(), kind);
        let image =
            parse("step|timestamp|image\n1|2026-01-02 03:04:05.678901+00:00|{\"path\":\"a|b.png\"}\n2|2026-", "image");
        assert_eq!(image.unwrap().rows[0].value, Value::Text("{\"path\":\"a|b.png\"}".to_owned()));

        let text =
            "\n{\"timestamp\": \"2026-01-02 03:04:05.678901+00:00\", \"step\": 1, \"text\": \"a|b\\nnew\"}\n{\"time";
        let series = parse(text, "text").unwrap();
        assert_eq!(series.rows.len(), 1);
        assert_eq!(series.rows[0].value, Value::Text("a|b\nnew".to_owned()));

        let metric = parse(
            "step|timestamp|metric\n|2026-01-02 03:04:05+00:00|nan\n3.0|2026-01-02 03:04:05+00:00|1e-07",
            "metric",
        );
        let rows = metric.unwrap().rows;
        assert_eq!((rows[0].step, rows[1].step), (None, Some(3)));
        assert!(matches!(rows[0].value, Value::Number(number) if number.is_nan()));
        assert_eq!(rows[1].value, Value::Number(1e-7));

        let swapped = parse("timestamp|step|metric\n2026-01-02T03:04:05+00:00|7|0.5", "metric").unwrap();
        assert_eq!((swapped.rows[0].step, &swapped.rows[0].value), (Some(7), &Value::Number(0.5)));

        assert_eq!(parse("step|timestamp|metric", "metric").unwrap().rows, []);
        assert_eq!(parse("\n", "metric"), None);
    }
}
