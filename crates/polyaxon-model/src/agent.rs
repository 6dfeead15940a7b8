//! Agents: executors outside of the server that ask it for work.

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use crate::JsonMap;
use crate::change::Change;
use crate::condition::StatusCondition;
use crate::ids::ExecutorId;
use crate::kinds::LiveState;
use crate::loose;
use crate::status::Status;
use crate::time::Timestamp;

/// A registered agent. Serialising writes the official detail document.
#[derive(Clone, Debug, PartialEq, ToSchema)]
pub struct Agent {
    pub uuid: ExecutorId,
    pub name: String,
    pub description: Option<String>,
    pub tags: Option<Vec<String>>,
    pub live_state: LiveState,
    pub namespace: Option<String>,
    pub version: Option<String>,
    /// The version of the cluster's API, as the agent tells it.
    #[schema(value_type = Option<Object>)]
    pub version_api: Option<JsonMap>,
    #[schema(value_type = Option<Object>)]
    pub settings: Option<JsonMap>,
    pub status: Status,
    pub status_conditions: Vec<StatusCondition>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The agent's own configuration as JSON text.
    pub content: Option<String>,
}

/// How many conditions an agent keeps; it may restart for years.
const HISTORY: usize = 100;

impl Agent {
    /// Adds a condition, or refreshes the last one when it says the same.
    pub fn enter(&mut self, condition: StatusCondition, now: Timestamp) {
        self.status = condition.status;
        self.updated_at = now.max(self.updated_at);
        match self.status_conditions.last_mut() {
            Some(last) if condition.repeats(last) => *last = condition,
            _ => self.status_conditions.push(condition),
        }
        let surplus = self.status_conditions.len().saturating_sub(HISTORY);
        self.status_conditions.drain(..surplus);
    }
}

impl Serialize for Agent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("uuid", &self.uuid)?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("description", &self.description)?;
        map.serialize_entry("tags", &self.tags)?;
        map.serialize_entry("live_state", &self.live_state)?;
        map.serialize_entry("user", &())?;
        map.serialize_entry("namespace", &self.namespace)?;
        map.serialize_entry("version_api", &self.version_api)?;
        map.serialize_entry("version", &self.version)?;
        map.serialize_entry("content", &self.content)?;
        map.serialize_entry("created_at", &self.created_at)?;
        map.serialize_entry("updated_at", &self.updated_at)?;
        map.serialize_entry("status", &self.status)?;
        map.serialize_entry("status_conditions", &self.status_conditions)?;
        map.serialize_entry("is_ui_managed", &false)?;
        map.serialize_entry("settings", &self.settings)?;
        map.end()
    }
}

/// Body of a creation, an update or the word of an agent about itself; a missing field is not touched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "name": "cluster-a", "namespace": "polyaxon" })))]
#[serde(default)]
pub struct AgentBody {
    pub name: Option<String>,
    #[schema(value_type = Option<String>)]
    pub description: Change<String>,
    #[schema(value_type = Option<Vec<String>>)]
    #[serde(deserialize_with = "loose::changed_tags")]
    pub tags: Change<Vec<String>>,
    #[schema(value_type = Option<String>)]
    pub namespace: Change<String>,
    #[schema(value_type = Option<String>)]
    pub version: Change<String>,
    #[schema(value_type = Option<Object>)]
    pub version_api: Change<JsonMap>,
    #[schema(value_type = Option<Object>)]
    pub settings: Change<JsonMap>,
    #[schema(value_type = Option<String>)]
    pub content: Change<String>,
    pub live_state: Option<LiveState>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_repeat_in_place_and_are_bounded() {
        let now = Timestamp::from_micros(0);
        let mut agent = Agent {
            uuid: "00000000000000000000000000000001".parse().unwrap(),
            name: "a".into(),
            description: None,
            tags: None,
            live_state: LiveState::Live,
            namespace: None,
            version: None,
            version_api: None,
            settings: None,
            status: Status::Created,
            status_conditions: Vec::new(),
            created_at: now,
            updated_at: now,
            content: None,
        };
        let say = |agent: &mut Agent, status| agent.enter(StatusCondition::new(status, "Test", "", now), now);
        for _ in 0..3 {
            say(&mut agent, Status::Running);
        }
        assert_eq!((agent.status, agent.status_conditions.len()), (Status::Running, 1));
        for _ in 0..HISTORY {
            say(&mut agent, Status::Warning);
            say(&mut agent, Status::Running);
        }
        assert_eq!(agent.status_conditions.len(), HISTORY);
    }
}
