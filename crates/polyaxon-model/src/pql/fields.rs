//! The tables of fields that lists can be filtered and sorted by.
//!
//! Invariant: this is the only list of queryable fields; the store has a column for each of them.

use super::PqlError;
use crate::listing::{SortKey, read_sort};

/// A field that can be asked for.
#[derive(Debug, PartialEq)]
pub struct Field {
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    pub parser: Parser,
    pub keys: Keys,
}

/// Which operations a field accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parser {
    /// Equal, one of, and patterns with `%`.
    Search,
    /// The same for uuids, whole or in parts.
    Uuid,
    /// A whole uuid of a related run.
    RunUuid,
    /// Equal and one of.
    Value,
    /// Equal, one of, and comparisons.
    ComparedValue,
    /// A number, compared.
    Number,
    /// Cores with units, compared.
    Cpu,
    /// Bytes with units, compared.
    Memory,
    /// A number, equal only.
    EqualNumber,
    Datetime,
    Bool,
    /// Contains, overlaps.
    Array,
    /// Exactly one value.
    One,
}

/// Whether a field has parts that are named after a dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    None,
    /// `metrics.loss`.
    Named,
    /// `project.name` is `project`.
    Decoration(&'static str),
}

/// A field that lists can be sorted by.
#[derive(Debug, PartialEq, Eq)]
pub struct SortField {
    pub name: &'static str,
    pub has_keys: bool,
}

/// What can be asked of one kind of record.
#[derive(Debug, PartialEq)]
pub struct Table {
    pub record: &'static str,
    pub fields: &'static [Field],
    pub sorts: &'static [SortField],
}

impl Field {
    pub fn has_keys(&self) -> bool {
        self.keys == Keys::Named
    }
}

impl Table {
    pub(super) fn find(&self, name: &str, key: Option<&str>) -> Result<&'static Field, PqlError> {
        let found = self.fields.iter().find(|field| field.name == name || field.aliases.contains(&name));
        let Some(field) = found else {
            let names: Vec<&str> = self.fields.iter().map(|field| field.name).collect();
            return Err(PqlError(format!(
                "unknown field `{name}` of {}, expected one of: {}",
                self.record,
                names.join(", ")
            )));
        };
        match (field.keys, key) {
            (Keys::None, Some(key)) => Err(PqlError(format!("field `{name}` has no part `{key}`"))),
            (Keys::Decoration(only), Some(key)) if key != only => {
                Err(PqlError(format!("field `{name}` has no part `{key}`, only `{only}`")))
            }
            _ => Ok(field),
        }
    }

    /// Reads sort keys: a field of the table and, for fields with parts, the part. Unknown ones are left out.
    pub fn read_sort(&self, text: &str) -> Vec<(&'static str, Option<String>, SortKey)> {
        let known = |key: SortKey| {
            let (name, part) = match key.field.split_once('.') {
                Some((name, part)) if is_part(part) => (name, Some(part.to_owned())),
                Some(_) => return None,
                None => (key.field.as_str(), None),
            };
            let sort = self.sorts.iter().find(|sort| sort.name == name && sort.has_keys == part.is_some())?;
            Some((sort.name, part, key))
        };
        read_sort(text).into_iter().filter_map(known).collect()
    }
}

