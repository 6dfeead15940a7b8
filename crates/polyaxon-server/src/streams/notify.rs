//! Asking for notifications about a run. What is asked for is checked here; this server has no connections to send by.

use polyaxon_model::status::Status;
use serde::Deserialize;
use serde_json::Value;

use crate::body::Body;
use crate::errors::JsonProblem;
use crate::streams::run_folder::RunFolder;

/// The fields that the official agent sends.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
pub(crate) struct NotificationRequest {
    /// The name of the run.
    #[serde(default)]
    #[expect(dead_code, reason = "part of the contract; a message would show it")]
    name: Option<String>,
    /// A condition as of a status: `type`, `status`, `reason`, `message`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    condition: Option<Value>,
    /// Names of connections to send by.
    #[serde(default)]
    connections: Option<Vec<String>>,
}

/// Send notifications about a run.
///
/// Refused while this server has no connections to send by.
#[utoipa::path(
    post, path = "/notify", tag = "runs",
    request_body = NotificationRequest, responses((status = 200, description = "The notifications are sent")),
)]
pub(crate) async fn notify(_: RunFolder, Body(request): Body<NotificationRequest>) -> Result<(), JsonProblem> {
    let Some(condition) =
        request.condition.filter(|condition| condition.as_object().is_some_and(|fields| !fields.is_empty()))
    else {
        return Err(JsonProblem::new("Received a notification request without condition."));
    };
    let kind = condition.get("type").and_then(Value::as_str).unwrap_or_default();
    if kind.parse::<Status>().is_err() {
        return Err(JsonProblem::new(format!("Received a notification request with the unknown status `{kind}`.")));
    }
    if request.connections.is_none_or(|connections| connections.is_empty()) {
        return Err(JsonProblem::new("Received a notification request without connections."));
    }
    Err(JsonProblem::new("Received a notification request, but the agent did not declare connections."))
}
