//! Versions of components, models and artifacts: create, read, change, stage, move, remove.
//!
//! Invariant: a run has `meta_info.is_promoted` exactly while a version was promoted from it.

use polyaxon_model::JsonMap;
use polyaxon_model::change::Change;
use polyaxon_model::ids::{RunId, StateId, VersionId};
use polyaxon_model::kinds::VersionKind;
use polyaxon_model::stage::{Stage, StageCondition, StagesDocument};
use polyaxon_model::time::Timestamp;
use polyaxon_model::version::{Version, VersionBody, VersionRun};

use crate::db::value::{json, optional_json};
use crate::db::{Row, Tx, args, first, scalar};
use crate::{Error, Result, lineage, projects, runs};

/// Which columns a reader needs: the big texts are only read for a single version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    Detail,
    Row,
}

/// Each join adds at most one row.
pub(crate) const FROM: &str = "project_versions v JOIN projects p ON p.id = v.project_id";

const RUN: &str = " LEFT JOIN runs r ON r.id = v.run_id LEFT JOIN projects rp ON rp.id = r.project_id";

const ROW: &str = "v.id, v.uuid, v.name, v.description, v.tags, v.created_at, v.updated_at, v.stage, v.state, v.kind, \
     p.name";

const DETAIL: &str = ", v.readme, v.content, r.uuid, r.name, rp.name";

/// The select list.
pub(crate) fn columns(depth: Depth) -> String {
    match depth {
        Depth::Detail => format!("{ROW}{DETAIL}"),
        Depth::Row => ROW.to_owned(),
    }
}

/// A version by its place: names are unique for each kind in a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub project: String,
    pub kind: VersionKind,
    pub name: String,
}

/// Creates a version; its name was checked. `state` is that of a component's content.
pub fn create(
    tx: &mut dyn Tx,
    key: &Key,
    uuid: VersionId,
    body: &VersionBody,
    state: Option<StateId>,
    now: Timestamp,
) -> Result<Version> {
    let project = project_of(tx, key)?;
    refuse_taken(tx, project, key.kind, &key.name)?;
    let run = body.run.into_value();
    let run_id = run.map(|run| promotable(tx, run)).transpose()?;
    let links = links(tx, run_id, body.artifacts.clone().into_value().unwrap_or_default())?;
    let first_condition = StageCondition::new(
        Stage::Testing,
        format!("{}VersionCreated", capital(key.kind)),
        format!("A new {} version is created", key.kind),
        now,
    );
    let given = |change: &Change<String>| change.clone().into_value();
    tx.execute(
        "INSERT INTO project_versions (uuid, project_id, run_id, kind, name, description, tags, stage, state, \
         created_at, updated_at, stage_conditions, readme, content) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?11, ?12, ?13)",
        args![
            uuid,
            project,
            run_id,
            key.kind,
            key.name.as_str(),
            given(&body.description),
            optional_json(body.tags.clone().into_value().as_ref()),
            body.stage.unwrap_or(Stage::Testing),
            state,
            now,
            json(&[first_condition]),
            given(&body.readme),
            given(&body.content),
        ],
    )?;
    let (id, version) = found(tx, key)?;
    set_links(tx, id, &links)?;
    mark_promoted(tx, run_id)?;
    Ok(Version { lineage: lineage::of_version(tx, id)?, ..version })
}

/// A version with everything a client may see.
pub fn get(tx: &mut dyn Tx, key: &Key) -> Result<Option<Version>> {
    let Some((id, version)) = find(tx, key)? else { return Ok(None) };
    Ok(Some(Version { lineage: lineage::of_version(tx, id)?, ..version }))
}

