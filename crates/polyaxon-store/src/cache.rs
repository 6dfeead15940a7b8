//! Reuse of results: finds equal runs, links those that reuse one to it, and lets go of those that waited for nothing.
//!
//! Invariants:
//! * a run looks for an equal one in the transaction that writes its own key: of two equal runs one finds the other;
//! * a link leads to the run that did the work, never to another that reused it;
//! * a run that goes on by itself has no link.

pub mod explain;

use std::time::Duration;

use polyaxon_engine::cache::choice::{Candidate, Choice, Unfit, choose};
use polyaxon_engine::state::{Action, Event, RunState};
use polyaxon_model::JsonMap;
use polyaxon_model::ids::{RunId, StateId};
use polyaxon_model::kinds::Pending;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;

use crate::db::{Tx, args, first};
use crate::{Error, Result, actions, lifecycle, metrics, runs};

/// Equal runs that are looked at.
const MOST: u32 = 50;

/// What a run that was just compiled is equal to.
#[derive(Clone, Debug, PartialEq)]
pub struct Wish {
    pub key: StateId,
    pub ttl: Option<Duration>,
    /// Whether it takes the result of an equal run, beyond giving its own to later ones.
    pub looks: Looks,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    ForEqual,
    No,
}

/// Writes the key of a run and looks for an equal run. Answers what happens to the run, when that is not what happens
/// to any. `has_folder` tells whether the artifacts of a run are still there.
pub fn look_up(
    tx: &mut dyn Tx,
    run: RunId,
    wish: &Wish,
    has_folder: &dyn Fn(RunId) -> bool,
    now: Timestamp,
) -> Result<Option<Event>> {
    tx.execute("UPDATE runs SET state = ?2 WHERE uuid = ?1", args![run, wish.key])?;
    if wish.looks == Looks::No {
        return Ok(None);
    }
    let candidates = candidates(tx, run, Among::All, has_folder)?;
    match choose(&candidates, wish.ttl, now) {
        Choice::Reuse(original) => {
            link(tx, run, original)?;
            copy_outputs(tx, original, run)?;
            Ok(Some(Event::CacheHit))
        }
        Choice::Wait(original) => {
            link(tx, run, original)?;
            lifecycle::apply(tx, original, &Event::Followed, now)?;
            Ok(Some(Event::CacheAwaited))
        }
        Choice::Run(_) => Ok(None),
    }
}

