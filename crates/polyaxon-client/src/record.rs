//! What a server sends, as it sent it: typed accessors over the JSON object, so that `-o json` shows every field.

use polyaxon_model::kinds::RunKind;
use polyaxon_model::status::Status;
use serde_json::Value;

/// A run: detail, list row, answer of a create or clone call.
#[derive(Clone, Debug, PartialEq)]
pub struct Run(pub Value);

#[derive(Clone, Debug, PartialEq)]
pub struct Project(pub Value);

/// A version of a component, a model or an artifact.
#[derive(Clone, Debug, PartialEq)]
pub struct Version(pub Value);

/// One page of a list; `json` is the whole answer.
#[derive(Clone, Debug)]
pub struct Page<T> {
    pub json: Value,
    pub rows: Vec<T>,
}

impl Run {
    pub fn uuid(&self) -> &str {
        text(&self.0, "uuid")
    }

    pub fn name(&self) -> &str {
        text(&self.0, "name")
    }

    /// `None` when the answer has no status, or one that we do not know.
    pub fn status(&self) -> Option<Status> {
        text(&self.0, "status").parse().ok()
    }

    /// The status as people call it: `pruned` for a run that a policy of its pipeline stopped.
    pub fn status_word(&self) -> &str {
        let is_pruned = self.0.pointer("/meta_info/pruned").is_some();
        if is_pruned && self.status() == Some(Status::Stopped) { "pruned" } else { text(&self.0, "status") }
    }

    /// Whether other runs are below it.
    pub fn is_pipeline(&self) -> bool {
        text(&self.0, "kind").parse().is_ok_and(RunKind::is_pipeline)
    }

    pub fn namespace(&self) -> &str {
        match self.0.pointer("/settings/namespace").and_then(Value::as_str) {
            Some(name) if !name.is_empty() => name,
            _ => "polyaxon",
        }
    }
}

impl Project {
    pub fn name(&self) -> &str {
        text(&self.0, "name")
    }
}

impl Version {
    pub fn name(&self) -> &str {
        text(&self.0, "name")
    }
}

impl<T> Page<T> {
    pub(crate) fn new(json: Value, row: fn(Value) -> T) -> Page<T> {
        let rows = json.get("results").and_then(Value::as_array).cloned().unwrap_or_default();
        Page { rows: rows.into_iter().map(row).collect(), json }
    }
}

fn text<'a>(json: &'a Value, key: &str) -> &'a str {
    json.get(key).and_then(Value::as_str).unwrap_or_default()
}