/// Changes a version; `state` is that of a new content. A version that moves to another run forgets the artifacts of
/// the former one.
pub fn patch(
    tx: &mut dyn Tx,
    key: &Key,
    body: &VersionBody,
    state: Option<StateId>,
    now: Timestamp,
) -> Result<Version> {
    let (id, mut version) = found(tx, key)?;
    if let Some(name) = body.name.as_ref().filter(|name| **name != version.name) {
        let project = project_of(tx, key)?;
        refuse_taken(tx, project, key.kind, name)?;
        version.name.clone_from(name);
    }
    let former: Option<i64> = scalar(tx, "SELECT run_id FROM project_versions WHERE id = ?1", args![id])?.flatten();
    let run = match body.run {
        Change::Keep => former,
        Change::Clear => None,
        Change::Set(run) => Some(promotable(tx, run)?),
    };
    match body.artifacts.clone() {
        Change::Keep if run == former => {}
        artifacts => {
            let links = links(tx, run, artifacts.into_value().unwrap_or_default())?;
            set_links(tx, id, &links)?;
        }
    }
    body.description.clone().apply(&mut version.description);
    body.tags.clone().apply(&mut version.tags);
    body.readme.clone().apply(&mut version.readme);
    body.content.clone().apply(&mut version.content);
    tx.execute(
        "UPDATE project_versions SET run_id = ?2, name = ?3, description = ?4, tags = ?5, stage = ?6, state = ?7, \
         updated_at = ?8, readme = ?9, content = ?10 WHERE id = ?1",
        args![
            id,
            run,
            version.name.as_str(),
            version.description.as_deref(),
            optional_json(version.tags.as_ref()),
            body.stage.unwrap_or(version.stage),
            state.or(version.state),
            now.max(version.updated_at),
            version.readme.as_deref(),
            version.content.as_deref(),
        ],
    )?;
    if run != former {
        mark_promoted(tx, former)?;
        mark_promoted(tx, run)?;
    }
    let key = Key { name: version.name, ..key.clone() };
    get(tx, &key)?.ok_or_else(|| missing(&key))
}

/// Removes a version for good.
pub fn delete(tx: &mut dyn Tx, key: &Key) -> Result<()> {
    let (id, version) = found(tx, key)?;
    tx.execute("DELETE FROM project_versions WHERE id = ?1", args![id])?;
    let run = version.run.map(|run| runs::id_of(tx, run.uuid)).transpose()?.flatten();
    mark_promoted(tx, run)
}

/// Moves a version to another project.
pub fn transfer(tx: &mut dyn Tx, key: &Key, project: &str, now: Timestamp) -> Result<()> {
    let (id, _) = found(tx, key)?;
    if project == key.project {
        return Ok(());
    }
    let destination = projects::live_id(tx, project)?.ok_or_else(|| Error::not_found("Project", project))?;
    refuse_taken(tx, destination, key.kind, &key.name)?;
    tx.execute(
        "UPDATE project_versions SET project_id = ?2, updated_at = ?3 WHERE id = ?1",
        args![id, destination, now],
    )?;
    Ok(())
}

/// The stage of a version with its history.
pub fn stages(tx: &mut dyn Tx, key: &Key) -> Result<StagesDocument> {
    let (id, version) = found(tx, key)?;
    let sql = "SELECT stage_conditions FROM project_versions WHERE id = ?1";
    let mut row = first(tx, sql, args![id])?.ok_or_else(|| missing(key))?;
    Ok(StagesDocument { uuid: version.uuid, stage: version.stage, stage_conditions: row.take_json()? })
}

/// Moves a version to another stage.
pub fn set_stage(tx: &mut dyn Tx, key: &Key, condition: StageCondition, now: Timestamp) -> Result<StagesDocument> {
    let mut document = stages(tx, key)?;
    document.stage = condition.stage;
    condition.record(&mut document.stage_conditions);
    tx.execute(
        "UPDATE project_versions SET stage = ?2, stage_conditions = ?3, updated_at = ?4 WHERE uuid = ?1",
        args![document.uuid, document.stage, json(&document.stage_conditions), now],
    )?;
    Ok(document)
}

/// Reads a row of [`columns`] and its row number.
pub(crate) fn read(mut row: Row, depth: Depth) -> Result<(i64, Version)> {
    let row = &mut row;
    let id = row.take()?;
    let mut version = Version {
        uuid: row.take()?,
        name: row.take()?,
        description: row.take()?,
        tags: row.take_optional_json()?,
        created_at: row.take()?,
        updated_at: row.take()?,
        stage: row.take()?,
        state: row.take()?,
        kind: row.take()?,
        project: row.take()?,
        content: None,
        readme: None,
        run: None,
        lineage: Vec::new(),
    };
    if depth == Depth::Detail {
        version.readme = row.take()?;
        version.content = row.take()?;
        let (uuid, name, project) = (row.take::<Option<RunId>>()?, row.take()?, row.take::<Option<String>>()?);
        version.run = uuid.zip(project).map(|(uuid, project)| VersionRun { project, name, uuid });
    }
    Ok((id, version))
}

