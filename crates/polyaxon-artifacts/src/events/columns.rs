//! A series as columns, the form in which clients plot it, and thinned out.

use polyaxon_model::time::Timestamp;
use serde_json::{Map, Value as Json};

use super::{Row, Series, Value};

/// `{"step": […], "timestamp": […], "<kind>": […]}`. A column with a missing number turns to floats, as in the record.
pub fn columns(series: &Series) -> Map<String, Json> {
    let has_gap = series.rows.iter().any(|row| row.step.is_none());
    let steps = series.rows.iter().map(|row| match row.step {
        Some(step) if has_gap => number(step as f64),
        Some(step) => Json::from(step),
        None => Json::Null,
    });
    let timestamps = series.rows.iter().map(|row| Json::String(timestamp(row.timestamp)));
    let values = series.rows.iter().map(|row| match &row.value {
        Value::Number(value) => number(*value),
        Value::Text(text) => Json::String(text.clone()),
    });
    let mut columns = Map::new();
    columns.insert("step".to_owned(), steps.collect());
    columns.insert("timestamp".to_owned(), timestamps.collect());
    columns.insert(series.kind.clone(), values.collect());
    columns
}

/// At most `limit` rows evenly taken, the first and the last among them.
pub fn sample(rows: &mut Vec<Row>, limit: usize) {
    let count = rows.len();
    if limit == 0 || count <= limit {
        return;
    }
    let kept = |slot: usize| if limit == 1 { count - 1 } else { slot * (count - 1) / (limit - 1) };
    let (mut position, mut slot) = (0, 0);
    rows.retain(|_| {
        let keep = slot < limit && kept(slot) == position;
        slot += usize::from(keep);
        position += 1;
        keep
    });
}

fn number(value: f64) -> Json {
    // NaN and the infinities have no JSON form.
    serde_json::Number::from_f64(value).map_or(Json::Null, Json::Number)
}

fn timestamp(timestamp: Timestamp) -> String {
    let format = if timestamp.as_micros().rem_euclid(1_000_000) == 0 {
        "%Y-%m-%d %H:%M:%S+00:00"
    } else {
        "%Y-%m-%d %H:%M:%S%.6f+00:00"
    };
    timestamp.to_jiff().strftime(format).to_string()
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
            assert_eq!(Json::Object(columns(&parse(text, "metric").unwrap())).to_string(), expected);
        }
    }

    #[test]
    fn a_sample_keeps_both_ends() {
        let row = |step| Row { step: Some(step), timestamp: Timestamp::default(), value: Value::Number(0.0) };
        for (count, limit, expected) in
            [(10, 3, vec![0, 4, 9]), (3, 5, vec![0, 1, 2]), (4, 1, vec![3]), (5, 2, vec![0, 4])]
        {
            let mut rows: Vec<_> = (0..count).map(row).collect();
            sample(&mut rows, limit);
            assert_eq!(rows.iter().filter_map(|row| row.step).collect::<Vec<_>>(), expected);
        }
    }
}
