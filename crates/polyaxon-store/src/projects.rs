//! Projects: create, read, list, change, archive, delete.

use polyaxon_model::change::Change;
use polyaxon_model::ids::ProjectId;
use polyaxon_model::kinds::LiveState;
use polyaxon_model::listing::{Direction, ListPage, Paging};
use polyaxon_model::pql::fields::PROJECTS;
use polyaxon_model::pql::{self, Term};
use polyaxon_model::project::{Project, ProjectBody};
use polyaxon_model::time::Timestamp;

use crate::db::value::optional_json;
use crate::db::{Row, Tx, args, first, scalar};
use crate::filter::{self, Target};
use crate::listing::{self, Select};
use crate::{Error, Result};

const COLUMNS: &str = "p.uuid, p.name, p.description, p.tags, p.created_at, p.updated_at, \
     EXISTS (SELECT 1 FROM project_bookmarks b WHERE b.project_id = p.id AND b.enabled), p.readme, p.live_state";

/// Creates a project. The name was checked; it must be free.
pub fn create(tx: &mut dyn Tx, uuid: ProjectId, body: &ProjectBody, now: Timestamp) -> Result<Project> {
    let name = body.name.clone().unwrap_or_default();
    if find_id(tx, &name)?.is_some() {
        return Err(Error::NameTaken { record: "project" });
    }
    let given = |change: &Change<String>| change.clone().into_value();
    let tags = body.tags.clone().into_value();
    tx.execute(
        "INSERT INTO projects (uuid, name, description, tags, readme, created_at, updated_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
        args![uuid, name.as_str(), given(&body.description), optional_json(tags.as_ref()), given(&body.readme), now],
    )?;
    get(tx, &name)?.ok_or_else(|| Error::not_found("Project", name))
}

/// The project of this name, live or archived; creates it when there is none.
pub fn get_or_create(tx: &mut dyn Tx, name: &str, fresh: ProjectId, now: Timestamp) -> Result<Project> {
    match get(tx, name)? {
        Some(project) => Ok(project),
        None => create(tx, fresh, &ProjectBody { name: Some(name.to_owned()), ..ProjectBody::default() }, now),
    }
}

/// The project of this name, live or archived. A deleted project has given its name up.
pub fn get(tx: &mut dyn Tx, name: &str) -> Result<Option<Project>> {
    let sql = format!("SELECT {COLUMNS} FROM projects p WHERE p.name = ?1 AND p.live_state >= 0");
    first(tx, &sql, args![name])?.map(read).transpose()
}

/// Changes a project.
pub fn patch(tx: &mut dyn Tx, name: &str, body: &ProjectBody, now: Timestamp) -> Result<Project> {
    let mut project = get(tx, name)?.ok_or_else(|| Error::not_found("Project", name))?;
    if let Some(new) = body.name.as_ref().filter(|new| *new != name) {
        if find_id(tx, new)?.is_some() {
            return Err(Error::NameTaken { record: "project" });
        }
        project.name.clone_from(new);
    }
    body.description.clone().apply(&mut project.description);
    body.readme.clone().apply(&mut project.readme);
    body.tags.clone().apply(&mut project.tags);
    project.updated_at = now.max(project.updated_at);
    tx.execute(
        "UPDATE projects SET name = ?2, description = ?3, tags = ?4, readme = ?5, updated_at = ?6 WHERE uuid = ?1",
        args![
            project.uuid,
            project.name.as_str(),
            project.description.as_deref(),
            optional_json(project.tags.as_ref()),
            project.readme.as_deref(),
            project.updated_at,
        ],
    )?;
    Ok(project)
}

/// Archives, restores or deletes a project itself; its runs are moved by [`crate::lifecycle`]. A deleted project
/// frees its name at once.
pub fn set_live_state(tx: &mut dyn Tx, name: &str, state: LiveState, now: Timestamp) -> Result<()> {
    let changed = match state {
        LiveState::Live => tx.execute(
            "UPDATE projects SET live_state = 1, archived_at = NULL, updated_at = ?2 WHERE name = ?1 AND live_state >= 0",
            args![name, now],
        )?,
        LiveState::Archived => tx.execute(
            "UPDATE projects SET live_state = 0, archived_at = ?2, updated_at = ?2 WHERE name = ?1 AND live_state >= 0",
            args![name, now],
        )?,
        LiveState::Deleting => tx.execute(
            "UPDATE projects SET live_state = -1, name = 'del_' || name || '_' || uuid, updated_at = ?2, deleted_at = ?2 \
             WHERE name = ?1 AND live_state >= 0",
            args![name, now],
        )?,
    };
    if changed == 0 { Err(Error::not_found("Project", name)) } else { Ok(()) }
}

