//! The trials of a search as children. Those of grids, mappings and random searches are all known from the start; a
//! search that learns is asked for the next ones whenever a trial has ended.

mod history;
mod tuner;

use std::sync::{Mutex, MutexGuard, PoisonError};

use polyaxon_engine::flow::rerun::Part;
use polyaxon_engine::flow::trigger::OnSkip;
use polyaxon_engine::state::Ending;
use polyaxon_model::JsonMap;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::{RunKind, Runtime, Trigger};
use polyaxon_model::run::Run;
use polyaxon_spec::children::SearchChildren;
use polyaxon_spec::compose;
use polyaxon_spec::node::{Key, Map, Node};
use polyaxon_spec::wire;
use polyaxon_store::hub;
use polyaxon_store::pipelines::child_id;
use polyaxon_store::pipelines::children::{Batch, Component, NewChild, Origin, Pace};
use polyaxon_tuning::{Outlook, Plan, Search, Stage, Suggestion, Trial, section_of};
use serde_json::{Value as Json, json};

pub(super) use history::{Fresh, Known};
pub(super) use tuner::document as tuner_document;

use crate::compile::sentences;
use history::History;

#[derive(Debug)]
pub(super) struct Matrix {
    state: Mutex<State>,
    children: SearchChildren,
    /// What all children have in common.
    pattern: NewChild,
    /// What other searches found.
    earlier: Vec<Trial>,
    /// The document of a tuner of the user, and the matrix that it is told.
    tuner: Option<(Node, Json)>,
}

#[derive(Debug)]
struct State {
    search: Search,
    history: History,
}

/// Why a pipeline has no further children.
#[derive(Debug)]
pub(super) enum Trouble {
    /// A sentence about what is wrong with it.
    Wrong(String),
    /// It ends like this.
    Over(Ending),
}

impl From<String> for Trouble {
    fn from(sentence: String) -> Trouble {
        Trouble::Wrong(sentence)
    }
}

/// The id of the child at a place.
pub(super) fn child_at(search: RunId, position: u64) -> RunId {
    child_id(search, &format!("row {position}"))
}

impl Matrix {
    pub(super) fn read(
        run: &Run,
        document: &Node,
        resolved: &Node,
        earlier: Vec<Trial>,
        tuner: Option<Node>,
    ) -> Result<Matrix, String> {
        let matrix = resolved.get("matrix").ok_or("the operation has no matrix")?.to_json();
        let section = section_of(&matrix).map_err(|error| format!("matrix: {error}"))?;
        // Chance that comes from the run: the same after a restart, another in another run.
        let own_seed = run.uuid.uuid().as_u64_pair().0;
        let search = Search::new(&section, own_seed).map_err(|error| format!("matrix: {error}"))?;
        if search.total() == 0 {
            return Err("matrix: there is nothing to run, the search has no rows".to_owned());
        }
        let children = SearchChildren::new(document, resolved).map_err(|problems| sentences(&problems))?;
        let state = Mutex::new(State { search, history: History::default() });
        let tuner = tuner.map(|document| (document, matrix));
        let mut matrix = Matrix { state, children, pattern: pattern(run, document), earlier, tuner };
        (matrix.pattern.kind, matrix.pattern.runtime) = matrix.family()?;
        Ok(matrix)
    }

    /// What need not be read again; none when everything is, or nothing.
    pub(super) fn known(&self) -> Option<Known> {
        let state = self.state();
        (state.search.learns() && self.tuner.is_none()).then(|| state.history.known())
    }

    /// The next children; `fresh` is what was read of the trials, which only a search that learns needs.
    pub(super) fn batch(&self, from: u64, most: u64, fresh: &Fresh) -> Result<Batch, Trouble> {
        let mut state = self.state();
        let State { search, history } = &mut *state;
        let follows = search.learns() || self.tuner.is_some();
        // Another life begins with the children of the earlier one.
        if from == 0 && !fresh.records.is_empty() && follows {
            let repeated = |run| NewChild { uuid: run, ..self.pattern.clone() };
            let children: Vec<NewChild> = fresh.records.iter().map(|record| repeated(record.run)).collect();
            let expected = search.total().max(children.len() as u64 + 1);
            return Ok(batch(from, expected, children, Pace::AtOnce));
        }
        if let Some((document, matrix)) = &self.tuner {
            return self.ask(search, document, matrix, from, most, fresh);
        }
        let learns = search.learns();
        let Plan { suggestions, outlook } = if learns {
            let metrics: Vec<String> = search.objectives().iter().map(|objective| objective.name.clone()).collect();
            history.take(fresh, &metrics);
            search.plan(history.trials(), &self.earlier, most)
        } else {
            search.rows(from, most)
        };
        let (total, resumes) = (search.total(), search.resumes());
        let next = from + suggestions.len() as u64;
        let (expected, pace) = match outlook {
            Outlook::Exhausted => (next, Pace::Complete),
            Outlook::More | Outlook::Wait if learns => (total.max(next + 1), Pace::AfterAnEnd),
            Outlook::More | Outlook::Wait => (total, Pace::AtOnce),
        };
        let numbered = suggestions.into_iter().zip(from..);
        let children = numbered.map(|(suggestion, number)| {
            let survivor = suggestion.origin.filter(|_| resumes).map(|index| history.runs()[index]);
            self.child(number, suggestion, learns, survivor)
        });
        Ok(batch(from, expected, children.collect(), pace))
    }

