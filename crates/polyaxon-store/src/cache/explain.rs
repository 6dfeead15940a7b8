//! Why a run was, or was not, cached: what made its key, which rule held it back, and what the nearest run differs in.
//!
//! Invariant: everything is worked out from the records of the runs, as compilation did.

use polyaxon_engine::cache::choice::Unfit;
use polyaxon_engine::cache::parts::{Difference, Parts, Sources};
use polyaxon_engine::cache::{Code, Facts, Policy, Refusal, refusal};
use polyaxon_model::builds::{DESTINATION, IMAGE};
use polyaxon_model::ids::{RunId, StateId};
use polyaxon_model::kinds::{CloningKind, RunKind, Runtime};
use polyaxon_model::new_run::Submission;
use polyaxon_model::run::Run;
use polyaxon_spec::compose::{self, Place};
use polyaxon_spec::node::Node;
use polyaxon_spec::wire;
use serde_json::Value as Json;

use crate::db::Tx;
use crate::{Error, Result, cache, lifecycle, runs, submission};

/// Earlier runs that are compared.
const MOST: u32 = 50;

/// What can be said about a run and the cache.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    pub key: Option<StateId>,
    /// The run whose result it took or waits for.
    pub original: Option<RunId>,
    /// What the run is made of; none when it was not compiled.
    pub parts: Option<Parts>,
    /// The rule by which it looked for no equal run.
    pub refusal: Option<Refusal>,
    /// The equal run that was not taken, and why.
    pub rejected: Option<(RunId, Unfit)>,
    /// The earlier run that differs least, and in what.
    pub nearest: Option<(Run, Vec<Difference>)>,
}

/// Explains a run. `has_folder` tells whether the artifacts of a run are still there.
pub fn explain(tx: &mut dyn Tx, run: RunId, has_folder: &dyn Fn(RunId) -> bool) -> Result<Explanation> {
    let record = runs::get(tx, run)?.ok_or_else(|| Error::not_found("Run", run))?;
    let runs_anyway = lifecycle::state(tx, run)?.is_some_and(|state| state.control.runs_anyway);
    let original = record.original.as_ref().filter(|original| original.kind == CloningKind::Cache);
    let original = original.map(|original| original.uuid);
    let sent = submission::get(tx, run)?;
    let key = cache::key(tx, run)?;
    let Some((policy, parts)) = identity(&record, sent.as_ref()) else {
        return Ok(Explanation { key, original, parts: None, refusal: None, rejected: None, nearest: None });
    };
    let facts = facts(&record, sent.as_ref(), runs_anyway);
    let refusal = if original.is_some() { None } else { refusal(&policy, &facts, !parts.is_empty()) };
    let rejected = match (&original, &refusal, &key) {
        (None, None, Some(_)) => cache::rejected(tx, run, policy.ttl, has_folder, record.created_at)?,
        _ => None,
    };
    let nearest = if original.is_some() { None } else { nearest(tx, run, &policy, &parts)? };
    Ok(Explanation { key, original, parts: Some(parts), refusal, rejected, nearest })
}

fn identity(run: &Run, sent: Option<&Submission>) -> Option<(Policy, Parts)> {
    let resolved: Json = serde_json::from_str(run.content.as_deref()?).ok()?;
    let policy = Policy::read(&resolved);
    let parts = parts(run, sent, &policy, &resolved)?;
    Some((policy, parts))
}

/// What a run is made of, under the policy of the run that it is compared with.
fn parts(run: &Run, sent: Option<&Submission>, policy: &Policy, resolved: &Json) -> Option<Parts> {
    let authored = wire::read_operation(run.raw_content.as_deref().or(run.content.as_deref())?).ok()?;
    let is_node = run.pipeline.as_ref().is_some_and(|pipeline| pipeline.kind == RunKind::Dag);
    let place = if is_node { Place::DagNode } else { Place::Root };
    let composed = compose::compile(&authored, None, place).ok()?.operation;
    Some(collect(run, sent, policy, &composed, resolved))
}

/// What a run is made of. `composed` and `resolved` are its operation before and after templates were rendered.
pub fn collect(run: &Run, sent: Option<&Submission>, policy: &Policy, composed: &Node, resolved: &Json) -> Parts {
    let component = run.settings.component.as_ref();
    let sources = Sources {
        runtime: &composed.get("run").map_or(Json::Null, Node::to_json),
        resolved,
        component: component.and_then(|component| component.get("state")?.as_str()?.parse().ok()),
        built_image: text(run, IMAGE),
        code: &code(run, sent),
        left_out: (run.runtime == Some(Runtime::Builder)).then_some(DESTINATION),
    };
    Parts::collect(policy, &sources)
}

/// What decides whether a run looks for an equal one.
pub fn facts(run: &Run, sent: Option<&Submission>, runs_anyway: bool) -> Facts {
    Facts {
        is_child: run.pipeline.is_some(),
        is_schedule: run.kind == RunKind::Schedule,
        is_clone: run.original.as_ref().is_some_and(|original| original.kind != CloningKind::Cache),
        runs_anyway,
        code: code(run, sent),
    }
}

fn code(run: &Run, sent: Option<&Submission>) -> Code {
    Code::of(sent, text(run, "upload_artifacts"))
}

fn text<'a>(run: &'a Run, key: &str) -> Option<&'a str> {
    run.meta_info.get(key).and_then(Json::as_str)
}

/// The earlier run that differs in the fewest parts; of equals the newest.
fn nearest(tx: &mut dyn Tx, run: RunId, policy: &Policy, own: &Parts) -> Result<Option<(Run, Vec<Difference>)>> {
    let mut nearest: Option<(Run, Vec<Difference>)> = None;
    for earlier in cache::earlier(tx, run, MOST)? {
        let Some(record) = runs::get(tx, earlier)? else { continue };
        let sent = submission::get(tx, earlier)?;
        let resolved: Option<Json> = record.content.as_deref().and_then(|content| serde_json::from_str(content).ok());
        let Some(theirs) = resolved.and_then(|resolved| parts(&record, sent.as_ref(), policy, &resolved)) else {
            continue;
        };
        let differences = theirs.differences(own);
        if nearest.as_ref().is_none_or(|(_, least)| differences.len() < least.len()) {
            nearest = Some((record, differences));
        }
    }
    Ok(nearest)
}
