//! What the store holds, kept beside it: after each step only what the step touched is read again.

use std::collections::{BTreeMap, BTreeSet};

use polyaxon_engine::flow::completion::Ends;
use polyaxon_engine::state::{Action, Control};
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::ids::{ExecutorId, RunId};
use polyaxon_model::kinds::{LiveState, Pending, RunKind, Trigger};
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use polyaxon_store::db::{Tx, Value};
use polyaxon_store::{Result, Store};
use serde_json::Value as Json;

/// A run as the store has it.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) id: i64,
    pub(crate) uuid: RunId,
    pub(crate) kind: RunKind,
    pub(crate) status: Status,
    pub(crate) pending: Option<Pending>,
    pub(crate) live_state: LiveState,
    pub(crate) pipeline: Option<i64>,
    pub(crate) executor: Option<ExecutorId>,
    pub(crate) created_at: Timestamp,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) finished_at: Option<Timestamp>,
    pub(crate) schedule_at: Option<Timestamp>,
    pub(crate) concurrency: Option<i64>,
    pub(crate) is_early: bool,
    pub(crate) control: Control,
    pub(crate) history: Vec<StatusCondition>,
    pub(crate) open: Vec<Action>,
    pub(crate) child: Option<Child>,
    pub(crate) counts: Option<Counts>,
}

/// The record of a child in its pipeline.
#[derive(Clone, Debug)]
pub(crate) struct Child {
    pub(crate) state: String,
    pub(crate) trigger: Trigger,
    pub(crate) is_on_skip: bool,
    pub(crate) upstreams: Vec<i64>,
}

/// What a pipeline has counted.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    pub(crate) preparing: i64,
    pub(crate) queued: i64,
    pub(crate) leaves: i64,
    pub(crate) created: i64,
    pub(crate) ends: Ends,
}

#[derive(Debug, Default)]
pub(crate) struct Mirror {
    pub(crate) runs: BTreeMap<i64, Run>,
    pub(crate) by_uuid: BTreeMap<RunId, i64>,
}

/// What a step changed: every touched run as it was before.
pub(crate) type Before = BTreeMap<i64, Option<Run>>;

/// Makes the store note what is touched.
pub(crate) fn watch(store: &Store) -> Result<()> {
    store.write_blocking(|tx| {
        tx.execute("CREATE TEMP TABLE touched (run BIGINT)", &[])?;
        for (table, column, whens) in [
            ("runs", "id", ["INSERT", "UPDATE", "DELETE"].as_slice()),
            ("status_conditions", "run_id", &["INSERT", "UPDATE"]),
            ("actions", "run_id", &["INSERT", "UPDATE"]),
            ("pipelines", "run_id", &["INSERT", "UPDATE"]),
            ("pipeline_children", "run_id", &["INSERT", "UPDATE"]),
        ] {
            for when in whens {
                let row = if *when == "DELETE" { "OLD" } else { "NEW" };
                let sql = format!(
                    "CREATE TEMP TRIGGER {table}_{when} AFTER {when} ON main.{table} BEGIN \
                     INSERT INTO touched VALUES ({row}.{column}); END"
                );
                tx.execute(&sql, &[])?;
            }
        }
        Ok(())
    })
}

impl Mirror {
    /// Reads what was touched since the last time.
    pub(crate) fn refresh(&mut self, store: &Store) -> Result<Before> {
        let touched: BTreeSet<i64> = store.read_blocking(|tx| {
            let rows = tx.query("SELECT run FROM touched", &[])?;
            rows.into_iter().map(|mut row| row.take()).collect()
        })?;
        if touched.is_empty() {
            return Ok(Before::new());
        }
        let found: Vec<(i64, Option<Run>)> = {
            let known = &self.runs;
            store.read_blocking(|tx| {
                touched.iter().map(|id| Ok((*id, read(tx, *id, known.get(id))?))).collect::<Result<_>>()
            })?
        };
        store.write_blocking(|tx| tx.execute("DELETE FROM touched", &[]).map(drop))?;
        let mut before = Before::new();
        for (id, run) in found {
            let old = match run {
                Some(run) => {
                    self.by_uuid.insert(run.uuid, id);
                    self.runs.insert(id, run)
                }
                None => self.runs.remove(&id),
            };
            before.insert(id, old);
        }
        Ok(before)
    }

