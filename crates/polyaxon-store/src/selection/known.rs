//! What was read about all runs and is kept: brought up to date when it is asked for, forgotten when memory is short.
//!
//! Invariants: a fact carries the number of the change up to which it is right; it is used for transactions that see
//! exactly that state, and never for an older one. Must not know queries.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::bits::RunBits;
use super::numbers::Numbers;
use crate::Result;
use crate::db::{Tx, Value, args, scalar};
use crate::filter::Condition;
use crate::listing;

/// Facts are forgotten, the longest unused first, when all of them need more memory.
const MAX_BYTES: usize = 64 << 20;

/// With more changed runs than this, reading all of them anew is faster.
const MAX_CHANGED: usize = 20_000;

/// Runs that one statement asks about.
const CHUNK: usize = 200;

/// The facts of one database, shared by its readers.
#[derive(Debug, Default)]
pub struct Known {
    facts: Mutex<Facts>,
}

#[derive(Debug, Default)]
struct Facts {
    kept: HashMap<String, Kept>,
    /// Counts requests.
    clock: u64,
}

#[derive(Debug)]
struct Kept {
    fact: Fact,
    /// The change up to which it is right.
    version: i64,
    /// The request that used it last.
    used: u64,
}

#[derive(Clone, Debug)]
enum Fact {
    Runs(Arc<RunBits>),
    Numbers(Arc<Numbers>),
}

/// Where a number for each run is found.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// A column of `runs r`.
    Column(&'static str),
    /// The metric of this name.
    Metric(String),
    /// A key of a column of `runs r` with a JSON object. Its texts are noted, but they are no numbers.
    Json { column: &'static str, key: String },
}

/// Whether the answer to a condition depends on nothing but the row of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Row,
    OtherTables,
}

/// The facts as one transaction sees them.
pub(crate) struct View<'a> {
    facts: MutexGuard<'a, Facts>,
    tx: &'a mut dyn Tx,
    /// The oldest and the newest change that are noted.
    oldest: i64,
    newest: i64,
    /// Above every row id.
    runs: usize,
    /// The runs that changed since a version.
    changed: BTreeMap<i64, Arc<Vec<i64>>>,
}

impl Known {
    /// Facts for this transaction. Others wait meanwhile, so drop the view before rows are read.
    pub(crate) fn view<'a>(&'a self, tx: &'a mut dyn Tx) -> Result<View<'a>> {
        let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        facts.clock += 1;
        let oldest = scalar(tx, "SELECT coalesce(min(seq), 0) FROM run_changes", &[])?.unwrap_or(0);
        let newest = scalar(tx, "SELECT coalesce(max(seq), 0) FROM run_changes", &[])?.unwrap_or(0);
        let last: i64 = scalar(tx, "SELECT coalesce(max(id), 0) FROM runs", &[])?.unwrap_or(0);
        Ok(View { facts, tx, oldest, newest, runs: row(last) + 1, changed: BTreeMap::new() })
    }
}

