//! The children of a pipeline are created in order, some hundred in a transaction.

use std::collections::HashMap;
use std::time::Duration;

use polyaxon_engine::flow::rerun::Part;
use polyaxon_engine::flow::trigger::OnSkip;
use polyaxon_engine::lifecycle as engine;
use polyaxon_engine::state::{Action, Birth, Event, Place};
use polyaxon_model::JsonMap;
use polyaxon_model::ids::{RunId, StateId};
use polyaxon_model::kinds::{CloningKind, EdgeKind, ManagedBy, Pending, RunKind, Runtime, Trigger};
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use serde_json::Value as Json;

use super::events::{self, Listen};
use super::react::{decide_all, set_state, settle};
use super::tracks::PRUNED;
use super::{Pipeline, rerun, state};
use crate::db::value::{json, optional_json};
use crate::db::{Tx, args, first};
use crate::edges::{self, NewEdge, Side};
use crate::{Error, Result, actions, hub, lifecycle, projects, runs};

/// A child to be created.
#[derive(Clone, Debug)]
pub struct NewChild {
    /// See [`super::child_id`].
    pub uuid: RunId,
    pub kind: RunKind,
    pub runtime: Runtime,
    pub name: Option<String>,
    pub description: Option<String>,
    pub tags: Option<Vec<String>>,
    pub meta_info: JsonMap,
    /// Values that are known before the run is compiled.
    pub inputs: Option<JsonMap>,
    /// The authored operation as JSON text.
    pub raw_content: String,
    pub component: Component,
    pub requires_approval: bool,
    pub trigger: Trigger,
    pub on_skip: OnSkip,
    pub upstream: Vec<Upstream>,
    /// What starts it beside the ends of these.
    pub listens: Vec<Listen>,
    /// What becomes of it in a dag that is started again in part.
    pub part: Part,
    pub origin: Option<Origin>,
}

/// The run that led to a child of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The tuner that suggested it.
    Tuner(RunId),
    /// The trial that it goes on with.
    Trial(RunId),
}

/// What the record of a child says about its component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Component {
    /// It was written in place.
    Own,
    Known(StateId),
    /// The version that a `hubRef` names, and the state of what came along with it.
    OfHub {
        reference: String,
        brought: StateId,
    },
    /// That of the pipeline.
    OfPipeline,
}

/// An operation that must be done before.
#[derive(Clone, Debug)]
pub struct Upstream {
    pub run: RunId,
    /// Param names and what they refer to.
    pub values: Option<Json>,
}

/// Some children of a pipeline, in order.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The place of the first of them.
    pub from: u64,
    /// How many children there will be.
    pub expected: u64,
    pub children: Vec<NewChild>,
    /// Whether the first of them begin before the last exist.
    pub begins_early: bool,
    pub pace: Pace,
    /// Ends of children that were known when the batch was made.
    pub ends_seen: u64,
    /// The `earlyStopping` of the pipeline.
    pub early_stopping: Option<Json>,
    /// What the search learns from earlier runs, found out when it begins.
    pub experience: Option<Json>,
}

/// When the next batch follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    AtOnce,
    /// When a child has ended: what comes next depends on it.
    AfterAnEnd,
    /// This is the last one.
    Complete,
}

/// How far a pipeline is with its children.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Children that were looked at in this life.
    pub position: u64,
    /// Children that have ended.
    pub ends: u64,
    /// How often one of them was let go on.
    pub reopened: u64,
}

/// How far a pipeline is in this life.
pub fn progress(tx: &mut dyn Tx, run: RunId) -> Result<Progress> {
    let sql = "SELECT p.position, p.life, p.reopened, r.control, r.id FROM runs r JOIN pipelines p ON p.run_id = r.id \
               WHERE r.uuid = ?1";
    let Some(mut row) = first(tx, sql, args![run])? else { return Ok(Progress::default()) };
    let (position, life): (u64, i64) = (super::count(&mut row)?, row.take()?);
    let reopened = super::count(&mut row)?;
    let control: polyaxon_engine::state::Control = row.take_json()?;
    let is_this_life = life == i64::from(control.life);
    let ends = Pipeline::load(tx, row.take()?)?.map_or(0, |pipeline| pipeline.ends.total());
    Ok(Progress { position: if is_this_life { position } else { 0 }, ends, reopened })
}

