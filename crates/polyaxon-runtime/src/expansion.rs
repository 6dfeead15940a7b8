//! The `Expand` action: from the resolved operation of a pipeline to its children, some hundred at a time.
//!
//! What children are made of is computed once and kept until all of them exist; after a restart it is computed again,
//! and is the same.

mod dag;
mod matrix;
mod schedule;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use polyaxon_engine::flow::rerun::{Earlier, Rerun};
use polyaxon_model::JsonMap;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::{RunKind, Runtime};
use polyaxon_model::run::Run;
use polyaxon_spec::compose;
use polyaxon_spec::node::Node;
use polyaxon_spec::wire;
use polyaxon_store::db::Tx;
use polyaxon_store::pipelines::children::{self, Batch, Pace, Progress};
use polyaxon_store::pipelines::rerun;
use polyaxon_store::pipelines::schedule::Plan;
use polyaxon_store::pipelines::trials::{self, Trial};
use polyaxon_store::runs;
use serde_json::{Value as Json, json};

use crate::compile::sentences;

/// Children of one transaction: enough to be fast, few enough that others do not wait.
const BATCH: u64 = 500;

/// What an `Expand` action needs.
#[derive(Debug)]
pub(crate) struct Input {
    progress: Progress,
    /// What a search that learns has found so far.
    trials: Vec<Trial>,
    /// What the operations of a dag did in the run that it repeats in part.
    earlier: BTreeMap<String, Earlier>,
    /// The pipeline; left out when its children were worked out before.
    run: Option<Run>,
}

/// What an `Expand` action leads to.
#[derive(Debug)]
pub(crate) enum Expanded {
    Children(Batch),
    Schedule(Plan),
}

/// What the children of a pipeline are made of, and when they end early.
#[derive(Debug)]
struct Expansion {
    children: Children,
    early_stopping: Option<Json>,
}

#[derive(Debug)]
enum Children {
    Dag(dag::Dag),
    Matrix(Box<matrix::Matrix>),
    Schedule(Plan),
}

/// The pipelines whose children are being created.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expansions {
    known: Arc<Mutex<HashMap<RunId, Arc<Expansion>>>>,
}

/// The searches whose next trials depend on the earlier ones.
const LEARNING: &[Runtime] =
    &[Runtime::Hyperband, Runtime::Asha, Runtime::Bayes, Runtime::Tpe, Runtime::Hyperopt, Runtime::Iterative];

pub(crate) fn read(tx: &mut dyn Tx, run: RunId, cached: &HashSet<RunId>) -> polyaxon_store::Result<Option<Input>> {
    let progress = children::progress(tx, run)?;
    let is_known = progress.position > 0 && cached.contains(&run);
    let learns = runs::runtime(tx, run)?.is_some_and(|runtime| LEARNING.contains(&runtime));
    let trials = if learns { trials::list(tx, run)? } else { Vec::new() };
    let run = if is_known { None } else { runs::get(tx, run)? };
    let repeated = run.as_ref().and_then(|run| Some((run, Rerun::of_run(&run.meta_info)?)));
    let earlier = match repeated {
        Some((run, rerun)) => rerun::earlier(tx, rerun.of, &run.project)?,
        None => BTreeMap::new(),
    };
    Ok((is_known || run.is_some()).then_some(Input { progress, trials, earlier, run }))
}

impl Expansions {
    pub(crate) fn known(&self) -> HashSet<RunId> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    /// The next children of a pipeline, or why it cannot have any.
    pub(crate) fn expand(&self, run: RunId, input: Input) -> Result<Expanded, String> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let expansion = match input.run {
            Some(run) => Arc::new(expansion(&run, &input.earlier)?),
            None => known().get(&run).cloned().ok_or("the children of the pipeline are no longer known")?,
        };
        let from = input.progress.position;
        let mut batch = match &expansion.children {
            Children::Schedule(plan) => return Ok(Expanded::Schedule(plan.clone())),
            Children::Dag(dag) => dag.batch(from, BATCH),
            Children::Matrix(matrix) => matrix.batch(from, BATCH, &input.trials),
        };
        batch.ends_seen = input.progress.ends;
        batch.early_stopping.clone_from(&expansion.early_stopping);
        if batch.pace == Pace::Complete {
            known().remove(&run);
        } else {
            known().insert(run, expansion);
        }
        Ok(Expanded::Children(batch))
    }
}

fn expansion(run: &Run, earlier: &BTreeMap<String, Earlier>) -> Result<Expansion, String> {
    let resolved = run.content.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let resolved = wire::read_compiled(&resolved.ok_or("the compiled operation of the run cannot be read")?);
    let document = wire::read_operation(run.raw_content.as_deref().unwrap_or_default());
    let document = document.map_err(|problems| sentences(&problems))?;
    let children = match run.kind {
        RunKind::Schedule => Children::Schedule(schedule::plan(run, &document, &resolved)?),
        RunKind::Matrix => Children::Matrix(Box::new(matrix::Matrix::read(run, &document, &resolved)?)),
        _ => Children::Dag(dag::Dag::read(run, &resolved, earlier)?),
    };
    let section = if run.kind == RunKind::Matrix { "matrix" } else { "run" };
    let policies = resolved.at(&[section, "earlyStopping"]).filter(|policies| !policies.is_null());
    Ok(Expansion { children, early_stopping: policies.map(Node::to_json) })
}

/// The kind and runtime under which a document becomes a run.
fn family(operation: &Node) -> Result<(RunKind, Runtime), String> {
    let family = compose::run_kind(operation);
    let kind = family.kind.parse().map_err(|error| format!("run.kind: {error}"))?;
    let runtime = family.runtime.parse().map_err(|error| format!("run.kind: {error}"))?;
    Ok((kind, runtime))
}

/// What the record of a pipeline says about it: the kinds of its children and its limit.
pub(crate) fn facts(resolved: &Node) -> JsonMap {
    let mut facts = JsonMap::new();
    let mut has = |kind: &str| match kind {
        "service" | "raycluster" | "daskcluster" => drop(facts.insert("has_services".to_owned(), json!(true))),
        "dag" => drop(facts.insert("has_dags".to_owned(), json!(true))),
        "matrix" => drop(facts.insert("has_matrices".to_owned(), json!(true))),
        _ => drop(facts.insert("has_jobs".to_owned(), json!(true))),
    };
    let inner = resolved.at(&["run", "kind"]).and_then(Node::as_str).unwrap_or_default();
    let matrix = resolved.get("matrix").filter(|matrix| !matrix.is_null());
    let is_scheduled = resolved.get("schedule").is_some_and(|schedule| !schedule.is_null());
    let section = match (matrix, is_scheduled) {
        (Some(_), true) => {
            has("matrix");
            None
        }
        (Some(matrix), false) => {
            has(inner);
            Some(matrix)
        }
        (None, true) => {
            has(inner);
            None
        }
        (None, false) => {
            for kind in dag::kinds(resolved) {
                has(&kind);
            }
            resolved.get("run")
        }
    };
    let Some(section) = section else { return facts };
    if let Some(limit) = section.get("concurrency").and_then(Node::as_int).and_then(|limit| i64::try_from(limit).ok()) {
        facts.insert("concurrency".to_owned(), json!(limit));
    }
    if section.get("earlyStopping").and_then(Node::as_list).is_some_and(|policies| !policies.is_empty()) {
        facts.insert("has_early_stopping".to_owned(), Json::Bool(true));
    }
    facts
}
