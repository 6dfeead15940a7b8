//! Bodies that create or change runs: creation (with our `submission` extra), clones, patches.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::ToSchema;

use crate::JsonMap;
use crate::change::Change;
use crate::kinds::{LiveState, ManagedBy, Pending, RunKind, Runtime};
use crate::loose;
use crate::status::Status;

/// Body of `POST …/runs`. Null fields are the same as absent ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "name": "train", "tags": ["demo"], "content": "{version: 1.1, kind: operation, component: {run: {kind: job, container: {command: [echo, hi]}}}}" })))]
pub struct NewRun {
    /// JSON or YAML text of an operation or a component.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    #[serde(default, deserialize_with = "loose::flag", skip_serializing_if = "Option::is_none")]
    pub is_managed: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<ManagedBy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
    #[serde(default, deserialize_with = "loose::flag", skip_serializing_if = "Option::is_none")]
    pub is_approved: Option<bool>,
    #[serde(default, deserialize_with = "loose::text", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "loose::text", skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, deserialize_with = "loose::tags", skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub meta_info: Option<JsonMap>,
    /// Our own addition: the world in which `polyaxon run` was typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submission: Option<Submission>,
}

impl NewRun {
    /// Who manages the run: `managed_by` wins over `is_managed`, which is true by default.
    pub fn manager(&self) -> ManagedBy {
        self.managed_by.unwrap_or(match self.is_managed {
            Some(false) => ManagedBy::User,
            _ => ManagedBy::Agent,
        })
    }

    /// The first gate: the deprecated `is_approved: false` means that files are still to be uploaded. Nothing waits
    /// for a gate of a run that nobody here manages.
    pub fn gate(&self) -> Option<Pending> {
        if !self.manager().is_managed() {
            return None;
        }
        self.pending.or(match self.is_approved {
            Some(false) => Some(Pending::Upload),
            _ => None,
        })
    }
}

/// The submitter's world: where the job runs, with which environment, from which code.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Submission {
    /// The folder in which `run` was typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// An allow-list of the submitter's environment, in order.
    #[serde(default, skip_serializing_if = "JsonMap::is_empty")]
    #[schema(value_type = Object)]
    pub env: JsonMap,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<CodeReference>,
}

/// The state of the git repository around the submitter's folder.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CodeReference {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(default)]
    pub is_dirty: bool,
    /// The uncommitted changes as a unified diff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

/// Body of restart, copy and resume.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "name": "again", "content": "{params: {epochs: {value: 3}}}" })))]
pub struct CloneRequest {
    /// A patch operation as JSON text or object; a complete polyaxonfile when `meta_info.recompile` is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub content: Option<Json>,
    #[serde(default, deserialize_with = "loose::text", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "loose::text", skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, deserialize_with = "loose::tags", skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub meta_info: Option<JsonMap>,
    /// Of a dag that is started again: run these operations and all that come after them, and keep the results of the
    /// others. Operations of a dag in a dag are named `OUTER.INNER`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// The same, but nothing after them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
}

/// Body of `PATCH …/runs/{uuid}`. A missing field is not touched; a null one is cleared where that is possible.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "outputs": { "loss": 0.1 }, "tags": ["best"], "merge": true })))]
pub struct RunPatch {
    #[serde(default, deserialize_with = "loose::changed_text", skip_serializing_if = "Change::is_keep")]
    #[schema(value_type = Option<String>)]
    pub name: Change<String>,
    #[serde(default, deserialize_with = "loose::changed_text", skip_serializing_if = "Change::is_keep")]
    #[schema(value_type = Option<String>)]
    pub description: Change<String>,
    #[serde(default, deserialize_with = "loose::changed_text", skip_serializing_if = "Change::is_keep")]
    #[schema(value_type = Option<String>)]
    pub readme: Change<String>,
    #[serde(default, deserialize_with = "loose::changed_tags", skip_serializing_if = "Change::is_keep")]
    #[schema(value_type = Option<Vec<String>>)]
    pub tags: Change<Vec<String>>,
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    #[schema(value_type = Option<Object>)]
    pub inputs: Change<JsonMap>,
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    #[schema(value_type = Option<Object>)]
    pub outputs: Change<JsonMap>,
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    #[schema(value_type = Option<Object>)]
    pub meta_info: Change<JsonMap>,
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    #[schema(value_type = Option<f64>)]
    pub wait_time: Change<f64>,
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    #[schema(value_type = Option<f64>)]
    pub duration: Change<f64>,
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    #[schema(value_type = Option<Pending>)]
    pub pending: Change<Pending>,
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    #[schema(value_type = Option<Runtime>)]
    pub runtime: Change<Runtime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<RunKind>,
    /// Writes the column without a condition; clients use `/statuses`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<ManagedBy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live_state: Option<LiveState>,
    /// Merge maps and tags into the stored ones instead of replacing them.
    #[serde(default, deserialize_with = "loose::flag", skip_serializing_if = "Option::is_none")]
    pub merge: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_tell_null_from_missing() {
        let patch: RunPatch = serde_json::from_str(r#"{"name":null,"tags":"x","owner":"ignored"}"#).unwrap();
        assert_eq!((patch.name, patch.description), (Change::Clear, Change::Keep));
        assert_eq!(patch.tags, Change::Set(vec!["x".to_owned()]));
    }

    #[test]
    fn managers_and_gates_follow_the_old_and_the_new_fields() {
        let run = |text: &str| serde_json::from_str::<NewRun>(text).unwrap();
        assert_eq!(run("{}").manager(), ManagedBy::Agent);
        assert_eq!(run(r#"{"is_managed":false}"#).manager(), ManagedBy::User);
        assert_eq!(run(r#"{"is_managed":false,"managed_by":"cli"}"#).manager(), ManagedBy::Cli);
        assert_eq!(run(r#"{"is_managed":"false","pending":"approval"}"#).gate(), None);
        assert_eq!(run(r#"{"is_approved":false}"#).gate(), Some(Pending::Upload));
        assert_eq!(run(r#"{"is_approved":false,"pending":"build"}"#).gate(), Some(Pending::Build));
        assert_eq!(run(r#"{"tags":["a","b","a"]}"#).tags.unwrap(), ["a", "b"]);
    }
}
