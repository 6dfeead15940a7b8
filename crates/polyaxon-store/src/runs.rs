//! Runs: create, read, patch, and what compilation and clones write. Statuses are changed by
//! [`crate::lifecycle`], lists are made by [`crate::run_list`].

use polyaxon_engine::lifecycle as engine;
use polyaxon_engine::state::Birth;
use polyaxon_model::JsonMap;
use polyaxon_model::change::Change;
use polyaxon_model::ids::{ExecutorId, ProjectId, RunId, StateId};
use polyaxon_model::kinds::{CloningKind, Runtime};
use polyaxon_model::loose::unique;
use polyaxon_model::new_run::{RunPatch, Submission};
use polyaxon_model::run::{Resources, Run};
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;

use crate::db::value::{json, optional_json};
use crate::db::{Tx, args, first, scalar};
use crate::pipelines::tracks;
use crate::run_row::{self, Depth};
use crate::{Error, Result, lifecycle, metrics, projects};

/// A run to be created.
#[derive(Clone, Debug)]
pub struct NewRecord {
    pub uuid: RunId,
    pub project: ProjectId,
    pub birth: Birth,
    pub runtime: Option<Runtime>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub readme: Option<String>,
    pub tags: Option<Vec<String>>,
    pub meta_info: JsonMap,
    pub inputs: Option<JsonMap>,
    pub outputs: Option<JsonMap>,
    /// The authored operation as JSON text.
    pub raw_content: Option<String>,
    /// The compiled operation as JSON text.
    pub content: Option<String>,
    pub submission: Option<Submission>,
    pub original: Option<(RunId, CloningKind)>,
    pub pipeline: Option<RunId>,
    pub namespace: Option<String>,
    /// What the component of the run is a version of.
    pub component_state: Option<StateId>,
    pub resources: Resources,
    pub priority: i64,
    pub schedule_at: Option<Timestamp>,
}

impl NewRecord {
    /// A run with nothing but what it must have.
    pub fn new(uuid: RunId, project: ProjectId, birth: Birth) -> NewRecord {
        NewRecord {
            uuid,
            project,
            birth,
            runtime: None,
            name: None,
            description: None,
            readme: None,
            tags: None,
            meta_info: JsonMap::new(),
            inputs: None,
            outputs: None,
            raw_content: None,
            content: None,
            submission: None,
            original: None,
            pipeline: None,
            namespace: None,
            component_state: None,
            resources: Resources::default(),
            priority: 0,
            schedule_at: None,
        }
    }
}

/// What compilation found out about a run.
#[derive(Clone, Debug, Default)]
pub struct Compilation {
    /// The compiled operation as JSON text.
    pub content: String,
    pub inputs: Option<JsonMap>,
    pub outputs: Option<JsonMap>,
    /// Merged into what is there.
    pub meta_info: JsonMap,
    pub resources: Resources,
    /// The queue that the run names, as [`crate::queues::resolve`] found it.
    pub queue: i64,
}

/// Creates a run with its first condition and its first action.
pub fn create(tx: &mut dyn Tx, new: &NewRecord, now: Timestamp) -> Result<Run> {
    let project: i64 = scalar(tx, "SELECT id FROM projects WHERE uuid = ?1 AND live_state = 1", args![new.project])?
        .ok_or_else(|| Error::not_found("Project", new.project))?;
    let decision = engine::begin(&new.birth, now);
    let state = &decision.next;
    let pipeline = related(tx, new.pipeline)?;
    let original = related(tx, new.original.map(|(run, _)| run))?;
    tx.execute(
        "INSERT INTO runs (uuid, project_id, name, kind, runtime, status, managed_by, pending, created_at, updated_at, \
         schedule_at, pipeline_id, controller_id, original_id, cloning_kind, namespace, priority, cpu, memory, gpu, \
         custom, cost, tags, meta_info, inputs, outputs, control, description, readme, raw_content, content, submission, \
         component_state) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10, ?11, \
         (SELECT coalesce(controller_id, id) FROM runs WHERE id = ?11), ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, \
         ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31)",
        args![
            new.uuid,
            project,
            new.name.as_deref(),
            state.kind,
            new.runtime,
            state.status,
            state.managed_by,
            state.pending,
            now,
            new.schedule_at,
            pipeline,
            original,
            new.original.map(|(_, kind)| kind),
            new.namespace.as_deref(),
            new.priority,
            new.resources.cpu,
            new.resources.memory,
            new.resources.gpu,
            new.resources.custom,
            new.resources.cost,
            optional_json(new.tags.clone().map(unique).as_ref()),
            &new.meta_info,
            new.inputs.as_ref(),
            new.outputs.as_ref(),
            json(&state.control),
            new.description.as_deref(),
            new.readme.as_deref(),
            new.raw_content.as_deref(),
            new.content.as_deref(),
            optional_json(new.submission.as_ref()),
            new.component_state,
        ],
    )?;
    let id = id_of(tx, new.uuid)?.ok_or_else(|| Error::not_found("Run", new.uuid))?;
    metrics::update(tx, id, None, new.outputs.as_ref())?;
    lifecycle::record(tx, id, 0, &decision, None, now)?;
    projects::touch(tx, project, now)?;
    get(tx, new.uuid)?.ok_or_else(|| Error::not_found("Run", new.uuid))
}

