//! Builds: runs that make the image of other runs, which wait for them.
//!
//! Invariants:
//! * the build, the edge from it and the gate of the run that waits are written together, and the image together with
//!   the opening of the gate;
//! * a run waits for the build of its present life alone, which is the last that it has an edge from;
//! * a build is stopped with the last run that waits for it. One that somebody made by hand has no edge, and goes on.

use polyaxon_engine::explain::Build;
use polyaxon_engine::state::{Ending, Event, RunState};
use polyaxon_model::JsonMap;
use polyaxon_model::builds::{DESTINATION, IMAGE, NOTIFIED};
use polyaxon_model::change::Change;
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::{ArtifactKind, EdgeKind, Pending};
use polyaxon_model::new_run::RunPatch;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use serde_json::Value as Json;

use crate::db::{Tx, args, first, scalar};
use crate::edges::{self, NewEdge, Side};
use crate::runs::{self, NewRecord};
use crate::{Result, cache, lifecycle, statuses};

/// Starts the build of a run, which waits for it.
pub fn begin(tx: &mut dyn Tx, run: RunId, build: &NewRecord, now: Timestamp) -> Result<()> {
    runs::create(tx, build, now)?;
    connect(tx, build.uuid, run)?;
    lifecycle::apply(tx, build.uuid, &Event::Followed, now)?;
    lifecycle::apply(tx, run, &Event::BuildAwaited, now).map(drop)
}

fn connect(tx: &mut dyn Tx, build: RunId, run: RunId) -> Result<()> {
    let edge = NewEdge { other: build, side: Side::Upstream, kind: EdgeKind::Build, values: None, statuses: None };
    edges::add(tx, run, &edge)
}

/// Lets a clone, which has the image of its original, come from the same build.
pub fn inherit(tx: &mut dyn Tx, original: RunId, clone: RunId) -> Result<()> {
    let sql = "SELECT b.uuid FROM run_edges e JOIN runs b ON b.id = e.upstream_id JOIN runs o ON o.id = e.downstream_id \
               WHERE o.uuid = ?1 AND e.kind = ?2 ORDER BY e.id DESC LIMIT 1";
    match first(tx, sql, args![original, EdgeKind::Build])? {
        Some(mut row) => connect(tx, row.take()?, clone),
        None => Ok(()),
    }
}

/// The build that a run waits for, or was to begin after.
pub(crate) fn of(tx: &mut dyn Tx, id: i64) -> Result<Option<Build>> {
    let sql = "SELECT b.uuid, b.name, b.status, b.created_at, (SELECT s.condition FROM status_conditions s \
               WHERE s.run_id = b.id ORDER BY s.seq DESC LIMIT 1) FROM run_edges e JOIN runs b ON b.id = e.upstream_id \
               WHERE e.downstream_id = ?1 AND e.kind = 'build' ORDER BY e.id DESC LIMIT 1";
    let Some(mut row) = first(tx, sql, args![id])? else { return Ok(None) };
    let mut build = Build { uuid: row.take()?, name: row.take()?, status: row.take()?, since: row.take()? };
    if let Some(last) = row.take_optional_json::<StatusCondition>()? {
        build.since = last.last_transition_time.instant;
    }
    Ok(Some(build))
}

/// The runs that wait for the build `?1`.
const WAITING: &str = "FROM run_edges e JOIN runs d ON d.id = e.downstream_id WHERE e.upstream_id = ?1 AND e.kind = 'build' \
     AND d.pending = 'build' AND NOT EXISTS (SELECT 1 FROM run_edges l WHERE l.downstream_id = e.downstream_id \
     AND l.kind = 'build' AND l.id > e.id)";

