//! JSON request bodies, read into the wire types of the model with messages that name the wrong field.
//!
//! Invariant: unknown fields are ignored unless the type refuses them; an empty body is an empty object.

use std::time::Duration;

use axum::body::{Bytes, HttpBody, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout;
use tower_http::timeout::{TimeoutBody, TimeoutError};

use crate::errors::{Error, Result};

/// A body of the type `T`: an object with named fields.
#[derive(Clone, Debug)]
pub(crate) struct Body<T>(pub T);

/// A body that may be any JSON, also a list.
#[derive(Clone, Debug)]
pub(crate) struct AnyBody(pub Value);

impl<S: Send + Sync> FromRequest<S> for AnyBody {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        read(&bytes(request, state).await?).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        read_object(&bytes(request, state).await?).map(Self)
    }
}

async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes> {
    let bytes = Bytes::from_request(request, state).await;
    bytes.map_err(|error| if is_timeout(&error) { too_slow() } else { error.into() })
}

/// Middleware: bounds how long a body may take to arrive, and takes small ones off the connection before anybody
/// answers. A connection with an unread body cannot be used again, and clients that reuse it would see it break, for
/// example after a 404 or 405.
pub(crate) async fn bound(request: Request, next: Next) -> Response {
    let length = request.body().size_hint().upper();
    if length == Some(0) {
        return next.run(request).await;
    }
    if length.is_none_or(|length| length > SMALL) {
        return next.run(request.map(|body| axum::body::Body::new(TimeoutBody::new(SILENCE, body)))).await;
    }
    let (parts, body) = request.into_parts();
    match timeout(SMALL_TAKES, to_bytes(body, SMALL as usize)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, bytes.into())).await,
        Ok(Err(_)) => Error::Detail(StatusCode::BAD_REQUEST, "The request broke off.".into()).into_response(),
        Err(_) => too_slow().into_response(),
    }
}

const SMALL: u64 = 64 * 1024;

/// How long a body of that size may take, however it arrives.
const SMALL_TAKES: Duration = Duration::from_mins(1);

/// How long a client may send nothing of a body that it promised. Big uploads may take hours, but not be silent.
const SILENCE: Duration = Duration::from_secs(30);

/// Whether a body failed because its client was silent.
fn is_timeout(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<TimeoutError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

fn too_slow() -> Error {
    Error::Detail(StatusCode::REQUEST_TIMEOUT, "The body of the request did not arrive in time.".into())
}

/// A list of values would do for the fields in their order, which nobody means.
fn read_object<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    if bytes.trim_ascii_start().starts_with(b"[") {
        read::<Value>(bytes)?;
        return Err(not_an_object());
    }
    read(bytes)
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let bytes = if bytes.iter().all(u8::is_ascii_whitespace) { b"{}" } else { bytes };
    let mut text = serde_json::Deserializer::from_slice(bytes);
    let value: T = serde_path_to_error::deserialize(&mut text).map_err(|error| refuse(&error, bytes))?;
    text.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

/// A body that is no JSON at all is told apart from JSON with a wrong field.
fn refuse(error: &serde_path_to_error::Error<serde_json::Error>, bytes: &[u8]) -> Error {
    let cause = error.inner();
    if !cause.is_data() {
        return malformed(cause);
    }
    if let Ok(value) = serde_json::from_slice::<Value>(bytes)
        && !value.is_object()
    {
        return not_an_object();
    }
    // The place in the text is noise for a body that a program wrote.
    let message = cause.to_string();
    let message = message.split(" at line ").next().unwrap_or(&message);
    if let Some(field) = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        return Error::field(&inside(error.path(), field), REQUIRED);
    }
    match error.path().iter().next() {
        Some(serde_path_to_error::Segment::Map { key }) => Error::field(key, sentence(error.path(), message)),
        _ => Error::object(message),
    }
}

fn not_an_object() -> Error {
    Error::object("Invalid data. Expected an object with named fields.")
}

pub(crate) const REQUIRED: &str = "This field is required.";

/// The field as the client wrote it: below the top level with its way to there.
fn inside(path: &serde_path_to_error::Path, field: &str) -> String {
    if path.iter().next().is_none() { field.to_owned() } else { format!("{path}.{field}") }
}

fn sentence(path: &serde_path_to_error::Path, message: &str) -> String {
    if path.iter().nth(1).is_none() { message.to_owned() } else { format!("{path}: {message}") }
}

fn malformed(error: &serde_json::Error) -> Error {
    Error::Detail(StatusCode::BAD_REQUEST, format!("JSON parse error - {error}"))
}

#[cfg(test)]
mod tests {
    use polyaxon_model::condition::StatusRequest;
    use polyaxon_model::new_run::NewRun;
    use polyaxon_model::project::ProjectBody;

    use super::*;

    #[track_caller]
    fn check<T: DeserializeOwned + std::fmt::Debug>(body: &str, expected: &str) {
        let (status, body) = read_object::<T>(body.as_bytes()).unwrap_err().into_parts();
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(serde_json::to_string(&body).unwrap(), expected);
    }

    #[test]
    fn wrong_bodies_name_the_field() {
        check::<NewRun>(
            r#"{"managed_by": "nobody"}"#,
            r#"{"managed_by":["`nobody` is not a manager of runs, expected one of: user, cli, agent"]}"#,
        );
        check::<NewRun>(r#"{"tags": 3}"#, r#"{"tags":["tags must be a list of strings"]}"#);
        check::<ProjectBody>(r#"{"description": []}"#, r#"{"description":["`[]` is not a text, expected a string"]}"#);
        check::<StatusRequest>(
            r#"{"condition": {"type": "running", "status": 3}}"#,
            r#"{"condition":["condition.status: condition status `3` is neither a boolean nor a text"]}"#,
        );
    }

    #[test]
    fn bodies_that_are_no_object() {
        check::<NewRun>("{bad", r#"{"detail":"JSON parse error - key must be a string at line 1 column 2"}"#);
        check::<NewRun>("[", r#"{"detail":"JSON parse error - EOF while parsing a list at line 1 column 1"}"#);
        check::<NewRun>("[]", r#"{"non_field_errors":["Invalid data. Expected an object with named fields."]}"#);
        check::<NewRun>("3", r#"{"non_field_errors":["Invalid data. Expected an object with named fields."]}"#);
        assert_eq!(read::<NewRun>(b" \n").unwrap(), NewRun::default());
    }
}
