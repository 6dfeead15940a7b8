//! Lists of versions, of one project or of all.

use polyaxon_model::kinds::VersionKind;
use polyaxon_model::listing::{Direction, ListPage, Paging};
use polyaxon_model::pql::fields::VERSIONS;
use polyaxon_model::pql::{self, Term};
use polyaxon_model::time::Timestamp;
use polyaxon_model::version::Version;

use crate::db::Tx;
use crate::filter::{self, Target};
use crate::listing::{self, Select};
use crate::versions::{self, Depth};
use crate::{Error, Result, projects};

/// Which versions are wanted.
#[derive(Clone, Debug)]
pub struct VersionQuery {
    /// All projects when none is given.
    pub project: Option<String>,
    pub kind: VersionKind,
    /// PQL text.
    pub query: String,
    /// Sort keys, `-` descends; the last changed first when there is none.
    pub sort: String,
    pub paging: Paging,
}

/// Lists versions as rows: without contents, runs and artifacts.
pub fn list(tx: &mut dyn Tx, wanted: &VersionQuery, now: Timestamp) -> Result<ListPage<Version>> {
    let query = pql::parse(&wanted.query, &VERSIONS, now).map_err(|error| Error::Query(error.0))?;
    let mut select = Select::new(versions::columns(Depth::Row), versions::FROM);
    match &wanted.project {
        Some(name) => {
            let project = projects::live_id(tx, name)?.ok_or_else(|| Error::not_found("Project", name))?;
            select.filter("v.project_id = {}", [project.into()]);
        }
        None => select.filter("p.live_state >= 0", []),
    }
    select.filter("v.kind = {}", [wanted.kind.into()]);
    if let Some(condition) = filter::condition(tx.dialect(), &query, target) {
        select.filter(&condition.sql, condition.values);
    }
    let keys = VERSIONS.read_sort(&wanted.sort);
    for (field, _, key) in &keys {
        let column = match *field {
            "created_at" => "v.created_at",
            "name" => "v.name",
            "uuid" => "v.uuid",
            "state" => "v.state",
            "stage" => "v.stage",
            "kind" => "v.kind",
            _ => "v.updated_at",
        };
        select.order_by(column, None, key.direction);
    }
    if keys.is_empty() {
        select.order_by("v.updated_at", None, Direction::Descending);
    }
    select.order_by("v.id", None, keys.last().map_or(Direction::Descending, |(_, _, key)| key.direction));
    listing::page(tx, &select, wanted.paging, |row| versions::read(row, Depth::Row).map(|(_, version)| version))
}

fn target(term: &Term) -> Target {
    match term.field.name {
        "uuid" => Target::Key { table: "project_versions", id: "v.id", column: "uuid" },
        "name" => Target::Text("v.name"),
        "description" => Target::Text("v.description"),
        "created_at" => Target::Number("v.created_at"),
        "updated_at" => Target::Number("v.updated_at"),
        "tags" => Target::Array("v.tags"),
        "kind" => Target::Text("v.kind"),
        "state" => Target::Text("v.state"),
        "stage" => Target::Text("v.stage"),
        "run" => Target::Text("(SELECT r.uuid FROM runs r WHERE r.id = v.run_id)"),
        "project" => Target::Text("p.name"),
        // `teams`, `contributors`: nobody logs in to this edition.
        _ => Target::Text("CAST(NULL AS TEXT)"),
    }
}
