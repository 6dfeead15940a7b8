//! Versions of components, models and artifacts: the record, its projections and its bodies.

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;
use utoipa::ToSchema;

use crate::JsonMap;
use crate::change::Change;
use crate::ids::{RunId, StateId, VersionId};
use crate::kinds::VersionKind;
use crate::lineage::ArtifactRow;
use crate::loose;
use crate::run::DEFAULT_OWNER;
use crate::stage::Stage;
use crate::time::Timestamp;

/// A named version of something in a project.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    pub uuid: VersionId,
    pub name: String,
    pub description: Option<String>,
    pub tags: Option<Vec<String>>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub stage: Stage,
    /// Of components: equal content, equal state.
    pub state: Option<StateId>,
    pub kind: VersionKind,
    pub project: String,
    /// The text as it was given. Rows have none.
    pub content: Option<String>,
    pub readme: Option<String>,
    pub run: Option<VersionRun>,
    /// What was promoted of the run.
    pub lineage: Vec<ArtifactRow>,
}

/// The run that a version was promoted from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VersionRun {
    pub project: String,
    pub name: Option<String>,
    pub uuid: RunId,
}

/// A version as other records show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VersionReference {
    pub name: String,
    pub state: Option<StateId>,
    pub project: String,
    pub owner: String,
}

/// A projection of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionView {
    Row,
    /// The answer to a creation or a change.
    Written(LineageForm),
    Detail(LineageForm),
}

/// Under which keys `meta_info` tells the promoted artifacts; clients before 1.18 know another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineageForm {
    /// `artifacts`, without the run.
    Old,
    /// `lineage`.
    New,
    Both,
}

/// A version seen through a projection; serialise it.
#[derive(Clone, Copy, Debug)]
pub struct ViewedVersion<'a> {
    version: &'a Version,
    view: VersionView,
}

impl Version {
    pub fn view(&self, view: VersionView) -> ViewedVersion<'_> {
        ViewedVersion { version: self, view }
    }

    fn meta_info(&self, form: LineageForm) -> JsonMap {
        let mut info = JsonMap::new();
        if let Some(run) = &self.run {
            info.insert("run".into(), json!(run));
        }
        if self.lineage.is_empty() {
            return info;
        }
        if form != LineageForm::New {
            let light = |row: &ArtifactRow| {
                json!({ "name": row.name, "kind": row.kind, "is_input": row.is_input, "path": row.path,
                    "summary": row.summary, "state": row.state })
            };
            info.insert("artifacts".into(), self.lineage.iter().map(light).collect());
        }
        if form != LineageForm::Old {
            info.insert("lineage".into(), json!(self.lineage));
        }
        info
    }
}

impl Serialize for ViewedVersion<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let version = self.version;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("uuid", &version.uuid)?;
        map.serialize_entry("name", &version.name)?;
        map.serialize_entry("description", &version.description)?;
        map.serialize_entry("tags", &version.tags)?;
        map.serialize_entry("user", &())?;
        map.serialize_entry("created_at", &version.created_at)?;
        map.serialize_entry("updated_at", &version.updated_at)?;
        map.serialize_entry("stage", &version.stage)?;
        map.serialize_entry("state", &version.state)?;
        map.serialize_entry("kind", &version.kind)?;
        let form = match self.view {
            VersionView::Row => return map.end(),
            VersionView::Written(form) | VersionView::Detail(form) => form,
        };
        map.serialize_entry("owner", DEFAULT_OWNER)?;
        map.serialize_entry("project", &version.project)?;
        map.serialize_entry("content", &version.content)?;
        map.serialize_entry("readme", &version.readme)?;
        map.serialize_entry("run", &version.run.as_ref().map(|run| run.uuid))?;
        if let VersionView::Detail(_) = self.view {
            let names: Vec<&str> = version.lineage.iter().map(|row| row.name.as_str()).collect();
            map.serialize_entry("artifacts", &names)?;
        }
        map.serialize_entry("meta_info", &version.meta_info(form))?;
        map.end()
    }
}

/// Body of a creation, and of an update, where a missing field is not touched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "name": "v1", "tags": ["best"], "run": "8aac02e3a62a4f0aaa257c59da5eab80", "artifacts": ["model"] })))]
pub struct VersionBody {
    #[serde(default, deserialize_with = "loose::text", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "loose::changed_text", skip_serializing_if = "Change::is_keep")]
    #[schema(value_type = Option<String>)]
    pub description: Change<String>,
    #[serde(default, deserialize_with = "loose::changed_tags", skip_serializing_if = "Change::is_keep")]
    #[schema(value_type = Option<Vec<String>>)]
    pub tags: Change<Vec<String>>,
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    #[schema(value_type = Option<String>)]
    pub content: Change<String>,
    #[serde(default, deserialize_with = "loose::changed_text", skip_serializing_if = "Change::is_keep")]
    #[schema(value_type = Option<String>)]
    pub readme: Change<String>,
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    #[schema(value_type = Option<RunId>)]
    pub run: Change<RunId>,
    /// Names of artifacts in the lineage of the run.
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    #[schema(value_type = Option<Vec<String>>)]
    pub artifacts: Change<Vec<String>>,
    /// Writes the column without a condition; clients use `/stages`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
}
