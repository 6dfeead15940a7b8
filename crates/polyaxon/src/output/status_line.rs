//! One condition of a run as a line: time, status, reason and message.

use serde_json::Value;

use crate::output::style::Style;

pub(crate) fn text(style: &Style, condition: &Value) -> String {
    let field = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
    let time = match field("last_transition_time").parse::<jiff::Timestamp>() {
        Ok(time) => time.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S").to_string(),
        Err(_) => String::new(),
    };
    let why: Vec<&str> = [field("reason"), field("message")].into_iter().filter(|text| !text.is_empty()).collect();
    let line = format!("{} {}  {}", style.dim(&time), style.status(field("type")), style.dim(&why.join(": ")));
    line.trim_end().to_owned()
}
