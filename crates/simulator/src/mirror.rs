//! What the store holds, kept beside it: after each step only what the step touched is read again.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use polyaxon_engine::flow::completion::Ends;
use polyaxon_engine::state::{Action, Control};
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::ids::{ExecutorId, RunId, StateId};
use polyaxon_model::kinds::{LiveState, Pending, RunKind, Trigger};
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use polyaxon_store::actions::OpenAction;
use polyaxon_store::db::{Tx, Value};
use polyaxon_store::{Result, Store};
use serde_json::Value as Json;

use crate::tally::Tally;

/// A run as the store has it.
#[derive(Clone, Debug, PartialEq)]
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
    pub(crate) queue: i64,
    pub(crate) cpu: f64,
    /// What it is equal to, and the run whose result it has or waits for.
    pub(crate) key: Option<StateId>,
    pub(crate) reuses: Option<i64>,
    pub(crate) control: Control,
    pub(crate) history: Vec<Rc<StatusCondition>>,
    pub(crate) open: Vec<Open>,
    pub(crate) child: Option<Child>,
    pub(crate) counts: Option<Counts>,
}

/// Something that is still to be done about a run, and who has claimed it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Open {
    pub(crate) action: OpenAction,
    pub(crate) claimant: Option<ExecutorId>,
}

/// The record of a child in its pipeline.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Child {
    pub(crate) state: String,
    pub(crate) trigger: Trigger,
    pub(crate) is_on_skip: bool,
    /// It begins when something else happens than that its upstreams end.
    pub(crate) listens: bool,
    pub(crate) upstreams: Vec<i64>,
}

/// What a pipeline has counted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Counts {
    pub(crate) preparing: i64,
    pub(crate) queued: i64,
    pub(crate) leaves: i64,
    pub(crate) created: i64,
    pub(crate) ends: Ends,
}

#[derive(Debug, Default, PartialEq)]
pub(crate) struct Mirror {
    pub(crate) runs: BTreeMap<i64, Run>,
    pub(crate) by_uuid: BTreeMap<RunId, i64>,
    children: BTreeMap<i64, BTreeSet<i64>>,
    /// The runs of open actions, by the number of the action.
    open: BTreeMap<i64, i64>,
    pub(crate) tally: Tally,
}

/// What a step changed: every touched run as it was before.
pub(crate) type Before = BTreeMap<i64, Option<Run>>;

/// Notes what is touched: the row, and of which table.
pub(crate) struct Watch {
    seen: i64,
}

const TABLES: &[(&str, &str, &[&str])] = &[
    ("runs", "id", &["INSERT", "UPDATE", "DELETE"]),
    ("status_conditions", "run_id", &["INSERT", "UPDATE"]),
    ("actions", "run_id", &["INSERT", "UPDATE"]),
    ("pipelines", "run_id", &["INSERT", "UPDATE"]),
    ("pipeline_children", "run_id", &["INSERT", "UPDATE"]),
];

/// Everything of a run.
const WHOLE: [bool; TABLES.len()] = [true; TABLES.len()];

impl Watch {
    pub(crate) fn begin(store: &Store) -> Result<Watch> {
        store.write_blocking(|tx| {
            tx.execute("CREATE TEMP TABLE touched (number INTEGER PRIMARY KEY, run BIGINT, place BIGINT)", &[])?;
            for (place, (table, column, whens)) in TABLES.iter().enumerate() {
                for when in *whens {
                    let row = if *when == "DELETE" { "OLD" } else { "NEW" };
                    let sql = format!(
                        "CREATE TEMP TRIGGER {table}_{when} AFTER {when} ON main.{table} BEGIN \
                         INSERT INTO touched (run, place) VALUES ({row}.{column}, {place}); END"
                    );
                    tx.execute(&sql, &[])?;
                }
            }
            Ok(())
        })?;
        Ok(Watch { seen: 0 })
    }

