//! Texts that name something elsewhere: URLs, bucket paths, images, email addresses.

use std::sync::LazyLock;

use regex::Regex;
use url::Url;

use crate::node::{Node, Value};
use crate::template::is_template;

/// An absolute URL in its normal form.
pub(super) fn uri(text: &str) -> Option<String> {
    Url::parse(text).ok().map(String::from)
}

pub(super) fn gcs(text: &str) -> Option<String> {
    bucket(text, &["gs", "gcs"])
}

pub(super) fn s3(text: &str) -> Option<String> {
    bucket(text, &["s3"])
}

fn bucket(text: &str, schemes: &[&str]) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let has_bucket = url.host_str().is_some_and(|host| !host.is_empty());
    (schemes.contains(&url.scheme()) && has_bucket).then(|| url.into())
}

pub(super) fn wasb(text: &str) -> Option<String> {
    const HOST: &str = ".blob.core.windows.net";
    let url = Url::parse(text).ok()?;
    let host = url.host_str().unwrap_or_default();
    let account = host.find(HOST).map(|at| &host[..at]);
    let is_known = match url.scheme() {
        "wasb" | "wasbs" => {
            !url.username().is_empty() && account.is_some_and(|name| !name.is_empty() && !name.contains('.'))
        }
        "https" => account.is_some_and(|name| !name.is_empty()),
        "az" | "abfs" => true,
        _ => false,
    };
    is_known.then(|| url.into())
}

/// An image reference; `{name: x}` is the old spelling of `x`. Templates are checked when they are rendered.
pub(super) fn image(node: &Node) -> Option<String> {
    let text = match &node.value {
        Value::Str(text) => text,
        Value::Map(map) => map.get("name")?.as_str()?,
        _ => return None,
    };
    if text.is_empty() || (!is_template(text) && !is_image(text)) {
        return None;
    }
    Some(text.to_string())
}

fn is_image(text: &str) -> bool {
    if text.contains(' ') {
        return false;
    }
    // The scheme is stripped as a set of characters, as the reference implementation does.
    let bare =
        text.trim_matches(|letter| "https://".contains(letter)).trim_matches(|letter| "http://".contains(letter));
    let parts: Vec<&str> = bare.split(':').collect();
    match parts.as_slice() {
        [_] | [_, _] => true,
        [_, middle, _] => middle.contains('/') && !middle.starts_with('/'),
        _ => false,
    }
}

static LOCAL_PART: LazyLock<Regex> = LazyLock::new(|| {
    let atom = r"[-!#$%&'*+/=?^`{}|~\w]+";
    let quoted = r#""([\x01-\x08\x0b\x0c\x0e-\x1f!#-\[\]-\x7f]|\\[\x01-\x09\x0b\x0c\x0e-\x7f])*""#;
    Regex::new(&format!(r"\A(?:{atom}(\.{atom})*|{quoted})\z")).expect("a fixed pattern")
});

static DOMAIN: LazyLock<Regex> = LazyLock::new(|| {
    let octet = r"(25[0-5]|2[0-4][0-9]|[0-1]?[0-9]?[0-9])";
    let name = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,6}|[a-z0-9-]{2,})";
    Regex::new(&format!(r"(?i)\A(?:{name}|\[{octet}(\.{octet}){{3}}\])\z")).expect("a fixed pattern")
});

pub(super) fn email(text: &str) -> Option<String> {
    let (local, domain) = text.rsplit_once('@')?;
    if !LOCAL_PART.is_match(local) {
        return None;
    }
    let is_domain = domain == "localhost"
        || DOMAIN.is_match(domain)
        || matches!(url::Host::parse(domain), Ok(url::Host::Domain(name)) if DOMAIN.is_match(&name));
    is_domain.then(|| text.to_string())
}