/// A run waits no more, for its build or, as a build itself, for an equal one: what it waited for may be of no use now.
pub(crate) fn follow(tx: &mut dyn Tx, id: i64, before: &RunState, after: &RunState, now: Timestamp) -> Result<()> {
    if before.pending == after.pending {
        return Ok(());
    }
    let awaited = match before.pending {
        Some(Pending::Build) => {
            "SELECT upstream_id FROM run_edges WHERE downstream_id = ?1 AND kind = 'build' ORDER BY id DESC LIMIT 1"
        }
        Some(Pending::Cache) => "SELECT original_id FROM runs WHERE id = ?1 AND runtime = 'builder'",
        Some(Pending::Approval | Pending::Upload) | None => return Ok(()),
    };
    match scalar::<Option<i64>>(tx, awaited, args![id])?.flatten() {
        Some(build) => stop_unneeded(tx, build, now),
        None => Ok(()),
    }
}

fn stop_unneeded(tx: &mut dyn Tx, build: i64, now: Timestamp) -> Result<()> {
    let sql = format!(
        "SELECT b.uuid FROM runs b WHERE b.id = ?1 \
         AND EXISTS (SELECT 1 FROM run_edges o WHERE o.upstream_id = b.id AND o.kind = 'build') \
         AND NOT EXISTS (SELECT 1 {WAITING}) \
         AND NOT EXISTS (SELECT 1 FROM runs w WHERE w.original_id = b.id AND w.cloning_kind = 'cache' AND w.pending = 'cache')"
    );
    match scalar(tx, &sql, args![build])? {
        Some(run) => lifecycle::apply(tx, run, &Event::Unneeded, now).map(drop),
        None => Ok(()),
    }
}

/// Tells the runs that wait for a build that it ended: they go on with its image, or cannot.
pub(crate) fn release(tx: &mut dyn Tx, id: i64, build: RunId, status: Status, now: Timestamp) -> Result<()> {
    let waiting = tx.query(&format!("SELECT d.uuid {WAITING} ORDER BY d.id"), args![id])?;
    if waiting.is_empty() {
        return Ok(());
    }
    let image = if status == Status::Succeeded { image(tx, build)? } else { None };
    let why = statuses::history(tx, id)?.pop().and_then(|last| last.message).unwrap_or_default();
    for mut row in waiting {
        let run: RunId = row.take()?;
        let event = match &image {
            Some(image) => {
                let meta_info = JsonMap::from_iter([(IMAGE.to_owned(), Json::from(image.as_str()))]);
                let patch = RunPatch { meta_info: Change::Set(meta_info), merge: Some(true), ..RunPatch::default() };
                runs::patch(tx, run, &patch, now)?;
                Event::Built
            }
            None => Event::Concluded(failed(build, status, &why)),
        };
        lifecycle::apply(tx, run, &event, now)?;
    }
    Ok(())
}

fn failed(build: RunId, status: Status, why: &str) -> Ending {
    let build = build.to_hex();
    let message = if status == Status::Succeeded {
        format!(
            "The build {build} succeeded, but neither a param nor an artifact `destination` says which image it made."
        )
    } else {
        format!("The build {build} made no image, it is {status}: {why}")
    };
    Ending { status: Status::UpstreamFailed, reason: NOTIFIED.to_owned(), message }
}

/// The image that a build made, by what was recorded last.
fn image(tx: &mut dyn Tx, build: RunId) -> Result<Option<String>> {
    let worker = cache::holder(tx, build)?;
    let sql = "SELECT a.summary FROM run_artifacts l JOIN artifacts a ON a.id = l.artifact_id \
               JOIN runs r ON r.id = l.run_id WHERE r.uuid = ?1 AND a.name = ?2 AND a.kind = ?3 \
               AND (l.is_input IS NULL OR NOT l.is_input) ORDER BY l.id DESC LIMIT 1";
    let Some(mut row) = first(tx, sql, args![worker, DESTINATION, ArtifactKind::DockerImage])? else { return Ok(None) };
    let summary: JsonMap = row.take_json()?;
    Ok(summary.get("image").and_then(Json::as_str).filter(|image| !image.is_empty()).map(str::to_owned))
}
