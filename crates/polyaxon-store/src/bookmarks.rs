//! Bookmarks of runs and projects. An unbookmarked record keeps its row, which tells "not any more" from "never".

use polyaxon_model::ids::RunId;

use crate::db::{Tx, args};
use crate::{Error, Result};

/// Bookmarks a run; again is the same.
pub fn add_run(tx: &mut dyn Tx, run: RunId) -> Result<()> {
    let sql = "INSERT INTO run_bookmarks (run_id, enabled) SELECT id, TRUE FROM runs WHERE uuid = ?1 \
               ON CONFLICT (run_id) DO UPDATE SET enabled = TRUE";
    found(tx.execute(sql, args![run])?, "Run", run)
}

/// Removes the bookmark of a run; an error when it never had one.
pub fn remove_run(tx: &mut dyn Tx, run: RunId) -> Result<()> {
    let sql = "UPDATE run_bookmarks SET enabled = FALSE WHERE run_id = (SELECT id FROM runs WHERE uuid = ?1)";
    found(tx.execute(sql, args![run])?, "Bookmark", run)
}

/// Bookmarks a project; again is the same.
pub fn add_project(tx: &mut dyn Tx, name: &str) -> Result<()> {
    let sql = "INSERT INTO project_bookmarks (project_id, enabled) SELECT id, TRUE FROM projects WHERE name = ?1 \
               ON CONFLICT (project_id) DO UPDATE SET enabled = TRUE";
    found(tx.execute(sql, args![name])?, "Project", name)
}

/// Removes the bookmark of a project; an error when it never had one.
pub fn remove_project(tx: &mut dyn Tx, name: &str) -> Result<()> {
    let sql = "UPDATE project_bookmarks SET enabled = FALSE \
               WHERE project_id = (SELECT id FROM projects WHERE name = ?1)";
    found(tx.execute(sql, args![name])?, "Bookmark", name)
}

fn found(changed: u64, record: &'static str, key: impl std::fmt::Display) -> Result<()> {
    if changed == 0 { Err(Error::not_found(record, key)) } else { Ok(()) }
}