impl View<'_> {
    pub(crate) fn tx(&mut self) -> &mut dyn Tx {
        self.tx
    }

    /// The runs that meet a condition on `runs r`.
    pub(crate) fn runs(&mut self, condition: &Condition, scope: Scope) -> Result<Arc<RunBits>> {
        let filter = listing::numbered(&condition.sql, 1);
        let name = format!("{} {:?}", condition.sql, condition.values);
        let start = if scope == Scope::Row { self.start(&name)? } else { Start::Anew };
        let fact = match start {
            Start::Current(Fact::Runs(fact)) => fact,
            Start::Behind(Fact::Runs(mut fact), changed) => {
                let bits = Arc::make_mut(&mut fact);
                for chunk in changed.chunks(CHUNK) {
                    for id in chunk {
                        bits.remove(row(*id));
                    }
                    let sql = format!(
                        "WITH changed (id) AS ({}) SELECT r.id FROM changed CROSS JOIN runs r \
                         WHERE r.id = changed.id AND ({filter})",
                        values(condition.values.len())
                    );
                    self.tx.visit(&sql, &with(&condition.values, chunk), &mut |found| {
                        if let [Value::Int(id), ..] = found {
                            bits.insert(row(*id));
                        }
                    })?;
                }
                fact
            }
            Start::Current(_) | Start::Behind(..) | Start::Anew => {
                let mut bits = RunBits::with_room(self.runs);
                let sql = format!("SELECT r.id FROM runs r WHERE {filter}");
                self.tx.visit(&sql, &condition.values, &mut |found| {
                    if let [Value::Int(id), ..] = found {
                        bits.insert(row(*id));
                    }
                })?;
                Arc::new(bits)
            }
        };
        if scope == Scope::Row {
            self.keep(name, Fact::Runs(Arc::clone(&fact)));
        }
        Ok(fact)
    }

    /// A number for each run.
    pub(crate) fn numbers(&mut self, source: &Source) -> Result<Arc<Numbers>> {
        let (name, all, some, given) = match source {
            Source::Column(column) => (
                format!("column {column}"),
                format!("SELECT r.id, {column} FROM runs r WHERE {column} IS NOT NULL"),
                format!("SELECT r.id, {column} FROM changed CROSS JOIN runs r WHERE r.id = changed.id"),
                Vec::new(),
            ),
            Source::Metric(metric) => (
                format!("metric {metric}"),
                "SELECT run_id, value FROM run_metrics WHERE name = ?1".to_owned(),
                "SELECT m.run_id, m.value FROM changed CROSS JOIN run_metrics m \
                 WHERE m.name = ?1 AND m.run_id = changed.id"
                    .to_owned(),
                vec![Value::Text(metric.clone())],
            ),
            Source::Json { column, key } => {
                let dialect = self.tx.dialect();
                let of_key = |sql: String| sql.replace("{}", "?1");
                let (number, value) = (of_key(dialect.json_number(column)), of_key(dialect.json_value(column)));
                let read = format!("r.id, {number}, {value} IS NOT NULL");
                (
                    format!("{column} {key}"),
                    format!("SELECT {read} FROM runs r WHERE {column} IS NOT NULL"),
                    format!("SELECT {read} FROM changed CROSS JOIN runs r WHERE r.id = changed.id"),
                    vec![Value::Text(key.clone())],
                )
            }
        };
        let fact = match self.start(&name)? {
            Start::Current(Fact::Numbers(fact)) => fact,
            Start::Behind(Fact::Numbers(mut fact), changed) => {
                let numbers = Arc::make_mut(&mut fact);
                let sql = format!("WITH changed (id) AS ({}) {some}", values(given.len()));
                for chunk in changed.chunks(CHUNK) {
                    for id in chunk {
                        numbers.set(row(*id), None);
                    }
                    self.tx.visit(&sql, &with(&given, chunk), &mut |found| set(numbers, found))?;
                }
                fact
            }
            Start::Current(_) | Start::Behind(..) | Start::Anew => {
                let mut numbers = Numbers::with_room(self.runs);
                self.tx.visit(&all, &given, &mut |found| set(&mut numbers, found))?;
                Arc::new(numbers)
            }
        };
        self.keep(name, Fact::Numbers(Arc::clone(&fact)));
        Ok(fact)
    }

    /// What is known already, taken out so that it can be changed in place.
    fn start(&mut self, name: &str) -> Result<Start> {
        let Some(kept) = self.facts.kept.get(name) else { return Ok(Start::Anew) };
        let version = kept.version;
        // An older state than the known one is rare: another reader began later and came first.
        if version > self.newest || version + 1 < self.oldest {
            return Ok(Start::Anew);
        }
        if version == self.newest {
            return Ok(Start::Current(kept.fact.clone()));
        }
        let changed = self.changed_since(version)?;
        if changed.len() > MAX_CHANGED {
            return Ok(Start::Anew);
        }
        Ok(match self.facts.kept.remove(name) {
            Some(kept) => Start::Behind(kept.fact, changed),
            None => Start::Anew,
        })
    }

    fn changed_since(&mut self, version: i64) -> Result<Arc<Vec<i64>>> {
        if let Some(known) = self.changed.get(&version) {
            return Ok(Arc::clone(known));
        }
        let mut changed = Vec::new();
        let sql = "SELECT DISTINCT run_id FROM run_changes WHERE seq > ?1 ORDER BY run_id";
        self.tx.visit(sql, args![version], &mut |found| {
            if let [Value::Int(id), ..] = found {
                changed.push(*id);
            }
        })?;
        let changed = Arc::new(changed);
        self.changed.insert(version, Arc::clone(&changed));
        Ok(changed)
    }

    fn keep(&mut self, name: String, fact: Fact) {
        let (version, used) = (self.newest, self.facts.clock);
        if self.facts.kept.get(&name).is_none_or(|kept| kept.version <= version) {
            self.facts.kept.insert(name, Kept { fact, version, used });
        }
        let mut bytes: usize = self.facts.kept.values().map(|kept| kept.fact.bytes()).sum();
        while bytes > MAX_BYTES {
            let oldest = self.facts.kept.iter().filter(|(_, kept)| kept.used < used).min_by_key(|(_, kept)| kept.used);
            let Some(name) = oldest.map(|(name, _)| name.clone()) else { break };
            bytes -= self.facts.kept.remove(&name).map_or(0, |kept| kept.fact.bytes());
        }
    }
}

enum Start {
    /// Right for the state that the transaction sees.
    Current(Fact),
    /// Right but for these runs.
    Behind(Fact, Arc<Vec<i64>>),
    Anew,
}

impl Fact {
    /// A little for its name, so that small facts do not pile up either.
    fn bytes(&self) -> usize {
        1024 + match self {
            Fact::Runs(runs) => runs.bytes(),
            Fact::Numbers(numbers) => numbers.bytes(),
        }
    }
}

fn set(numbers: &mut Numbers, found: &[Value]) {
    match found {
        [Value::Int(id), Value::Float(value), ..] => numbers.set(row(*id), Some(*value)),
        // Times are microseconds, which stay exact up to the year 2255.
        [Value::Int(id), Value::Int(value), ..] => numbers.set(row(*id), Some(*value as f64)),
        [_, Value::Null, Value::Int(1) | Value::Bool(true)] => numbers.note_text(),
        _ => {}
    }
}

fn row(id: i64) -> usize {
    usize::try_from(id).unwrap_or(0)
}

/// A table of as many placeholders as a chunk has runs, after those of a condition.
fn values(before: usize) -> String {
    let rows: Vec<_> = (before + 1..=before + CHUNK).map(|number| format!("(CAST(?{number} AS BIGINT))")).collect();
    format!("VALUES {}", rows.join(", "))
}

/// The arguments of such a table; the last run is repeated, so that the statement is always the same.
fn with(values: &[Value], chunk: &[i64]) -> Vec<Value> {
    let last = chunk.last().copied().unwrap_or(0);
    let ids = chunk.iter().copied().chain(std::iter::repeat(last)).take(CHUNK);
    values.iter().cloned().chain(ids.map(Value::Int)).collect()
}