/// Why the equal run that a run found was not taken, judged as of an instant.
pub fn rejected(
    tx: &mut dyn Tx,
    run: RunId,
    ttl: Option<Duration>,
    has_folder: &dyn Fn(RunId) -> bool,
    at: Timestamp,
) -> Result<Option<(RunId, Unfit)>> {
    let candidates = candidates(tx, run, Among::Older, has_folder)?;
    Ok(match choose(&candidates, ttl, at) {
        Choice::Run(rejected) => rejected,
        Choice::Reuse(_) | Choice::Wait(_) => None,
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Among {
    All,
    /// Those that were there when the run was created.
    Older,
}

/// The runs with the same key, newest first; those that reused a result as the run that it is of.
fn candidates(tx: &mut dyn Tx, run: RunId, among: Among, has_folder: &dyn Fn(RunId) -> bool) -> Result<Vec<Candidate>> {
    let sql = "SELECT coalesce(o.uuid, r.uuid), coalesce(o.status, r.status), \
               CASE WHEN r.live_state < coalesce(o.live_state, r.live_state) THEN r.live_state \
               ELSE coalesce(o.live_state, r.live_state) END, coalesce(o.finished_at, r.finished_at) \
               FROM runs s JOIN runs r ON r.state = s.state AND r.kind = s.kind \
               AND coalesce(r.runtime, '') = coalesce(s.runtime, '') \
               LEFT JOIN runs o ON o.id = r.original_id AND r.cloning_kind = 'cache' \
               WHERE s.uuid = ?1 AND r.id <> s.id AND r.project_id = s.project_id AND coalesce(o.id, r.id) <> s.id \
               AND (r.id < s.id OR CAST(?3 AS BOOLEAN)) \
               ORDER BY r.created_at DESC, r.id DESC LIMIT ?2";
    let rows = tx.query(sql, args![run, MOST, among == Among::All])?;
    rows.into_iter()
        .map(|mut row| {
            let mut candidate = Candidate {
                run: row.take()?,
                status: row.take()?,
                live_state: row.take()?,
                finished_at: row.take()?,
                has_folder: true,
            };
            candidate.has_folder = candidate.status != Status::Succeeded || has_folder(candidate.run);
            Ok(candidate)
        })
        .collect()
}

fn link(tx: &mut dyn Tx, run: RunId, original: RunId) -> Result<()> {
    let sql =
        "UPDATE runs SET original_id = (SELECT id FROM runs WHERE uuid = ?2), cloning_kind = 'cache' WHERE uuid = ?1";
    tx.execute(sql, args![run, original])?;
    Ok(())
}

fn copy_outputs(tx: &mut dyn Tx, from: RunId, to: RunId) -> Result<()> {
    let missing = || Error::not_found("Run", from);
    let mut source = first(tx, "SELECT outputs FROM runs WHERE uuid = ?1", args![from])?.ok_or_else(missing)?;
    let outputs: Option<JsonMap> = source.take_optional_json()?;
    let mut target = first(tx, "SELECT id, outputs FROM runs WHERE uuid = ?1", args![to])?.ok_or_else(missing)?;
    let (id, old): (i64, Option<JsonMap>) = (target.take()?, target.take_optional_json()?);
    tx.execute("UPDATE runs SET outputs = ?2 WHERE id = ?1", args![id, outputs.as_ref()])?;
    metrics::update(tx, id, old.as_ref(), outputs.as_ref())
}

/// Makes a new run stand for what another did: its results, and what they were made of.
pub(crate) fn keep(tx: &mut dyn Tx, of: RunId, run: RunId) -> Result<()> {
    link(tx, run, of)?;
    copy_outputs(tx, of, run)?;
    let sql = "UPDATE runs SET inputs = (SELECT o.inputs FROM runs o WHERE o.uuid = ?2), \
               content = (SELECT o.content FROM runs o WHERE o.uuid = ?2) WHERE uuid = ?1";
    tx.execute(sql, args![run, of])?;
    Ok(())
}

/// Tells the runs that wait for a run that it ended: they take its result, or go on by themselves. One that was waited
/// for may have found the result of another, and they are linked to that one then.
pub(crate) fn release(tx: &mut dyn Tx, id: i64, now: Timestamp) -> Result<()> {
    let sql = "SELECT w.uuid, w.status, coalesce(s.uuid, o.uuid), o.status, o.live_state, coalesce(s.live_state, 1) \
               FROM runs w JOIN runs o ON o.id = w.original_id \
               LEFT JOIN runs s ON s.id = o.original_id AND o.cloning_kind = 'cache' \
               WHERE w.original_id = ?1 AND w.cloning_kind = 'cache' AND w.pending = 'cache' ORDER BY w.id";
    for mut row in tx.query(sql, args![id])? {
        let (waiter, waits): (RunId, Status) = (row.take()?, row.take()?);
        let (original, status): (RunId, Status) = (row.take()?, row.take()?);
        let are_live = row.take::<i64>()? == 1 && row.take::<i64>()? == 1;
        if waits.is_done() {
            continue;
        }
        if status == Status::Succeeded && are_live {
            link(tx, waiter, original)?;
            copy_outputs(tx, original, waiter)?;
            lifecycle::apply(tx, waiter, &Event::CacheHit, now)?;
        } else {
            lifecycle::apply(tx, waiter, &Event::CacheLost, now)?;
        }
    }
    Ok(())
}

/// Removes the link of a run that goes on by itself, or ends without the result that it waited for.
pub(crate) fn follow(tx: &mut dyn Tx, id: i64, before: &RunState, after: &RunState) -> Result<()> {
    let has_waited = before.pending == Some(Pending::Cache) && after.pending != Some(Pending::Cache);
    let lives_again = before.status.is_done() && !after.status.is_done();
    if (has_waited && after.status != Status::Succeeded) || lives_again {
        let sql = "UPDATE runs SET original_id = NULL, cloning_kind = NULL WHERE id = ?1 AND cloning_kind = 'cache'";
        tx.execute(sql, args![id])?;
    }
    Ok(())
}

/// Forgets the key of a run, of the run whose result it reused, and of all that reused the same.
pub fn invalidate(tx: &mut dyn Tx, run: RunId, now: Timestamp) -> Result<()> {
    let sql =
        "SELECT CASE WHEN cloning_kind = 'cache' THEN coalesce(original_id, id) ELSE id END FROM runs WHERE uuid = ?1";
    let Some(mut row) = first(tx, sql, args![run])? else { return Ok(()) };
    let original: i64 = row.take()?;
    let sql = "UPDATE runs SET state = NULL, updated_at = ?2 WHERE id = ?1 OR (cloning_kind = 'cache' \
               AND original_id = ?1)";
    tx.execute(sql, args![original, now])?;
    // Those that nobody listens to look at their original when somebody begins to.
    let sql = "SELECT r.uuid FROM runs r WHERE r.id = ?1 OR (r.cloning_kind = 'cache' AND r.original_id = ?1 \
               AND EXISTS (SELECT 1 FROM run_edges e WHERE e.upstream_id = r.id AND e.events IS NOT NULL)) ORDER BY r.id";
    for mut row in tx.query(sql, args![original])? {
        lifecycle::apply(tx, row.take()?, &Event::Invalidated, now)?;
    }
    Ok(())
}

/// The run that holds the artifacts, logs and lineage of a run: itself, or the one whose result it reused.
pub fn holder(tx: &mut dyn Tx, run: RunId) -> Result<RunId> {
    let sql =
        "SELECT o.uuid FROM runs r JOIN runs o ON o.id = r.original_id WHERE r.uuid = ?1 AND r.cloning_kind = 'cache'";
    first(tx, sql, args![run])?.map_or(Ok(run), |mut row| row.take())
}

/// The oldest of the runs that reuse the result of a run: it takes the artifacts over when that run is removed.
pub fn heir(tx: &mut dyn Tx, run: RunId) -> Result<Option<RunId>> {
    let sql = "SELECT h.uuid FROM runs h JOIN runs o ON o.id = h.original_id WHERE o.uuid = ?1 \
               AND h.cloning_kind = 'cache' AND h.status = 'succeeded' AND h.live_state >= 0 \
               ORDER BY h.created_at, h.id LIMIT 1";
    first(tx, sql, args![run])?.map(|mut row| row.take()).transpose()
}

/// Closes the `Delete` action `(run, seq)`. When the files were left for an heir, the heir takes them over; one that was
/// deleted itself meanwhile leaves them to the next, or nobody needs them any more and they are removed after all.
pub fn deleted(tx: &mut dyn Tx, run: RunId, seq: i64, has_heir: bool, now: Timestamp) -> Result<()> {
    if !actions::done(tx, run, seq, now)? {
        return Ok(());
    }
    let Some(id) = runs::id_of(tx, run)? else { return Ok(()) };
    if has_heir {
        match heir(tx, run)?.map(|heir| runs::id_of(tx, heir)).transpose()?.flatten() {
            Some(heir) => {
                inherit(tx, id, heir)?;
                actions::write(tx, heir, &Action::TakeOver { from: run }, None, now)?;
            }
            None => return actions::write(tx, id, &Action::Delete { at: now }, None, now),
        }
    }
    runs::mark_deleted(tx, run, now)
}

/// Makes the heir the run that others reuse.
fn inherit(tx: &mut dyn Tx, from: i64, to: i64) -> Result<()> {
    tx.execute("UPDATE runs SET original_id = NULL, cloning_kind = NULL WHERE id = ?1", args![to])?;
    let sql = "UPDATE runs SET original_id = ?2 WHERE original_id = ?1 AND cloning_kind = 'cache'";
    tx.execute(sql, args![from, to])?;
    tx.execute(
        "INSERT INTO run_artifacts (run_id, artifact_id, is_input) \
         SELECT CAST(?2 AS BIGINT), artifact_id, is_input FROM run_artifacts WHERE run_id = ?1 \
         ON CONFLICT (run_id, artifact_id) DO NOTHING",
        args![from, to],
    )?;
    Ok(())
}

/// Earlier runs of the same project, kind and runtime that were compiled, newest first: what to compare a run with.
pub fn earlier(tx: &mut dyn Tx, run: RunId, limit: u32) -> Result<Vec<RunId>> {
    let sql = "SELECT r.uuid FROM runs s JOIN runs r ON r.project_id = s.project_id AND r.kind = s.kind \
               AND coalesce(r.runtime, '') = coalesce(s.runtime, '') WHERE s.uuid = ?1 AND r.id < s.id AND r.content IS NOT NULL \
               AND r.live_state >= 0 AND (r.cloning_kind IS NULL OR r.cloning_kind <> 'cache') \
               ORDER BY r.created_at DESC, r.id DESC LIMIT ?2";
    tx.query(sql, args![run, limit])?.into_iter().map(|mut row| row.take()).collect()
}

/// The key of a run.
pub fn key(tx: &mut dyn Tx, run: RunId) -> Result<Option<StateId>> {
    let found = first(tx, "SELECT state FROM runs WHERE uuid = ?1", args![run])?;
    Ok(found.map(|mut row| row.take::<Option<StateId>>()).transpose()?.flatten())
}
