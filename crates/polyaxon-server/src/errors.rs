//! The one place where a failure becomes an HTTP answer: statuses and the error shapes the official client reads.
//!
//! Invariant: every `/api/v1` error body is JSON; an unexpected failure is logged with its causes and never shown whole.

use axum::Json;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{OriginalUri, Request};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use polyaxon_model::error::ErrorBody;

pub(crate) type Result<T> = std::result::Result<T, Error>;

/// What an API handler answers instead of its result.
#[derive(Debug)]
pub(crate) enum Error {
    /// 400 with one of the official bodies.
    Refused(ErrorBody),
    /// 404 `{"detail": "No Run matches the given query."}`.
    Missing(&'static str),
    /// Any status with `{"detail": …}`.
    Detail(StatusCode, String),
    /// 500: the cause goes to the log only.
    Internal(String),
}

impl Error {
    /// `{"field": ["message"]}`.
    pub(crate) fn field(name: &str, message: impl Into<String>) -> Self {
        Self::Refused(ErrorBody::field(name, message))
    }

    /// A problem of the whole object, not of one field.
    pub(crate) fn object(message: impl Into<String>) -> Self {
        Self::Refused(ErrorBody::object(message))
    }

    /// `["message"]`: a rule of the domain was broken.
    pub(crate) fn rule(message: impl Into<String>) -> Self {
        Self::Refused(ErrorBody::list(message))
    }

    pub(crate) fn not_found() -> Self {
        Self::Detail(StatusCode::NOT_FOUND, "Not found.".into())
    }

    /// Keeps the whole chain of causes of an unexpected failure.
    pub(crate) fn internal(error: impl std::error::Error) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text += &format!(": {cause}");
            source = cause.source();
        }
        Self::Internal(text)
    }

    pub(crate) fn into_parts(self) -> (StatusCode, ErrorBody) {
        match self {
            Self::Refused(body) => (StatusCode::BAD_REQUEST, body),
            Self::Missing(record) => (StatusCode::NOT_FOUND, ErrorBody::no_match(record)),
            Self::Detail(status, text) => (status, ErrorBody::detail(text)),
            Self::Internal(cause) => {
                tracing::error!(cause, "request failed");
                (StatusCode::INTERNAL_SERVER_ERROR, ErrorBody::detail(INTERNAL))
            }
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, body) = self.into_parts();
        with_advice(status, (status, Json(body)).into_response())
    }
}

/// Tells clients when to try again, where that may help.
fn with_advice(status: StatusCode, mut response: Response) -> Response {
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

const INTERNAL: &str = "The server failed to answer this request; its log names the cause.";

impl From<QueryRejection> for Error {
    fn from(rejection: QueryRejection) -> Self {
        Self::Detail(StatusCode::BAD_REQUEST, rejection.body_text())
    }
}

/// A path that does not decode names nothing.
impl From<PathRejection> for Error {
    fn from(_: PathRejection) -> Self {
        Self::not_found()
    }
}

impl From<BytesRejection> for Error {
    fn from(rejection: BytesRejection) -> Self {
        Self::Detail(rejection.status(), rejection.body_text())
    }
}

/// What the store could not do: missing records, taken names and senseless queries are the client's affair.
impl From<polyaxon_store::Error> for Error {
    fn from(error: polyaxon_store::Error) -> Self {
        use polyaxon_store::Error as Store;
        match error {
            Store::NotFound { record, .. } => Self::Missing(record),
            Store::NameTaken { record } => Self::field("name", format!("{record} with this name already exists.")),
            Store::Rule(message) => Self::rule(message),
            Store::Field { field, message } => Self::field(field, message),
            Store::Query(message) => Self::rule(format!("Error applying or resolving queryset, {message}")),
            Store::DiskFull { .. } => Self::Detail(StatusCode::INSUFFICIENT_STORAGE, error.to_string()),
            Store::ReadOnly { .. }
            | Store::Locked { .. }
            | Store::Unavailable { .. }
            | Store::Uncertain { .. }
            | Store::Refused { .. } => Self::Detail(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
            error => Self::internal(error),
        }
    }
}

/// A failure of a `/streams/v1` endpoint: plain text, as the official streams service answers.
#[derive(Debug)]
pub(crate) struct StreamError {
    pub status: StatusCode,
    pub text: String,
}

impl StreamError {
    pub(crate) fn bad_request(text: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, text: text.into() }
    }

    pub(crate) fn not_found(text: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, text: text.into() }
    }
}

impl From<Error> for StreamError {
    fn from(error: Error) -> Self {
        let (status, body) = error.into_parts();
        Self { status, text: body.sentence() }
    }
}

impl IntoResponse for StreamError {
    fn into_response(self) -> Response {
        let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
        with_advice(self.status, (self.status, headers, self.text).into_response())
    }
}

/// A refusal of an endpoint of agents and operators: `{"errors": "…"}` with 400, as they read it.
#[derive(Debug)]
pub(crate) struct JsonProblem(String);

impl JsonProblem {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl IntoResponse for JsonProblem {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, Json(serde_json::json!({ "errors": self.0 }))).into_response()
    }
}

/// Answers requests whose path no route knows.
pub(crate) async fn unknown_path(method: Method) -> Error {
    match method {
        Method::GET | Method::HEAD => Error::not_found(),
        // The status is the official one; the sentence tells people that the path is what is wrong.
        other => Error::Detail(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("This server has no endpoint at this path, not for {other} nor for any other method."),
        ),
    }
}

/// Answers requests whose path is known under other methods only.
pub(crate) async fn method_not_allowed(method: Method, OriginalUri(uri): OriginalUri) -> Response {
    if ["/streams/", "/internal/"].iter().any(|base| uri.path().starts_with(base)) {
        return StreamError::bad_request(format!("Method \"{method}\" not allowed.")).into_response();
    }
    not_allowed(&method)
}

fn not_allowed(method: &Method) -> Response {
    Error::Detail(StatusCode::METHOD_NOT_ALLOWED, format!("Method \"{method}\" not allowed.")).into_response()
}

/// Middleware: the official API answers no `HEAD`, which the router would answer like a `GET`.
pub(crate) async fn refuse_head(request: Request, next: Next) -> Response {
    if request.method() == Method::HEAD { not_allowed(&Method::HEAD) } else { next.run(request).await }
}

/// Middleware: nor does it answer `OPTIONS`, except for the question whether a page of another origin may send a request.
pub(crate) async fn refuse_options(request: Request, next: Next) -> Response {
    let is_question = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let is_refused = request.method() == Method::OPTIONS && !is_question;
    if is_refused && request.uri().path().starts_with("/api/v1/") {
        return not_allowed(&Method::OPTIONS);
    }
    next.run(request).await
}

/// Turns a panic of a handler into the same answer as any other unexpected failure.
pub(crate) fn panicked(payload: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let cause = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&'static str>().copied())
        .unwrap_or("a panic without a message");
    Error::Internal(format!("handler panicked: {cause}")).into_response()
}
