//! The `Expand` action: from the resolved operation of a pipeline to its children, a hundred at a time.
//!
//! What children are made of is computed once and kept until all of them exist; after a restart it is computed again,
//! and is the same.

mod dag;
mod matrix;
mod schedule;
mod warm;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use matrix::{Fresh, Known, Trouble};
use polyaxon_engine::flow::rerun::{Earlier, Rerun};
use polyaxon_engine::state::Ending;
use polyaxon_model::JsonMap;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::{RunKind, Runtime};
use polyaxon_model::run::Run;
use polyaxon_model::time::Timestamp;
use polyaxon_spec::compose;
use polyaxon_spec::node::Node;
use polyaxon_spec::wire;
use polyaxon_store::db::Tx;
use polyaxon_store::pipelines::children::{self, Batch, Pace, Progress};
use polyaxon_store::pipelines::rerun;
use polyaxon_store::pipelines::schedule::Plan;
use polyaxon_store::pipelines::trials;
use polyaxon_store::{Store, hub, run_list, runs};
use polyaxon_tuning::Trial;
use serde_json::{Value as Json, json};

use crate::compile::sentences;

/// Children of one transaction: enough to be fast, few enough that others do not wait.
const BATCH: u64 = 100;

/// What an `Expand` action needs.
#[derive(Debug)]
pub(crate) struct Input {
    progress: Progress,
    /// What came of the trials of a search that learns.
    fresh: Fresh,
    /// What earlier runs found, for a search that begins with it.
    experience: Result<Option<Json>, String>,
    /// The document of a tuner of the user.
    tuner: Result<Option<Node>, String>,
    /// What the operations of a dag did in the run that it repeats in part.
    earlier: BTreeMap<String, Earlier>,
    /// The pipeline; left out when its children were worked out before.
    run: Option<Run>,
}

/// What an `Expand` action leads to.
#[derive(Debug)]
pub(crate) enum Expanded {
    Children(Batch),
    /// There are no further children, and the pipeline ends.
    Over(Ending),
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
    Schedule(Box<Plan>),
}

/// The pipelines whose children are being created.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expansions {
    known: Arc<Mutex<HashMap<RunId, Arc<Expansion>>>>,
}

/// The searches whose next trials depend on the earlier ones.
const LEARNING: &[Runtime] =
    &[Runtime::Hyperband, Runtime::Asha, Runtime::Bayes, Runtime::Tpe, Runtime::Hyperopt, Runtime::Iterative];

/// What is remembered of pipelines whose children are being created, so that it need not be read again.
#[derive(Debug)]
pub(crate) struct Memory {
    expansions: HashMap<RunId, Option<Known>>,
    runs: Arc<run_list::Known>,
}

pub(crate) fn read(
    tx: &mut dyn Tx,
    run: RunId,
    memory: &Memory,
    now: Timestamp,
) -> polyaxon_store::Result<Option<Input>> {
    let progress = children::progress(tx, run)?;
    let remembered = memory.expansions.get(&run).filter(|_| progress.position > 0);
    let learns = runs::runtime(tx, run)?.is_some_and(|runtime| LEARNING.contains(&runtime));
    let fresh = match remembered {
        _ if !learns => Fresh::default(),
        Some(Some(known)) if known.reopened == progress.reopened => {
            let mut wanted = known.open.clone();
            wanted.extend((known.count..progress.position).map(|position| matrix::child_at(run, position)));
            Fresh { is_whole: false, records: trials::get(tx, &wanted)?, reopened: progress.reopened }
        }
        _ => Fresh { is_whole: true, records: trials::list(tx, run)?, reopened: progress.reopened },
    };
    let mut input =
        Input { progress, fresh, experience: Ok(None), tuner: Ok(None), earlier: BTreeMap::new(), run: None };
    if remembered.is_none() {
        let Some(record) = runs::get(tx, run)? else { return Ok(None) };
        if learns {
            let content = record.content.as_deref().and_then(|text| serde_json::from_str::<Json>(text).ok());
            let matrix = content.and_then(|mut content| content.get_mut("matrix").map(Json::take)).unwrap_or_default();
            input.experience = warm::read(tx, &memory.runs, &record, &matrix, now)?;
            input.tuner = matrix::tuner_document(&matrix)
                .map(|mut document| {
                    let collected = hub::collect(tx, &mut document, &record.project);
                    collected.map(|()| document).map_err(|problems| format!("matrix.tuner: {}", sentences(&problems)))
                })
                .transpose();
        }
        if let Some(rerun) = Rerun::of_run(&record.meta_info) {
            input.earlier = rerun::earlier(tx, rerun.of, &record.project)?;
        }
        input.run = Some(record);
    }
    Ok(Some(input))
}

