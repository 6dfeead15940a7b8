//! `warmStart`: what earlier runs found, read once when a search begins and kept with it.

use polyaxon_model::JsonMap;
use polyaxon_model::listing::{Counting, Paging};
use polyaxon_model::run::Run;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use polyaxon_store::db::Tx;
use polyaxon_store::run_list::{self, RunQuery};
use polyaxon_store::{pipelines::trials, projects};
use polyaxon_tuning::{Outcome, Trial};
use serde_json::{Value as Json, json};

/// Runs that are read when the file says no number.
const LIMIT: u64 = 500;

/// The earlier runs that a search learns from, as they are kept; none for a search without `warmStart`. The inner error
/// is a sentence for the status of the run.
pub(super) fn read(
    tx: &mut dyn Tx,
    known: &run_list::Known,
    run: &Run,
    matrix: &Json,
    now: Timestamp,
) -> polyaxon_store::Result<Result<Option<Json>, String>> {
    let Some(wanted) = matrix.get("warmStart").filter(|wanted| !wanted.is_null()) else { return Ok(Ok(None)) };
    if let Some(kept) = trials::experience(tx, run.uuid)? {
        return Ok(Ok(Some(kept)));
    }
    let Some(project) = projects::get(tx, &run.project)? else { return Ok(Ok(None)) };
    let query = wanted.get("query").and_then(Json::as_str).unwrap_or_default();
    let limit = wanted.get("limit").and_then(Json::as_u64).unwrap_or(LIMIT);
    let any_time = if query.contains("created_at") { "" } else { ", created_at:_any_" };
    let wanted = RunQuery {
        project: Some(project.uuid),
        query: format!("{query}{any_time}"),
        sort: "-created_at".to_owned(),
        bookmarked: None,
        paging: Paging { limit: u32::try_from(limit).unwrap_or(u32::MAX), offset: 0, counting: Counting::Skip },
    };
    let found = match run_list::list(tx, known, &wanted, now) {
        Ok(page) => page.results,
        Err(polyaxon_store::Error::Query(problem)) => {
            return Ok(Err(format!("matrix.warmStart: the query `{query}` is wrong: {problem}")));
        }
        Err(error) => return Err(error),
    };
    let is_own = |other: &Run| other.pipeline.as_ref().is_some_and(|pipeline| pipeline.uuid == run.uuid);
    let others = found.iter().filter(|other| other.uuid != run.uuid && !is_own(other));
    let (params, metrics) = names(matrix);
    let observations: Vec<Json> = others.filter_map(|other| observation(other, &params, &metrics)).collect();
    Ok(Ok(Some(Json::Array(observations))))
}

/// The names of the params of a matrix, and of its metrics.
fn names(matrix: &Json) -> (Vec<&str>, Vec<&str>) {
    let params = matrix.get("params").and_then(Json::as_object);
    let first = matrix.get("metric").into_iter();
    let others = matrix.get("objectives").and_then(Json::as_array).into_iter().flatten();
    let metrics = first.chain(others).filter_map(|metric| metric.get("name")?.as_str());
    (params.into_iter().flat_map(JsonMap::keys).map(String::as_str).collect(), metrics.collect())
}

/// What a run got and what came of it, when it ended with all metrics.
fn observation(run: &Run, params: &[&str], metrics: &[&str]) -> Option<Json> {
    if !matches!(run.status, Status::Succeeded | Status::Stopped) {
        return None;
    }
    let (inputs, outputs) = (run.inputs.as_ref()?, run.outputs.as_ref()?);
    let values: Option<Vec<f64>> = metrics.iter().map(|name| outputs.get(*name)?.as_f64()).collect();
    let config: JsonMap =
        params.iter().filter_map(|name| Some(((*name).to_owned(), inputs.get(*name)?.clone()))).collect();
    Some(json!({ "config": config, "metrics": values?, "stopped": run.status == Status::Stopped }))
}

/// What was kept, as the search knows it.
pub(super) fn trials(kept: &Json) -> Vec<Trial> {
    let trial = |item: &Json| {
        let metrics: Vec<f64> = item.get("metrics")?.as_array()?.iter().filter_map(Json::as_f64).collect();
        let is_stopped = item.get("stopped").and_then(Json::as_bool) == Some(true);
        Some(Trial {
            configuration: item.get("config")?.as_object()?.clone(),
            outcome: if is_stopped { Outcome::Stopped(metrics) } else { Outcome::Succeeded(metrics) },
            iteration: 0,
            bracket_iteration: 0,
        })
    };
    kept.as_array().into_iter().flatten().filter_map(trial).collect()
}