/// A run with everything a client may see, whatever its live state.
pub fn get(tx: &mut dyn Tx, run: RunId) -> Result<Option<Run>> {
    let columns = run_row::columns(Depth::Detail);
    let sql = format!("SELECT {columns} FROM {} WHERE r.uuid = ?1", run_row::FROM);
    first(tx, &sql, args![run])?.map(|row| run_row::read(row, Depth::Detail)).transpose()
}

/// Changes fields of a run. With `merge`, maps and tags are merged into the stored ones: writes are serial, so
/// that no key of a parallel merge is lost.
pub fn patch(tx: &mut dyn Tx, run: RunId, patch: &RunPatch, now: Timestamp) -> Result<Run> {
    let mut record = get(tx, run)?.ok_or_else(|| Error::not_found("Run", run))?;
    let merges = patch.merge == Some(true);
    patch.name.clone().apply(&mut record.name);
    patch.description.clone().apply(&mut record.description);
    patch.readme.clone().apply(&mut record.readme);
    patch.wait_time.apply(&mut record.wait_time);
    patch.duration.apply(&mut record.duration);
    patch.pending.apply(&mut record.pending);
    patch.runtime.apply(&mut record.runtime);
    let old_outputs = record.outputs.clone();
    let mut meta_info = Some(record.meta_info);
    for (change, field) in
        [(&patch.inputs, &mut record.inputs), (&patch.outputs, &mut record.outputs), (&patch.meta_info, &mut meta_info)]
    {
        match (field.as_mut().filter(|_| merges), change.clone()) {
            (Some(stored), Change::Set(new)) => stored.extend(new),
            (_, change) => change.apply(field),
        }
    }
    record.meta_info = meta_info.unwrap_or_default();
    match (record.tags.take().filter(|_| merges), patch.tags.clone()) {
        (Some(mut stored), Change::Set(new)) => {
            stored.extend(new);
            record.tags = Some(unique(stored));
        }
        (stored, change) => {
            record.tags = stored;
            change.apply(&mut record.tags);
        }
    }
    record.kind = patch.kind.unwrap_or(record.kind);
    record.status = patch.status.unwrap_or(record.status);
    record.managed_by = patch.managed_by.unwrap_or(record.managed_by);
    record.live_state = patch.live_state.unwrap_or(record.live_state);
    record.updated_at = now.max(record.updated_at);
    tx.execute(
        "UPDATE runs SET name = ?2, description = ?3, readme = ?4, tags = ?5, meta_info = ?6, inputs = ?7, \
         outputs = ?8, wait_time = ?9, duration = ?10, kind = ?11, runtime = ?12, status = ?13, managed_by = ?14, \
         pending = ?15, live_state = ?16, updated_at = ?17 WHERE uuid = ?1",
        args![
            run,
            record.name.as_deref(),
            record.description.as_deref(),
            record.readme.as_deref(),
            optional_json(record.tags.as_ref()),
            &record.meta_info,
            record.inputs.as_ref(),
            record.outputs.as_ref(),
            record.wait_time,
            record.duration,
            record.kind,
            record.runtime,
            record.status,
            record.managed_by,
            record.pending,
            record.live_state,
            record.updated_at,
        ],
    )?;
    if record.outputs != old_outputs {
        let id = id_of(tx, run)?.ok_or_else(|| Error::not_found("Run", run))?;
        metrics::update(tx, id, old_outputs.as_ref(), record.outputs.as_ref())?;
        tracks::answer(tx, id, old_outputs.as_ref(), record.outputs.as_ref(), now)?;
    }
    Ok(record)
}

/// Writes what compilation found out; call it in the transaction that applies `Compiled`.
pub fn set_compilation(tx: &mut dyn Tx, run: RunId, compilation: &Compilation, now: Timestamp) -> Result<()> {
    let mut stored = first(tx, "SELECT id, meta_info, outputs FROM runs WHERE uuid = ?1", args![run])?
        .ok_or_else(|| Error::not_found("Run", run))?;
    let id: i64 = stored.take()?;
    let mut meta_info: JsonMap = stored.take_json()?;
    let old_outputs: Option<JsonMap> = stored.take_optional_json()?;
    meta_info.extend(compilation.meta_info.clone());
    tx.execute(
        "UPDATE runs SET content = ?2, inputs = ?3, outputs = coalesce(?4, outputs), meta_info = ?5, memory = ?6, \
         cpu = ?7, gpu = ?8, custom = ?9, cost = ?10, updated_at = ?11, queue_id = ?12 WHERE uuid = ?1",
        args![
            run,
            compilation.content.as_str(),
            compilation.inputs.as_ref(),
            compilation.outputs.as_ref(),
            &meta_info,
            compilation.resources.memory,
            compilation.resources.cpu,
            compilation.resources.gpu,
            compilation.resources.custom,
            compilation.resources.cost,
            now,
            compilation.queue,
        ],
    )?;
    if compilation.outputs.is_some() {
        metrics::update(tx, id, old_outputs.as_ref(), compilation.outputs.as_ref())?;
    }
    Ok(())
}

