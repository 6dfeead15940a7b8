//! A search whose suggestions come from a component of the user: round by round a run of it is asked for values, which
//! it answers as its output `suggestions`.
//!
//! Everything follows from the children that exist, so that no round is asked for twice.

use polyaxon_engine::state::Ending;
use polyaxon_model::JsonMap;
use polyaxon_model::ids::RunId;
use polyaxon_model::status::Status;
use polyaxon_spec::node::Node;
use polyaxon_spec::wire;
use polyaxon_store::pipelines::trials::Trial as Record;
use polyaxon_tuning::{Goal, Objective, Outcome, Stage, Trial};
use serde_json::{Value as Json, json};

use crate::compile::sentences;

/// The most trials that a tuner is told about.
const MOST_TOLD: usize = 1000;

/// The tuners whose searches the engine does itself.
const NATIVE: &[&str] = &["bayes-tuner", "hyperband-tuner", "tpe-tuner", "hyperopt-tuner"];

/// What to do now.
pub(super) enum Next {
    /// Start the tuner for a round.
    Ask(Stage),
    /// Start these trials, which the tuner suggested.
    Try {
        stage: Stage,
        tuner: RunId,
        rows: Vec<JsonMap>,
        are_all: bool,
    },
    Wait,
    End,
}

/// The document of the tuner of a resolved matrix, with a name for its component; none when the engine searches.
pub(crate) fn document(matrix: &Json) -> Option<Node> {
    let tuner = matrix.get("tuner").filter(|tuner| !tuner.is_null())?;
    let name = tuner.get("hubRef").and_then(Json::as_str).unwrap_or_default();
    let short = name.rsplit('/').next().unwrap_or_default().split(':').next().unwrap_or_default();
    if NATIVE.contains(&short) {
        return None;
    }
    let mut document = json!({ "version": 1.1, "kind": "operation", "name": "tuner", "cache": { "disable": true } });
    for field in ["hubRef", "presets", "queue", "params"] {
        if let Some(value) = tuner.get(field).filter(|value| !value.is_null()) {
            document[field] = value.clone();
        }
    }
    Some(Node::from_json(&document))
}

/// The next step, given all children so far.
pub(super) fn next(stages: Vec<Stage>, records: &[Record], most: u64) -> Result<Next, Ending> {
    for stage in stages {
        let round: Vec<&Record> = records.iter().filter(|record| is_of(record, &stage)).collect();
        let Some(tuner) = round.iter().find(|record| is_tuner(record)) else { return Ok(Next::Ask(stage)) };
        match tuner.status {
            Status::Succeeded => {}
            status if status.is_done() => {
                return Err(failed("TunerFailed", format!("The tuner of round {} is {status}.", told(&stage))));
            }
            _ => return Ok(Next::Wait),
        }
        let suggestions = suggestions(tuner, &stage)?;
        let trials = round.iter().filter(|record| !is_tuner(record));
        let created = trials.clone().count();
        if created < suggestions.len() {
            let rest = &suggestions[created..];
            let rows: Vec<JsonMap> = rest.iter().take(usize::try_from(most).unwrap_or(usize::MAX)).cloned().collect();
            return Ok(Next::Try { tuner: tuner.run, are_all: rows.len() == rest.len(), rows, stage });
        }
        if trials.clone().any(|record| !record.status.is_done()) {
            return Ok(Next::Wait);
        }
    }
    Ok(Next::End)
}

fn is_tuner(record: &Record) -> bool {
    record.meta_info.get("is_tuner").and_then(Json::as_bool) == Some(true)
}

fn is_of(record: &Record, stage: &Stage) -> bool {
    let number = |key: &str| record.meta_info.get(key).and_then(Json::as_u64);
    (number("iteration"), number("bracket_iteration")) == (Some(stage.iteration), Some(stage.bracket_iteration))
}

