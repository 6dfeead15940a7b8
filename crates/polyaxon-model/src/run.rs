//! The run record: everything a client may see of a run.
//!
//! Serialising a [`Run`] writes the official detail document; the other projections are in [`crate::run_view`].
//! Deserialising accepts all of them: what a projection lacks has its default.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::ToSchema;

use crate::JsonMap;
use crate::ids::RunId;
use crate::kinds::{CloningKind, LiveState, ManagedBy, Pending, RunKind, Runtime};
use crate::status::Status;
use crate::time::Timestamp;

/// The only owner of this edition.
pub const DEFAULT_OWNER: &str = "default";

/// The namespace of runs that named none.
pub const DEFAULT_NAMESPACE: &str = "polyaxon";

#[derive(Clone, Debug, PartialEq, Deserialize, ToSchema)]
pub struct Run {
    pub uuid: RunId,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub created_at: Timestamp,
    #[serde(default)]
    pub updated_at: Timestamp,
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
    #[serde(default)]
    pub schedule_at: Option<Timestamp>,
    /// Seconds from creation to start.
    #[serde(default)]
    pub wait_time: Option<f64>,
    /// Seconds of work, summed over resumes.
    #[serde(default)]
    pub duration: Option<f64>,
    pub kind: RunKind,
    #[serde(default)]
    pub runtime: Option<Runtime>,
    #[serde(default)]
    #[schema(value_type = Object)]
    pub meta_info: JsonMap,
    pub status: Status,
    #[serde(default)]
    pub pipeline: Option<RunReference>,
    #[serde(default)]
    pub original: Option<OriginalReference>,
    pub managed_by: ManagedBy,
    #[serde(default)]
    pub pending: Option<Pending>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub inputs: Option<JsonMap>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub outputs: Option<JsonMap>,
    #[serde(default)]
    pub tags: Option<Vec<String>>,
    #[serde(default)]
    pub settings: RunSettings,
    #[serde(default)]
    pub project: String,
    #[serde(default)]
    pub readme: Option<String>,
    #[serde(default)]
    pub description: Option<String>,
    /// The authored operation as JSON text, never resolved.
    #[serde(default)]
    pub raw_content: Option<String>,
    /// The compiled operation as JSON text.
    #[serde(default)]
    pub content: Option<String>,
    #[serde(default)]
    pub live_state: LiveState,
    #[serde(default)]
    pub bookmarked: bool,
    #[serde(default)]
    pub resources: Resources,
    /// Only in graph mode.
    #[serde(default)]
    pub graph: Option<Graph>,
}

/// A pointer to another run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunReference {
    pub uuid: RunId,
    pub name: Option<String>,
    pub kind: RunKind,
}

/// The run that a clone was made of; `kind` says how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OriginalReference {
    pub uuid: RunId,
    pub name: Option<String>,
    pub kind: CloningKind,
}

/// Another run with its status: the build or tensorboard of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RelatedRun {
    pub name: Option<String>,
    pub status: Status,
    pub uuid: RunId,
}

/// Where a run belongs besides its project.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunSettings {
    #[serde(default)]
    pub namespace: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Value>)]
    pub agent: Option<Json>,
    #[serde(default)]
    #[schema(value_type = Option<Value>)]
    pub queue: Option<Json>,
    #[serde(default)]
    #[schema(value_type = Option<Value>)]
    pub artifacts_store: Option<Json>,
    #[serde(default)]
    pub tensorboard: Option<RelatedRun>,
    #[serde(default)]
    pub build: Option<RelatedRun>,
    #[serde(default)]
    #[schema(value_type = Option<Value>)]
    pub component: Option<Json>,
    #[serde(default)]
    #[schema(value_type = Vec<Value>)]
    pub models: Vec<Json>,
    #[serde(default)]
    #[schema(value_type = Vec<Value>)]
    pub artifacts: Vec<Json>,
}

/// Requested resources: bytes and cores. The official client refuses further fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Resources {
    pub memory: f64,
    pub cpu: f64,
    pub gpu: f64,
    pub custom: f64,
    pub cost: f64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Graph {
    pub downstream: Vec<RunId>,
}

impl Run {
    pub fn is_managed(&self) -> bool {
        self.managed_by.is_managed()
    }
}
