//! Stages of versions and the history of their changes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::JsonMap;
use crate::condition::{PostedCondition, Verdict};
use crate::ids::VersionId;
use crate::time::{ConditionTime, Timestamp};
use crate::wire_enum::{UnknownWord, wire_enum};

wire_enum! {
    /// How far a version has come; every order is allowed.
    Stage as "stage" { Testing = "testing", Staging = "staging", Production = "production", Disabled = "disabled" }
}

/// One entry of the stage history. Absent parts are not written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StageCondition {
    #[serde(rename = "type")]
    pub stage: Stage,
    /// Whether the stage holds; kept exactly as posted.
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

impl StageCondition {
    /// A condition that the system itself writes.
    pub fn new(stage: Stage, reason: String, message: String, now: Timestamp) -> StageCondition {
        StageCondition {
            stage,
            verdict: Verdict::default(),
            reason: Some(reason),
            message: Some(message),
            last_update_time: now.into(),
            last_transition_time: now.into(),
            meta_info: None,
        }
    }

    /// Completes a posted condition; `Ok(None)` for one without a type, which has no effect.
    pub fn complete(posted: PostedCondition, now: Timestamp) -> Result<Option<StageCondition>, UnknownWord> {
        let Some(kind) = posted.kind.filter(|kind| !kind.is_empty()) else { return Ok(None) };
        Ok(Some(StageCondition {
            stage: kind.to_lowercase().parse()?,
            verdict: posted.verdict,
            reason: posted.reason,
            message: posted.message,
            last_update_time: posted.last_update_time.unwrap_or_else(|| now.into()),
            last_transition_time: posted.last_transition_time.unwrap_or_else(|| now.into()),
            meta_info: posted.meta_info,
        }))
    }

    /// Adds the condition to a history; one that repeats the last entry replaces it.
    pub fn record(self, history: &mut Vec<StageCondition>) {
        if history.last().is_some_and(|last| last.stage == self.stage && last.verdict == self.verdict) {
            history.pop();
        }
        history.push(self);
    }
}

/// Body of `POST …/stages`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "condition": { "type": "production", "status": "True", "reason": "Review", "message": "approved" } })))]
pub struct StageRequest {
    #[serde(default)]
    pub condition: Option<PostedCondition>,
}

/// The `stages` document. The official client refuses any further field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StagesDocument {
    pub uuid: VersionId,
    pub stage: Stage,
    pub stage_conditions: Vec<StageCondition>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_that_repeats_the_last_one_replaces_it() {
        let now = Timestamp::default();
        let mut history = vec![StageCondition::new(Stage::Testing, "A".into(), "a".into(), now)];
        for (kind, reason) in [("TESTING", "B"), ("production", "C"), ("testing", "D")] {
            let posted =
                PostedCondition { kind: Some(kind.into()), reason: Some(reason.into()), ..PostedCondition::default() };
            StageCondition::complete(posted, now).unwrap().unwrap().record(&mut history);
        }
        let shown: Vec<_> = history.iter().map(|entry| (entry.stage, entry.reason.as_deref().unwrap())).collect();
        assert_eq!(shown, [(Stage::Testing, "B"), (Stage::Production, "C"), (Stage::Testing, "D")]);
        let nothing = StageCondition::complete(PostedCondition::default(), now);
        assert_eq!(nothing, Ok(None));
        let wrong = PostedCondition { kind: Some("gone".into()), ..PostedCondition::default() };
        assert!(StageCondition::complete(wrong, now).is_err());
    }
}
