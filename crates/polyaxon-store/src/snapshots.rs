//! The numbers of projects at moments: one snapshot a project and hour, taken again while its runs change.

use std::collections::BTreeMap;
use std::time::Duration;

use polyaxon_model::JsonMap;
use polyaxon_model::ids::ProjectId;
use polyaxon_model::pql::operation::LAST_MONTH;
use polyaxon_model::stats::{Frequency, Measure, ResourceSums, Rolling, Snapshot, Sums};
use polyaxon_model::time::Timestamp;

use crate::db::value::json;
use crate::db::{Row, Tx, args, first};
use crate::{Result, Store, settings};

/// A snapshot and when it was taken; the hour is its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    pub hour: Timestamp,
    pub updated_at: Timestamp,
    pub snapshot: Snapshot,
}

/// Takes snapshots of the projects that changed since their last one; tells of how many. It blocks, and reads project
/// by project before it writes, so that nobody waits for its sums.
pub fn take(store: &Store, now: Timestamp) -> Result<usize> {
    let due = store.read_blocking(due)?;
    for project in &due {
        let project = *project;
        let snapshot = store.read_blocking(|tx| measure(tx, project, now))?;
        store.write_blocking(move |tx| record(tx, project, &snapshot, now))?;
    }
    Ok(due.len())
}

/// Takes snapshots once an hour; servers that share a database take turns.
pub fn take_when_due(store: &Store, now: Timestamp) -> Result<usize> {
    if !store.read_blocking(|tx| is_due(tx, now))? {
        return Ok(0);
    }
    let is_ours = store.write_blocking(move |tx| {
        let is_due = is_due(tx, now)?;
        if is_due {
            settings::set(tx, LAST, &now.as_micros().to_string())?;
        }
        Ok(is_due)
    })?;
    if is_ours { take(store, now) } else { Ok(0) }
}

const LAST: &str = "snapshots";
const PERIOD: Duration = Duration::from_hours(1);

fn is_due(tx: &mut dyn Tx, now: Timestamp) -> Result<bool> {
    let last = settings::get(tx, LAST)?.and_then(|text| text.parse().ok()).map(Timestamp::from_micros);
    // A clock that was set back must not hold the work up.
    Ok(last.is_none_or(|last| last.plus(PERIOD) <= now || now < last))
}

/// The last snapshot of a project.
pub fn latest(tx: &mut dyn Tx, project: ProjectId) -> Result<Option<Taken>> {
    let sql = format!("{TAKEN} ORDER BY s.created_at DESC LIMIT 1");
    first(tx, &sql, args![project])?.map(read).transpose()
}

/// Which snapshots of a series are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// Evenly spread ones when there are very many.
    Spread,
    /// The first and the last.
    Boundary,
}

/// A chart shows no more points.
const MOST_POINTS: usize = 1000;

/// The snapshots of a project between two instants, oldest first.
pub fn series(
    tx: &mut dyn Tx,
    project: ProjectId,
    (from, to): (Timestamp, Timestamp),
    sampling: Sampling,
) -> Result<Vec<Taken>> {
    let sql = "SELECT s.created_at FROM project_stats s JOIN projects p ON p.id = s.project_id \
               WHERE p.uuid = ?1 AND s.created_at >= ?2 AND s.created_at <= ?3 ORDER BY s.created_at";
    let rows = tx.query(sql, args![project, from, to])?;
    let hours: Vec<Timestamp> = rows.into_iter().map(|mut row| row.take()).collect::<Result<_>>()?;
    let wanted: Vec<Timestamp> = match (sampling, hours.as_slice()) {
        (Sampling::Boundary, [first, .., last]) => vec![*first, *last],
        _ => {
            let step = hours.len().div_ceil(MOST_POINTS).max(1);
            // Counted from the end: the last one is always there.
            let mut kept: Vec<Timestamp> = hours.iter().rev().step_by(step).copied().collect();
            kept.reverse();
            kept
        }
    };
    let sql = format!("{TAKEN} AND s.created_at = ?2");
    wanted
        .into_iter()
        .filter_map(|hour| first(tx, &sql, args![project, hour]).transpose())
        .map(|row| row.and_then(read))
        .collect()
}

const TAKEN: &str = "SELECT s.created_at, s.updated_at, s.snapshot FROM project_stats s \
     JOIN projects p ON p.id = s.project_id WHERE p.uuid = ?1";

