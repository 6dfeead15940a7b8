//! Artifacts and their links to runs. An artifact is one (name, state) for all runs.

use std::collections::BTreeMap;

use polyaxon_model::ids::{ProjectId, RunId};
use polyaxon_model::lineage::{ArtifactRow, NamedKind, NewArtifact};
use polyaxon_model::listing::{Direction, ListPage, Paging};
use polyaxon_model::pql::fields::ARTIFACTS;
use polyaxon_model::pql::{self, Term};
use polyaxon_model::time::Timestamp;

use crate::db::{Row, Tx, args, first};
use crate::filter::{self, Target};
use crate::listing::{self, Select};
use crate::pipelines::events;
use crate::{Error, Result, cache, runs};

const COLUMNS: &str = "a.name, a.kind, l.is_input, a.path, a.summary, a.state, r.uuid, r.name";
const FROM: &str = "run_artifacts l JOIN artifacts a ON a.id = l.artifact_id JOIN runs r ON r.id = l.run_id";

/// Links artifacts to a run. One of the same name and state is updated.
pub fn add(tx: &mut dyn Tx, run: RunId, artifacts: &[NewArtifact], now: Timestamp) -> Result<()> {
    let id = runs::id_of(tx, run)?.ok_or_else(|| Error::not_found("Run", run))?;
    for artifact in artifacts {
        let state = artifact.state_in(run);
        tx.execute(
            "INSERT INTO artifacts (name, state, kind, path, summary) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (name, state) DO UPDATE SET kind = excluded.kind, path = excluded.path, summary = excluded.summary",
            args![
                artifact.name.as_str(),
                state,
                artifact.kind,
                artifact.path.as_deref(),
                &artifact.summary.clone().unwrap_or_default(),
            ],
        )?;
        tx.execute(
            "INSERT INTO run_artifacts (run_id, artifact_id, is_input) \
             SELECT CAST(?1 AS BIGINT), id, CAST(?4 AS BOOLEAN) FROM artifacts WHERE name = ?2 AND state = ?3 \
             ON CONFLICT (run_id, artifact_id) DO UPDATE SET is_input = excluded.is_input",
            args![id, artifact.name.as_str(), state, artifact.is_input],
        )?;
    }
    if artifacts.is_empty() { Ok(()) } else { events::produced(tx, id, now) }
}

/// One artifact of a run by name.
pub fn get(tx: &mut dyn Tx, run: RunId, name: &str) -> Result<Option<ArtifactRow>> {
    let run = cache::holder(tx, run)?;
    let sql = format!("SELECT {COLUMNS} FROM {FROM} WHERE r.uuid = ?1 AND a.name = ?2 ORDER BY l.id DESC LIMIT 1");
    first(tx, &sql, args![run, name])?.map(read).transpose()
}

/// Named artifacts of one run that are looked at.
const MOST_NAMED: i64 = 1000;

/// What a run produced: names, and where that is. Of several of a name the newest counts.
pub(crate) fn paths(tx: &mut dyn Tx, run: RunId) -> Result<BTreeMap<String, String>> {
    let sql = format!(
        "SELECT a.name, a.path FROM {FROM} WHERE r.uuid = ?1 AND a.path IS NOT NULL AND NOT coalesce(l.is_input, FALSE) \
         ORDER BY l.id LIMIT ?2"
    );
    tx.query(&sql, args![run, MOST_NAMED])?.into_iter().map(|mut row| Ok((row.take()?, row.take()?))).collect()
}

/// What a version promotes of its run.
pub(crate) fn of_version(tx: &mut dyn Tx, version: i64) -> Result<Vec<ArtifactRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {FROM} JOIN version_artifacts w ON w.link_id = l.id WHERE w.version_id = ?1 ORDER BY l.id"
    );
    tx.query(&sql, args![version])?.into_iter().map(read).collect()
}

/// Removes the links of a run to the artifacts of this name; tells how many.
pub fn remove(tx: &mut dyn Tx, run: RunId, name: &str) -> Result<u64> {
    tx.execute(
        "DELETE FROM run_artifacts WHERE run_id = (SELECT id FROM runs WHERE uuid = ?1) \
         AND artifact_id IN (SELECT id FROM artifacts WHERE name = ?2)",
        args![run, name],
    )
}

