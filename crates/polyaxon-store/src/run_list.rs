//! Lists of runs: project, live state, filter, sort, page, count; one query a page.

use polyaxon_model::ids::ProjectId;
use polyaxon_model::listing::{ListPage, Paging};
use polyaxon_model::run::Run;
use polyaxon_model::time::Timestamp;

use crate::db::Tx;
use crate::listing::{self, Select};
use crate::run_row::{self, Depth};
use crate::{Error, Result};

/// Which runs are wanted.
#[derive(Clone, Debug)]
pub struct RunQuery {
    /// All projects when none is given.
    pub project: Option<ProjectId>,
    /// PQL text.
    pub query: String,
    /// Sort keys, `-` descends.
    pub sort: String,
    pub bookmarked: Option<bool>,
    pub paging: Paging,
}

/// Lists runs as rows: without their contents.
pub fn list(tx: &mut dyn Tx, wanted: &RunQuery, _now: Timestamp) -> Result<ListPage<Run>> {
    let mut select = Select::new(run_row::columns(Depth::Row), run_row::FROM);
    if let Some(project) = wanted.project {
        select.filter("r.project_id = (SELECT id FROM projects WHERE uuid = {})", [project.into()]);
    }
    if let Some(bookmarked) = wanted.bookmarked {
        select.filter("coalesce(mark.enabled, FALSE) = {}", [bookmarked.into()]);
    }
    if !wanted.query.is_empty() {
        return Err(Error::Query("filters are not supported yet".to_owned()));
    }
    select.filter("r.live_state = {}", [1_i64.into()]);
    select.order("r.updated_at DESC");
    select.order("r.id DESC");
    listing::page(tx, &select, wanted.paging, |row| run_row::read(row, Depth::Row))
}
