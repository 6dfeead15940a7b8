//! Bodies as the document shows them, where the code writes or reads them as plain JSON.

#![expect(dead_code, reason = "these types are read by the derive macros alone")]

use std::collections::BTreeMap;

use polyaxon_model::ids::{RunId, StateId, VersionId};
use polyaxon_model::kinds::VersionKind;
use polyaxon_model::lineage::NewArtifact;
use polyaxon_model::stage::Stage;
use polyaxon_model::time::Timestamp;
use serde_json::Value;
use utoipa::ToSchema;

/// `{}`: there is nothing to tell.
#[derive(ToSchema)]
pub(crate) struct Empty {}

/// The identity of a server.
#[derive(ToSchema)]
pub(crate) struct Installation {
    /// 32 hexadecimal digits, the same as long as the database lives.
    #[schema(example = "7a1f0ad6c1c84a4aa8d5ad6a1b0b8e6f")]
    key: String,
    /// The version of the protocol: that of the official client which this server fits.
    #[schema(example = "2.18.0")]
    version: String,
    #[schema(example = "ce")]
    dist: String,
    #[schema(example = "sandbox")]
    mode: Option<String>,
}

#[derive(ToSchema)]
pub(crate) struct NameRow {
    name: String,
}

#[derive(ToSchema)]
pub(crate) struct Namespace {
    #[schema(example = "polyaxon")]
    namespace: String,
}

/// One artifact, a list of them, or a list inside of an object.
#[derive(ToSchema)]
#[schema(examples(json!({"artifacts": [{"name": "model", "kind": "model", "path": "outputs/model", "summary": {}}]})))]
#[serde(untagged)]
pub(crate) enum NewArtifacts {
    Many { artifacts: Vec<NewArtifact> },
    List(Vec<NewArtifact>),
    One(Box<NewArtifact>),
}

/// The parts of an upload.
#[derive(ToSchema)]
pub(crate) struct FileUpload {
    /// The file or the archive; its name counts.
    #[schema(value_type = String, format = Binary)]
    upload_file: Vec<u8>,
    /// `{"path": folder, "overwrite": true, "untar": true}` as JSON text; the defaults are these, and the root.
    #[schema(example = "{\"path\": \"outputs\"}")]
    json: Option<String>,
}

/// What a folder holds.
#[derive(ToSchema)]
pub(crate) struct FolderListing {
    /// The size of each file in bytes.
    files: BTreeMap<String, u64>,
    dirs: Vec<String>,
    /// Why the folder cannot be listed; left out when it can.
    #[serde(default)]
    error: Option<String>,
}

/// Series of one run.
#[derive(ToSchema)]
pub(crate) struct EventSeries {
    data: Vec<Series>,
}

/// Series of each run.
#[derive(ToSchema)]
pub(crate) struct EventSeriesOfRuns {
    #[schema(value_type = Object)]
    data: Value,
}

#[derive(ToSchema)]
pub(crate) struct Series {
    #[schema(example = "loss")]
    name: String,
    #[schema(example = "metric")]
    kind: String,
    /// Columns of equal length, or the text of the file.
    data: Value,
}

/// A part of the logs of a run.
#[derive(ToSchema)]
pub(crate) struct LogsDocument {
    logs: Vec<LogLine>,
    /// Ask again with this time: the run may still write.
    last_time: Option<String>,
    /// Ask again with this name: there are more parts.
    last_file: Option<String>,
    files: Vec<String>,
}

#[derive(ToSchema)]
pub(crate) struct LogLine {
    #[schema(example = "2026-11-22T09:27:40.369351+00:00")]
    timestamp: Option<String>,
    node: Option<String>,
    pod: Option<String>,
    container: Option<String>,
    #[schema(example = "step 1: loss 0.5")]
    value: String,
}

/// A version in a list. `owner` and `project` are there in lists over all projects.
#[derive(ToSchema)]
pub(crate) struct VersionRow {
    uuid: VersionId,
    name: String,
    description: Option<String>,
    tags: Option<Vec<String>>,
    user: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
    stage: Stage,
    /// Of components: equal content, equal state.
    state: Option<StateId>,
    kind: VersionKind,
    #[serde(default)]
    owner: String,
    #[serde(default)]
    project: String,
}

/// Everything that is known of a version.
#[derive(ToSchema)]
pub(crate) struct VersionDetail {
    uuid: VersionId,
    name: String,
    description: Option<String>,
    tags: Option<Vec<String>>,
    user: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
    stage: Stage,
    /// Of components: equal content, equal state.
    state: Option<StateId>,
    kind: VersionKind,
    owner: String,
    project: String,
    content: Option<String>,
    readme: Option<String>,
    /// The run that it was promoted from.
    run: Option<RunId>,
    /// The names of the promoted artifacts; only when one version is read.
    #[serde(default)]
    artifacts: Vec<String>,
    /// The run, and the promoted artifacts in `lineage`.
    #[schema(value_type = Object)]
    meta_info: Value,
}

/// What each parameter weighs.
#[derive(ToSchema)]
pub(crate) struct ImportanceOfParameters {
    data: Option<BTreeMap<String, Importance>>,
}

#[derive(ToSchema)]
pub(crate) struct Importance {
    /// Its share of what all parameters explain.
    importance: Option<f64>,
    /// Pearson's coefficient; null when the parameter or the metric does not vary.
    correlation: Option<f64>,
}

/// Whether what an agent needs can be reached.
#[derive(ToSchema)]
pub(crate) struct ConnectionsCheck {
    #[schema(example = "passed")]
    status: String,
    #[schema(value_type = Vec<Object>)]
    results: Vec<Value>,
}

#[derive(ToSchema)]
pub(crate) struct RestartAnswer {
    #[schema(example = "scheduled")]
    status: String,
}
