//! The metrics of running children over time, and which of them are stopped because others do better.
//!
//! Invariants: what a value costs does not depend on how many came before; a value that is reported twice counts once;
//! judging needs no more than what is written here, so that it can be done again, by any server.

use std::collections::{BTreeMap, HashMap};

use polyaxon_engine::flow::early_stopping::Policies;
use polyaxon_engine::flow::pruning::{Mark, Other, Pruning, Standing, Track, Verdict};
use polyaxon_engine::state::Event;
use polyaxon_model::JsonMap;
use polyaxon_model::change::Change;
use polyaxon_model::ids::RunId;
use polyaxon_model::new_run::RunPatch;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use serde_json::{Value as Json, json};

use super::early_stopping;
use crate::db::{Tx, args, first, scalar};
use crate::{Result, lifecycle, runs};

/// A value of a metric: its step, when it has one.
pub type Point = (Option<i64>, f64);

/// A running child of a pipeline that looks at metrics while they come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    pub run: RunId,
    pub metrics: Vec<String>,
}

/// The statuses in which a child reports metrics.
const AT_WORK: &str = "('starting', 'running', 'warning', 'processing')";

/// The running children whose metrics are of interest.
pub fn watched(tx: &mut dyn Tx) -> Result<Vec<Watched>> {
    let sql = format!(
        "SELECT r.uuid, p.run_id, p.plan FROM runs r JOIN pipelines p ON p.run_id = r.pipeline_id \
         JOIN runs w ON w.id = p.run_id WHERE r.status IN {AT_WORK} AND p.plan IS NOT NULL AND w.kind <> 'schedule' \
         AND w.status = 'running' ORDER BY r.id"
    );
    let mut known: HashMap<i64, Vec<String>> = HashMap::new();
    let mut watched = Vec::new();
    for mut row in tx.query(&sql, &[])? {
        let (run, pipeline, plan): (RunId, i64, Json) = (row.take()?, row.take()?, row.take_json()?);
        let metrics = known.entry(pipeline).or_insert_with(|| {
            let mut metrics: Vec<String> = Policies::read(&plan).metrics().map(str::to_owned).collect();
            metrics.sort_unstable();
            metrics.dedup();
            metrics
        });
        if !metrics.is_empty() {
            watched.push(Watched { run, metrics: metrics.clone() });
        }
    }
    Ok(watched)
}

/// Takes in what a run reported of a metric; the first value is the one with this number, from 0, of its event file.
pub fn extend(tx: &mut dyn Tx, run: RunId, metric: &str, from: u64, points: &[Point]) -> Result<()> {
    let sql = "SELECT r.id FROM runs r WHERE r.uuid = ?1";
    let Some(id) = scalar::<i64>(tx, sql, args![run])? else { return Ok(()) };
    let Some((pipeline, policies)) = policies(tx, id)? else { return Ok(()) };
    let mut heard = false;
    for (number, pruning) in policies.of_runs().filter(|(_, pruning)| pruning.metric == metric) {
        let mut followed = Followed::load(tx, id, number)?;
        if !followed.from_events {
            tx.execute("DELETE FROM marks WHERE run_id = ?1 AND policy = ?2", args![id, number as i64])?;
            followed = Followed { from_events: true, track: Track::default() };
        }
        let known = usize::try_from(followed.track.taken.saturating_sub(from)).unwrap_or(usize::MAX);
        heard |= followed.take(tx, id, pipeline, (number, pruning), points.get(known..).unwrap_or_default())?;
    }
    if heard { hear(tx, pipeline) } else { Ok(()) }
}

/// Answers new outputs of a run: they may end its pipeline, and stand for a value of a metric without event file.
pub(crate) fn answer(
    tx: &mut dyn Tx,
    id: i64,
    old: Option<&JsonMap>,
    new: Option<&JsonMap>,
    now: Timestamp,
) -> Result<()> {
    let Some((pipeline, policies)) = policies(tx, id)? else { return Ok(()) };
    early_stopping::check(tx, pipeline, id, now)?;
    let mut heard = false;
    for (number, pruning) in policies.of_runs() {
        let of = |outputs: Option<&JsonMap>| outputs.and_then(|outputs| outputs.get(&pruning.metric)?.as_f64());
        let Some(value) = of(new).filter(|value| of(old) != Some(*value)) else { continue };
        let mut followed = Followed::load(tx, id, number)?;
        if !followed.from_events {
            heard |= followed.take(tx, id, pipeline, (number, pruning), &[(None, value)])?;
        }
    }
    if heard { hear(tx, pipeline) } else { Ok(()) }
}