    /// The next step of a search whose suggestions come from a component of the user.
    fn ask(
        &self,
        search: &Search,
        document: &Node,
        matrix: &Json,
        from: u64,
        most: u64,
        fresh: &Fresh,
    ) -> Result<Batch, Trouble> {
        match tuner::next(search.stages(), &fresh.records, most).map_err(Trouble::Over)? {
            tuner::Next::Ask(stage) => {
                let objectives = search.objectives();
                let raw = tuner::operation(document, matrix, &stage, objectives, &fresh.records, &self.earlier)?;
                let mut meta_info = self.of_stage(&stage);
                meta_info.insert("is_tuner".to_owned(), json!(true));
                let child = NewChild {
                    uuid: child_at(self.pattern.uuid, from),
                    kind: RunKind::Job,
                    runtime: Runtime::Tuner,
                    name: Some("tuner".to_owned()),
                    meta_info,
                    raw_content: raw,
                    component: component(document),
                    ..self.pattern.clone()
                };
                Ok(batch(from, from + 2, vec![child], Pace::AfterAnEnd))
            }
            tuner::Next::Try { stage, tuner, rows, are_all } => {
                let meta_info = self.of_stage(&stage);
                let child = |(values, number): (JsonMap, u64)| NewChild {
                    origin: Some(Origin::Tuner(tuner)),
                    meta_info: meta_info.clone(),
                    ..self.row(number, values)
                };
                let children: Vec<NewChild> = rows.into_iter().zip(from..).map(child).collect();
                let pace = if are_all { Pace::AfterAnEnd } else { Pace::AtOnce };
                Ok(batch(from, from + children.len() as u64 + 1, children, pace))
            }
            tuner::Next::Wait => Ok(batch(from, from + 1, Vec::new(), Pace::AfterAnEnd)),
            tuner::Next::End => Ok(batch(from, from, Vec::new(), Pace::Complete)),
        }
    }

    fn of_stage(&self, stage: &Stage) -> JsonMap {
        let mut meta_info = self.pattern.meta_info.clone();
        meta_info.insert("iteration".to_owned(), json!(stage.iteration));
        meta_info.insert("bracket_iteration".to_owned(), json!(stage.bracket_iteration));
        meta_info
    }

    /// A trial; one with a survivor goes on where that one ended.
    fn child(&self, number: u64, suggestion: Suggestion, learns: bool, survivor: Option<RunId>) -> NewChild {
        let mut meta_info = self.pattern.meta_info.clone();
        if learns {
            meta_info.insert("iteration".to_owned(), json!(suggestion.iteration));
            meta_info.insert("bracket_iteration".to_owned(), json!(suggestion.bracket_iteration));
        }
        if let Some(survivor) = survivor {
            meta_info.insert("copy_artifacts".to_owned(), json!({ "dirs": [survivor] }));
        }
        NewChild { meta_info, origin: survivor.map(Origin::Trial), ..self.row(number, suggestion.configuration) }
    }

    fn row(&self, number: u64, values: JsonMap) -> NewChild {
        let row: Map = values.iter().map(|(name, value)| (Key::new(name.as_str()), Node::from_json(value))).collect();
        NewChild {
            uuid: child_at(self.pattern.uuid, number),
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn batch(from: u64, expected: u64, children: Vec<NewChild>, pace: Pace) -> Batch {
    Batch { from, expected, children, begins_early: true, pace, ends_seen: 0, early_stopping: None, experience: None }
}

fn component(document: &Node) -> Component {
    let component = document.get("component").filter(|component| !component.is_null());
    component.map_or(Component::Own, |component| Component::Known(hub::component_state(component)))
}

fn pattern(run: &Run, document: &Node) -> NewChild {
    NewChild {
        uuid: run.uuid,
        kind: RunKind::Job,
        runtime: Runtime::Job,
        name: run.name.clone(),
        description: run.description.clone(),
        tags: run.tags.clone(),
        meta_info: super::inherited(run),
        inputs: None,
        raw_content: String::new(),
        component: component(document),
        requires_approval: false,
        trigger: Trigger::AllDone,
        on_skip: OnSkip::GoOn,
        upstream: Vec::new(),
        listens: Vec::new(),
        part: Part::Run,
        origin: None,
    }
}
