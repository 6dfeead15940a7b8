//! Why a run waits, was skipped, failed or was reused: an addition of ours.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use polyaxon_artifacts::logs::{Cursor, Reader};
use polyaxon_engine::explain::{Facts, explain};
use polyaxon_model::explanation::Explanation;
use polyaxon_model::ids::RunId;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use polyaxon_store::facts;

use crate::errors::Result;
use crate::run_path::RunPath;
use crate::state::{Server, now, present};

/// Lines that are shown of a log.
const LAST_LINES: usize = 10;
/// What is read of a log to find its last lines.
const MOST_PAGES: usize = 64;

/// Explain a run in words.
///
/// Made of what was recorded: conditions, limits, upstream runs, the exit, the last lines of the log.
#[utoipa::path(get, path = "/{uuid}/explain", tag = "statuses", responses((status = 200, body = Explanation)))]
pub(crate) async fn explain_run(State(server): State<Arc<Server>>, path: RunPath) -> Result<Json<Explanation>> {
    let run = path.run;
    let mut facts: Facts = server
        .read(move |tx| {
            present(tx, &path)?;
            facts::of(tx, run, now())
        })
        .await?;
    if matches!(facts.run.status, Status::Failed | Status::Retrying) && !facts.run.kind.is_pipeline() {
        let folder = server.layout.logs(run);
        let ended = facts.run.finished_at.unwrap_or_else(now);
        // Without a log the explanation says so.
        facts.log = tokio::task::spawn_blocking(move || last_lines(&folder, run, ended)).await.unwrap_or_default();
    }
    Ok(Json(explain(&facts, now())))
}

/// The last lines before the end: first among the newest, then among all.
fn last_lines(folder: &Path, run: RunId, ended: Timestamp) -> Option<Vec<String>> {
    let recent = read(folder, run, Cursor::after(ended.minus(Duration::from_mins(1))))?;
    if recent.is_empty() { read(folder, run, Cursor::START) } else { Some(recent) }
}

fn read(folder: &Path, run: RunId, from: Cursor) -> Option<Vec<String>> {
    let mut reader = Reader::open(folder, run, from).ok()?;
    let mut last = VecDeque::with_capacity(LAST_LINES);
    for _ in 0..MOST_PAGES {
        let page = reader.page(1000, 64 * 1024).ok()?;
        for line in page.lines {
            if last.len() == LAST_LINES {
                last.pop_front();
            }
            last.push_back(line.value);
        }
        if !page.more {
            break;
        }
    }
    Some(last.into())
}
