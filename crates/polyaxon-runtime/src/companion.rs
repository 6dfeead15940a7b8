//! The record of a run that is started because of another one: a hook, a build.
//!
//! Must not know why; who starts it gives the id, which follows from the other run, so that none is started twice.

use polyaxon_engine::state::{Birth, Place};
use polyaxon_model::ids::{ProjectId, RunId};
use polyaxon_model::kinds::RunKind;
use polyaxon_model::run::Run;
use polyaxon_spec::compose::{self, Place as Within};
use polyaxon_spec::node::Node;
use polyaxon_spec::wire;
use polyaxon_store::db::Tx;
use polyaxon_store::runs::NewRecord;
use polyaxon_store::{hub, submission};

use crate::compile::sentences;

/// Composes the document of a run that is started because of `source`, and makes its record. `name` is for runs whose
/// operation has none. The error is a sentence.
pub(crate) fn record(
    tx: &mut dyn Tx,
    source: &Run,
    mut document: Node,
    (uuid, project): (RunId, ProjectId),
    name: String,
) -> Result<NewRecord, String> {
    hub::collect(tx, &mut document, &source.project).map_err(|problems| sentences(&problems))?;
    let raw = wire::to_source(&document).map_err(|problems| sentences(&problems))?.to_string();
    let read = wire::read_operation(&raw).map_err(|problems| sentences(&problems))?;
    let composed = compose::compile(&read, None, Within::Root).map_err(|problems| sentences(&problems))?;
    let family = compose::run_kind(&composed.operation);
    let kind: RunKind = family.kind.parse().map_err(|error| format!("run.kind: {error}"))?;
    let birth = Birth {
        kind,
        managed_by: source.managed_by,
        pending: None,
        requires_approval: composed.operation.get("isApproved").and_then(Node::as_bool) == Some(false),
        place: Place::Independent,
    };
    let mut record = NewRecord::new(uuid, project, birth);
    record.runtime = family.runtime.parse().ok();
    let text = |field: &str| composed.operation.get(field).and_then(Node::as_str).map(str::to_owned);
    record.name = text("name").or(Some(name));
    record.description = text("description");
    record.namespace.clone_from(&source.settings.namespace);
    record.submission = submission::get(tx, source.uuid).map_err(|error| error.to_string())?;
    record.component_state =
        hub::state_of_document(tx, &document, &source.project).map_err(|error| error.to_string())?;
    record.raw_content = Some(raw);
    Ok(record)
}
