//! Lists: the page envelope, paging, sort keys.
//!
//! Must not know which fields can be sorted by: that is a table of each list.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The envelope of every list. `count` is null when counting was declined (`no_page`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ListPage<T> {
    pub count: Option<u64>,
    #[serde(default)]
    pub next: Option<String>,
    #[serde(default)]
    pub previous: Option<String>,
    pub results: Vec<T>,
}

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging {
    pub limit: u32,
    pub offset: u64,
    /// Whether the whole list is counted.
    pub counting: Counting,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Counting {
    #[default]
    Count,
    /// `no_page`: the envelope's numbers are null.
    Skip,
}

/// The default and greatest page size of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLimits {
    pub default: u32,
    pub maximum: Option<u32>,
}

impl PageLimits {
    /// Projects, versions, edges, clones.
    pub const SHORT: PageLimits = PageLimits { default: 20, maximum: Some(100) };
    /// Runs, names, artifact lineage.
    pub const LONG: PageLimits = PageLimits { default: 100, maximum: None };
}

impl Paging {
    /// Everything, uncounted.
    pub const ALL: Paging = Paging { limit: u32::MAX, offset: 0, counting: Counting::Skip };

    pub const fn first(limit: u32) -> Paging {
        Paging { limit, offset: 0, counting: Counting::Count }
    }

    /// Reads query parameters: garbage and non-positive numbers mean the default, too large limits the maximum.
    pub fn read(limit: Option<&str>, offset: Option<&str>, no_page: Option<&str>, limits: PageLimits) -> Paging {
        let limit = limit
            .and_then(|text| text.trim().parse::<i64>().ok())
            .filter(|limit| *limit > 0)
            .map_or(limits.default, |limit| u32::try_from(limit).unwrap_or(u32::MAX));
        let offset = offset.and_then(|text| text.trim().parse::<u64>().ok()).unwrap_or(0);
        let counting = if no_page.and_then(read_bool) == Some(true) { Counting::Skip } else { Counting::Count };
        Paging { limit: limit.min(limits.maximum.unwrap_or(u32::MAX)), offset, counting }
    }
}

/// One key of a sort order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    pub field: String,
    pub direction: Direction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Ascending,
    Descending,
}

/// Reads `name,-created_at`. Empty parts are ignored; unknown names are the business of the list.
pub fn read_sort(text: &str) -> Vec<SortKey> {
    text.split(',')
        .map(str::trim)
        .map(|part| match part.strip_prefix('-') {
            Some(field) => (field, Direction::Descending),
            None => (part, Direction::Ascending),
        })
        .filter(|(field, _)| !field.is_empty())
        .map(|(field, direction)| SortKey { field: field.to_owned(), direction })
        .collect()
}

/// Reads a boolean of a query string, in all spellings that clients send.
pub fn read_bool(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
        "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paging_forgives_garbage() {
        let read = |limit, offset, limits| {
            let paging = Paging::read(limit, offset, None, limits);
            (paging.limit, paging.offset)
        };
        assert_eq!(read(None, None, PageLimits::SHORT), (20, 0));
        assert_eq!(read(Some("x"), Some("-1"), PageLimits::LONG), (100, 0));
        assert_eq!(read(Some("0"), Some("7"), PageLimits::LONG), (100, 7));
        assert_eq!(read(Some("5000"), None, PageLimits::SHORT), (100, 0));
        assert_eq!(read(Some("5000"), None, PageLimits::LONG), (5000, 0));
        assert_eq!(Paging::read(None, None, Some("True"), PageLimits::LONG).counting, Counting::Skip);
    }

    #[test]
    fn sort_keys_have_directions_and_empty_parts_are_ignored() {
        let keys: Vec<(String, Direction)> =
            read_sort("status, -name,,-").into_iter().map(|key| (key.field, key.direction)).collect();
        assert_eq!(keys, [("status".to_owned(), Direction::Ascending), ("name".to_owned(), Direction::Descending)]);
    }
}