impl Expansions {
    pub(crate) fn memory(&self, store: &Store) -> Memory {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |expansion: &Expansion| match &expansion.children {
            Children::Matrix(matrix) => matrix.known(),
            Children::Dag(_) | Children::Schedule(_) => None,
        };
        let expansions = known.iter().map(|(run, expansion)| (*run, of(expansion))).collect();
        Memory { expansions, runs: store.known() }
    }

    /// The next children of a pipeline, or why it cannot have any.
    pub(crate) fn expand(&self, run: RunId, input: Input) -> Result<Expanded, String> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut experience = None;
        let expansion = match input.run {
            Some(run) => {
                experience = input.experience?;
                let trials = experience.as_ref().map(warm::trials).unwrap_or_default();
                Arc::new(expansion(&run, &input.earlier, trials, input.tuner?)?)
            }
            None => known().get(&run).cloned().ok_or("the children of the pipeline are no longer known")?,
        };
        let from = input.progress.position;
        let batch = match &expansion.children {
            Children::Schedule(plan) => return Ok(Expanded::Schedule(plan.as_ref().clone())),
            Children::Dag(dag) => Ok(dag.batch(from, BATCH)),
            Children::Matrix(matrix) => matrix.batch(from, BATCH, &input.fresh),
        };
        let mut batch = match batch {
            Ok(batch) => batch,
            Err(Trouble::Wrong(sentence)) => return Err(sentence),
            Err(Trouble::Over(ending)) => return Ok(Expanded::Over(ending)),
        };
        batch.ends_seen = input.progress.ends;
        batch.early_stopping.clone_from(&expansion.early_stopping);
        batch.experience = experience;
        if batch.pace == Pace::Complete {
            known().remove(&run);
        } else {
            known().insert(run, expansion);
        }
        Ok(Expanded::Children(batch))
    }
}

fn expansion(
    run: &Run,
    earlier: &BTreeMap<String, Earlier>,
    experience: Vec<Trial>,
    tuner: Option<Node>,
) -> Result<Expansion, String> {
    let resolved = run.content.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let resolved = wire::read_compiled(&resolved.ok_or("the compiled operation of the run cannot be read")?);
    let document = wire::read_operation(run.raw_content.as_deref().unwrap_or_default());
    let document = document.map_err(|problems| sentences(&problems))?;
    let children = match run.kind {
        RunKind::Schedule => Children::Schedule(Box::new(schedule::plan(run, &document, &resolved)?)),
        RunKind::Matrix => {
            Children::Matrix(Box::new(matrix::Matrix::read(run, &document, &resolved, experience, tuner)?))
        }
        _ => Children::Dag(dag::Dag::read(run, &resolved, earlier)?),
    };
    let section = if run.kind == RunKind::Matrix { "matrix" } else { "run" };
    let policies = resolved.at(&[section, "earlyStopping"]).filter(|policies| !policies.is_null());
    Ok(Expansion { children, early_stopping: policies.map(Node::to_json) })
}

/// What every child takes from the record of its pipeline: what was uploaded to it, or to the run that it was made of.
fn inherited(run: &Run) -> JsonMap {
    let given = |key: &str| run.meta_info.get(key).cloned();
    let mut taken = JsonMap::new();
    if let Some(path) = run.meta_info.get("upload_artifacts").and_then(Json::as_str) {
        let here = || json!({ "dirs": [format!("{}/{path}", run.uuid)] });
        taken.insert("upload_artifacts".to_owned(), json!(path));
        taken.insert("copy_artifacts".to_owned(), given("copy_artifacts").unwrap_or_else(here));
    }
    taken.extend(given("destination_image").map(|image| ("destination_image".to_owned(), image)));
    taken
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
            for kind in polyaxon_spec::dag::kinds(resolved) {
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
