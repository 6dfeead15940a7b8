//! The `Hooks` action: the runs that follow the end of a run.
//!
//! Invariants: a hook never changes the run that it follows, except for the record of what could not be started; the id
//! of its run follows from that run, its life and the place of the hook, so that none is started twice.

use polyaxon_compile::hooks::{self, Ended};
use polyaxon_model::JsonMap;
use polyaxon_model::change::Change;
use polyaxon_model::ids::{ProjectId, RunId};
use polyaxon_model::kinds::{EdgeKind, RunKind};
use polyaxon_model::new_run::RunPatch;
use polyaxon_model::run::Run;
use polyaxon_model::time::Timestamp;
use polyaxon_spec::node::{Map, Node};
use polyaxon_store::db::Tx;
use polyaxon_store::edges::{self, NewEdge, Side};
use polyaxon_store::pipelines::child_id;
use polyaxon_store::runs::{self, NewRecord};
use polyaxon_store::{lifecycle, projects};
use serde_json::{Value as Json, json};

use crate::companion;
use crate::compile::{composed, run_context};

/// The hubs whose hooks led to a run: a component that is its own hook must not go on for ever.
const CHAIN: &str = "hook_chain";

/// Starts what follows the end of a run. Nothing happens for one that has no hooks.
pub(crate) fn start(tx: &mut dyn Tx, run: RunId, life: u32, now: Timestamp) -> polyaxon_store::Result<()> {
    let (Some(record), Some(state)) = (runs::get(tx, run)?, lifecycle::state(tx, run)?) else { return Ok(()) };
    // The hooks of a search or a schedule are its own, not those of its runs.
    let around = record.pipeline.as_ref().map(|pipeline| pipeline.kind);
    if matches!(around, Some(RunKind::Matrix | RunKind::Schedule)) {
        return Ok(());
    }
    let Ok(composed) = composed(&record) else { return Ok(()) };
    let hooks = composed.operation.get("hooks").and_then(Node::as_list).unwrap_or_default();
    let Some(project) = projects::get(tx, &record.project)?.filter(|_| !hooks.is_empty()) else { return Ok(()) };
    let condition = state.last_condition.and_then(|condition| serde_json::to_value(condition).ok());
    let context = run_context(&record);
    let ended = Ended {
        run: &context,
        kind: record.kind.as_str(),
        runtime: record.runtime.map_or(record.kind.as_str(), |runtime| runtime.as_str()),
        status: record.status.as_str(),
        wait_time: record.wait_time,
        inputs: map(record.inputs.as_ref()),
        outputs: map(record.outputs.as_ref()),
        condition: Node::from_json(&condition.unwrap_or_default()),
    };
    let mut problems = Vec::new();
    for (number, hook) in hooks.iter().enumerate().filter(|(_, hook)| hooks::is_triggered(hook, ended.status)) {
        let uuid = child_id(run, &format!("hook {life} {number}"));
        if runs::id_exists(tx, uuid)? {
            continue;
        }
        match prepare(tx, &record, hook, &ended, (uuid, project.uuid)) {
            Ok(None) => {}
            Ok(Some(new)) => {
                runs::create(tx, &new, now)?;
                let edge =
                    NewEdge { other: run, side: Side::Upstream, kind: EdgeKind::Hook, values: None, statuses: None };
                edges::add(tx, uuid, &edge)?;
            }
            Err(problem) => problems.push(json!(format!("hooks[{number}] ({}): {problem}", hooks::name(hook)))),
        }
    }
    if !problems.is_empty() {
        let meta_info = JsonMap::from_iter([("hooks_errors".to_owned(), Json::Array(problems))]);
        let patch = RunPatch { meta_info: Change::Set(meta_info), merge: Some(true), ..RunPatch::default() };
        runs::patch(tx, run, &patch, now)?;
    }
    Ok(())
}

fn prepare(
    tx: &mut dyn Tx,
    source: &Run,
    hook: &Node,
    ended: &Ended<'_>,
    ids: (RunId, ProjectId),
) -> Result<Option<NewRecord>, String> {
    let Some(document) = hooks::operation(hook, ended)? else { return Ok(None) };
    let name = hooks::name(hook);
    let mut chain: Vec<Json> = source.meta_info.get(CHAIN).and_then(Json::as_array).cloned().unwrap_or_default();
    if hook.get("hubRef").is_some() && chain.iter().any(|earlier| earlier.as_str() == Some(&name)) {
        return Err("this run follows such a hook already, and would go on for ever".to_owned());
    }
    chain.push(json!(name));
    let mut record = companion::record(tx, source, document, ids, name)?;
    record.meta_info =
        JsonMap::from_iter([("is_hook".to_owned(), json!(true)), (CHAIN.to_owned(), Json::Array(chain))]);
    Ok(Some(record))
}

fn map(values: Option<&JsonMap>) -> Map {
    let values = values.cloned().unwrap_or_default();
    Node::from_json(&Json::Object(values)).as_map().cloned().unwrap_or_default()
}
