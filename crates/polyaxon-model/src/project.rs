//! The project record, its projections and bodies.

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::change::Change;
use crate::ids::ProjectId;
use crate::kinds::LiveState;
use crate::new_run::changed_tags;
use crate::time::Timestamp;

/// A project. Serialising writes the official detail document.
#[derive(Clone, Debug, PartialEq, Deserialize)]
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
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("uuid", &project.uuid)?;
        map.serialize_entry("name", &project.name)?;
        map.serialize_entry("description", &project.description)?;
        map.serialize_entry("tags", &project.tags)?;
        map.serialize_entry("user", &())?;
        map.serialize_entry("created_at", &project.created_at)?;
        map.serialize_entry("updated_at", &project.updated_at)?;
        if self.view != ProjectView::Created {
            map.serialize_entry("bookmarked", &project.bookmarked)?;
        }
        if self.view != ProjectView::Row {
            map.serialize_entry("readme", &project.readme)?;
        }
        if self.view == ProjectView::Detail {
            map.serialize_entry("live_state", &project.live_state)?;
        }
        map.end()
    }
}

/// Body of a creation, and of an update, where a missing field is not touched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProjectBody {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    pub description: Change<String>,
    #[serde(default, deserialize_with = "changed_tags", skip_serializing_if = "Change::is_keep")]
    pub tags: Change<Vec<String>>,
    #[serde(default, skip_serializing_if = "Change::is_keep")]
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
