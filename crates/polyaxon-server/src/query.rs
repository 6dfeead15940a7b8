//! Query parameters of list endpoints and the page envelope they are answered with.
//!
//! Invariant: garbage in a paging parameter means its default; only `query` can make a list fail.

use axum::extract::{FromRequestParts, OriginalUri, Query};
use axum::http::request::Parts;
use axum::http::{Uri, header};
use polyaxon_model::listing::{ListPage, PageLimits, Paging, read_bool};

use crate::errors::{Error, Result};

/// The decoded query string; of a repeated parameter the last one counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let Query(pairs) = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await?;
        Ok(Self(pairs))
    }
}

impl Params {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that is given and not blank.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).map(str::trim).filter(|text| !text.is_empty())
    }

    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.get(name).and_then(read_bool)
    }

    pub(crate) fn paging(&self, limits: PageLimits) -> Paging {
        Paging::read(self.get("limit"), self.get("offset"), self.get("no_page"), limits)
    }

    /// The items of a comma list, in order, without blanks and repetitions.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<String>> {
        let mut items: Vec<String> = Vec::new();
        for item in self.get(name)?.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            if !items.iter().any(|known| known == item) {
                items.push(item.to_owned());
            }
        }
        Some(items)
    }
}

/// Where the request was sent to, for the absolute `next` and `previous` links.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    origin: String,
    path: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Address {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let uri: Uri = match OriginalUri::from_request_parts(parts, state).await {
            Ok(OriginalUri(uri)) => uri,
            Err(never) => match never {},
        };
        let host = parts
            .headers
            .get(header::HOST)
            .and_then(|value| value.to_str().ok())
            .or_else(|| uri.authority().map(|authority| authority.as_str()))
            .unwrap_or("localhost");
        Ok(Self { origin: format!("http://{host}"), path: uri.path().to_owned() })
    }
}

/// The list envelope around `results`. `count` is the total, or nothing when it was not wanted.
pub(crate) fn page<T>(
    address: &Address,
    params: &Params,
    paging: Paging,
    count: Option<u64>,
    results: Vec<T>,
) -> ListPage<T> {
    let limit = u64::from(paging.limit);
    let (mut next, mut previous) = (None, None);
    if let Some(count) = count {
        if paging.offset.saturating_add(limit) < count {
            next = Some(link(address, params, limit, Some(paging.offset + limit)));
        }
        if paging.offset > 0 {
            let before = paging.offset.checked_sub(limit).filter(|offset| *offset > 0);
            previous = Some(link(address, params, limit, before));
        }
    }
    ListPage { count, next, previous, results }
}

fn link(address: &Address, params: &Params, limit: u64, offset: Option<u64>) -> String {
    let mut pairs = vec![("limit".to_owned(), limit.to_string())];
    pairs.extend(offset.map(|offset| ("offset".to_owned(), offset.to_string())));
    pairs.extend(params.0.iter().filter(|(key, _)| key != "limit" && key != "offset").cloned());
    let query: Vec<String> = pairs.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect();
    format!("{}{}?{}", address.origin, address.path, query.join("&"))
}

/// Percent-encodes one query component.
fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte as char),
            b' ' => out.push('+'),
            other => out += &format!("%{other:02X}"),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pairs: &[(&str, &str)]) -> Params {
        Params(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn links_keep_the_other_parameters() {
        let address = Address { origin: "http://h:1".into(), path: "/p".into() };
        let given = params(&[("query", "name:a%, kind:job"), ("limit", "2"), ("offset", "2")]);
        let page = page::<()>(&address, &given, given.paging(PageLimits::LONG), Some(5), vec![]);
        assert_eq!(page.next.unwrap(), "http://h:1/p?limit=2&offset=4&query=name%3Aa%25%2C+kind%3Ajob");
        assert_eq!(page.previous.unwrap(), "http://h:1/p?limit=2&query=name%3Aa%25%2C+kind%3Ajob");
    }

    #[test]
    fn lists_drop_blanks_and_repetitions() {
        assert_eq!(params(&[("names", "a, b,,a")]).list("names"), Some(vec!["a".into(), "b".into()]));
        assert_eq!(params(&[]).list("names"), None);
    }
}
