//! What the streams service tells about agents and does for them.
//!
//! Their services are parts of this one process, so there is nothing to restart and no object of a cluster to show.

use std::io::{Read, Write};
use std::path::Path as FilePath;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use polyaxon_artifacts::folder::Folder;
use polyaxon_artifacts::{logs, path};
use polyaxon_model::artifact::RelativePath;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::body::Body;
use crate::errors::{Error, JsonProblem, Result, StreamError};
use crate::openapi::parameters::AgentLogsParameters;
use crate::openapi::shapes::{ConnectionsCheck, LogsDocument, RestartAnswer};
use crate::query::Params;
use crate::state::Server;
use crate::streams::checks::{self, Check, Problem};
use crate::streams::in_background;

/// The folder of everything about agents, in the artifacts store.
const AGENTS: &str = ".agents";
/// What the artifacts store is called among connections.
const STORE: &str = "artifacts_store";

#[derive(Deserialize)]
pub(crate) struct AgentPath {
    uuid: String,
}

impl AgentPath {
    /// The folder of the agent, below the store.
    fn folder(&self) -> Result<RelativePath> {
        let uuid = Uuid::parse_str(&self.uuid).map_err(|_| Error::not_found())?;
        let text = format!("{AGENTS}/{}", uuid.simple());
        RelativePath::parse(&text).map_err(|error| Error::Detail(axum::http::StatusCode::NOT_FOUND, error.to_string()))
    }
}

#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
pub(crate) struct CheckRequest {
    /// The connection that is checked; without it the artifacts store is.
    #[serde(default)]
    connection: Option<String>,
}

/// Check what an agent needs.
///
/// Writes, reads and deletes a file in the artifacts store; or looks at what a connection has on this machine: whether
/// its folder can be used, its address is well formed and its secrets are there. Nothing is sent to it.
#[utoipa::path(
    post, path = "/{owner}/agents/{uuid}/connections_check", tag = "agents",
    request_body = CheckRequest, responses((status = 200, body = ConnectionsCheck)),
)]
pub(crate) async fn check_connections(
    State(server): State<Arc<Server>>,
    Path(agent): Path<AgentPath>,
    Body(request): Body<CheckRequest>,
) -> std::result::Result<Json<Value>, StreamError> {
    let folder = agent.folder()?;
    let name = request.connection.filter(|name| !name.is_empty() && name != STORE);
    in_background(move || {
        let Some(name) = name else {
            let check = check_store(&server.layout.store(), &folder);
            return Ok(Json(checks::answer(STORE, "host_path", &[], &[check])));
        };
        let known = server.options.connections.iter().find(|connection| connection.name == name);
        Ok(Json(match known {
            Some(connection) => {
                let found = checks::check(connection, &|name| std::env::var_os(name).is_some());
                checks::answer(&name, &connection.kind, &checks::sources(connection), &found)
            }
            None => checks::answer(&name, "unknown", &[], &[unknown(&name, &server)]),
        }))
    })
    .await
}

fn unknown(name: &str, server: &Server) -> Check {
    let known: Vec<&str> = server.options.connections.iter().map(|connection| connection.name.as_str()).collect();
    let outcome = Err(Problem {
        code: "connection_not_found",
        message: format!("This server has no connection `{name}`."),
        hint: format!("It has: {}.", [&[STORE], &*known].concat().join(", ")),
    });
    Check { name: "resolve_connection", category: "configuration", outcome }
}

fn check_store(store: &FilePath, agent: &RelativePath) -> Check {
    let outcome = match write_and_read(store, agent) {
        Ok(()) => Ok("A test file was written, read and deleted.".to_owned()),
        Err(error) => Err(Problem {
            code: "artifacts_store_access_failed",
            message: format!("A test file could not be written, read and deleted in the artifacts store: {error}"),
            hint: "Check the permissions and the free space of the folder that the server keeps artifacts in."
                .to_owned(),
        }),
    };
    Check { name: "access", category: "storage", outcome }
}