fn find(tx: &mut dyn Tx, key: &Key) -> Result<Option<(i64, Version)>> {
    let columns = columns(Depth::Detail);
    let sql = format!(
        "SELECT {columns} FROM {FROM}{RUN} WHERE p.name = ?1 AND p.live_state >= 0 AND v.kind = ?2 AND v.name = ?3"
    );
    let row = first(tx, &sql, args![key.project.as_str(), key.kind, key.name.as_str()])?;
    row.map(|row| read(row, Depth::Detail)).transpose()
}

fn found(tx: &mut dyn Tx, key: &Key) -> Result<(i64, Version)> {
    match find(tx, key)? {
        Some(found) => Ok(found),
        // Which of the two is missing makes a difference to people.
        None => project_of(tx, key).and(Err(missing(key))),
    }
}

fn missing(key: &Key) -> Error {
    Error::not_found("ProjectVersion", &key.name)
}

fn project_of(tx: &mut dyn Tx, key: &Key) -> Result<i64> {
    projects::live_id(tx, &key.project)?.ok_or_else(|| Error::not_found("Project", &key.project))
}

fn refuse_taken(tx: &mut dyn Tx, project: i64, kind: VersionKind, name: &str) -> Result<()> {
    let sql = "SELECT id FROM project_versions WHERE project_id = ?1 AND kind = ?2 AND name = ?3";
    match scalar::<i64>(tx, sql, args![project, kind, name])? {
        None => Ok(()),
        Some(_) => Err(Error::Rule(format!("A version with name {name} already exists on the requested project."))),
    }
}

fn promotable(tx: &mut dyn Tx, run: RunId) -> Result<i64> {
    let sql = "SELECT id FROM runs WHERE uuid = ?1 AND live_state >= 0";
    scalar(tx, sql, args![run])?
        .ok_or_else(|| Error::Field { field: "run", message: format!("Object with uuid={run} does not exist.") })
}

/// The links of a run to artifacts of these names.
fn links(tx: &mut dyn Tx, run: Option<i64>, names: Vec<String>) -> Result<Vec<i64>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let Some(run) = run else {
        return Err(Error::Rule(format!("A run is required to link the artifacts: {}.", quoted(&names))));
    };
    let (mut found, mut lacking) = (Vec::new(), Vec::new());
    for name in names {
        let sql = "SELECT l.id FROM run_artifacts l JOIN artifacts a ON a.id = l.artifact_id \
                   WHERE l.run_id = ?1 AND a.name = ?2 ORDER BY l.id";
        let rows = tx.query(sql, args![run, name.as_str()])?;
        if rows.is_empty() {
            lacking.push(name);
        }
        for mut row in rows {
            found.push(row.take()?);
        }
    }
    if lacking.is_empty() {
        return Ok(found);
    }
    Err(Error::Rule(format!("Some artifacts could not be found in the lineage of the run: {}.", quoted(&lacking))))
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn set_links(tx: &mut dyn Tx, version: i64, links: &[i64]) -> Result<()> {
    tx.execute("DELETE FROM version_artifacts WHERE version_id = ?1", args![version])?;
    for link in links {
        tx.execute(
            "INSERT INTO version_artifacts (version_id, link_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            args![version, *link],
        )?;
    }
    Ok(())
}

const IS_PROMOTED: &str = "is_promoted";

/// Notes on a run whether versions were promoted from it.
fn mark_promoted(tx: &mut dyn Tx, run: Option<i64>) -> Result<()> {
    let Some(run) = run else { return Ok(()) };
    let sql = "SELECT r.meta_info, EXISTS (SELECT 1 FROM project_versions v WHERE v.run_id = r.id) \
               FROM runs r WHERE r.id = ?1";
    let Some(mut row) = first(tx, sql, args![run])? else { return Ok(()) };
    let (mut meta_info, is_promoted): (JsonMap, bool) = (row.take_json()?, row.take()?);
    if is_promoted == meta_info.contains_key(IS_PROMOTED) {
        return Ok(());
    }
    if is_promoted {
        meta_info.insert(IS_PROMOTED.to_owned(), true.into());
    } else {
        meta_info.remove(IS_PROMOTED);
    }
    tx.execute("UPDATE runs SET meta_info = ?2 WHERE id = ?1", args![run, &meta_info])?;
    Ok(())
}

fn capital(kind: VersionKind) -> &'static str {
    match kind {
        VersionKind::Component => "Component",
        VersionKind::Model => "Model",
        VersionKind::Artifact => "Artifact",
    }
}
