//! The rows of a matrix as children.

use polyaxon_engine::flow::trigger::OnSkip;
use polyaxon_model::JsonMap;
use polyaxon_model::kinds::{RunKind, Runtime, Trigger};
use polyaxon_model::run::Run;
use polyaxon_spec::children::SearchChildren;
use polyaxon_spec::compose;
use polyaxon_spec::node::{Map, Node};
use polyaxon_spec::spaces::Rows;
use polyaxon_spec::wire;
use polyaxon_store::pipelines::child_id;
use polyaxon_store::pipelines::children::{Batch, NewChild};
use serde_json::Value as Json;

use crate::compile::sentences;

#[derive(Debug)]
pub(super) struct Matrix {
    rows: Rows,
    children: SearchChildren,
    /// What all children have in common.
    pattern: NewChild,
}

impl Matrix {
    pub(super) fn read(run: &Run, document: &Node, resolved: &Node) -> Result<Matrix, String> {
        let matrix = resolved.get("matrix").ok_or("the operation has no matrix")?;
        let rows = Rows::of(matrix).ok_or_else(|| {
            let kind = matrix.get("kind").and_then(Node::as_str).unwrap_or_default();
            format!("matrix: the rows of `{kind}` cannot be made, or a value of it is still a template")
        })?;
        if rows.is_empty() {
            return Err("matrix: there is nothing to run, the search has no rows".to_owned());
        }
        let children = SearchChildren::new(document, resolved).map_err(|problems| sentences(&problems))?;
        let (kind, runtime) = family(&children, &rows)?;
        let pattern = NewChild {
            uuid: run.uuid,
            kind,
            runtime,
            name: run.name.clone(),
            description: run.description.clone(),
            tags: run.tags.clone(),
            meta_info: super::dag::inherited(&run.meta_info),
            inputs: None,
            raw_content: String::new(),
            requires_approval: false,
            trigger: Trigger::AllDone,
            on_skip: OnSkip::GoOn,
            upstream: Vec::new(),
        };
        Ok(Matrix { rows, children, pattern })
    }

    pub(super) fn batch(&self, from: u64, most: u64) -> Batch {
        let expected = self.rows.len();
        let last = expected.min(from.saturating_add(most));
        let children = (from..last).filter_map(|number| Some(self.child(number, self.rows.at(number)?))).collect();
        Batch { from, expected, children, begins_early: true }
    }

    fn child(&self, number: u64, row: Map) -> NewChild {
        let inputs = match Node::map(row.clone()).to_json() {
            Json::Object(inputs) => inputs,
            _ => JsonMap::new(),
        };
        NewChild {
            uuid: child_id(self.pattern.uuid, &format!("row {number}")),
            inputs: Some(inputs),
            raw_content: self.children.child(row).to_json().to_string(),
            ..self.pattern.clone()
        }
    }
}

/// All children are of one kind.
fn family(children: &SearchChildren, rows: &Rows) -> Result<(RunKind, Runtime), String> {
    let first = children.child(rows.at(0).unwrap_or_default());
    let first = wire::read_operation(&first.to_json().to_string()).map_err(|problems| sentences(&problems))?;
    let composed = compose::compose(&first).map_err(|problems| sentences(&problems))?;
    super::family(&composed.operation)
}