    pub(crate) fn run(&self, uuid: RunId) -> Option<&Run> {
        self.runs.get(self.by_uuid.get(&uuid)?)
    }

    pub(crate) fn children(&self, id: i64) -> impl Iterator<Item = &Run> {
        self.runs.values().filter(move |run| run.pipeline == Some(id))
    }
}

const RUN: &str = "SELECT uuid, kind, status, pending, live_state, pipeline_id, executor_id, created_at, started_at, \
     finished_at, schedule_at, meta_info, control FROM runs WHERE id = ?1";

fn read(tx: &mut dyn Tx, id: i64, known: Option<&Run>) -> Result<Option<Run>> {
    let key = [Value::Int(id)];
    let Some(mut row) = tx.query(RUN, &key)?.into_iter().next() else { return Ok(None) };
    let row = &mut row;
    let mut run = Run {
        id,
        uuid: row.take()?,
        kind: row.take()?,
        status: row.take()?,
        pending: row.take()?,
        live_state: row.take()?,
        pipeline: row.take()?,
        executor: row.take()?,
        created_at: row.take()?,
        started_at: row.take()?,
        finished_at: row.take()?,
        schedule_at: row.take()?,
        concurrency: None,
        is_early: false,
        control: Control::default(),
        history: known.map(|run| run.history.clone()).unwrap_or_default(),
        open: Vec::new(),
        child: None,
        counts: None,
    };
    let meta_info: Json = row.take_json()?;
    run.concurrency = meta_info.get("concurrency").and_then(Json::as_i64);
    run.is_early = meta_info.get("early_stopping").is_some();
    run.control = row.take_json()?;
    // The last condition that was known may have been replaced.
    let from = run.history.len().max(1) as i64;
    let sql = "SELECT seq, condition FROM status_conditions WHERE run_id = ?1 AND seq >= ?2 ORDER BY seq";
    run.history.truncate(run.history.len().saturating_sub(1));
    for mut row in tx.query(sql, &[Value::Int(id), Value::Int(from)])? {
        let seq: i64 = row.take()?;
        debug_assert_eq!(seq, run.history.len() as i64 + 1, "conditions are numbered without gaps");
        run.history.push(row.take_json()?);
    }
    for mut row in tx.query("SELECT action FROM actions WHERE run_id = ?1 AND done_at IS NULL", &key)? {
        run.open.push(row.take_json()?);
    }
    run.child = child(tx, id, known.and_then(|run| run.child.as_ref()))?;
    run.counts = counts(tx, id)?;
    Ok(Some(run))
}

fn child(tx: &mut dyn Tx, id: i64, known: Option<&Child>) -> Result<Option<Child>> {
    let key = [Value::Int(id)];
    let sql = "SELECT state, trigger_rule, on_skip FROM pipeline_children WHERE run_id = ?1";
    let Some(mut row) = tx.query(sql, &key)?.into_iter().next() else { return Ok(None) };
    let (state, trigger, is_on_skip) = (row.take()?, row.take()?, row.take()?);
    let upstreams = match known {
        Some(child) => child.upstreams.clone(),
        None => {
            let sql =
                "SELECT upstream_id FROM run_edges WHERE downstream_id = ?1 AND kind = 'dag' ORDER BY upstream_id";
            tx.query(sql, &key)?.into_iter().map(|mut row| row.take()).collect::<Result<_>>()?
        }
    };
    Ok(Some(Child { state, trigger, is_on_skip, upstreams }))
}

fn counts(tx: &mut dyn Tx, id: i64) -> Result<Option<Counts>> {
    let sql = "SELECT preparing, queued, leaves, created, succeeded, failed, broken, \
               upstream_failed, stopped, skipped FROM pipelines WHERE run_id = ?1";
    let Some(mut row) = tx.query(sql, &[Value::Int(id)])?.into_iter().next() else { return Ok(None) };
    let mut next = || row.take::<i64>();
    Ok(Some(Counts {
        preparing: next()?,
        queued: next()?,
        leaves: next()?,
        created: next()?,
        ends: Ends {
            succeeded: next()? as u64,
            failed: next()? as u64,
            broken: next()? as u64,
            upstream_failed: next()? as u64,
            stopped: next()? as u64,
            skipped: next()? as u64,
        },
    }))
}
