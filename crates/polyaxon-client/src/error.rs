//! What can go wrong between us and a server, with the host, the request and the server's own words.

use std::time::Duration;

use serde_json::Value;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{host}` is not the address of a server")]
    Host { host: String, reason: String },
    #[error("cannot prepare the HTTP client")]
    Prepare { source: reqwest::Error },
    #[error("no server answers at {host}")]
    Unreachable { host: String, source: reqwest::Error },
    #[error("{host} did not answer within {} s", after.as_secs())]
    Timeout { host: String, after: Duration },
    #[error("the connection to {host} broke off")]
    Broken { host: String, source: reqwest::Error },
    #[error("{message}")]
    Refused { method: String, url: String, status: u16, message: String },
    #[error("{url} did not answer with the expected JSON")]
    Unreadable { url: String, excerpt: String },
    #[error("cannot write the download")]
    Write { source: std::io::Error },
}

impl Error {
    /// The HTTP status, when the server answered.
    pub fn status(&self) -> Option<u16> {
        match self {
            Error::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }

    /// The path exists on our server only: others answer 404 or 405.
    pub fn is_unknown_endpoint(&self) -> bool {
        matches!(self.status(), Some(404 | 405 | 501))
    }

    /// The same call may succeed a moment later: the server restarts, or the network hiccups.
    pub fn is_transient(&self) -> bool {
        match self {
            Error::Unreachable { .. } | Error::Timeout { .. } | Error::Broken { .. } => true,
            Error::Refused { status, .. } => *status >= 500,
            _ => false,
        }
    }
}

/// The sentence in an error body: `{"detail": …}`, `["…"]`, `{"field": ["…"]}`, `{"errors": …}` or plain text.
pub(crate) fn sentence(status: u16, body: &str) -> String {
    let body = body.trim();
    let text = match serde_json::from_str::<Value>(body) {
        Ok(json) => flatten(&json),
        Err(_) if body.starts_with('<') => String::new(),
        Err(_) => body.chars().take(500).collect(),
    };
    match (text.is_empty(), status) {
        (false, _) => text,
        (true, 401 | 403) => "the server refused the credentials".to_owned(),
        (true, 404) => "the server does not know this path".to_owned(),
        (true, 405) => "the server does not support this call".to_owned(),
        (true, _) => format!("the server answered with status {status}"),
    }
}

fn flatten(json: &Value) -> String {
    match json {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(flatten).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; "),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| match key.as_str() {
                "detail" | "errors" | "error" | "non_field_errors" | "message" => flatten(value),
                _ => format!("{key}: {}", flatten(value)),
            })
            .collect::<Vec<_>>()
            .join("; "),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn error_bodies_become_one_sentence() {
        for (status, body, expected) in [
            (404, r#"{"detail":"No Run matches the given query."}"#, "No Run matches the given query."),
            (400, r#"["first","second"]"#, "first; second"),
            (
                400,
                r#"{"name":["project with this name already exists."]}"#,
                "name: project with this name already exists.",
            ),
            (400, r#"{"non_field_errors":["Run expects a `content`."]}"#, "Run expects a `content`."),
            (400, "Invalid path: traversal detected", "Invalid path: traversal detected"),
            (404, "", "the server does not know this path"),
            (502, "<html>bad gateway</html>", "the server answered with status 502"),
        ] {
            assert_eq!(sentence(status, body), expected, "{body}");
        }
    }
}
