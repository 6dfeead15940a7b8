//! Builds: runs that make the image of other runs, which wait for them.
//!
//! Invariant: the build, the edge from it and the gate of the run that waits are written together, and the image together
//! with the opening of the gate.

use polyaxon_engine::state::{Ending, Event};
use polyaxon_model::JsonMap;
use polyaxon_model::change::Change;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::{ArtifactKind, EdgeKind, Pending};
use polyaxon_model::new_run::RunPatch;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use serde_json::Value as Json;

use crate::db::{Tx, args, first};
use crate::edges::{self, NewEdge, Side};
use crate::runs::{self, NewRecord};
use crate::{Result, cache, lifecycle};

/// Where a record says which image was made for it.
pub const IMAGE: &str = "destination_image";
/// The artifact, or else the param, of a build that names its image.
pub(crate) const DESTINATION: &str = "destination";

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

/// Tells the runs that wait for a build that it ended: they go on with its image, or cannot.
pub(crate) fn release(tx: &mut dyn Tx, id: i64, build: RunId, status: Status, now: Timestamp) -> Result<()> {
    let sql = "SELECT d.uuid, d.status FROM run_edges e JOIN runs d ON d.id = e.downstream_id \
               WHERE e.upstream_id = ?1 AND e.kind = ?2 AND d.pending = ?3 ORDER BY d.id";
    let waiting = tx.query(sql, args![id, EdgeKind::Build, Pending::Build])?;
    if waiting.is_empty() {
        return Ok(());
    }
    let image = if status == Status::Succeeded { image(tx, build)? } else { None };
    for mut row in waiting {
        let (run, waits): (RunId, Status) = (row.take()?, row.take()?);
        if waits.is_done() {
            continue;
        }
        let event = match &image {
            Some(image) => {
                let meta_info = JsonMap::from_iter([(IMAGE.to_owned(), Json::from(image.as_str()))]);
                let patch = RunPatch { meta_info: Change::Set(meta_info), merge: Some(true), ..RunPatch::default() };
                runs::patch(tx, run, &patch, now)?;
                Event::Built
            }
            None => Event::Concluded(failed(build, status)),
        };
        lifecycle::apply(tx, run, &event, now)?;
    }
    Ok(())
}

fn failed(build: RunId, status: Status) -> Ending {
    let build = build.to_hex();
    let message = if status == Status::Succeeded {
        format!("The build {build} succeeded, but said neither by an artifact nor by a param which image it made.")
    } else {
        format!("The build {build} made no image, it is {status}.")
    };
    Ending { status: Status::UpstreamFailed, reason: "SchedulerBuildNotify".to_owned(), message }
}

/// The image that a build made: what it recorded, or else what it was told to make.
fn image(tx: &mut dyn Tx, build: RunId) -> Result<Option<String>> {
    let worker = cache::holder(tx, build)?;
    let sql = "SELECT a.summary FROM run_artifacts l JOIN artifacts a ON a.id = l.artifact_id \
               JOIN runs r ON r.id = l.run_id WHERE r.uuid = ?1 AND a.name = ?2 AND a.kind = ?3 \
               AND (l.is_input IS NULL OR NOT l.is_input) ORDER BY l.id DESC LIMIT 1";
    let recorded = first(tx, sql, args![worker, DESTINATION, ArtifactKind::DockerImage])?;
    let recorded = recorded.map(|mut row| row.take_json::<JsonMap>()).transpose()?;
    let text = |map: &JsonMap, key: &str| map.get(key).and_then(Json::as_str).map(str::to_owned);
    if let Some(image) = recorded.and_then(|summary| text(&summary, "image")) {
        return Ok(Some(image).filter(|image| !image.is_empty()));
    }
    let Some(mut row) = first(tx, "SELECT inputs FROM runs WHERE uuid = ?1", args![worker])? else { return Ok(None) };
    let inputs: Option<JsonMap> = row.take_optional_json()?;
    Ok(inputs.and_then(|inputs| text(&inputs, DESTINATION)).filter(|image| !image.is_empty()))
}
