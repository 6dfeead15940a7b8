//! What a download is asked for: the headers about ranges and about what the client has already (RFC 9110).

use axum::http::HeaderMap;
use axum::http::header::{self, HeaderName};

/// Which state of a file is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    /// With its quotes.
    pub tag: String,
    /// When it changed last, since 1970.
    pub seconds: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Whole,
    /// Both ends included.
    Part {
        first: u64,
        last: u64,
    },
    /// A range beyond the end: 416.
    Nothing,
}

/// Whether the client holds this very version: `If-None-Match`, or else `If-Modified-Since`.
pub(crate) fn is_known(request: &HeaderMap, version: &Version) -> bool {
    if let Some(tags) = text(request, header::IF_NONE_MATCH) {
        let tags = tags.split(',').map(str::trim);
        return tags.map(|tag| tag.strip_prefix("W/").unwrap_or(tag)).any(|tag| tag == "*" || tag == version.tag);
    }
    text(request, header::IF_MODIFIED_SINCE).and_then(seconds).is_some_and(|since| version.seconds <= since)
}

/// The part that `Range` names. Several ranges at once are answered with the whole, as the standard allows.
pub(crate) fn wanted(request: &HeaderMap, version: &Version, total: u64) -> Wanted {
    let Some(range) = text(request, header::RANGE) else { return Wanted::Whole };
    if let Some(condition) = text(request, header::IF_RANGE) {
        let holds = if condition.starts_with('"') {
            condition == version.tag
        } else {
            seconds(condition) == Some(version.seconds)
        };
        if !holds {
            return Wanted::Whole;
        }
    }
    parse(range, total).unwrap_or(Wanted::Whole)
}

/// `None` for what is no single range of bytes, which is to be ignored.
fn parse(range: &str, total: u64) -> Option<Wanted> {
    let (unit, spec) = range.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = spec.trim().split_once('-')?;
    let number =
        |text: &str| if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse::<u64>().ok() } else { None };
    match (first.trim(), last.trim()) {
        ("", last) => {
            let length = number(last)?.min(total);
            Some(if length == 0 { Wanted::Nothing } else { Wanted::Part { first: total - length, last: total - 1 } })
        }
        (first, last) => {
            let first = number(first)?;
            let last = if last.is_empty() { u64::MAX } else { number(last)? };
            if first > last {
                return None;
            }
            Some(if first >= total { Wanted::Nothing } else { Wanted::Part { first, last: last.min(total - 1) } })
        }
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

fn seconds(date: &str) -> Option<u64> {
    let time = jiff::fmt::rfc2822::parse(date).ok()?;
    u64::try_from(time.timestamp().as_second()).ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    fn version() -> Version {
        Version { tag: "\"a-1\"".into(), seconds: 1_795_339_694 }
    }

    #[test]
    fn ranges_of_ten_bytes() {
        let part = |first, last| Wanted::Part { first, last };
        for (range, expected) in [
            ("bytes=0-3", part(0, 3)),
            ("bytes=4-", part(4, 9)),
            ("bytes=4-99", part(4, 9)),
            ("bytes=-3", part(7, 9)),
            ("bytes=-99", part(0, 9)),
            ("Bytes = 9-9", part(9, 9)),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=5-4", Wanted::Whole),
            ("bytes=0-1,4-5", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("lines=0-3", Wanted::Whole),
            ("bytes=99999999999999999999-", Wanted::Whole),
        ] {
            assert_eq!(wanted(&headers(&[(header::RANGE, range)]), &version(), 10), expected, "{range}");
        }
        assert_eq!(wanted(&headers(&[(header::RANGE, "bytes=0-")]), &version(), 0), Wanted::Nothing);
    }

    #[test]
    fn a_range_of_another_version_is_answered_with_the_whole() {
        for (condition, holds) in [
            ("\"a-1\"", true),
            ("\"b-1\"", false),
            ("W/\"a-1\"", false),
            ("Sun, 22 Nov 2026 09:28:14 GMT", true),
            ("Sun, 22 Nov 2026 09:28:13 GMT", false),
        ] {
            let given = headers(&[(header::RANGE, "bytes=0-3"), (header::IF_RANGE, condition)]);
            assert_eq!(wanted(&given, &version(), 10) != Wanted::Whole, holds, "{condition}");
        }
    }

    #[test]
    fn what_the_client_has_is_not_sent_again() {
        let since = "Sun, 22 Nov 2026 09:28:14 GMT";
        for (pairs, known) in [
            (vec![(header::IF_NONE_MATCH, "\"x\", W/\"a-1\"")], true),
            (vec![(header::IF_NONE_MATCH, "*")], true),
            (vec![(header::IF_NONE_MATCH, "\"x\""), (header::IF_MODIFIED_SINCE, since)], false),
            (vec![(header::IF_MODIFIED_SINCE, since)], true),
            (vec![(header::IF_MODIFIED_SINCE, "Sun, 22 Nov 2026 09:28:13 GMT")], false),
            (vec![(header::IF_MODIFIED_SINCE, "yesterday")], false),
        ] {
            assert_eq!(is_known(&headers(&pairs), &version()), known, "{pairs:?}");
        }
    }
}
