//! Scalars of request bodies as the official server reads them: numbers are texts too, and words are booleans.
//!
//! Invariant: what clients get back is always of the documented type. Must not know any record.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

use crate::change::Change;
use crate::listing::read_bool;

/// Reads a text, or a number as the text that prints it.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Json::deserialize(deserializer)? {
        Json::Null => Ok(None),
        Json::String(text) => Ok(Some(text)),
        Json::Number(number) => Ok(Some(number.to_string())),
        other => Err(D::Error::custom(format!("`{other}` is not a text, expected a string"))),
    }
}

/// As [`text`], for a field of a patch.
pub fn changed_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Change<String>, D::Error> {
    text(deserializer).map(Change::from)
}

/// Reads a boolean, one of the words that mean one, or 0 and 1.
pub fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    match Json::deserialize(deserializer)? {
        Json::Null => Ok(None),
        Json::Bool(flag) => Ok(Some(flag)),
        Json::String(text) if read_bool(&text).is_some() => Ok(read_bool(&text)),
        Json::Number(number) if matches!(number.as_u64(), Some(0 | 1)) => Ok(Some(number.as_u64() == Some(1))),
        other => Err(D::Error::custom(format!("`{other}` is not a boolean, expected true or false"))),
    }
}

/// Reads tags: a single text is a list of one, an empty one of none; numbers are texts, repetitions are dropped.
pub fn tags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let refuse = || D::Error::custom("tags must be a list of strings");
    let tags = match Json::deserialize(deserializer)? {
        Json::Null => return Ok(None),
        Json::String(tag) if tag.is_empty() => Vec::new(),
        Json::String(tag) => vec![tag],
        Json::Array(items) => items.into_iter().map(|item| tag(item).ok_or_else(refuse)).collect::<Result<_, _>>()?,
        _ => return Err(refuse()),
    };
    Ok(Some(unique(tags)))
}

fn tag(item: Json) -> Option<String> {
    match item {
        Json::String(tag) => Some(tag),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// As [`tags`], for a field of a patch.
pub fn changed_tags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Change<Vec<String>>, D::Error> {
    tags(deserializer).map(Change::from)
}

/// `tags` without repetitions, first occurrences kept in order.
pub fn unique(tags: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::with_capacity(tags.len());
    for tag in tags {
        if !kept.contains(&tag) {
            kept.push(tag);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Body {
        #[serde(deserialize_with = "text")]
        name: Option<String>,
        #[serde(deserialize_with = "flag")]
        merge: Option<bool>,
        #[serde(deserialize_with = "tags")]
        tags: Option<Vec<String>>,
    }

    #[track_caller]
    fn check(json: &str, name: Option<&str>, merge: Option<bool>, tags: Option<&[&str]>) {
        let tags = tags.map(|tags| tags.iter().map(|&tag| tag.to_owned()).collect());
        let expected = Body { name: name.map(str::to_owned), merge, tags };
        assert_eq!(serde_json::from_str::<Body>(json).unwrap(), expected, "{json}");
    }

    #[test]
    fn numbers_and_words_are_read() {
        check(r#"{"name": 5, "merge": "true", "tags": ["a", 1, "a"]}"#, Some("5"), Some(true), Some(&["a", "1"]));
        check(r#"{"name": "x", "merge": 0, "tags": "b"}"#, Some("x"), Some(false), Some(&["b"]));
        check(r#"{"name": null, "merge": null, "tags": ""}"#, None, None, Some(&[]));
        check("{}", None, None, None);
    }

    #[test]
    fn other_types_are_refused() {
        for json in [r#"{"name": []}"#, r#"{"name": true}"#, r#"{"merge": "x"}"#, r#"{"merge": 2}"#, r#"{"tags": {}}"#]
        {
            assert!(serde_json::from_str::<Body>(json).is_err(), "{json}");
        }
    }
}
