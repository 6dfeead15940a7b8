//! The project record, its projections and bodies.

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use crate::change::Change;
use crate::ids::ProjectId;
use crate::kinds::LiveState;
use crate::loose;
use crate::time::Timestamp;

/// A project. Serialising writes the official detail document.
#[derive(Clone, Debug, PartialEq, Deserialize, ToSchema)]
pub struct Project {
    pub uuid: ProjectId,
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub tags: Option<Vec<String>>,
    #[serde(default)]
    pub created_at: Timestamp,
    #[serde(default)]
    pub updated_at: Timestamp,
    #[serde(default)]
    pub bookmarked: bool,
    #[serde(default)]
    pub readme: Option<String>,
    #[serde(default)]
    pub live_state: LiveState,
}

/// A projection of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProjectView {
    Detail,
    Row,
    Created,
}

impl ProjectView {
    pub const fn fields(self) -> &'static [&'static str] {
        match self {
            ProjectView::Detail => &[
                "uuid",
                "name",
                "description",
                "tags",
                "user",
                "created_at",
                "updated_at",
                "bookmarked",
                "readme",
                "live_state",
            ],
            ProjectView::Row => {
                &["uuid", "name", "description", "tags", "user", "created_at", "updated_at", "bookmarked"]
            }
            ProjectView::Created => {
                &["uuid", "name", "description", "tags", "user", "created_at", "updated_at", "readme"]
            }
        }
    }
}

/// A project seen through a projection; serialise it.
#[derive(Clone, Copy, Debug)]
pub struct ViewedProject<'a> {
    project: &'a Project,
    view: ProjectView,
}

impl Project {
    pub fn view(&self, view: ProjectView) -> ViewedProject<'_> {
        ViewedProject { project: self, view }
    }
}

impl Serialize for Project {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.view(ProjectView::Detail).serialize(serializer)
    }
}

impl Serialize for ViewedProject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let project = self.project;
        let fields = self.view.fields();
        let mut map = serializer.serialize_map(Some(fields.len()))?;
        for field in fields {
            map.serialize_key(field)?;
            match *field {
                "uuid" => map.serialize_value(&project.uuid)?,
                "name" => map.serialize_value(&project.name)?,
                "description" => map.serialize_value(&project.description)?,
                "tags" => map.serialize_value(&project.tags)?,
                "created_at" => map.serialize_value(&project.created_at)?,
                "updated_at" => map.serialize_value(&project.updated_at)?,
                "bookmarked" => map.serialize_value(&project.bookmarked)?,
                "readme" => map.serialize_value(&project.readme)?,
                "live_state" => map.serialize_value(&project.live_state)?,
                // `user`: nobody logs in to this edition.
                _ => map.serialize_value(&())?,
            }
        }
        map.end()
    }
}

/// Body of a creation, and of an update, where a missing field is not touched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "name": "quick-start", "description": "First steps", "tags": ["demo"] })))]
pub struct ProjectBody {
    #[serde(default, deserialize_with = "loose::text", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "loose::changed_text", skip_serializing_if = "Change::is_keep")]
    #[schema(value_type = Option<String>)]
    pub description: Change<String>,
    #[serde(default, deserialize_with = "loose::changed_tags", skip_serializing_if = "Change::is_keep")]
    #[schema(value_type = Option<Vec<String>>)]
    pub tags: Change<Vec<String>>,
    #[serde(default, deserialize_with = "loose::changed_text", skip_serializing_if = "Change::is_keep")]
    #[schema(value_type = Option<String>)]
    pub readme: Change<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projections_are_the_official_ones() {
        let created = r#"{"uuid":"00000000000000000000000000001141","name":"p","description":null,"tags":null,"user":null,"created_at":"2026-11-22T09:27:40.369351Z","updated_at":"2026-11-22T09:27:40.369388Z","readme":null}"#;
        let project: Project = serde_json::from_str(created).unwrap();
        assert_eq!(serde_json::to_string(&project.view(ProjectView::Created)).unwrap(), created);
        assert!(
            serde_json::to_string(&project).unwrap().ends_with(r#","bookmarked":false,"readme":null,"live_state":1}"#)
        );
        assert!(serde_json::to_string(&project.view(ProjectView::Row)).unwrap().ends_with(r#","bookmarked":false}"#));
    }
}
