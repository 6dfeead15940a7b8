//! The pages: `/` and below `/ui` what this server is and its latest runs, `/api/docs` what can be asked of it.

use axum::http::header;
use axum::response::{IntoResponse, Response};

/// The page only loads what this server serves; names of runs can never become code.
const POLICY: &str =
    "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self'; frame-ancestors 'self'";

pub(crate) async fn page() -> Response {
    html(include_str!("page.html"))
}

pub(crate) async fn docs() -> Response {
    html(include_str!("docs.html"))
}

fn html(text: &'static str) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, POLICY)];
    (headers, text).into_response()
}

pub(crate) async fn docs_script() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("docs.js")).into_response()
}

pub(crate) async fn docs_style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("docs.css")).into_response()
}

pub(crate) async fn script() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("page.js")).into_response()
}

pub(crate) async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("page.css")).into_response()
}