/// Performs an `Expand` action: creates the children of the batch, lets those of an earlier life that did not succeed
/// wait again, and goes on with the next batch. Nothing happens when the batch is not the next one.
pub fn create(tx: &mut dyn Tx, run: RunId, seq: i64, batch: &Batch, now: Timestamp) -> Result<()> {
    let Progress { position: from, ends, .. } = progress(tx, run)?;
    if from != batch.from || !actions::done(tx, run, seq, now)? {
        return Ok(());
    }
    let parent = Parent::load(tx, run)?;
    if from == 0 {
        begin(tx, &parent, batch.expected)?;
        let (plan, experience) = (batch.early_stopping.as_ref().map(json), batch.experience.as_ref().map(json));
        let sql = "UPDATE pipelines SET plan = ?2, experience = coalesce(experience, ?3) WHERE run_id = ?1";
        tx.execute(sql, args![parent.id, plan, experience])?;
    }
    let mut ids = HashMap::new();
    let mut created = 0_i64;
    for (child, position) in batch.children.iter().zip(from..) {
        let at = parent.time_of(position, batch.expected, now);
        let id = match insert(tx, &parent, child, Place::Child, at, None)? {
            Some(id) => {
                created += 1;
                connect(tx, &parent, id, position, child, &ids, now)?;
                rerun::settle(tx, id, child.uuid, &child.part, now)?;
                id
            }
            None => repeat(tx, child, now)?,
        };
        ids.insert(child.uuid, id);
    }
    let next = from + batch.children.len() as u64;
    let is_complete = batch.pace == Pace::Complete;
    tx.execute(
        "UPDATE pipelines SET position = ?2, expected = ?3, created = created + ?4 WHERE run_id = ?1",
        args![parent.id, next as i64, batch.expected as i64, created],
    )?;
    projects::touch(tx, parent.project, now)?;
    // An end that came meanwhile may lead to other children.
    if batch.pace == Pace::AtOnce || (batch.pace == Pace::AfterAnEnd && ends > batch.ends_seen) {
        actions::write(tx, parent.id, &Action::Expand, None, now)?;
    }
    if is_complete {
        decide_all(tx, parent.id, now)?;
    }
    if is_complete || batch.begins_early {
        lifecycle::apply(tx, run, &Event::Expanded, now)?;
        settle(tx, parent.id, now)?;
    }
    Ok(())
}

/// What children take from their pipeline.
pub(super) struct Parent {
    pub(super) id: i64,
    pub(super) project: i64,
    kind: RunKind,
    managed_by: ManagedBy,
    created_at: Timestamp,
    pub(super) life: u32,
    runs_anyway: bool,
    around: Option<i64>,
    around_kind: Option<RunKind>,
    controller: Option<i64>,
    namespace: Option<String>,
    priority: i64,
    submission: Option<String>,
    component_state: Option<StateId>,
    project_name: String,
}

impl Parent {
    pub(super) fn load(tx: &mut dyn Tx, run: RunId) -> Result<Parent> {
        let sql = "SELECT r.id, r.project_id, r.kind, r.managed_by, r.created_at, r.control, r.pipeline_id, p.kind, \
                   r.controller_id, r.namespace, r.priority, r.submission, r.component_state, o.name \
                   FROM runs r JOIN projects o ON o.id = r.project_id LEFT JOIN runs p ON p.id = r.pipeline_id WHERE r.uuid = ?1";
        let mut row = first(tx, sql, args![run])?.ok_or_else(|| Error::not_found("Run", run))?;
        let (id, project, kind) = (row.take()?, row.take()?, row.take()?);
        let (managed_by, created_at) = (row.take()?, row.take()?);
        let control: polyaxon_engine::state::Control = row.take_json()?;
        Ok(Parent {
            id,
            project,
            kind,
            managed_by,
            created_at,
            life: control.life,
            runs_anyway: control.runs_anyway,
            around: row.take()?,
            around_kind: row.take()?,
            controller: row.take()?,
            namespace: row.take()?,
            priority: row.take()?,
            submission: row.take()?,
            component_state: row.take()?,
            project_name: row.take()?,
        })
    }