/// Replaces the authored operation of a run that is about to be resumed, and the state of its component.
pub fn set_raw_content(
    tx: &mut dyn Tx,
    run: RunId,
    raw_content: &str,
    component_state: Option<StateId>,
    now: Timestamp,
) -> Result<()> {
    tx.execute(
        "UPDATE runs SET raw_content = ?2, component_state = ?3, updated_at = ?4 WHERE uuid = ?1",
        args![run, raw_content, component_state, now],
    )?;
    Ok(())
}

/// Moves a run and its descendants to another project.
pub fn transfer(tx: &mut dyn Tx, run: RunId, project: ProjectId, now: Timestamp) -> Result<()> {
    let id = id_of(tx, run)?.ok_or_else(|| Error::not_found("Run", run))?;
    tx.execute(
        "WITH RECURSIVE family (id) AS (SELECT id FROM runs WHERE id = ?1 UNION \
         SELECT r.id FROM runs r JOIN family f ON r.pipeline_id = f.id OR r.controller_id = f.id) \
         UPDATE runs SET project_id = (SELECT id FROM projects WHERE uuid = ?2), updated_at = ?3 \
         WHERE id IN (SELECT id FROM family) AND project_id <> (SELECT id FROM projects WHERE uuid = ?2)",
        args![id, project, now],
    )?;
    Ok(())
}

/// An attempt whose end was not seen yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveAttempt {
    pub run: RunId,
    pub attempt: u32,
    pub status: Status,
}

/// The attempts that an executor holds; what to adopt after a restart.
pub fn live_attempts(tx: &mut dyn Tx, executor: ExecutorId) -> Result<Vec<LiveAttempt>> {
    let sql = "SELECT uuid, attempt, status FROM runs WHERE attempt_live AND executor_id = ?1 ORDER BY id";
    tx.query(sql, args![executor])?
        .into_iter()
        .map(|mut row| Ok(LiveAttempt { run: row.take()?, attempt: row.take::<i64>()? as u32, status: row.take()? }))
        .collect()
}

/// Notes that the folder of a deleted run is gone; the record follows a day later.
pub fn mark_deleted(tx: &mut dyn Tx, run: RunId, now: Timestamp) -> Result<()> {
    tx.execute("UPDATE runs SET deleted_at = ?2 WHERE uuid = ?1 AND deleted_at IS NULL", args![run, now])?;
    Ok(())
}

/// Removes the records of up to `limit` runs whose folders were gone at `border`; tells how many. A record stays while
/// something still needs it: what is left to do about the run, children at work, or the pipeline that counts it.
pub fn purge(tx: &mut dyn Tx, border: Timestamp, limit: u32) -> Result<u64> {
    let sql = "DELETE FROM runs WHERE id IN (SELECT r.id FROM runs r LEFT JOIN runs p ON p.id = r.pipeline_id \
               WHERE r.live_state = -1 AND r.deleted_at <= ?1 AND r.finished_at IS NOT NULL \
               AND (p.id IS NULL OR p.kind = 'schedule' OR p.deleted_at IS NOT NULL) \
               AND NOT EXISTS (SELECT 1 FROM actions a WHERE a.run_id = r.id AND a.done_at IS NULL \
               AND NOT a.needs_executor) \
               AND NOT EXISTS (SELECT 1 FROM runs c WHERE c.pipeline_id = r.id AND c.finished_at IS NULL) LIMIT ?2)";
    tx.execute(sql, args![border, limit])
}

/// Whether there is a record of a run, whatever its state.
pub fn id_exists(tx: &mut dyn Tx, run: RunId) -> Result<bool> {
    Ok(id_of(tx, run)?.is_some())
}

/// What exactly a run is; none for one that is unknown.
pub fn runtime(tx: &mut dyn Tx, run: RunId) -> Result<Option<Runtime>> {
    Ok(scalar::<Option<Runtime>>(tx, "SELECT runtime FROM runs WHERE uuid = ?1", args![run])?.flatten())
}

/// The row of a run.
pub(crate) fn id_of(tx: &mut dyn Tx, run: RunId) -> Result<Option<i64>> {
    scalar(tx, "SELECT id FROM runs WHERE uuid = ?1", args![run])
}

fn related(tx: &mut dyn Tx, run: Option<RunId>) -> Result<Option<i64>> {
    match run {
        None => Ok(None),
        Some(run) => id_of(tx, run)?.map(Some).ok_or_else(|| Error::not_found("Run", run)),
    }
}