/// Notes that something in the project changed.
pub(crate) fn touch(tx: &mut dyn Tx, id: i64, now: Timestamp) -> Result<()> {
    tx.execute("UPDATE projects SET updated_at = ?2 WHERE id = ?1 AND updated_at < ?2", args![id, now])?;
    Ok(())
}

/// Dates live projects by what happened to their runs.
pub(crate) fn touch_all(tx: &mut dyn Tx) -> Result<u64> {
    let latest = "(SELECT max(r.updated_at) FROM runs r WHERE r.project_id = projects.id AND r.live_state = 1)";
    let sql = format!("UPDATE projects SET updated_at = {latest} WHERE live_state >= 0 AND updated_at < {latest}");
    tx.execute(&sql, &[])
}

/// Names of projects that were archived at `border` or before.
pub(crate) fn archived_before(tx: &mut dyn Tx, border: Timestamp) -> Result<Vec<String>> {
    let sql = "SELECT name FROM projects WHERE live_state = 0 AND archived_at <= ?1 ORDER BY id";
    tx.query(sql, args![border])?.into_iter().map(|mut row| row.take()).collect()
}

/// Removes the records of projects that were deleted at `border` or before and have no runs left; tells how many.
pub(crate) fn purge(tx: &mut dyn Tx, border: Timestamp) -> Result<u64> {
    let sql = "DELETE FROM projects WHERE live_state = -1 AND coalesce(deleted_at, updated_at) <= ?1 \
               AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.project_id = projects.id)";
    tx.execute(sql, args![border])
}

/// The row of the project of this name, whatever its state.
pub(crate) fn find_id(tx: &mut dyn Tx, name: &str) -> Result<Option<i64>> {
    scalar(tx, "SELECT id FROM projects WHERE name = ?1", args![name])
}

/// The row of the project of this name, live or archived.
pub(crate) fn live_id(tx: &mut dyn Tx, name: &str) -> Result<Option<i64>> {
    scalar(tx, "SELECT id FROM projects WHERE name = ?1 AND live_state >= 0", args![name])
}

/// Which projects are wanted.
#[derive(Clone, Debug)]
pub struct ProjectQuery {
    /// PQL text.
    pub query: String,
    /// Sort keys, `-` descends.
    pub sort: String,
    pub bookmarked: Option<bool>,
    pub paging: Paging,
}

/// Lists live projects.
pub fn list(tx: &mut dyn Tx, wanted: &ProjectQuery, now: Timestamp) -> Result<ListPage<Project>> {
    let query = pql::parse(&wanted.query, &PROJECTS, now).map_err(|error| Error::Query(error.0))?;
    let mut select = Select::new(COLUMNS, "projects p");
    if let Some(bookmarked) = wanted.bookmarked {
        select.filter(
            "EXISTS (SELECT 1 FROM project_bookmarks b WHERE b.project_id = p.id AND b.enabled) = {}",
            [bookmarked.into()],
        );
    }
    if !wanted.query.contains("live_state") {
        select.filter("p.live_state = {}", [1_i64.into()]);
    }
    if let Some(condition) = filter::condition(tx.dialect(), &query, target) {
        select.filter(&condition.sql, condition.values);
    }
    let keys = PROJECTS.read_sort(&wanted.sort);
    for (field, _, key) in &keys {
        let column = match *field {
            "created_at" => "p.created_at",
            "name" => "p.name",
            _ => "p.updated_at",
        };
        select.order_by(column, None, key.direction);
    }
    if keys.is_empty() {
        select.order_by("p.updated_at", None, Direction::Descending);
    }
    select.order_by("p.id", None, keys.last().map_or(Direction::Descending, |(_, _, key)| key.direction));
    listing::page(tx, &select, wanted.paging, read)
}

fn target(term: &Term) -> Target {
    match term.field.name {
        "uuid" => Target::Key { table: "projects", id: "p.id", column: "uuid" },
        "description" => Target::Text("p.description"),
        "created_at" => Target::Number("p.created_at"),
        "updated_at" => Target::Number("p.updated_at"),
        "tags" => Target::Array("p.tags"),
        "live_state" => Target::Number("p.live_state"),
        _ => Target::Text("p.name"),
    }
}

fn read(mut row: Row) -> Result<Project> {
    Ok(Project {
        uuid: row.take()?,
        name: row.take()?,
        description: row.take()?,
        tags: row.take_optional_json()?,
        created_at: row.take()?,
        updated_at: row.take()?,
        bookmarked: row.take()?,
        readme: row.take()?,
        live_state: row.take()?,
    })
}
