//! Artifacts that runs used and made.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use polyaxon_model::lineage::{ArtifactRow, NewArtifact};
use polyaxon_model::listing::{ListPage, PageLimits};
use polyaxon_store::lineage::{self, ArtifactQuery, Scope};
use polyaxon_store::{Error as StoreError, beats, projects};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::projects::ProjectPath;
use crate::body::AnyBody;
use crate::errors::{Error, Result};
use crate::openapi::parameters::{ListParameters, ModeParameters};
use crate::openapi::shapes::{NameRow, NewArtifacts};
use crate::query::{Address, Params, page};
use crate::run_path::RunPath;
use crate::state::{Server, now, present};

/// List the artifacts of a run.
#[utoipa::path(
    get, path = "/{uuid}/lineage/artifacts", tag = "lineage",
    params(ListParameters),
    responses((status = 200, body = ListPage<ArtifactRow>)),
)]
pub(crate) async fn list_artifacts(
    State(server): State<Arc<Server>>,
    path: RunPath,
    address: Address,
    params: Params,
) -> Result<Json<ListPage<ArtifactRow>>> {
    let wanted = wanted(Scope::Run(path.run), &params);
    let paging = wanted.paging;
    let found = server
        .read(move |tx| {
            present(tx, &path)?;
            lineage::list(tx, &wanted, now())
        })
        .await?;
    Ok(Json(page(&address, &params, paging, found.count, found.results)))
}

fn wanted(scope: Scope, params: &Params) -> ArtifactQuery {
    ArtifactQuery {
        scope,
        query: params.text("query").unwrap_or_default().to_owned(),
        sort: params.text("sort").unwrap_or_default().to_owned(),
        paging: params.paging(PageLimits::LONG),
    }
}

/// List the names of the artifacts of a run.
#[utoipa::path(
    get, path = "/{uuid}/lineage/artifacts/names", tag = "lineage",
    params(ListParameters),
    responses((status = 200, body = ListPage<NameRow>)),
)]
pub(crate) async fn list_artifact_names(
    server: State<Arc<Server>>,
    path: RunPath,
    address: Address,
    params: Params,
) -> Result<Json<ListPage<Value>>> {
    let Json(found) = list_artifacts(server, path, address, params).await?;
    let results = found.results.iter().map(|row| json!({ "name": row.name })).collect();
    Ok(Json(ListPage { count: found.count, next: found.next, previous: found.previous, results }))
}

/// List the artifacts of all runs of a project.
///
/// With `mode=any` each name, kind and use appears once, without run.
#[utoipa::path(
    get, path = "/lineage/artifacts", tag = "lineage",
    params(ListParameters, ModeParameters),
    responses((status = 200, body = ListPage<Object>)),
)]
pub(crate) async fn list_project_artifacts(
    State(server): State<Arc<Server>>,
    path: ProjectPath,
    address: Address,
    params: Params,
) -> Result<Json<ListPage<Value>>> {
    let name = path.project;
    let project =
        server.read(move |tx| projects::get(tx, &name)?.ok_or_else(|| StoreError::not_found("Project", &name))).await?;
    answer(&server, Scope::Project(project.uuid), address, params).await
}

/// List the artifacts of all runs.
///
/// With `mode=any` each name, kind and use appears once, without run.
#[utoipa::path(
    get, path = "/orgs/{owner}/runs/lineage/artifacts", tag = "lineage",
    params(ListParameters, ModeParameters),
    responses((status = 200, body = ListPage<Object>)),
)]
pub(crate) async fn list_all_artifacts(
    State(server): State<Arc<Server>>,
    address: Address,
    params: Params,
) -> Result<Json<ListPage<Value>>> {
    answer(&server, Scope::All, address, params).await
}