fn write_and_read(store: &FilePath, agent: &RelativePath) -> std::result::Result<(), polyaxon_artifacts::Error> {
    let failed = |source| polyaxon_artifacts::Error::Write { path: store.to_owned(), source };
    let name = format!("check-{}", Uuid::new_v4().simple());
    let folder = Folder::create(store, agent)?;
    let written = folder.create_file(&name, 0o600).and_then(|mut file| file.write_all(name.as_bytes()).map_err(failed));
    let read = written.and_then(|()| {
        let child = RelativePath::parse(&name).map_err(|error| failed(std::io::Error::other(error)))?;
        let mut text = String::new();
        path::open(folder.path(), &child)?.0.read_to_string(&mut text).map_err(failed)?;
        if text == name { Ok(()) } else { Err(failed(std::io::Error::other("other bytes were read than written"))) }
    });
    let removed = folder.remove_file(&name);
    read.and(removed)
}

/// Read the logs of a service of an agent.
///
/// One file a call: the first, or the one after `last_file`.
#[utoipa::path(
    get, path = "/{owner}/agents/{uuid}/logs", tag = "agents", operation_id = "get_agent_logs",
    params(AgentLogsParameters), responses((status = 200, body = LogsDocument)),
)]
pub(crate) async fn get_logs(
    State(server): State<Arc<Server>>,
    Path(agent): Path<AgentPath>,
    params: Params,
) -> std::result::Result<Json<Value>, StreamError> {
    let agent = agent.folder()?;
    let service = params.text("service").unwrap_or_default();
    let service = RelativePath::parse(&format!("logs/{service}"));
    let service = service.map_err(|error| StreamError::bad_request(error.to_string()))?;
    let last_file = params.text("last_file").map(str::to_owned);
    in_background(move || {
        let answer = |lines: Vec<Value>, last: Option<&str>, files: &[String]| {
            Ok(Json(json!({ "last_time": null, "last_file": last, "logs": lines, "files": files })))
        };
        let Ok(folder) = Folder::open(&server.layout.store(), &agent.join(&service)) else {
            return answer(Vec::new(), None, &[]);
        };
        let names = logs::chunk_names(folder.path());
        let next = logs::chunk_after(&names, last_file.as_deref());
        let lines = next.map_or(Ok(Vec::new()), |name| logs::read_chunk(folder.path(), name));
        answer(lines.map_err(Error::internal)?, next, &names)
    })
    .await
}

/// Read the objects of an agent in a cluster.
///
/// What was archived of them; an empty object when nothing was.
#[utoipa::path(
    get, path = "/{owner}/agents/{uuid}/k8s_inspect", tag = "agents", operation_id = "inspect_agent",
    responses((status = 200, body = Object)),
)]
pub(crate) async fn inspect(
    State(server): State<Arc<Server>>,
    Path(agent): Path<AgentPath>,
) -> std::result::Result<Json<Value>, StreamError> {
    let folder = agent.folder()?;
    in_background(move || {
        Ok(Json(archived_spec(&server.layout.store().join(folder.as_str())).unwrap_or_else(|| json!({}))))
    })
    .await
}

/// The objects of a cluster that an operator wrote down when it was done with them.
pub(crate) fn archived_spec(root: &FilePath) -> Option<Value> {
    let relative = RelativePath::parse("outputs/spec.json").ok()?;
    let (file, _) = path::open(root, &relative).ok()?;
    let spec: Value = serde_json::from_reader(file.take(MAX_SPEC_BYTES)).ok()?;
    spec.is_object().then_some(spec)
}

const MAX_SPEC_BYTES: u64 = 16 << 20;

#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
pub(crate) struct RestartRequest {
    /// `streams`, `operator`, `agent` or `gateway`.
    #[serde(default)]
    service: Option<String>,
}

/// Restart a service of an agent.
///
/// The services of this server are one process, which is not restarted by a request: the answer is the official one.
#[utoipa::path(
    post, path = "/{owner}/agents/{uuid}/k8s_restart", tag = "agents",
    request_body = RestartRequest, responses((status = 200, body = RestartAnswer)),
)]
pub(crate) async fn restart(
    Path(agent): Path<AgentPath>,
    Body(request): Body<RestartRequest>,
) -> std::result::Result<Json<Value>, JsonProblem> {
    let is_known = matches!(request.service.as_deref(), Some("streams" | "operator" | "agent" | "gateway"));
    if !is_known || agent.folder().is_err() {
        return Err(JsonProblem::new("Service name is required"));
    }
    Ok(Json(json!({ "status": "scheduled" })))
}
