//! A series as columns, the form in which clients plot it, written as JSON without a tree of values in between.

use super::{Row, Series, Value, clock};

/// Writes `{"step": […], "timestamp": […], "<kind>": […]}`. A column with a missing number turns to floats, as in the
/// record.
pub fn write_columns(series: &Series, out: &mut Vec<u8>) {
    let has_gap = series.rows.iter().any(|row| row.step.is_none());
    out.extend_from_slice(b"{\"step\":[");
    column(&series.rows, out, |row, out| match row.step {
        Some(step) if has_gap => number(step as f64, out),
        Some(step) => json(&step, out),
        None => out.extend_from_slice(b"null"),
    });
    out.extend_from_slice(b"],\"timestamp\":[");
    column(&series.rows, out, |row, out| {
        out.push(b'"');
        clock::write(row.timestamp, out);
        out.push(b'"');
    });
    out.extend_from_slice(b"],");
    json(&series.kind, out);
    out.extend_from_slice(b":[");
    column(&series.rows, out, |row, out| match &row.value {
        Value::Number(value) => number(*value, out),
        Value::Text(text) => json(text, out),
    });
    out.extend_from_slice(b"]}");
}

fn column(rows: &[Row], out: &mut Vec<u8>, cell: impl Fn(&Row, &mut Vec<u8>)) {
    for (position, row) in rows.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        cell(row, out);
    }
}

/// NaN and the infinities have no JSON form, and become null.
fn number(value: f64, out: &mut Vec<u8>) {
    json(&value, out);
}

fn json(value: &(impl serde::Serialize + ?Sized), out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("numbers and texts have a JSON form, and memory takes every byte");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::parse;

    #[test]
    fn columns_have_the_official_form() {
        for (text, expected) in [
            (
                "step|timestamp|metric\n1|2026-01-02 03:04:05.678901+00:00|0.5\n2|2026-01-02 03:04:06+00:00|3",
                r#"{"step":[1,2],"timestamp":["2026-01-02 03:04:05.678901+00:00","2026-01-02 03:04:06+00:00"],"metric":[0.5,3.0]}"#,
            ),
            (
                "step|timestamp|metric\n|2026-01-02 03:04:05.5+00:00|nan\n2|2026-01-02 03:04:06+00:00|inf",
                r#"{"step":[null,2.0],"timestamp":["2026-01-02 03:04:05.500000+00:00","2026-01-02 03:04:06+00:00"],"metric":[null,null]}"#,
            ),
            ("step|timestamp|metric", r#"{"step":[],"timestamp":[],"metric":[]}"#),
        ] {
            let mut out = Vec::new();
            write_columns(&parse(text.as_bytes(), "metric").unwrap(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
