//! What else a single run shows under `settings`: its component, what was promoted from it, its build, its tensorboard.

use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::{EdgeKind, RunKind, VersionKind};
use polyaxon_model::run::{DEFAULT_OWNER, RelatedRun, Run};
use polyaxon_model::version::VersionReference;
use serde_json::json;

use crate::db::{Row, Tx, args, first, scalar};
use crate::{Result, queues};

/// Fills the settings of a run that was read with [`crate::runs::get`].
pub fn fill(tx: &mut dyn Tx, run: &mut Run) -> Result<()> {
    component(tx, run)?;
    queue(tx, run)?;
    let sql = "SELECT v.name, v.state, p.name, v.kind FROM project_versions v JOIN projects p ON p.id = v.project_id \
               WHERE v.run_id = (SELECT id FROM runs WHERE uuid = ?1) AND p.live_state >= 0 ORDER BY v.id";
    for mut row in tx.query(sql, args![run.uuid])? {
        let version = json!(reference(&mut row)?);
        match row.take::<VersionKind>()? {
            VersionKind::Model => run.settings.models.push(version),
            VersionKind::Artifact => run.settings.artifacts.push(version),
            VersionKind::Component => {}
        }
    }
    run.settings.build = related(tx, run.uuid, "upstream_id", "downstream_id", EdgeKind::Build)?;
    if run.kind == RunKind::Job {
        run.settings.tensorboard = related(tx, run.uuid, "downstream_id", "upstream_id", EdgeKind::Tensorboard)?;
    }
    Ok(())
}

/// The queue that the run named, and its agent.
fn queue(tx: &mut dyn Tx, run: &mut Run) -> Result<()> {
    let id: i64 = scalar(tx, "SELECT queue_id FROM runs WHERE uuid = ?1", args![run.uuid])?.unwrap_or(0);
    if let Some(queue) = queues::by_id(tx, id)? {
        run.settings.agent = Some(json!({ "name": queue.agent }));
        run.settings.queue = Some(json!({ "uuid": queue.uuid, "name": queue.name }));
    }
    Ok(())
}

/// The state of the component, the versions that have it, and how many runs of the project do.
fn component(tx: &mut dyn Tx, run: &mut Run) -> Result<()> {
    let known = run.settings.component.as_ref().and_then(|component| component["state"].as_str());
    let Some(state) = known.map(str::to_owned) else { return Ok(()) };
    let sql = "SELECT v.name, v.state, p.name FROM project_versions v JOIN projects p ON p.id = v.project_id \
               WHERE v.state = ?1 AND p.live_state >= 0 ORDER BY v.id";
    let versions: Vec<VersionReference> =
        tx.query(sql, args![state.as_str()])?.into_iter().map(|mut row| reference(&mut row)).collect::<Result<_>>()?;
    let sql = "SELECT count(*) FROM runs WHERE component_state = ?1 AND live_state >= 0 \
               AND project_id = (SELECT project_id FROM runs WHERE uuid = ?2)";
    let count: Option<i64> = scalar(tx, sql, args![state.as_str(), run.uuid])?;
    run.settings.component = Some(json!({ "state": state, "versions": versions, "count": count }));
    Ok(())
}

fn reference(row: &mut Row) -> Result<VersionReference> {
    Ok(VersionReference {
        name: row.take()?,
        state: row.take()?,
        project: row.take()?,
        owner: DEFAULT_OWNER.to_owned(),
    })
}

/// The latest run over an edge of this kind.
fn related(tx: &mut dyn Tx, run: RunId, other: &str, own: &str, kind: EdgeKind) -> Result<Option<RelatedRun>> {
    let sql = format!(
        "SELECT o.name, o.status, o.uuid FROM run_edges e JOIN runs o ON o.id = e.{other} \
         WHERE e.{own} = (SELECT id FROM runs WHERE uuid = ?1) AND e.kind = ?2 ORDER BY o.created_at DESC, o.id DESC \
         LIMIT 1"
    );
    let row = first(tx, &sql, args![run, kind])?;
    row.map(|mut row| Ok(RelatedRun { name: row.take()?, status: row.take()?, uuid: row.take()? })).transpose()
}
