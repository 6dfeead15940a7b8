//! Runs that lived elsewhere and are recorded here with their own ids, times and history.

use polyaxon_engine::state::{Control, HistoryChange};
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::ids::ProjectId;
use polyaxon_model::run::Run;
use polyaxon_model::time::Timestamp;

use crate::db::value::{json, optional_json};
use crate::db::{Tx, args, scalar};
use crate::{Error, Result, metrics, projects, runs, statuses};

/// Records a run as it is told. False when a run with this id exists, which is left alone.
pub fn import(
    tx: &mut dyn Tx,
    project: ProjectId,
    run: &Run,
    history: &[StatusCondition],
    now: Timestamp,
) -> Result<bool> {
    let project: i64 = scalar(tx, "SELECT id FROM projects WHERE uuid = ?1 AND live_state = 1", args![project])?
        .ok_or_else(|| Error::not_found("Project", project))?;
    if runs::id_of(tx, run.uuid)?.is_some() {
        return Ok(false);
    }
    tx.execute(
        "INSERT INTO runs (uuid, project_id, name, kind, runtime, status, managed_by, created_at, updated_at, \
         started_at, finished_at, wait_time, duration, tags, meta_info, inputs, outputs, control, description, \
         raw_content, content) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, \
         ?18, ?19, ?20, ?21)",
        args![
            run.uuid,
            project,
            run.name.as_deref(),
            run.kind,
            run.runtime,
            run.status,
            run.managed_by,
            run.created_at,
            run.updated_at,
            run.started_at,
            run.finished_at,
            run.wait_time,
            run.duration,
            optional_json(run.tags.as_ref()),
            &run.meta_info,
            run.inputs.as_ref(),
            run.outputs.as_ref(),
            json(&Control::default()),
            run.description.as_deref(),
            run.raw_content.as_deref(),
            run.content.as_deref(),
        ],
    )?;
    let id = runs::id_of(tx, run.uuid)?.ok_or_else(|| Error::not_found("Run", run.uuid))?;
    metrics::update(tx, id, None, run.outputs.as_ref())?;
    let history: Vec<HistoryChange> = history.iter().cloned().map(HistoryChange::Append).collect();
    statuses::write(tx, id, 0, &history)?;
    projects::touch(tx, project, now)?;
    Ok(true)
}
