//! The runs of a schedule: one is in the future, the next is made when it comes due or has ended.

use jiff::tz::TimeZone;
use polyaxon_engine::flow::rerun::Part;
use polyaxon_engine::flow::schedule::{Next, Schedule};
use polyaxon_engine::flow::trigger::OnSkip;
use polyaxon_engine::state::{Ending, Event, Place};
use polyaxon_model::JsonMap;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::{RunKind, Runtime, Trigger};
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use polyaxon_spec::node::Node;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::children::{self, Component, NewChild, Parent};
use super::{Pipeline, child_id};
use crate::db::value::json;
use crate::db::{Tx, args, first};
use crate::{Error, Result, actions, lifecycle, runs};

/// What every run of a schedule is made of, and when they begin.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The resolved `schedule` section.
    pub schedule: Json,
    /// The authored operation of each run as JSON text.
    pub raw_content: String,
    pub kind: RunKind,
    pub runtime: Runtime,
    pub name: Option<String>,
    pub description: Option<String>,
    pub tags: Option<Vec<String>>,
    #[serde(default)]
    pub meta_info: JsonMap,
}

/// The schedule of a plan.
pub fn read(section: &Json) -> std::result::Result<Schedule, String> {
    Schedule::read(&Node::from_json(section), |name| TimeZone::get(name).ok())
}

/// Performs the `Expand` action of a schedule: makes its first run.
pub fn begin(tx: &mut dyn Tx, run: RunId, seq: i64, plan: &Plan, now: Timestamp) -> Result<()> {
    if !actions::done(tx, run, seq, now)? {
        return Ok(());
    }
    let parent = Parent::load(tx, run)?;
    children::begin(tx, &parent, 0)?;
    tx.execute("UPDATE pipelines SET plan = ?2 WHERE run_id = ?1", args![parent.id, json(plan)])?;
    lifecycle::apply(tx, run, &Event::Expanded, now)?;
    make_next(tx, run, now)
}

/// Performs the `Tick` action of a run whose time has come: it begins, unless a later one takes its place.
pub fn tick(tx: &mut dyn Tx, run: RunId, seq: i64, now: Timestamp) -> Result<()> {
    if !actions::done(tx, run, seq, now)? {
        return Ok(());
    }
    let sql = "SELECT r.schedule_at, p.uuid, p.created_at FROM runs r JOIN runs p ON p.id = r.pipeline_id \
               WHERE r.uuid = ?1";
    let Some(mut row) = first(tx, sql, args![run])? else { return Ok(()) };
    let (at, around, created_at): (Option<Timestamp>, RunId, Timestamp) = (row.take()?, row.take()?, row.take()?);
    let Some((_, schedule)) = plan(tx, around)? else { return Ok(()) };
    if at.is_some_and(|at| schedule.is_missed(created_at, at, now)) {
        let message = "The time of the run passed while no server was there, and a later run takes its place.";
        let ending =
            Ending { status: Status::Skipped, reason: "ScheduleMissed".to_owned(), message: message.to_owned() };
        lifecycle::apply(tx, run, &Event::Concluded(ending), now)?;
    } else {
        lifecycle::apply(tx, run, &Event::Released, now)?;
    }
    if schedule.depends_on_past { Ok(()) } else { make_next(tx, around, now) }
}

/// The end of the last run makes the next one, when that depends on it, or when the run ended before its time came.
pub(super) fn tick_ended(tx: &mut dyn Tx, around: i64, now: Timestamp) -> Result<()> {
    let Some(pipeline) = Pipeline::load(tx, around)? else { return Ok(()) };
    match last(tx, around)? {
        Some((_, status)) if status.is_done() => make_next(tx, pipeline.run, now),
        _ => Ok(()),
    }
}

/// The time and the status of the last run.
fn last(tx: &mut dyn Tx, schedule: i64) -> Result<Option<(Option<Timestamp>, Status)>> {
    let sql = "SELECT schedule_at, status FROM runs WHERE pipeline_id = ?1 ORDER BY schedule_at DESC, id DESC LIMIT 1";
    match first(tx, sql, args![schedule])? {
        Some(mut row) => Ok(Some((row.take()?, row.take()?))),
        None => Ok(None),
    }
}

fn plan(tx: &mut dyn Tx, run: RunId) -> Result<Option<(Plan, Schedule)>> {
    let sql = "SELECT p.plan FROM pipelines p JOIN runs r ON r.id = p.run_id WHERE r.uuid = ?1";
    let Some(mut row) = first(tx, sql, args![run])? else { return Ok(None) };
    let Some(plan) = row.take_optional_json::<Plan>()? else { return Ok(None) };
    let schedule = read(&plan.schedule).map_err(|message| Error::Corrupt { column: 0, message })?;
    Ok(Some((plan, schedule)))
}

/// Makes the run after the last one, when that one has come due, or ends the schedule.
fn make_next(tx: &mut dyn Tx, run: RunId, now: Timestamp) -> Result<()> {
    let id = runs::id_of(tx, run)?.ok_or_else(|| Error::not_found("Run", run))?;
    let Some(pipeline) = Pipeline::load(tx, id)?.filter(|pipeline| pipeline.status == Status::Running) else {
        return Ok(());
    };
    let Some((plan, schedule)) = plan(tx, run)? else { return Ok(()) };
    let last = last(tx, id)?;
    if last.is_some_and(|(_, status)| status == Status::Created) {
        return Ok(());
    }
    let created_at = created_at(tx, id)?;
    match schedule.next(created_at, last.and_then(|(at, _)| at), pipeline.created, now) {
        Next::At(at) => make(tx, run, &plan, pipeline.created, at, now),
        Next::Finished => {
            let ending = Ending {
                status: Status::Succeeded,
                reason: "PolyaxonScheduleFinished".to_owned(),
                message: "The schedule has no further runs.".to_owned(),
            };
            lifecycle::apply(tx, run, &Event::Concluded(ending), now).map(drop)
        }
    }
}

fn created_at(tx: &mut dyn Tx, id: i64) -> Result<Timestamp> {
    let row = first(tx, "SELECT created_at FROM runs WHERE id = ?1", args![id])?;
    row.map(|mut row| row.take()).transpose().map(Option::unwrap_or_default)
}

fn make(tx: &mut dyn Tx, run: RunId, plan: &Plan, number: u64, at: Timestamp, now: Timestamp) -> Result<()> {
    let parent = Parent::load(tx, run)?;
    let child = NewChild {
        uuid: child_id(run, &format!("tick {number}")),
        kind: plan.kind,
        runtime: plan.runtime,
        name: plan.name.clone(),
        description: plan.description.clone(),
        tags: plan.tags.clone(),
        meta_info: plan.meta_info.clone(),
        inputs: None,
        raw_content: plan.raw_content.clone(),
        component: Component::OfPipeline,
        requires_approval: false,
        trigger: Trigger::AllDone,
        on_skip: OnSkip::GoOn,
        upstream: Vec::new(),
        listens: Vec::new(),
        part: Part::Run,
        origin: None,
    };
    let Some(id) = children::insert(tx, &parent, &child, Place::Tick { at }, now, Some(at))? else { return Ok(()) };
    children::connect(tx, &parent, id, number, &child, &std::collections::HashMap::new(), now)?;
    super::react::set_state(tx, id, super::state::RELEASED)?;
    tx.execute("UPDATE pipelines SET created = created + 1 WHERE run_id = ?1", args![parent.id])?;
    Ok(())
}