async fn answer(server: &Server, scope: Scope, address: Address, params: Params) -> Result<Json<ListPage<Value>>> {
    let wanted = wanted(scope, &params);
    let paging = wanted.paging;
    let is_short = params.text("mode") == Some("any");
    let found = server
        .read(move |tx| {
            if is_short {
                let kinds = lineage::kinds(tx, &wanted, now())?;
                return Ok((kinds.count, kinds.results.iter().map(|row| json!(row)).collect()));
            }
            let rows = lineage::list(tx, &wanted, now())?;
            Ok((rows.count, rows.results.iter().map(|row| json!(row)).collect::<Vec<Value>>()))
        })
        .await?;
    Ok(Json(page(&address, &params, paging, found.0, found.1)))
}

/// Link artifacts to a run.
#[utoipa::path(
    post, path = "/{uuid}/lineage/artifacts", tag = "lineage",
    request_body = NewArtifacts,
    responses((status = 201, description = "The artifacts are linked")),
)]
pub(crate) async fn post_artifacts(
    State(server): State<Arc<Server>>,
    path: RunPath,
    AnyBody(body): AnyBody,
) -> Result<StatusCode> {
    server.standing(&path).await?;
    let artifacts = read_artifacts(body)?;
    let run = path.run;
    let silence = server.options.heartbeat_silence;
    server
        .write(move |tx, now| {
            present(tx, &path)?;
            beats::note(tx, path.run, silence, now)?;
            lineage::add(tx, path.run, &artifacts, now)
        })
        .await?;
    server.changes.notify(run);
    Ok(StatusCode::CREATED)
}

/// Clients send `{"artifacts": […]}`, a bare list, or one artifact.
fn read_artifacts(body: Value) -> Result<Vec<NewArtifact>> {
    let rows = match body {
        Value::Array(rows) => rows,
        Value::Object(mut fields) => match fields.remove("artifacts") {
            Some(Value::Array(rows)) => rows,
            None if fields.contains_key("name") => vec![Value::Object(fields)],
            _ => return Err(Error::rule("Received no artifacts.")),
        },
        _ => return Err(Error::rule("Received no artifacts.")),
    };
    let read = |(position, row): (usize, Value)| {
        serde_json::from_value(row).map_err(|error| Error::rule(format!("artifacts[{position}]: {error}")))
    };
    rows.into_iter().enumerate().map(read).collect()
}

#[derive(Deserialize)]
pub(crate) struct ArtifactName {
    name: String,
}

/// Read how an artifact is linked to a run.
#[utoipa::path(
    get, path = "/{uuid}/lineage/artifacts/{name}", tag = "lineage",
    responses((status = 200, body = ArtifactRow)),
)]
pub(crate) async fn get_artifact(
    State(server): State<Arc<Server>>,
    path: RunPath,
    Path(ArtifactName { name }): Path<ArtifactName>,
) -> Result<Json<ArtifactRow>> {
    server
        .read(move |tx| {
            present(tx, &path)?;
            lineage::get(tx, path.run, &name)?.ok_or_else(|| StoreError::not_found("ArtifactLineage", &name))
        })
        .await
        .map(Json)
}

/// Remove the link of an artifact to a run; its file stays.
#[utoipa::path(
    delete, path = "/{uuid}/lineage/artifacts/{name}", tag = "lineage",
    responses((status = 204, description = "The link is gone")),
)]
pub(crate) async fn delete_artifact(
    State(server): State<Arc<Server>>,
    path: RunPath,
    Path(ArtifactName { name }): Path<ArtifactName>,
) -> Result<StatusCode> {
    server
        .write(move |tx, _| {
            present(tx, &path)?;
            match lineage::remove(tx, path.run, &name)? {
                0 => Err(StoreError::not_found("ArtifactLineage", &name)),
                _ => Ok(()),
            }
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artifacts_come_in_three_forms() {
        let one = json!({"name": "m", "kind": "model"});
        for body in [json!({"artifacts": [one]}), json!([one]), one.clone()] {
            assert_eq!(read_artifacts(body).unwrap().len(), 1);
        }
        assert_eq!(read_artifacts(json!({"artifacts": []})).unwrap(), []);
        for body in [json!({}), json!(3), json!([{"name": "x", "kind": "nope"}]), json!([{"kind": "model"}])] {
            assert!(read_artifacts(body.clone()).is_err(), "{body}");
        }
    }
}