/// Whose artifacts are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Run(RunId),
    Project(ProjectId),
    /// All runs of all projects.
    All,
}

/// Which artifacts are wanted.
#[derive(Clone, Debug)]
pub struct ArtifactQuery {
    pub scope: Scope,
    /// PQL text.
    pub query: String,
    /// Sort keys, `-` descends; in the order in which they were linked when there is none.
    pub sort: String,
    pub paging: Paging,
}

/// Lists artifacts.
pub fn list(tx: &mut dyn Tx, wanted: &ArtifactQuery, now: Timestamp) -> Result<ListPage<ArtifactRow>> {
    let mut select = Select::new(COLUMNS, FROM);
    narrow(tx, &mut select, wanted, now)?;
    for (field, _, key) in ARTIFACTS.read_sort(&wanted.sort) {
        select.order_by(sort_column(field), None, key.direction);
    }
    select.order_by("l.id", None, Direction::Ascending);
    listing::page(tx, &select, wanted.paging, read)
}

/// Lists the names of artifacts with their kinds and uses, each once.
pub fn kinds(tx: &mut dyn Tx, wanted: &ArtifactQuery, now: Timestamp) -> Result<ListPage<NamedKind>> {
    let mut select = Select::new("a.name, a.kind, l.is_input", FROM).distinct();
    narrow(tx, &mut select, wanted, now)?;
    let keys = ARTIFACTS.read_sort(&wanted.sort).into_iter().filter(|(field, _, _)| *field != "path");
    for (field, _, key) in keys {
        select.order_by(sort_column(field), None, key.direction);
    }
    for column in ["a.name", "a.kind", "l.is_input"] {
        select.order_by(column, None, Direction::Ascending);
    }
    listing::page(tx, &select, wanted.paging, |mut row| {
        Ok(NamedKind { name: row.take()?, kind: row.take()?, is_input: row.take()? })
    })
}

/// Keeps the wanted links. A run that reused a result has those of the run that it is of.
fn narrow(tx: &mut dyn Tx, select: &mut Select, wanted: &ArtifactQuery, now: Timestamp) -> Result<()> {
    let query = pql::parse(&wanted.query, &ARTIFACTS, now).map_err(|error| Error::Query(error.0))?;
    match wanted.scope {
        Scope::Run(run) => select.filter("r.uuid = {}", [cache::holder(tx, run)?.into()]),
        Scope::Project(project) => select
            .filter("r.project_id = (SELECT id FROM projects WHERE uuid = {}) AND r.live_state >= 0", [project.into()]),
        Scope::All => select.filter("r.live_state >= 0", []),
    }
    if let Some(condition) = filter::condition(tx.dialect(), &query, target) {
        select.filter(&condition.sql, condition.values);
    }
    Ok(())
}

fn sort_column(field: &str) -> &'static str {
    match field {
        "kind" => "a.kind",
        "path" => "a.path",
        "is_input" => "l.is_input",
        _ => "a.name",
    }
}

fn target(term: &Term) -> Target {
    match term.field.name {
        "kind" => Target::Text("a.kind"),
        "path" => Target::Text("a.path"),
        "state" => Target::Text("a.state"),
        "run" => Target::Text("r.uuid"),
        "is_input" => Target::Number("l.is_input"),
        _ => Target::Text("a.name"),
    }
}

fn read(mut row: Row) -> Result<ArtifactRow> {
    let mut artifact = ArtifactRow {
        name: row.take()?,
        kind: row.take()?,
        is_input: row.take()?,
        path: row.take()?,
        summary: row.take_json()?,
        state: row.take()?,
        run: row.take()?,
        meta_info: polyaxon_model::JsonMap::new(),
    };
    let name: Option<String> = row.take()?;
    artifact.meta_info = ArtifactRow::run_meta(name.as_deref(), artifact.run);
    Ok(artifact)
}
