//! The rules that a query can tell to be broken; each answers a text for each place where it is.

use std::time::Duration;

use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;

use super::Severity;
use crate::Result;
use crate::db::{Dialect, Tx};

/// How long the end of a process may take to be noticed.
const GRACE: Duration = Duration::from_mins(10);

pub(super) struct Rule {
    pub(super) check: &'static str,
    pub(super) severity: Severity,
    pub(super) problem: &'static str,
    pub(super) sql: String,
    pub(super) advice: &'static str,
}

const READ: &str = "nothing lists or opens these records any more; restore a backup, or ask with the output of this";
const SEE: &str = "look at the run: polyaxon ops statuses UUID; `polyaxon ops stop` or `ops delete` ends it";

pub(super) fn all(dialect: Dialect, now: Timestamp) -> Vec<Rule> {
    let known = list(Status::ALL);
    let ended = list(&Status::ALL.iter().copied().filter(|status| status.is_done()).collect::<Vec<_>>());
    let before = now.as_micros() - GRACE.as_micros() as i64;
    let json = ["meta_info", "control", "inputs", "outputs", "tags"].map(|column| dialect.is_no_json(column));
    let rule = |check, severity, problem, sql: String, advice| Rule { check, severity, problem, sql, advice };
    vec![
        rule(
            "statuses",
            Severity::Error,
            "runs have a status that does not exist",
            format!("SELECT uuid FROM runs WHERE status NOT IN ({known}) ORDER BY id"),
            READ,
        ),
        rule(
            "json",
            Severity::Error,
            "runs have fields that are no JSON",
            format!("SELECT uuid FROM runs WHERE {} ORDER BY id", json.join(" OR ")),
            READ,
        ),
        rule(
            "history",
            Severity::Error,
            "the status of runs is not the last one of their history",
            "SELECT r.uuid FROM runs r JOIN status_conditions c ON c.run_id = r.id \
             WHERE c.seq = (SELECT max(seq) FROM status_conditions l WHERE l.run_id = r.id) \
             AND c.condition ->> 'type' <> r.status ORDER BY r.id"
                .to_owned(),
            SEE,
        ),
        rule(
            "history_gaps",
            Severity::Error,
            "conditions are missing in the history of runs",
            "SELECT r.uuid FROM runs r JOIN (SELECT run_id, count(*) AS total, min(seq) AS lowest, max(seq) AS highest \
             FROM status_conditions GROUP BY run_id) h ON h.run_id = r.id \
             WHERE h.lowest <> 1 OR h.highest <> h.total ORDER BY r.id"
                .to_owned(),
            "nothing can bring them back but a backup; the run itself can be used",
        ),
        rule(
            "times",
            Severity::Error,
            "runs ended without a time, or have a time of their end and go on",
            format!(
                "SELECT uuid FROM runs WHERE (status IN ({ended}) AND finished_at IS NULL) \
                 OR (status NOT IN ({ended}) AND finished_at IS NOT NULL) ORDER BY id"
            ),
            SEE,
        ),
        rule(
            "attempts",
            Severity::Warning,
            "runs ended long ago and still count as having a process",
            format!(
                "SELECT r.uuid FROM runs r WHERE r.attempt_live AND r.status IN ({ended}) AND r.finished_at < {before} \
                 AND NOT EXISTS (SELECT 1 FROM actions a WHERE a.run_id = r.id AND a.done_at IS NULL) ORDER BY r.id"
            ),
            "the server that runs them looks at them when it starts: polyaxon server start",
        ),
        rule(
            "stuck",
            Severity::Warning,
            "runs wait for nothing that will happen",
            format!(
                "SELECT r.uuid FROM runs r WHERE r.managed_by = 'agent' AND r.live_state = 1 AND r.pending IS NULL \
                 AND r.status IN ('created', 'compiled', 'scheduled', 'stopping') AND NOT r.attempt_live \
                 AND r.pipeline_id IS NULL AND r.executor_id IS NULL AND r.schedule_at IS NULL \
                 AND r.updated_at < {before} \
                 AND NOT EXISTS (SELECT 1 FROM actions a WHERE a.run_id = r.id AND a.done_at IS NULL) \
                 AND NOT EXISTS (SELECT 1 FROM run_edges e WHERE e.downstream_id = r.id AND e.events IS NOT NULL) \
                 AND NOT EXISTS (SELECT 1 FROM pipelines p WHERE p.run_id = r.id) ORDER BY r.id"
            ),
            SEE,
        ),
        rule(
            "pipelines",
            Severity::Error,
            "operations belong to a pipeline whose counts are missing",
            "SELECT r.uuid FROM runs r JOIN pipeline_children c ON c.run_id = r.id \
             WHERE NOT EXISTS (SELECT 1 FROM pipelines p WHERE p.run_id = c.pipeline_id) ORDER BY r.id"
                .to_owned(),
            SEE,
        ),
    ]
}

fn list(statuses: &[Status]) -> String {
    statuses.iter().map(|status| format!("'{status}'")).collect::<Vec<_>>().join(", ")
}

/// A column whose values point to nothing.
pub(super) struct Dangling {
    pub(super) table: String,
    pub(super) parent: String,
    pub(super) column: String,
    parent_column: String,
    on_delete: String,
    pub(super) count: u64,
}

impl Dangling {
    /// Whether the schema says what becomes of such a row.
    pub(super) fn is_mendable(&self) -> bool {
        matches!(self.on_delete.as_str(), "CASCADE" | "SET NULL")
    }
}

pub(super) fn dangling(tx: &mut dyn Tx) -> Result<Vec<Dangling>> {
    let Some(sql) = tx.dialect().dangling() else { return Ok(Vec::new()) };
    let read = |mut row: crate::db::Row| {
        Ok(Dangling {
            table: row.take()?,
            parent: row.take()?,
            column: row.take()?,
            parent_column: row.take()?,
            on_delete: row.take()?,
            count: row.take::<i64>()?.unsigned_abs(),
        })
    };
    tx.query(sql, &[])?.into_iter().map(read).collect()
}

pub(super) fn cut_dangling(tx: &mut dyn Tx) -> Result<()> {
    for rule in dangling(tx)?.iter().filter(|rule| rule.is_mendable()) {
        let Dangling { table, parent, column, parent_column, .. } = rule;
        let points_nowhere = format!("{column} IS NOT NULL AND {column} NOT IN (SELECT {parent_column} FROM {parent})");
        tx.execute(
            &match rule.on_delete.as_str() {
                "SET NULL" => format!("UPDATE {table} SET {column} = NULL WHERE {points_nowhere}"),
                _ => format!("DELETE FROM {table} WHERE {points_nowhere}"),
            },
            &[],
        )?;
    }
    Ok(())
}