/// Parts of sort keys go to the database as values, but only names make sense.
fn is_part(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

const fn field(name: &'static str, parser: Parser) -> Field {
    Field { name, aliases: &[], parser, keys: Keys::None }
}

const fn keyed(name: &'static str, aliases: &'static [&'static str], parser: Parser) -> Field {
    Field { name, aliases, parser, keys: Keys::Named }
}

const fn sort(name: &'static str) -> SortField {
    SortField { name, has_keys: false }
}

const fn sort_part(name: &'static str) -> SortField {
    SortField { name, has_keys: true }
}

const UUID: Field = Field { name: "uuid", aliases: &["id", "uid"], parser: Parser::Uuid, keys: Keys::None };

pub static RUNS: Table = Table {
    record: "runs",
    fields: &[
        UUID,
        field("name", Parser::Search),
        field("description", Parser::Search),
        field("created_at", Parser::Datetime),
        field("updated_at", Parser::Datetime),
        field("started_at", Parser::Datetime),
        field("finished_at", Parser::Datetime),
        field("schedule_at", Parser::Datetime),
        field("status", Parser::Value),
        field("kind", Parser::Value),
        field("runtime", Parser::Value),
        field("cloning_kind", Parser::Value),
        field("managed_by", Parser::Value),
        field("pending", Parser::Value),
        field("live_state", Parser::Value),
        field("state", Parser::Value),
        field("component_state", Parser::Value),
        field("namespace", Parser::Value),
        field("user", Parser::Value),
        field("contributors", Parser::Value),
        Field { name: "project", aliases: &[], parser: Parser::Value, keys: Keys::Decoration("name") },
        field("original", Parser::RunUuid),
        field("pipeline", Parser::RunUuid),
        field("controller", Parser::RunUuid),
        field("upstream", Parser::RunUuid),
        field("downstream", Parser::RunUuid),
        keyed("inputs", &["params", "in"], Parser::ComparedValue),
        keyed("outputs", &["out"], Parser::ComparedValue),
        keyed("metrics", &[], Parser::Number),
        keyed("meta_info", &[], Parser::Value),
        keyed("meta_flags", &[], Parser::Bool),
        keyed("meta_values", &[], Parser::EqualNumber),
        field("tags", Parser::Array),
        field("duration", Parser::Number),
        field("wait_time", Parser::Number),
        field("cost", Parser::Number),
        field("gpu", Parser::Number),
        field("custom", Parser::Number),
        field("cpu", Parser::Cpu),
        field("memory", Parser::Memory),
        field("is_managed", Parser::Bool),
        field("in_artifact_kind", Parser::One),
        field("out_artifact_kind", Parser::One),
        field("commit", Parser::One),
        field("artifacts", Parser::Value),
    ],
    sorts: &[
        sort("created_at"),
        sort("updated_at"),
        sort("started_at"),
        sort("finished_at"),
        sort("schedule_at"),
        sort("name"),
        sort("kind"),
        sort("namespace"),
        sort("runtime"),
        sort("uuid"),
        sort("duration"),
        sort("wait_time"),
        sort("status"),
        sort("cost"),
        sort("cpu"),
        sort("memory"),
        sort("gpu"),
        sort("custom"),
        sort("state"),
        sort("component_state"),
        sort_part("metrics"),
        sort_part("params"),
        sort_part("inputs"),
        sort_part("in"),
        sort_part("outputs"),
        sort_part("out"),
        sort_part("meta_info"),
        sort_part("meta_flags"),
        sort_part("meta_values"),
    ],
};

pub static PROJECTS: Table = Table {
    record: "projects",
    fields: &[
        UUID,
        field("name", Parser::Search),
        field("description", Parser::Search),
        field("created_at", Parser::Datetime),
        field("updated_at", Parser::Datetime),
        field("tags", Parser::Array),
        field("live_state", Parser::Value),
    ],
    sorts: &[sort("created_at"), sort("updated_at"), sort("name")],
};

pub static ARTIFACTS: Table = Table {
    record: "artifacts",
    fields: &[
        Field { name: "name", aliases: &["id"], parser: Parser::Search, keys: Keys::None },
        field("kind", Parser::Value),
        field("path", Parser::Value),
        field("state", Parser::RunUuid),
        field("run", Parser::RunUuid),
        field("is_input", Parser::Bool),
    ],
    sorts: &[sort("name"), sort("kind"), sort("path"), sort("is_input")],
};

pub static VERSIONS: Table = Table {
    record: "versions",
    fields: &[
        UUID,
        field("name", Parser::Search),
        field("description", Parser::Search),
        field("created_at", Parser::Datetime),
        field("updated_at", Parser::Datetime),
        field("tags", Parser::Array),
        field("kind", Parser::Value),
        field("state", Parser::RunUuid),
        field("stage", Parser::Value),
        field("run", Parser::RunUuid),
        Field { name: "project", aliases: &[], parser: Parser::Value, keys: Keys::Decoration("name") },
        field("teams", Parser::Value),
        field("contributors", Parser::Value),
    ],
    sorts: &[
        sort("created_at"),
        sort("updated_at"),
        sort("name"),
        sort("uuid"),
        sort("state"),
        sort("stage"),
        sort("kind"),
    ],
};

pub static EDGES: Table = Table {
    record: "edges",
    fields: &[
        field("upstream", Parser::RunUuid),
        field("downstream", Parser::RunUuid),
        field("kind", Parser::Value),
        field("statuses", Parser::Array),
        keyed("values", &[], Parser::Value),
    ],
    sorts: &[sort("kind"), sort("upstream"), sort("downstream"), sort_part("values")],
};
