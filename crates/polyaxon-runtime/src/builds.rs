//! A `build` section becomes a run that makes the image, and the run that has the section waits for it.
//!
//! Invariant: the id of the build follows from the run and its life, so that a life builds once.

use polyaxon_compile::builds;
use polyaxon_compile::context::Agent;
use polyaxon_engine::state::Event;
use polyaxon_model::JsonMap;
use polyaxon_model::builds::{DESTINATION, IMAGE};
use polyaxon_model::change::Change;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::{ArtifactKind, Pending, RunKind, Runtime};
use polyaxon_model::lineage::NewArtifact;
use polyaxon_model::new_run::RunPatch;
use polyaxon_model::run::Run;
use polyaxon_model::time::Timestamp;
use polyaxon_spec::compose::Compiled;
use polyaxon_spec::node::Node;
use polyaxon_store::db::Tx;
use polyaxon_store::pipelines::child_id;
use polyaxon_store::runs::NewRecord;
use polyaxon_store::{actions, builds as stored, lifecycle, projects, runs};
use serde_json::Value as Json;

use crate::companion;
use crate::compile::run_context;

/// Where a record says what is uploaded for it.
const UPLOAD: &str = "upload_artifacts";

/// A build that a run needs before it is compiled.
#[derive(Clone, Debug)]
pub(crate) struct Build {
    uuid: RunId,
    document: Node,
}

/// The build that a run still needs. Once an image was made for it, or for what it is a clone or a child of, it needs
/// none; nor when somebody let it go on without.
pub(crate) fn needed(
    tx: &mut dyn Tx,
    run: &Run,
    composed: &Compiled,
    life: u32,
) -> polyaxon_store::Result<Option<Build>> {
    if run.meta_info.contains_key(IMAGE) {
        return Ok(None);
    }
    let Some(document) = builds::operation(&composed.operation, &composed.params, &run_context(run)) else {
        return Ok(None);
    };
    let uuid = child_id(run.uuid, &format!("build {life}"));
    Ok((!runs::id_exists(tx, uuid)?).then_some(Build { uuid, document }))
}

/// Starts a build and closes the action that needed it.
pub(crate) fn start(
    tx: &mut dyn Tx,
    run: RunId,
    seq: i64,
    build: &Build,
    now: Timestamp,
) -> polyaxon_store::Result<()> {
    let Some(source) = runs::get(tx, run)? else { return Ok(()) };
    let Some(project) = projects::get(tx, &source.project)? else { return Ok(()) };
    if !actions::done(tx, run, seq, now)? {
        return Ok(());
    }
    let name = build.document.get("hubRef").and_then(Node::as_str).unwrap_or("build").to_owned();
    let record = companion::record(tx, &source, build.document.clone(), (build.uuid, project.uuid), name);
    match record {
        Ok(mut record) if record.birth.kind == RunKind::Job => {
            record.runtime = Some(Runtime::Builder);
            if source.pending == Some(Pending::Upload) {
                hand_upload_on(tx, &source, &mut record, now)?;
            }
            stored::begin(tx, run, &record, now)
        }
        Ok(record) => fail(tx, run, &format!("its component is a {}, only jobs build", record.birth.kind), now),
        Err(problem) => fail(tx, run, &problem, now),
    }
}

/// The image that a build is to make, as what it produces; it may record something more exact later.
pub(crate) fn destination(resolved: &Node, agent: &Agent) -> Option<NewArtifact> {
    let image = builds::image(resolved, agent)?;
    Some(NewArtifact {
        name: DESTINATION.to_owned(),
        kind: ArtifactKind::DockerImage,
        path: None,
        summary: Some(JsonMap::from_iter([("image".to_owned(), Json::from(image.name))])),
        is_input: Some(false),
        state: None,
        run: None,
        connection: image.connection,
        meta_info: None,
    })
}

/// What was announced to be uploaded is what the image is made of.
fn hand_upload_on(tx: &mut dyn Tx, run: &Run, build: &mut NewRecord, now: Timestamp) -> polyaxon_store::Result<()> {
    build.birth.pending = run.pending;
    let mut meta_info = run.meta_info.clone();
    if let Some(path) = meta_info.remove(UPLOAD) {
        build.meta_info.insert(UPLOAD.to_owned(), path);
        let patch = RunPatch { meta_info: Change::Set(meta_info), ..RunPatch::default() };
        runs::patch(tx, run.uuid, &patch, now)?;
    }
    Ok(())
}

fn fail(tx: &mut dyn Tx, run: RunId, problem: &str, now: Timestamp) -> polyaxon_store::Result<()> {
    let message = format!("build: {problem}");
    lifecycle::apply(tx, run, &Event::CompileFailed { message }, now).map(drop)
}