fn read(mut row: Row) -> Result<Taken> {
    Ok(Taken { hour: row.take()?, updated_at: row.take()?, snapshot: row.take_json()? })
}

/// The rows of projects that changed, or whose runs did, since they were last looked at.
fn due(tx: &mut dyn Tx) -> Result<Vec<i64>> {
    let sql = "SELECT p.id FROM projects p LEFT JOIN \
               (SELECT project_id, max(updated_at) AS seen FROM project_stats GROUP BY project_id) s \
               ON s.project_id = p.id WHERE p.live_state >= 0 AND (s.seen IS NULL OR p.updated_at > s.seen OR EXISTS \
               (SELECT 1 FROM runs r WHERE r.project_id = p.id AND r.live_state IN (1, 0, -1) AND r.updated_at > s.seen)) \
               ORDER BY p.id";
    tx.query(sql, &[])?.into_iter().map(|mut row| row.take()).collect()
}

/// The measures of a snapshot, in the order of its columns.
const MEASURES: [Measure; 7] =
    [Measure::Duration, Measure::WaitTime, Measure::Cpu, Measure::Memory, Measure::Gpu, Measure::Cost, Measure::Custom];

fn measure(tx: &mut dyn Tx, project: i64, now: Timestamp) -> Result<Snapshot> {
    let sums: Vec<String> = MEASURES.iter().map(|measure| format!("sum({measure})")).collect();
    let sql = format!(
        "SELECT live_state, count(*), {} FROM runs WHERE project_id = ?1 GROUP BY live_state ORDER BY live_state",
        sums.join(", ")
    );
    let mut snapshot = Snapshot { user: JsonMap::new(), ..Snapshot::default() };
    let mut by_measure: [Sums; 7] = Default::default();
    for mut row in tx.query(&sql, args![project])? {
        let live_state = row.take::<i64>()?.to_string();
        snapshot.run.insert(live_state.clone(), row.take()?);
        for sums in &mut by_measure {
            sums.by_live_state.insert(live_state.clone(), row.take()?);
        }
    }
    let usual: Vec<String> = MEASURES
        .iter()
        .flat_map(|measure| {
            ["avg", "min", "max"].map(|name| format!("{name}(CASE WHEN {measure} > 0 THEN {measure} END)"))
        })
        .collect();
    let sql = format!("SELECT {} FROM runs WHERE project_id = ?1 AND created_at >= ?2", usual.join(", "));
    if let Some(mut row) = first(tx, &sql, args![project, now.minus(LAST_MONTH)])? {
        for sums in &mut by_measure {
            sums.rolling = Rolling { avg: row.take()?, min: row.take()?, max: row.take()? };
        }
    }
    let [tracking_time, wait_time, cpu, memory, gpu, cost, custom] = by_measure;
    snapshot.tracking_time = tracking_time;
    snapshot.wait_time = wait_time;
    snapshot.resources = ResourceSums { cpu, memory, gpu, cost, custom };
    let statuses = "SELECT status, count(*) FROM runs WHERE project_id = ?1 AND live_state = 1 GROUP BY status";
    snapshot.status = counts(tx, statuses, project)?;
    let versions = "SELECT kind, count(*) FROM project_versions WHERE project_id = ?1 GROUP BY kind";
    snapshot.version = counts(tx, versions, project)?;
    Ok(snapshot)
}

fn counts<K: Ord + crate::db::FromValue>(tx: &mut dyn Tx, sql: &str, project: i64) -> Result<BTreeMap<K, i64>> {
    tx.query(sql, args![project])?.into_iter().map(|mut row| Ok((row.take()?, row.take()?))).collect()
}

fn record(tx: &mut dyn Tx, project: i64, snapshot: &Snapshot, now: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO project_stats (project_id, created_at, updated_at, snapshot) \
         SELECT id, CAST(?2 AS BIGINT), CAST(?3 AS BIGINT), CAST(?4 AS TEXT) FROM projects WHERE id = ?1 \
         ON CONFLICT (project_id, created_at) \
         DO UPDATE SET updated_at = excluded.updated_at, snapshot = excluded.snapshot",
        args![project, Frequency::Hour.start(now), now, json(snapshot)],
    )?;
    Ok(())
}
