//! The trials of a search as children. Those of grids, mappings and random searches are all known from the start; a
//! search that learns is asked for the next ones whenever a trial has ended.

use std::sync::{Mutex, PoisonError};

use polyaxon_engine::flow::rerun::Part;
use polyaxon_engine::flow::trigger::OnSkip;
use polyaxon_model::kinds::{RunKind, Runtime, Trigger};
use polyaxon_model::run::Run;
use polyaxon_model::status::Status;
use polyaxon_spec::children::SearchChildren;
use polyaxon_spec::compose;
use polyaxon_spec::node::{Key, Map, Node};
use polyaxon_spec::wire;
use polyaxon_store::hub;
use polyaxon_store::pipelines::child_id;
use polyaxon_store::pipelines::children::{Batch, Component, NewChild, Pace};
use polyaxon_store::pipelines::trials::Trial as Record;
use polyaxon_tuning::{Outcome, Outlook, Plan, Search, Suggestion, Trial, section_of};
use serde_json::{Value as Json, json};

use crate::compile::sentences;

#[derive(Debug)]
pub(super) struct Matrix {
    search: Mutex<Search>,
    children: SearchChildren,
    /// What all children have in common.
    pattern: NewChild,
}

impl Matrix {
    pub(super) fn read(run: &Run, document: &Node, resolved: &Node) -> Result<Matrix, String> {
        let matrix = resolved.get("matrix").ok_or("the operation has no matrix")?;
        let section = section_of(&matrix.to_json()).map_err(|error| format!("matrix: {error}"))?;
        // Chance that comes from the run: the same after a restart, another in another run.
        let own_seed = run.uuid.uuid().as_u64_pair().0;
        let search = Search::new(&section, own_seed).map_err(|error| format!("matrix: {error}"))?;
        if search.total() == 0 {
            return Err("matrix: there is nothing to run, the search has no rows".to_owned());
        }
        let children = SearchChildren::new(document, resolved).map_err(|problems| sentences(&problems))?;
        let mut matrix = Matrix { search: Mutex::new(search), children, pattern: pattern(run, document) };
        (matrix.pattern.kind, matrix.pattern.runtime) = matrix.family()?;
        Ok(matrix)
    }

    /// Whether the next trials depend on how the earlier ones went.
    pub(super) fn learns(&self) -> bool {
        self.search().learns()
    }

    /// The next children; `trials` are those so far, which only a search that learns needs.
    pub(super) fn batch(&self, from: u64, most: u64, trials: &[Record]) -> Batch {
        let mut search = self.search();
        // Another life begins with the trials of the earlier one.
        if from == 0 && !trials.is_empty() && search.learns() {
            let expected = search.total().max(trials.len() as u64 + 1);
            drop(search);
            let children = trials.iter().map(|record| NewChild { uuid: record.run, ..self.pattern.clone() }).collect();
            let pace = Pace::AtOnce;
            return Batch { from, expected, children, begins_early: true, pace, ends_seen: 0, early_stopping: None };
        }
        let Plan { suggestions, outlook } = if search.learns() {
            let metrics: Vec<String> = search.objectives().iter().map(|objective| objective.name.clone()).collect();
            let known: Vec<Trial> = trials.iter().map(|record| trial(record, &metrics)).collect();
            search.plan(&known, &[], most)
        } else {
            search.rows(from, most)
        };
        let total = search.total();
        let learns = search.learns();
        drop(search);
        let next = from + suggestions.len() as u64;
        let (expected, pace) = match outlook {
            Outlook::Exhausted => (next, Pace::Complete),
            Outlook::More | Outlook::Wait if learns => (total.max(next + 1), Pace::AfterAnEnd),
            Outlook::More | Outlook::Wait => (total, Pace::AtOnce),
        };
        let numbered = suggestions.into_iter().zip(from..);
        let children = numbered.map(|(suggestion, number)| self.child(number, suggestion)).collect();
        Batch { from, expected, children, begins_early: true, pace, ends_seen: 0, early_stopping: None }
    }

    fn child(&self, number: u64, suggestion: Suggestion) -> NewChild {
        let values = suggestion.configuration;
        let row: Map = values.iter().map(|(name, value)| (Key::new(name.as_str()), Node::from_json(value))).collect();
        let mut meta_info = self.pattern.meta_info.clone();
        if self.learns() {
            meta_info.insert("iteration".to_owned(), json!(suggestion.iteration));
            meta_info.insert("bracket_iteration".to_owned(), json!(suggestion.bracket_iteration));
        }
        NewChild {
            uuid: child_id(self.pattern.uuid, &format!("row {number}")),
            meta_info,
            inputs: Some(values),
            raw_content: self.children.child(row).to_json().to_string(),
            ..self.pattern.clone()
        }
    }

    /// All children are of one kind.
    fn family(&self) -> Result<(RunKind, Runtime), String> {
        let first = self.children.child(Map::new());
        let first = wire::read_operation(&first.to_json().to_string()).map_err(|problems| sentences(&problems))?;
        let composed = compose::compose(&first).map_err(|problems| sentences(&problems))?;
        super::family(&composed.operation)
    }

    fn search(&self) -> std::sync::MutexGuard<'_, Search> {
        self.search.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pattern(run: &Run, document: &Node) -> NewChild {
    let component = document.get("component").filter(|component| !component.is_null());
    NewChild {
        uuid: run.uuid,
        kind: RunKind::Job,
        runtime: Runtime::Job,
        name: run.name.clone(),
        description: run.description.clone(),
        tags: run.tags.clone(),
        meta_info: super::dag::inherited(&run.meta_info),
        inputs: None,
        raw_content: String::new(),
        component: component.map_or(Component::Own, |component| Component::Known(hub::component_state(component))),
        requires_approval: false,
        trigger: Trigger::AllDone,
        on_skip: OnSkip::GoOn,
        upstream: Vec::new(),
        listens: Vec::new(),
        part: Part::Run,
    }
}

/// A child as the search knows it.
fn trial(record: &Record, metrics: &[String]) -> Trial {
    let measured: Option<Vec<f64>> =
        metrics.iter().map(|name| record.outputs.as_ref()?.get(name).and_then(Json::as_f64)).collect();
    let outcome = match (record.status, measured) {
        (Status::Succeeded, Some(metrics)) => Outcome::Succeeded(metrics),
        (Status::Stopped, Some(metrics)) => Outcome::Stopped(metrics),
        (status, _) if status.is_done() => Outcome::Failed,
        _ => Outcome::Pending,
    };
    let number = |key: &str| record.meta_info.get(key).and_then(Json::as_u64).unwrap_or(0);
    Trial {
        configuration: record.inputs.clone().unwrap_or_default(),
        outcome,
        iteration: number("iteration"),
        bracket_iteration: number("bracket_iteration"),
    }
}