    fn state_of(&self, tx: &mut dyn Tx, component: &Component) -> Result<Option<StateId>> {
        Ok(match component {
            Component::Own => None,
            Component::Known(state) => Some(*state),
            Component::OfPipeline => self.component_state,
            Component::OfHub { reference, brought } => {
                let found = hub::find(tx, reference, &self.project_name)?;
                Some(found.and_then(|component| component.state).unwrap_or(*brought))
            }
        })
    }

    /// Children are apart from each other by a moment, so that lists keep their order, and never in the future.
    fn time_of(&self, position: u64, expected: u64, now: Timestamp) -> Timestamp {
        let apart = (1_000_000 / expected.max(1)).clamp(1, 1000);
        let all = Duration::from_micros(apart.saturating_mul(expected));
        let start = now.minus(all).max(self.created_at);
        start.plus(Duration::from_micros(apart.saturating_mul(position + 1)))
    }
}

/// Opens the record of a pipeline, or opens it again for another life.
pub(super) fn begin(tx: &mut dyn Tx, parent: &Parent, expected: u64) -> Result<()> {
    let around = parent.around.filter(|_| parent.around_kind != Some(RunKind::Schedule));
    tx.execute(
        "INSERT INTO pipelines (run_id, parent_id, life, expected) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (run_id) DO UPDATE SET life = excluded.life, expected = excluded.expected, position = 0",
        args![parent.id, around, parent.life, expected as i64],
    )?;
    Ok(())
}

/// Writes the run; none when it exists.
pub(super) fn insert(
    tx: &mut dyn Tx,
    parent: &Parent,
    child: &NewChild,
    place: Place,
    at: Timestamp,
    schedule_at: Option<Timestamp>,
) -> Result<Option<i64>> {
    // The command line approves one child after the other and executes it.
    let pending = (parent.managed_by == ManagedBy::Cli).then_some(Pending::Approval);
    let birth = Birth {
        kind: child.kind,
        managed_by: parent.managed_by,
        pending,
        requires_approval: child.requires_approval,
        place,
    };
    let mut decision = engine::begin(&birth, at);
    // Whoever wants a pipeline to run again means what is in it.
    decision.next.control.runs_anyway = parent.runs_anyway || matches!(child.part, Part::Again | Part::Within(_));
    let component_state = parent.state_of(tx, &child.component)?;
    let run = &decision.next;
    let controller = if parent.kind == RunKind::Schedule { None } else { parent.controller.or(Some(parent.id)) };
    let original = match child.origin {
        Some(Origin::Trial(trial)) => runs::id_of(tx, trial)?,
        Some(Origin::Tuner(_)) | None => None,
    };
    let row = first(
        tx,
        "INSERT INTO runs (uuid, project_id, name, kind, runtime, status, managed_by, pending, created_at, updated_at, \
         schedule_at, pipeline_id, controller_id, namespace, priority, tags, meta_info, control, description, \
         raw_content, submission, inputs, component_state, original_id, cloning_kind) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, \
         ?22, ?23, ?24) \
         ON CONFLICT (uuid) DO NOTHING RETURNING id",
        args![
            child.uuid,
            parent.project,
            child.name.as_deref(),
            run.kind,
            child.runtime,
            run.status,
            run.managed_by,
            run.pending,
            at,
            schedule_at,
            parent.id,
            controller,
            parent.namespace.as_deref(),
            parent.priority,
            optional_json(child.tags.as_ref()),
            &child.meta_info,
            json(&run.control),
            child.description.as_deref(),
            child.raw_content.as_str(),
            parent.submission.as_deref(),
            child.inputs.as_ref(),
            component_state,
            original,
            original.map(|_| CloningKind::Restart),
        ],
    )?;
    let Some(id) = row.map(|mut row| row.take::<i64>()).transpose()? else { return Ok(None) };
    lifecycle::record(tx, id, 0, &decision, None, at)?;
    Ok(Some(id))
}

