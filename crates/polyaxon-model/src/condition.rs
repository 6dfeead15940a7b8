//! Entries of a run's status history, as posted and as stored.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::JsonMap;
use crate::ids::RunId;
use crate::status::Status;
use crate::time::{ConditionTime, Timestamp};
use crate::wire_schema;

/// The reason of the end of a run that was pruned: a policy stopped it because others of its pipeline do better.
pub const EARLY_STOPPING: &str = "EarlyStopping";

/// The reason of the end of a search whose trials, or some of them, did not report what it looks at.
pub const METRIC_MISSING: &str = "MetricMissing";

/// One entry of the status history. Absent parts are not written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatusCondition {
    #[serde(rename = "type")]
    pub status: Status,
    /// Whether the status holds; kept exactly as posted.
    #[serde(rename = "status", default)]
    pub verdict: Verdict,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    pub last_update_time: ConditionTime,
    pub last_transition_time: ConditionTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub meta_info: Option<JsonMap>,
}

/// `true`, `"True"`, `"Unknown"`: the `status` of a condition, boolean or text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Bool(bool),
    Text(String),
}

impl Default for Verdict {
    fn default() -> Verdict {
        Verdict::Text("True".to_owned())
    }
}

impl PartialSchema for Verdict {
    fn schema() -> RefOr<Schema> {
        wire_schema::boolean_or_text("Whether the status holds.", "True")
    }
}

impl ToSchema for Verdict {}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Verdict::Bool(value) => serializer.serialize_bool(*value),
            Verdict::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for Verdict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Verdict, D::Error> {
        match Json::deserialize(deserializer)? {
            Json::Null => Ok(Verdict::default()),
            Json::Bool(value) => Ok(Verdict::Bool(value)),
            Json::String(text) => Ok(Verdict::Text(text)),
            other => Err(D::Error::custom(format!("condition status `{other}` is neither a boolean nor a text"))),
        }
    }
}

impl StatusCondition {
    /// A condition that the system itself writes.
    pub fn new(status: Status, reason: &str, message: impl Into<String>, now: Timestamp) -> StatusCondition {
        StatusCondition {
            status,
            verdict: Verdict::default(),
            reason: Some(reason.to_owned()),
            message: Some(message.into()),
            last_update_time: now.into(),
            last_transition_time: now.into(),
            meta_info: None,
        }
    }

    /// Adds one key to `meta_info`.
    pub fn with_meta(mut self, key: &str, value: impl Into<Json>) -> StatusCondition {
        self.meta_info.get_or_insert_default().insert(key.to_owned(), value.into());
        self
    }

    /// Whether `self` refreshes `last` instead of following it.
    pub fn repeats(&self, last: &StatusCondition) -> bool {
        self.status == last.status && self.verdict == last.verdict
    }
}

/// A condition as clients post it: times may be missing, the type may be in any case.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PostedCondition {
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(rename = "status", default)]
    pub verdict: Verdict,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_update_time: Option<ConditionTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<ConditionTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub meta_info: Option<JsonMap>,
}

impl PostedCondition {
    /// Completes the condition; `Ok(None)` for one without a type, which is accepted and has no effect.
    pub fn complete(self, now: Timestamp) -> Result<Option<StatusCondition>, crate::wire_enum::UnknownWord> {
        let Some(kind) = self.kind.filter(|kind| !kind.is_empty()) else { return Ok(None) };
        Ok(Some(StatusCondition {
            status: kind.to_lowercase().parse()?,
            verdict: self.verdict,
            reason: self.reason,
            message: self.message,
            last_update_time: self.last_update_time.unwrap_or_else(|| now.into()),
            last_transition_time: self.last_transition_time.unwrap_or_else(|| now.into()),
            meta_info: self.meta_info,
        }))
    }
}

/// Body of `POST …/statuses`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "condition": { "type": "running", "status": "True", "reason": "Worker", "message": "epoch 1" } })))]
pub struct StatusRequest {
    #[serde(default)]
    pub condition: Option<PostedCondition>,
    #[serde(default, deserialize_with = "crate::loose::flag")]
    pub force: Option<bool>,
}

/// The `statuses` document. The official client refuses any further field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatusesDocument {
    pub uuid: RunId,
    pub status: Status,
    pub status_conditions: Vec<StatusCondition>,
    #[serde(default)]
    #[schema(value_type = Object)]
    pub meta_info: JsonMap,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posted_conditions_are_completed_and_kept_as_given() {
        let posted: PostedCondition =
            serde_json::from_str(r#"{"type":"Running","status":true,"reason":"Test","message":null,"meta_info":null}"#)
                .unwrap();
        let stored = posted.complete(Timestamp::from_micros(1_500_000)).unwrap().unwrap();
        assert_eq!(
            serde_json::to_string(&stored).unwrap(),
            r#"{"type":"running","status":true,"reason":"Test","last_update_time":"1970-01-01T00:00:01.500Z","last_transition_time":"1970-01-01T00:00:01.500Z"}"#
        );
    }

    #[test]
    fn conditions_without_a_type_have_no_effect_and_unknown_types_are_refused() {
        let now = Timestamp::default();
        assert_eq!(PostedCondition::default().complete(now), Ok(None));
        let wrong = PostedCondition { kind: Some("nope".into()), ..PostedCondition::default() };
        assert!(wrong.complete(now).is_err());
        assert!(serde_json::from_str::<PostedCondition>(r#"{"type":"running","status":3}"#).is_err());
    }
}
