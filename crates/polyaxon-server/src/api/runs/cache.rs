//! Why a run was, or was not, cached.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use polyaxon_model::JsonMap;
use polyaxon_model::ids::{RunId, StateId};
use polyaxon_store::cache::explain::{Explanation, explain};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::errors::Result;
use crate::run_path::RunPath;
use crate::state::{Server, present};

/// What can be said about a run and the cache.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CacheExplanation {
    pub uuid: RunId,
    /// Equal runs have the same key.
    #[schema(value_type = Option<String>)]
    pub key: Option<StateId>,
    /// The run whose result was taken or is waited for.
    #[schema(value_type = Option<String>)]
    pub original: Option<RunId>,
    /// The rule by which the run looked for no equal one.
    pub rule: Option<CacheRule>,
    /// The equal run that was not taken.
    pub rejected: Option<RejectedRun>,
    /// The earlier run that differs least.
    pub nearest: Option<NearestRun>,
    /// What the key is made of, by path.
    #[schema(value_type = Object)]
    pub parts: JsonMap,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CacheRule {
    pub rule: String,
    pub message: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RejectedRun {
    pub uuid: RunId,
    pub message: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct NearestRun {
    pub uuid: RunId,
    pub name: Option<String>,
    pub differences: Vec<PartDifference>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct PartDifference {
    pub part: String,
    /// The value of the earlier run.
    #[schema(value_type = Option<Value>)]
    pub before: Option<Value>,
    /// The value of the run that is explained.
    #[schema(value_type = Option<Value>)]
    pub after: Option<Value>,
}

/// Explain why a run was, or was not, cached.
#[utoipa::path(get, path = "/{uuid}/cache", tag = "runs", responses((status = 200, body = CacheExplanation)))]
pub(crate) async fn explain_cache(State(server): State<Arc<Server>>, path: RunPath) -> Result<Json<CacheExplanation>> {
    let (run, layout) = (path.run, server.layout.clone());
    let found = server
        .read(move |tx| {
            present(tx, &path)?;
            explain(tx, path.run, &|run| layout.artifacts(run).is_dir())
        })
        .await?;
    Ok(Json(shown(run, found)))
}

fn shown(run: RunId, found: Explanation) -> CacheExplanation {
    let parts = found.parts.iter().flat_map(|parts| parts.iter());
    CacheExplanation {
        uuid: run,
        key: found.key,
        original: found.original,
        parts: parts.map(|(name, value)| (name.to_owned(), value.clone())).collect(),
        rule: found.refusal.map(|refusal| CacheRule { rule: refusal.word().to_owned(), message: refusal.to_string() }),
        rejected: found.rejected.map(|(uuid, unfit)| RejectedRun { uuid, message: unfit.to_string() }),
        nearest: found.nearest.map(|(nearest, differences)| NearestRun {
            uuid: nearest.uuid,
            name: nearest.name,
            differences: differences
                .into_iter()
                .map(|found| PartDifference { part: found.part, before: found.before, after: found.after })
                .collect(),
        }),
    }
}