    fn touched(&mut self, tx: &mut dyn Tx) -> Result<BTreeMap<i64, [bool; TABLES.len()]>> {
        let mut touched = BTreeMap::new();
        let sql = "SELECT number, run, place FROM touched WHERE number > ?1";
        for mut row in tx.query(sql, &[Value::Int(self.seen)])? {
            self.seen = row.take()?;
            let (run, place): (i64, i64) = (row.take()?, row.take()?);
            touched.entry(run).or_insert([false; TABLES.len()])[place as usize] = true;
        }
        Ok(touched)
    }
}

impl Mirror {
    /// Everything that is in a store.
    pub(crate) fn of(store: &Store) -> Result<Mirror> {
        let mut mirror = Mirror::default();
        store.read_blocking(|tx| {
            for mut row in tx.query("SELECT id FROM runs ORDER BY id", &[])? {
                let id = row.take()?;
                let run = read(tx, id, None, WHOLE)?;
                mirror.put(id, run);
            }
            Ok(())
        })?;
        Ok(mirror)
    }

    /// Reads what was touched since the last time.
    pub(crate) fn refresh(&mut self, store: &Store, watch: &mut Watch) -> Result<Before> {
        let mut before = Before::new();
        store.read_blocking(|tx| {
            for (id, places) in watch.touched(tx)? {
                let run = read(tx, id, self.runs.get(&id), places)?;
                before.insert(id, self.put(id, run));
            }
            Ok(())
        })?;
        Ok(before)
    }

    /// Replaces a run; answers what it was before.
    fn put(&mut self, id: i64, run: Option<Run>) -> Option<Run> {
        let old = self.runs.remove(&id);
        if let Some(old) = &old {
            self.tally.take(&self.runs, old);
            self.by_uuid.remove(&old.uuid);
            for open in &old.open {
                self.open.remove(&open.action.id);
            }
            if let Some(children) = old.pipeline.and_then(|pipeline| self.children.get_mut(&pipeline)) {
                children.remove(&id);
            }
        }
        if let Some(run) = run {
            self.tally.add(&self.runs, &run);
            self.by_uuid.insert(run.uuid, id);
            for open in &run.open {
                self.open.insert(open.action.id, id);
            }
            if let Some(pipeline) = run.pipeline {
                self.children.entry(pipeline).or_default().insert(id);
            }
            self.runs.insert(id, run);
        }
        old
    }

    /// Upstreams whose records are gone are no longer told by the store.
    pub(crate) fn forget_removed(&mut self) {
        let known: BTreeSet<i64> = self.runs.keys().copied().collect();
        let children = self.runs.values_mut().filter_map(|run| run.child.as_mut());
        children.for_each(|child| child.upstreams.retain(|upstream| known.contains(upstream)));
        self.children.retain(|_, children| !children.is_empty());
    }

    pub(crate) fn run(&self, uuid: RunId) -> Option<&Run> {
        self.runs.get(self.by_uuid.get(&uuid)?)
    }

    pub(crate) fn children(&self, id: i64) -> impl Iterator<Item = &Run> {
        self.children.get(&id).into_iter().flatten().filter_map(|id| self.runs.get(id))
    }

    /// What a server has claimed and is still to be done, oldest first.
    pub(crate) fn claimed(&self, server: ExecutorId) -> impl Iterator<Item = &OpenAction> {
        let open = self
            .open
            .iter()
            .filter_map(|(number, run)| self.runs.get(run)?.open.iter().find(|open| open.action.id == *number));
        open.filter(move |open| open.claimant == Some(server)).map(|open| &open.action)
    }
}

impl Run {
    /// Whether something of this kind is still to be done about it.
    pub(crate) fn has(&self, is_wanted: impl Fn(&Action) -> bool) -> bool {
        self.open.iter().any(|open| is_wanted(&open.action.action))
    }
}

const RUN: &str = "SELECT uuid, kind, status, pending, live_state, pipeline_id, executor_id, created_at, started_at, \
     finished_at, schedule_at, queue_id, cpu, state, original_id, cloning_kind, meta_info, control FROM runs \
     WHERE id = ?1";

