//! Asking for notifications about a run: they are written down here and sent by the loops of the server.

use std::sync::Arc;

use axum::extract::State;
use polyaxon_compile::connection::Connection;
use polyaxon_model::condition::{PostedCondition, StatusCondition};
use polyaxon_store::db::Tx;
use polyaxon_store::notifications;
use serde::Deserialize;

use crate::body::Body;
use crate::errors::{JsonProblem, Result};
use crate::state::{Server, now};
use crate::streams::run_folder::RunFolder;

/// The fields that the official agent sends.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
pub(crate) struct NotificationRequest {
    /// The name of the run; messages use the one that the server knows.
    #[serde(default)]
    #[expect(dead_code, reason = "part of the contract")]
    name: Option<String>,
    /// What happened to the run.
    #[serde(default)]
    condition: Option<PostedCondition>,
    /// Names of connections to send by.
    #[serde(default)]
    connections: Option<Vec<String>>,
}

/// Send notifications about a run.
///
/// The answer comes when they are written down. They are sent, and sent again after a failure, without anybody waiting
/// for it. A connection that was told of this status of this run is not told again.
#[utoipa::path(
    post, path = "/notify", tag = "runs",
    request_body = NotificationRequest, responses((status = 200, description = "The notifications will be sent")),
)]
pub(crate) async fn notify(
    State(server): State<Arc<Server>>,
    folder: RunFolder,
    Body(request): Body<NotificationRequest>,
) -> Result<std::result::Result<(), JsonProblem>> {
    let (condition, names) = match read(request, &server.options.connections) {
        Ok(read) => read,
        Err(problem) => return Ok(Err(JsonProblem::new(problem))),
    };
    let add = move |tx: &mut dyn Tx, now| {
        names.iter().try_for_each(|name| notifications::add(tx, folder.run, name, &condition, now).map(drop))
    };
    server.write(add).await.map(Ok)
}

/// The condition and the connections of a request; the error is a sentence.
fn read(
    request: NotificationRequest,
    known: &[Connection],
) -> std::result::Result<(StatusCondition, Vec<String>), String> {
    let condition = request.condition.unwrap_or_default().complete(now());
    let condition = condition
        .map_err(|error| format!("Received a notification request with the unknown status `{}`.", error.found))?
        .ok_or("Received a notification request without condition.")?;
    let names = request.connections.filter(|names| !names.is_empty());
    let names = names.ok_or("Received a notification request without connections.")?;
    if known.is_empty() {
        return Err("Received a notification request, but the agent did not declare connections.".to_owned());
    }
    match names.iter().find(|name| known.iter().all(|connection| connection.name != **name)) {
        Some(name) => Err(format!("Received a notification request for `{name}`, which this server does not know.")),
        None => Ok((condition, names)),
    }
}