fn suggestions(tuner: &Record, stage: &Stage) -> Result<Vec<JsonMap>, Ending> {
    let wrong = |found: &str| {
        let message = format!(
            "The tuner of round {} ended {found}; expected the output `suggestions`, a list of maps from names of params \
             to values.",
            told(stage)
        );
        failed("EmptyIteration", message)
    };
    let output = tuner.outputs.as_ref().and_then(|outputs| outputs.get("suggestions"));
    let items = match output {
        None | Some(Json::Null) => return Err(wrong("without suggestions")),
        Some(Json::Array(items)) if items.is_empty() => return Err(wrong("with an empty list of suggestions")),
        Some(Json::Array(items)) => items,
        Some(other) => return Err(wrong(&format!("with the suggestions `{other}`"))),
    };
    let map = |item: &Json| item.as_object().cloned().ok_or_else(|| wrong(&format!("with the suggestion `{item}`")));
    items.iter().map(map).collect()
}

fn told(stage: &Stage) -> String {
    match stage.bracket_iteration {
        0 => stage.iteration.to_string(),
        bracket => format!("{}.{bracket}", stage.iteration),
    }
}

fn failed(reason: &str, message: String) -> Ending {
    Ending { status: Status::Failed, reason: reason.to_owned(), message }
}

/// The operation of the tuner of a round. `earlier` are the trials it may learn from besides those of the search.
pub(super) fn operation(
    document: &Node,
    matrix: &Json,
    stage: &Stage,
    objectives: &[Objective],
    records: &[Record],
    earlier: &[Trial],
) -> Result<String, String> {
    let mut document = document.clone();
    let declared: Vec<String> = document
        .at(&["component", "inputs"])
        .and_then(Node::as_list)
        .unwrap_or_default()
        .iter()
        .filter_map(|input| input.get("name").and_then(Node::as_str).map(str::to_owned))
        .collect();
    let mut params = document.get("params").and_then(Node::as_map).cloned().unwrap_or_default();
    let mut set = |name: &str, value: Json| {
        let mut param = json!({ "value": value });
        if !declared.iter().any(|declared| declared == name) {
            param["contextOnly"] = json!(true);
        }
        params.insert(name, Node::from_json(&param));
    };
    set("matrix", matrix.clone());
    set("iteration", json!(stage.iteration));
    set("bracket_iteration", json!(stage.bracket_iteration));
    let (configs, metrics) = observations(stage, objectives, records, earlier);
    if !configs.is_empty() {
        set("configs", json!(configs));
        set("metrics", json!(metrics));
    }
    if let Some(map) = document.as_map_mut() {
        map.insert("params", Node::map(params));
    }
    wire::to_source(&document).map(|source| source.to_string()).map_err(|problems| sentences(&problems))
}

/// The trials that succeeded and their first metric, the best first. Those of a bracket learn from their bracket only.
fn observations(
    stage: &Stage,
    objectives: &[Objective],
    records: &[Record],
    earlier: &[Trial],
) -> (Vec<JsonMap>, Vec<f64>) {
    let Some(objective) = objectives.first() else { return (Vec::new(), Vec::new()) };
    let is_bracket = stage.resource.is_some();
    let names = [objective.name.clone()];
    let own = records.iter().filter(|record| !is_tuner(record)).map(|record| super::history::trial(record, &names));
    let own = own.filter(|trial| !is_bracket || trial.iteration == stage.iteration);
    let mut observed: Vec<(JsonMap, f64)> = earlier
        .iter()
        .cloned()
        .chain(own)
        .filter_map(|trial| match trial.outcome {
            Outcome::Succeeded(metrics) => Some((trial.configuration, *metrics.first()?)),
            Outcome::Pending | Outcome::Stopped(_) | Outcome::Failed => None,
        })
        .collect();
    observed.sort_by(|(_, one), (_, other)| match objective.goal {
        Goal::Minimize => one.total_cmp(other),
        Goal::Maximize => other.total_cmp(one),
    });
    observed.truncate(MOST_TOLD);
    observed.into_iter().unzip()
}