/// Writes what the run waits for.
pub(super) fn connect(
    tx: &mut dyn Tx,
    parent: &Parent,
    id: i64,
    position: u64,
    child: &NewChild,
    ids: &HashMap<RunId, i64>,
    now: Timestamp,
) -> Result<()> {
    for upstream in &child.upstream {
        let known = ids.get(&upstream.run).copied();
        let other = match known {
            Some(id) => id,
            None => runs::id_of(tx, upstream.run)?.ok_or_else(|| Error::not_found("Run", upstream.run))?,
        };
        tx.execute(
            "INSERT INTO run_edges (upstream_id, downstream_id, kind, param_values) VALUES (?1, ?2, 'dag', ?3)",
            args![other, id, upstream.values.as_ref().map(json)],
        )?;
    }
    if let Some(Origin::Tuner(tuner)) = child.origin {
        let edge = NewEdge { other: tuner, side: Side::Upstream, kind: EdgeKind::Join, values: None, statuses: None };
        edges::add(tx, child.uuid, &edge)?;
    }
    tx.execute(
        "INSERT INTO pipeline_children (run_id, pipeline_id, position, state, trigger_rule, on_skip, upstreams, \
         listens) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        args![
            id,
            parent.id,
            position as i64,
            if child.upstream.is_empty() && child.listens.is_empty() { state::READY } else { state::WAITING },
            child.trigger,
            child.on_skip == OnSkip::Skip,
            child.upstream.len() as i64,
            !child.listens.is_empty(),
        ],
    )?;
    let is_upstream = |run| child.upstream.iter().any(|upstream| upstream.run == run);
    match events::connect(tx, id, &child.listens, &is_upstream, now)? {
        Some(message) => lifecycle::apply(tx, child.uuid, &Event::CompileFailed { message }, now).map(drop),
        None => Ok(()),
    }
}

/// A child of an earlier life: one that succeeded, was pruned or is deleted stays, any other takes the new content and
/// waits for its turn again.
fn repeat(tx: &mut dyn Tx, child: &NewChild, now: Timestamp) -> Result<i64> {
    let sql = "SELECT r.id, r.status, c.upstreams, c.listens, r.meta_info FROM runs r \
               LEFT JOIN pipeline_children c ON c.run_id = r.id WHERE r.uuid = ?1";
    let mut row = first(tx, sql, args![child.uuid])?.ok_or_else(|| Error::not_found("Run", child.uuid))?;
    let (id, status): (i64, Status) = (row.take()?, row.take()?);
    let (upstreams, listens): (Option<i64>, Option<bool>) = (row.take()?, row.take()?);
    let waits = upstreams != Some(0) || listens == Some(true);
    let stays = matches!(child.part, Part::Skip(_)) || row.take_json::<JsonMap>()?.contains_key(PRUNED);
    if status.is_done() && status != Status::Succeeded && !stays {
        if !child.raw_content.is_empty() {
            tx.execute("UPDATE runs SET raw_content = ?2 WHERE id = ?1", args![id, child.raw_content.as_str()])?;
        }
        if !lifecycle::apply(tx, child.uuid, &Event::Reset, now)?.next.status.is_done() {
            set_state(tx, id, if waits { state::WAITING } else { state::READY })?;
        }
    }
    Ok(id)
}
