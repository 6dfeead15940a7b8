//! Lineage records: artifacts of runs, edges between runs, clones.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::JsonMap;
use crate::ids::{OWNER_NAMESPACE, RunId, StateId};
use crate::kinds::{ArtifactKind, CloningKind, EdgeKind, RunKind, Runtime};
use crate::status::Status;

/// An artifact as it is linked to a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ArtifactRow {
    pub name: String,
    pub kind: ArtifactKind,
    pub is_input: Option<bool>,
    pub path: Option<String>,
    #[schema(value_type = Object)]
    pub summary: JsonMap,
    pub state: StateId,
    pub run: RunId,
    /// `{"run": {"name", "uuid"}}`.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub meta_info: JsonMap,
}

impl ArtifactRow {
    /// The `meta_info` of a row of this run.
    pub fn run_meta(name: Option<&str>, run: RunId) -> JsonMap {
        JsonMap::from_iter([("run".to_owned(), json!({ "name": name, "uuid": run }))])
    }
}

/// What artifacts of a name are: a row of the short list of a project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NamedKind {
    pub name: String,
    pub kind: ArtifactKind,
    pub is_input: Option<bool>,
}

/// An artifact as clients post it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "name": "model", "kind": "model", "path": "outputs/model", "summary": {}, "is_input": false })))]
#[serde(deny_unknown_fields)]
pub struct NewArtifact {
    pub name: String,
    pub kind: ArtifactKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub summary: Option<JsonMap>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_input: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Accepted because client objects carry them; the path of the request decides.
    #[serde(default, skip_serializing)]
    #[schema(value_type = Option<Value>)]
    pub run: Option<Json>,
    #[serde(default, skip_serializing)]
    pub connection: Option<String>,
    #[serde(default, skip_serializing)]
    #[schema(value_type = Option<Value>)]
    pub meta_info: Option<Json>,
}

impl NewArtifact {
    /// The state: as given, else derived so that equal inputs are one artifact, else the run itself.
    pub fn state_in(&self, run: RunId) -> StateId {
        let derived = |text: &str| StateId::new(Uuid::new_v5(&OWNER_NAMESPACE, text.as_bytes()));
        if let Some(state) = self.state.as_deref().filter(|state| !state.is_empty()) {
            return state.parse().unwrap_or_else(|_| derived(state));
        }
        if self.is_input != Some(true) {
            return StateId::new(run.uuid());
        }
        let summary = self.summary.clone().unwrap_or_default();
        let has_hash = summary.get("hash").is_some_and(|hash| !hash.is_null());
        let path = self.path.as_deref().filter(|_| !has_hash).unwrap_or_default();
        derived(&format!("{}{path}", Json::Object(summary)))
    }
}

/// The end of an edge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EdgeEnd {
    pub uuid: RunId,
    pub name: Option<String>,
    pub kind: RunKind,
    pub runtime: Option<Runtime>,
}

/// A row of the upstream or downstream list; only the asked end is present.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EdgeRow {
    #[schema(value_type = Option<Value>)]
    pub values: Option<Json>,
    pub kind: EdgeKind,
    pub statuses: Option<Vec<Status>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<EdgeEnd>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downstream: Option<EdgeEnd>,
}

/// A row of the clones list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CloneRow {
    pub uuid: RunId,
    pub name: Option<String>,
    pub kind: RunKind,
    pub status: Status,
    pub runtime: Option<Runtime>,
    pub cloning_kind: Option<CloningKind>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(text: &str) -> String {
        let artifact: NewArtifact = serde_json::from_str(text).unwrap();
        artifact.state_in("00000000000000000000000000000007".parse().unwrap()).to_string()
    }

    #[test]
    fn states_follow_content_for_inputs_and_the_run_for_outputs() {
        let run = "00000000000000000000000000000007";
        assert_eq!(state(r#"{"name":"m","kind":"model"}"#), run);
        assert_eq!(
            state(r#"{"name":"m","kind":"model","state":"00000000-0000-0000-0000-0000000000aa"}"#),
            "000000000000000000000000000000aa"
        );
        let by_path = state(r#"{"name":"d","kind":"data","is_input":true,"path":"a","summary":{}}"#);
        assert_ne!(by_path, state(r#"{"name":"d","kind":"data","is_input":true,"path":"b","summary":{}}"#));
        assert_eq!(
            state(r#"{"name":"d","kind":"data","is_input":true,"path":"a","summary":{"hash":"x"}}"#),
            state(r#"{"name":"d","kind":"data","is_input":true,"path":"b","summary":{"hash":"x"}}"#)
        );
        assert_eq!(
            state(r#"{"name":"m","kind":"model","state":"v1"}"#),
            state(r#"{"name":"n","kind":"file","state":"v1"}"#)
        );
    }
}
