//! `/orgs/{owner}/connections…`: what runs and notifications of this server may use.
//!
//! Names and kinds only: settings may hold secrets.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use polyaxon_compile::connection::Connection;
use polyaxon_model::ids::OWNER_NAMESPACE;
use polyaxon_model::listing::{ListPage, PageLimits};
use polyaxon_model::queue::LOCAL_AGENT;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::errors::{Error, Result};
use crate::openapi::parameters::ListParameters;
use crate::openapi::shapes::NameRow;
use crate::query::{Address, Params, page};
use crate::state::Server;

/// A connection, without its settings.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Connection)]
pub(crate) struct ConnectionRecord {
    /// Follows from the name.
    uuid: String,
    name: String,
    agent: &'static str,
    description: Option<String>,
    #[schema(value_type = Vec<String>)]
    tags: Value,
    /// 1: it is there as long as the server is.
    live_state: i8,
    #[schema(example = "slack")]
    kind: String,
}

impl ConnectionRecord {
    fn of(connection: &Connection) -> ConnectionRecord {
        let uuid = Uuid::new_v5(&OWNER_NAMESPACE, format!("connection {}", connection.name).as_bytes());
        ConnectionRecord {
            uuid: uuid.simple().to_string(),
            name: connection.name.clone(),
            agent: LOCAL_AGENT,
            description: connection.description.clone(),
            tags: connection.tags.clone().unwrap_or_else(|| json!([])),
            live_state: 1,
            kind: connection.kind.clone(),
        }
    }
}

/// List the connections of the server.
#[utoipa::path(
    get, path = "/orgs/{owner}/connections", tag = "connections",
    params(ListParameters),
    responses((status = 200, body = ListPage<ConnectionRecord>)),
)]
pub(crate) async fn list_connections(
    State(server): State<Arc<Server>>,
    address: Address,
    params: Params,
) -> Json<ListPage<Value>> {
    answer(&server, &address, &params, |record| json!(record))
}

/// List the names of the connections of the server.
#[utoipa::path(
    get, path = "/orgs/{owner}/connections/names", tag = "connections",
    params(ListParameters),
    responses((status = 200, body = ListPage<NameRow>)),
)]
pub(crate) async fn list_connection_names(
    State(server): State<Arc<Server>>,
    address: Address,
    params: Params,
) -> Json<ListPage<Value>> {
    answer(&server, &address, &params, |record| json!({ "uuid": record.uuid, "name": record.name }))
}

/// Read a connection.
///
/// By its id or its name.
#[utoipa::path(
    get, path = "/orgs/{owner}/connections/{uuid}", tag = "connections",
    responses((status = 200, body = ConnectionRecord)),
)]
pub(crate) async fn get_connection(
    State(server): State<Arc<Server>>,
    Path((_, wanted)): Path<(String, String)>,
) -> Result<Json<ConnectionRecord>> {
    let plain = wanted.replace('-', "");
    let mut records = server.options.connections.iter().map(ConnectionRecord::of);
    records.find(|record| record.name == wanted || record.uuid == plain).map(Json).ok_or_else(Error::not_found)
}

fn answer(
    server: &Server,
    address: &Address,
    params: &Params,
    show: impl Fn(&ConnectionRecord) -> Value,
) -> Json<ListPage<Value>> {
    let paging = params.paging(PageLimits::LONG);
    let all = &server.options.connections;
    let offset = usize::try_from(paging.offset).unwrap_or(usize::MAX);
    let rows = all.iter().skip(offset).take(paging.limit as usize).map(|it| show(&ConnectionRecord::of(it))).collect();
    Json(page(address, params, paging, Some(all.len() as u64), rows))
}