/// The pipeline around a run and its policies, when it has some.
fn policies(tx: &mut dyn Tx, id: i64) -> Result<Option<(i64, Policies)>> {
    let sql = "SELECT p.run_id, p.plan FROM runs r JOIN pipelines p ON p.run_id = r.pipeline_id \
               JOIN runs w ON w.id = p.run_id WHERE r.id = ?1 AND p.plan IS NOT NULL AND w.kind <> 'schedule'";
    let Some(mut row) = first(tx, sql, args![id])? else { return Ok(None) };
    Ok(Some((row.take()?, Policies::read(&row.take_json::<Json>()?))))
}

fn hear(tx: &mut dyn Tx, pipeline: i64) -> Result<()> {
    tx.execute("UPDATE pipelines SET heard = heard + 1 WHERE run_id = ?1", args![pipeline])?;
    Ok(())
}

/// A track as it is stored.
#[derive(Debug, Default)]
struct Followed {
    from_events: bool,
    track: Track,
}

impl Followed {
    fn load(tx: &mut dyn Tx, run: i64, policy: usize) -> Result<Followed> {
        let sql = "SELECT from_events, taken, last_step, best, total, numbers FROM tracks \
                   WHERE run_id = ?1 AND policy = ?2";
        let Some(mut row) = first(tx, sql, args![run, policy as i64])? else { return Ok(Followed::default()) };
        let from_events = row.take()?;
        let track = Track {
            taken: super::count(&mut row)?,
            last: row.take::<Option<i64>>()?.map(i64::unsigned_abs),
            best: row.take()?,
            total: row.take()?,
            count: super::count(&mut row)?,
        };
        Ok(Followed { from_events, track })
    }

    /// Takes values in, and tells whether there were any.
    fn take(
        &mut self,
        tx: &mut dyn Tx,
        run: i64,
        pipeline: i64,
        (policy, pruning): (usize, &Pruning),
        points: &[Point],
    ) -> Result<bool> {
        if points.is_empty() {
            return Ok(false);
        }
        let mut marks: BTreeMap<u64, Mark> = BTreeMap::new();
        for (step, value) in points {
            let mark = pruning.take(&mut self.track, *step, *value);
            marks.extend(mark.map(|mark| (mark.step, mark)));
        }
        for mark in marks.values() {
            tx.execute(
                "INSERT INTO marks (run_id, policy, step, best, mean) VALUES (?1, ?2, ?3, ?4, ?5) \
                 ON CONFLICT (run_id, policy, step) DO UPDATE SET best = excluded.best, mean = excluded.mean",
                args![run, policy as i64, stored(mark.step), mark.best, mark.mean],
            )?;
        }
        let Track { taken, last, best, total, count } = self.track;
        tx.execute(
            "INSERT INTO tracks (run_id, policy, pipeline_id, from_events, taken, last_step, best, total, numbers) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (run_id, policy) DO UPDATE SET \
             pipeline_id = excluded.pipeline_id, from_events = excluded.from_events, taken = excluded.taken, \
             last_step = excluded.last_step, best = excluded.best, total = excluded.total, numbers = excluded.numbers",
            args![
                run,
                policy as i64,
                pipeline,
                self.from_events,
                stored(taken),
                last.map(stored),
                best,
                total,
                stored(count)
            ],
        )?;
        Ok(true)
    }
}

fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// What is to be done about a pipeline some of whose tracks changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    pipeline: i64,
    /// The change up to which it holds.
    heard: i64,
    pruned: Vec<Pruned>,
}

/// A child that is stopped, and why.
#[derive(Clone, Debug, PartialEq)]
struct Pruned {
    id: i64,
    run: RunId,
    told: Json,
    message: String,
}

/// Judges the running children of all pipelines that heard something. It only reads: others need not wait for it.
pub fn judge(tx: &mut dyn Tx) -> Result<Vec<Judgement>> {
    let sql = "SELECT p.run_id, p.heard, p.plan, w.status FROM pipelines p JOIN runs w ON w.id = p.run_id \
               WHERE p.heard <> p.judged ORDER BY p.run_id";
    let mut judgements = Vec::new();
    for mut row in tx.query(sql, &[])? {
        let (pipeline, heard): (i64, i64) = (row.take()?, row.take()?);
        let (plan, status): (Option<Json>, Status) = (row.take_optional_json()?, row.take()?);
        let mut pruned: Vec<Pruned> = Vec::new();
        if let Some(plan) = plan.filter(|_| status == Status::Running) {
            for (number, pruning) in Policies::read(&plan).of_runs() {
                let found = judge_by(tx, pipeline, number, pruning)?;
                let is_new = |found: &Pruned| pruned.iter().all(|other| other.id != found.id);
                let found: Vec<Pruned> = found.into_iter().filter(is_new).collect();
                pruned.extend(found);
            }
        }
        judgements.push(Judgement { pipeline, heard, pruned });
    }
    Ok(judgements)
}

