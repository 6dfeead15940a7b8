//! Dags that are started again in part: what their operations did before, and how one of them keeps that.

use std::collections::BTreeMap;

use polyaxon_engine::flow::rerun::{self, Earlier, Operation, Part, Rerun};
use polyaxon_engine::state::{Ending, Event};
use polyaxon_model::ids::RunId;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use polyaxon_spec::compose;
use polyaxon_spec::dag::{self, Graph};
use polyaxon_spec::node::Node;

use crate::db::{Tx, args};
use crate::{Result, cache, lifecycle};

/// What the operations of a dag did, by name. Those that reused a result stand for the run that it is of; what is
/// being deleted is left out.
pub fn earlier(tx: &mut dyn Tx, of: RunId, project: &str) -> Result<BTreeMap<String, Earlier>> {
    let sql = "SELECT c.name, coalesce(o.uuid, c.uuid), c.status FROM runs c JOIN runs d ON d.id = c.pipeline_id \
               JOIN projects p ON p.id = d.project_id \
               LEFT JOIN runs o ON o.id = c.original_id AND c.cloning_kind = 'cache' \
               WHERE d.uuid = ?1 AND p.name = ?2 AND c.name IS NOT NULL AND c.live_state >= 0 \
               AND coalesce(o.live_state, 0) >= 0";
    let rows = tx.query(sql, args![of, project])?;
    rows.into_iter().map(|mut row| Ok((row.take()?, Earlier { run: row.take()?, status: row.take()? }))).collect()
}

/// The operations of a graph as decisions see them.
pub fn operations(graph: &Graph) -> Vec<Operation<'_>> {
    let operations = graph.nodes.iter().map(|node| Operation {
        name: &node.name,
        is_dag: compose::run_kind(&node.compiled.operation).kind == "dag",
        upstream: node.upstream.iter().map(String::as_str).collect(),
    });
    operations.collect()
}

/// Checks that a composed dag, and those in it that run again in part, can be started again like this. What is wrong
/// is a sentence.
pub fn check(
    tx: &mut dyn Tx,
    operation: &Node,
    rerun: &Rerun,
    project: &str,
) -> Result<std::result::Result<(), String>> {
    let Ok(graph) = dag::graph(operation) else {
        return Ok(Err("Only dags have operations that can be started again.".to_owned()));
    };
    let earlier = earlier(tx, rerun.of, project)?;
    let operations = operations(&graph);
    let parts = match rerun::plan(&operations, &earlier, &rerun.selection) {
        Ok(parts) => parts,
        Err(refusal) => return Ok(Err(refusal.to_string())),
    };
    for node in &graph.nodes {
        let Some(Part::Within(inner)) = parts.get(node.name.as_str()) else { continue };
        if let Err(problem) = check(tx, &node.compiled.operation, inner, project)? {
            return Ok(Err(format!("In `{}`: {problem}", node.name)));
        }
    }
    Ok(Ok(()))
}

/// Ends a new operation at once, when it shall not run.
pub(super) fn settle(tx: &mut dyn Tx, id: i64, run: RunId, part: &Part, now: Timestamp) -> Result<()> {
    let (status, message) = match part {
        Part::Run | Part::Again | Part::Within(_) => return Ok(()),
        Part::Keep(of) => {
            cache::keep(tx, *of, run)?;
            (Status::Succeeded, format!("Only a part of the dag runs again; this keeps the result of run {of}."))
        }
        Part::Skip(why) => (Status::Skipped, format!("Only a part of the dag runs again: {why}.")),
    };
    super::react::set_state(tx, id, super::state::SETTLED)?;
    let ending = Ending { status, reason: REASON.to_owned(), message };
    lifecycle::apply(tx, run, &Event::Concluded(ending), now).map(drop)
}

const REASON: &str = "RestartManager";
