//! The summary of an event file that its lineage row carries. Numbers follow `pandas.Series.describe`.

use polyaxon_model::time::Timestamp;
use serde_json::{Map, Value as Json, json};

use super::{Row, Series, Value};

/// `{"is_event": true, "step": …, "timestamp": …, "metric": …}`; parts without rows are absent.
pub fn summary(series: &Series) -> Map<String, Json> {
    let mut summary = Map::new();
    summary.insert("is_event".to_owned(), Json::Bool(true));
    let (Some(first), Some(last)) = (series.rows.first(), series.rows.last()) else { return summary };
    let steps = series.rows.iter().filter(|row| row.step.is_some()).count();
    if steps > 0 {
        summary.insert("step".to_owned(), json!({"count": steps, "min": first.step, "max": last.step}));
    }
    let range = json!({"min": timestamp(first.timestamp), "max": timestamp(last.timestamp)});
    summary.insert("timestamp".to_owned(), range);
    if series.kind == "metric" {
        summary.insert("metric".to_owned(), describe(&series.rows));
    }
    summary
}

/// The last number that was tracked, for the outputs of the run.
pub fn last_value(series: &Series) -> Option<f64> {
    series.rows.iter().rev().find_map(|row| match row.value {
        Value::Number(value) if value.is_finite() => Some(value),
        _ => None,
    })
}

fn describe(rows: &[Row]) -> Json {
    let number = |row: &Row| match row.value {
        Value::Number(value) => value,
        Value::Text(_) => f64::NAN,
    };
    let mut values: Vec<f64> = rows.iter().map(number).filter(|value| !value.is_nan()).collect();
    values.sort_by(f64::total_cmp);
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
    let quantile = |share: f64| {
        let position = share * (count - 1.0);
        let below = *values.get(position.floor() as usize)?;
        let above = *values.get(position.ceil() as usize)?;
        Some(below + (above - below) * position.fract())
    };
    json!({
        "count": count,
        "mean": mean,
        "std": deviation,
        "min": values.first(),
        "25%": quantile(0.25),
        "50%": quantile(0.5),
        "75%": quantile(0.75),
        "max": values.last(),
        "last": rows.last().map(number),
    })
}

fn timestamp(timestamp: Timestamp) -> String {
    let format = if timestamp.as_micros().rem_euclid(1_000_000) == 0 {
        "%Y-%m-%dT%H:%M:%S+00:00"
    } else {
        "%Y-%m-%dT%H:%M:%S%.6f+00:00"
    };
    timestamp.to_jiff().strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::parse;

    /// The expected texts are what the official client (traceml 1.5.0) makes of the same files.
    #[test]
    fn summaries_match_the_record() {
        for (text, expected) in [
            (
                "step|timestamp|metric\n1|2026-01-02 03:04:05.678901+00:00|1.0\n2|2026-01-02 03:04:06+00:00|2.0\n\
                 3|2026-01-02 03:04:07+00:00|4.0\n10|2026-01-02 03:04:08+00:00|-1.5",
                r#"{"is_event":true,"step":{"count":4,"min":1,"max":10},"timestamp":{"min":"2026-01-02T03:04:05.678901+00:00","max":"2026-01-02T03:04:08+00:00"},"metric":{"count":4.0,"mean":1.375,"std":2.286737122335374,"min":-1.5,"25%":0.375,"50%":1.5,"75%":2.5,"max":4.0,"last":-1.5}}"#,
            ),
            (
                "step|timestamp|metric\n|2026-01-02 03:04:05+00:00|1.0",
                r#"{"is_event":true,"timestamp":{"min":"2026-01-02T03:04:05+00:00","max":"2026-01-02T03:04:05+00:00"},"metric":{"count":1.0,"mean":1.0,"std":null,"min":1.0,"25%":1.0,"50%":1.0,"75%":1.0,"max":1.0,"last":1.0}}"#,
            ),
            ("step|timestamp|metric", r#"{"is_event":true}"#),
        ] {
            assert_eq!(Json::Object(summary(&parse(text.as_bytes(), "metric").unwrap())).to_string(), expected);
        }
        let series =
            parse(b"step|timestamp|metric\n1|2026-01-02 03:04:05+00:00|2\n2|2026-01-02 03:04:06+00:00|nan", "metric");
        assert_eq!(last_value(&series.unwrap()), Some(2.0));
    }
}