fn judge_by(tx: &mut dyn Tx, pipeline: i64, policy: usize, pruning: &Pruning) -> Result<Vec<Pruned>> {
    let sql = format!(
        "SELECT r.id, r.uuid, k.last_step FROM runs r JOIN tracks k ON k.run_id = r.id AND k.policy = ?2 \
         WHERE r.pipeline_id = ?1 AND r.status IN {AT_WORK} AND NOT k.exempt AND k.last_step IS NOT NULL ORDER BY r.id"
    );
    let mut by_checkpoint: BTreeMap<u64, Vec<(i64, RunId)>> = BTreeMap::new();
    for mut row in tx.query(&sql, args![pipeline, policy as i64])? {
        let (id, run, last): (i64, RunId, i64) = (row.take()?, row.take()?, row.take()?);
        if let Some(step) = pruning.checkpoint(last.unsigned_abs()) {
            by_checkpoint.entry(step).or_default().push((id, run));
        }
    }
    let mut pruned = Vec::new();
    for (step, judged) in by_checkpoint {
        let reached = reached(tx, pipeline, policy, step)?;
        for (id, run) in judged {
            let Some((_, own)) = reached.iter().find(|(other, _)| *other == id) else { continue };
            let others: Vec<Other> =
                reached.iter().filter(|(other, _)| *other != id).map(|(_, other)| *other).collect();
            if let Some(verdict) = pruning.judge(step, own.best, &others) {
                let Verdict { own, threshold, .. } = verdict;
                let told = json!({ "policy": pruning.policy(), "metric": pruning.metric, "step": step, "value": own,
                    "threshold": threshold });
                pruned.push(Pruned { id, run, told, message: pruning.sentence(&verdict) });
            }
        }
    }
    Ok(pruned)
}

/// The children that reached a checkpoint, as they stood there.
fn reached(tx: &mut dyn Tx, pipeline: i64, policy: usize, step: u64) -> Result<Vec<(i64, Other)>> {
    let at = |column: &str| {
        format!(
            "(SELECT m.{column} FROM marks m WHERE m.run_id = k.run_id AND m.policy = k.policy AND m.step <= ?3 \
             ORDER BY m.step DESC LIMIT 1)"
        )
    };
    let sql = format!(
        "SELECT k.run_id, r.status, k.exempt, {}, {} FROM tracks k JOIN runs r ON r.id = k.run_id \
         WHERE k.pipeline_id = ?1 AND k.policy = ?2 AND k.last_step >= ?3 ORDER BY k.run_id",
        at("best"),
        at("mean")
    );
    let mut reached = Vec::new();
    for mut row in tx.query(&sql, args![pipeline, policy as i64, stored(step)])? {
        let (id, status, was_pruned): (i64, Status, bool) = (row.take()?, row.take()?, row.take()?);
        let (best, mean): (Option<f64>, Option<f64>) = (row.take()?, row.take()?);
        let standing = match status {
            Status::Succeeded => Standing::Succeeded,
            status if status.is_done_or_stopping() && !was_pruned => Standing::Ended,
            _ => Standing::Running,
        };
        if let (Some(best), Some(mean)) = (best, mean) {
            reached.push((id, Other { best, mean, standing }));
        }
    }
    Ok(reached)
}

/// Stops what was judged to be worse. What ended meanwhile stays as it is.
pub fn prune(tx: &mut dyn Tx, judgements: &[Judgement], now: Timestamp) -> Result<()> {
    for Judgement { pipeline, heard, pruned } in judgements {
        let sql = "UPDATE pipelines SET judged = ?2 WHERE run_id = ?1 AND judged < ?2";
        tx.execute(sql, args![*pipeline, *heard])?;
        for Pruned { id, run, told, message } in pruned {
            let status: Option<Status> = scalar(tx, "SELECT status FROM runs WHERE id = ?1", args![*id])?;
            if status.is_none_or(Status::is_done_or_stopping) {
                continue;
            }
            tx.execute("UPDATE tracks SET exempt = TRUE WHERE run_id = ?1", args![*id])?;
            let meta_info = Change::Set(JsonMap::from_iter([(PRUNED.to_owned(), told.clone())]));
            runs::patch(tx, *run, &RunPatch { meta_info, merge: Some(true), ..RunPatch::default() }, now)?;
            lifecycle::apply(tx, *run, &Event::Pruned { message: message.clone() }, now)?;
        }
    }
    Ok(())
}

/// Where the record of a run says why it was stopped.
pub(super) const PRUNED: &str = "pruned";

/// Lets a run that was stopped go on.
pub(super) fn pardon(tx: &mut dyn Tx, id: i64) -> Result<()> {
    let Some(mut row) = first(tx, "SELECT meta_info FROM runs WHERE id = ?1", args![id])? else { return Ok(()) };
    let mut meta_info: JsonMap = row.take_json()?;
    if meta_info.remove(PRUNED).is_some() {
        tx.execute("UPDATE runs SET meta_info = ?2 WHERE id = ?1", args![id, &meta_info])?;
    }
    Ok(())
}
