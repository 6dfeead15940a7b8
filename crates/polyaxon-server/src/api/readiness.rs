//! Whether this server can do its work: the database answers, the disk has room, the runtime is alive.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use polyaxon_store::census;
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

use crate::errors::Error;
use crate::state::Server;

/// Whether requests should be sent here, and why not.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Readiness {
    pub ready: bool,
    pub checks: Vec<Check>,
}

/// One thing that the server needs.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Check {
    #[schema(example = "disk")]
    pub name: &'static str,
    pub ready: bool,
    /// What was found.
    #[schema(example = "12 GB free")]
    pub message: String,
}

/// Less than this is no room: a write of the database must never be the one that fills the disk.
const LEAST_ROOM: u64 = 64 * 1024 * 1024;

/// The database answers in milliseconds; somebody who asks for readiness asks again soon.
const PATIENCE: Duration = Duration::from_secs(2);

/// Tell whether the server can do its work.
///
/// For load balancers. `/healthz` only tells that the process is alive.
#[utoipa::path(
    get, path = "/readyz", tag = "server", operation_id = "readyz",
    responses(
        (status = 200, body = Readiness),
        (status = 503, description = "It cannot, and the checks say why", body = Readiness),
    ),
)]
pub(crate) async fn readyz(State(server): State<Arc<Server>>) -> (StatusCode, Json<Readiness>) {
    let checks = vec![database(&server).await, disk(&server), runtime(&server)];
    let ready = checks.iter().all(|check| check.ready);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, checks }))
}

async fn database(server: &Server) -> Check {
    let (ready, message) = match timeout(PATIENCE, server.read(census::ping)).await {
        Ok(Ok(())) => (true, "it answers".to_owned()),
        Ok(Err(error)) => (false, sentence(error)),
        Err(_) => (false, format!("it does not answer within {} seconds", PATIENCE.as_secs())),
    };
    Check { name: "database", ready, message }
}

fn sentence(error: Error) -> String {
    error.into_parts().1.sentence()
}

fn disk(server: &Server) -> Check {
    let folder = server.layout.local();
    let (ready, message) = match rustix::fs::statvfs(folder) {
        Ok(disk) => {
            let room = disk.f_bavail.saturating_mul(disk.f_frsize);
            let message = format!("{} MB free in {}", room / 1_000_000, folder.display());
            // File systems without a fixed number of files tell zero of zero.
            let has_files = disk.f_files == 0 || disk.f_favail > 0;
            (room >= LEAST_ROOM && has_files, if has_files { message } else { "no file can be created".into() })
        }
        Err(error) => (false, format!("{} cannot be read: {error}", folder.display())),
    };
    Check { name: "disk", ready, message }
}

fn runtime(server: &Server) -> Check {
    let (ready, message) = match &server.runtime {
        Some(runtime) if runtime.is_finished() => (false, "its loop has ended; restart the server"),
        Some(_) => (true, "it is alive"),
        None => (true, "another process has it"),
    };
    Check { name: "runtime", ready, message: message.into() }
}