/// A run of which the rows of some tables are read, and the others are known.
fn read(tx: &mut dyn Tx, id: i64, known: Option<&Run>, places: [bool; TABLES.len()]) -> Result<Option<Run>> {
    let [is_run, is_history, is_open, is_pipeline, is_child] = if known.is_some() { places } else { WHOLE };
    let mut run = match known.filter(|_| !is_run) {
        Some(known) => known.clone(),
        None => match record(tx, id)? {
            Some(run) => run,
            None => return Ok(None),
        },
    };
    if let Some(known) = known.filter(|_| is_run) {
        run.history.clone_from(&known.history);
        run.open.clone_from(&known.open);
        run.child.clone_from(&known.child);
        run.counts.clone_from(&known.counts);
    }
    if is_history {
        history(tx, id, &mut run.history)?;
    }
    // Whether a pipeline made the run stands in its open actions as well.
    if is_open || known.is_some_and(|known| known.pipeline != run.pipeline) {
        run.open = open(tx, id, run.uuid)?;
    }
    if is_child {
        run.child = child(tx, id, run.child.as_ref())?;
    }
    if is_pipeline {
        run.counts = counts(tx, id)?;
    }
    Ok(Some(run))
}

fn record(tx: &mut dyn Tx, id: i64) -> Result<Option<Run>> {
    let Some(mut row) = tx.query(RUN, &[Value::Int(id)])?.into_iter().next() else { return Ok(None) };
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
        queue: row.take()?,
        cpu: row.take()?,
        key: row.take()?,
        reuses: row.take()?,
        concurrency: None,
        control: Control::default(),
        history: Vec::new(),
        open: Vec::new(),
        child: None,
        counts: None,
    };
    let cloning: Option<String> = row.take()?;
    run.reuses.take_if(|_| cloning.as_deref() != Some("cache"));
    let meta_info: Json = row.take_json()?;
    run.concurrency = meta_info.get("concurrency").and_then(Json::as_i64);
    run.control = row.take_json()?;
    Ok(Some(run))
}

/// The last condition that was known may have been replaced; those before it are compared now and then.
fn history(tx: &mut dyn Tx, id: i64, known: &mut Vec<Rc<StatusCondition>>) -> Result<()> {
    let from = known.len().max(1) as i64;
    known.pop();
    let sql = "SELECT seq, condition FROM status_conditions WHERE run_id = ?1 AND seq >= ?2 ORDER BY seq";
    for mut row in tx.query(sql, &[Value::Int(id), Value::Int(from)])? {
        let number: i64 = row.take()?;
        assert_eq!(number, known.len() as i64 + 1, "conditions are numbered without gaps");
        known.push(Rc::new(row.take_json()?));
    }
    Ok(())
}

fn open(tx: &mut dyn Tx, id: i64, run: RunId) -> Result<Vec<Open>> {
    let sql = "SELECT a.id, a.seq, a.action, a.created_at, r.pipeline_id IS NOT NULL, a.claimed_by FROM actions a \
               JOIN runs r ON r.id = a.run_id WHERE a.run_id = ?1 AND a.done_at IS NULL ORDER BY a.id";
    let rows = tx.query(sql, &[Value::Int(id)])?;
    rows.into_iter()
        .map(|mut row| {
            let action = OpenAction {
                id: row.take()?,
                run,
                seq: row.take()?,
                action: row.take_json()?,
                created_at: row.take()?,
                is_of_pipeline: row.take()?,
            };
            Ok(Open { action, claimant: row.take()? })
        })
        .collect()
}

fn child(tx: &mut dyn Tx, id: i64, known: Option<&Child>) -> Result<Option<Child>> {
    let key = [Value::Int(id)];
    let sql = "SELECT state, trigger_rule, on_skip, listens FROM pipeline_children WHERE run_id = ?1";
    let Some(mut row) = tx.query(sql, &key)?.into_iter().next() else { return Ok(None) };
    let (state, trigger, is_on_skip, listens) = (row.take()?, row.take()?, row.take()?, row.take()?);
    let upstreams = match known {
        Some(child) => child.upstreams.clone(),
        None => {
            let sql =
                "SELECT upstream_id FROM run_edges WHERE downstream_id = ?1 AND kind = 'dag' ORDER BY upstream_id";
            tx.query(sql, &key)?.into_iter().map(|mut row| row.take()).collect::<Result<_>>()?
        }
    };
    Ok(Some(Child { state, trigger, is_on_skip, listens, upstreams }))
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
