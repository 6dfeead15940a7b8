//! Reading one version.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use polyaxon_model::version::{LineageForm, VersionView};
use polyaxon_store::{Error as StoreError, projects, versions};

use crate::access::SERVICE_HEADER;
use crate::api::versions::VersionPath;
use crate::errors::Result;
use crate::openapi::shapes::VersionDetail;
use crate::state::Server;

/// Read a version.
#[utoipa::path(get, path = "/{name}", tag = "versions", responses((status = 200, body = VersionDetail)))]
pub(crate) async fn get_version(
    State(server): State<Arc<Server>>,
    VersionPath(key): VersionPath,
    headers: HeaderMap,
) -> Result<Response> {
    let version = server
        .read(move |tx| match versions::get(tx, &key)? {
            Some(version) => Ok(version),
            None if projects::get(tx, &key.project)?.is_none() => Err(StoreError::not_found("Project", &key.project)),
            None => Err(StoreError::not_found("ProjectVersion", &key.name)),
        })
        .await?;
    Ok(Json(version.view(VersionView::Detail(lineage_form(&headers)))).into_response())
}

/// What the caller can read: clients name their version, and those without a name get everything.
pub(crate) fn lineage_form(headers: &HeaderMap) -> LineageForm {
    let Some(service) = headers.get(SERVICE_HEADER).and_then(|value| value.to_str().ok()) else {
        return LineageForm::Both;
    };
    let mut numbers = service.trim().split('.').map(|part| part.parse::<u32>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) if (major, minor) < (1, 18) => LineageForm::Old,
        _ => LineageForm::New,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_clients_before_1_18_read_the_old_key() {
        for (service, expected) in [
            (None, LineageForm::Both),
            (Some("ui"), LineageForm::New),
            (Some("2.18.0"), LineageForm::New),
            (Some("1.18.0"), LineageForm::New),
            (Some("1.17.3"), LineageForm::Old),
            (Some("0.9"), LineageForm::Old),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(service) = service {
                headers.insert(SERVICE_HEADER, HeaderValue::from_static(service));
            }
            assert_eq!(lineage_form(&headers), expected, "{service:?}");
        }
    }
}
