//! The list of all routes, grouped as the API document groups them, and the layers around them.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::header::HeaderName;
use axum::http::{Method, header};
use axum::routing::get;
use axum::{Extension, Router, middleware};
use bytes::Bytes;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::normalize_path::NormalizePathLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::trace::{DefaultOnResponse, TraceLayer};
use tracing::{Level, Span};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Doors;
use crate::api::{agents, connections, installation, projects, queues, readiness, runs, stats, versions};
use crate::openapi::complete;
use crate::state::Server;
use crate::streams::{artifacts, events, follow, importance, internal, logs, notify, resumable};
use crate::{access, body, errors, metrics, streams, ui};

/// Builds the whole service: `/api/v1`, `/streams/v1` and the page.
pub fn router(server: Server) -> Router {
    // Uploads that the end of an earlier server cut off; there may be none.
    let _ = std::fs::remove_dir_all(server.staging());
    let server = Arc::new(server);
    let (described, api) = described_routes(server.options.max_body_bytes).split_for_parts();
    let routes = page_routes(Bytes::from(text(api)))
        .merge(described)
        .fallback(errors::unknown_path)
        .method_not_allowed_fallback(errors::method_not_allowed)
        .layer(
            ServiceBuilder::new()
                .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
                .layer(
                    TraceLayer::new_for_http()
                        .make_span_with(request_span)
                        .on_response(DefaultOnResponse::new().level(Level::DEBUG)),
                )
                .layer(PropagateRequestIdLayer::x_request_id())
                .layer(middleware::from_fn_with_state(server.clone(), metrics::measure))
                .layer(CatchPanicLayer::custom(errors::panicked))
                .layer(middleware::from_fn(errors::refuse_options))
                .layer(cross_origin(server.options.doors.clone()))
                .layer(middleware::from_fn(body::bound))
                .layer(middleware::from_fn_with_state(server.clone(), access::guard)),
        )
        .with_state(server);
    // The router matches before its layers run, so the trailing slash has to go outside of it.
    Router::new()
        .fallback_service(ServiceBuilder::new().layer(NormalizePathLayer::trim_trailing_slash()).service(routes))
}

/// The OpenAPI document of all routes, as it is served and committed.
pub fn openapi() -> String {
    text(described_routes(0).into_openapi())
}

fn text(api: OpenApi) -> String {
    let mut text = serde_json::to_string_pretty(&complete(api)).expect("its maps have text keys");
    text.push('\n');
    text
}

type Routes = OpenApiRouter<Arc<Server>>;

fn described_routes(max_body_bytes: usize) -> Routes {
    Routes::new()
        .routes(routes!(installation::healthz))
        .routes(routes!(readiness::readyz))
        .routes(routes!(metrics::get_metrics))
        .nest("/api/v1", api_routes(max_body_bytes))
        .nest("/streams/v1/{namespace}", stream_routes(max_body_bytes))
        .nest("/internal/v1/{namespace}", internal_routes())
        .routes(routes!(internal::authorize))
}

/// For people; everything for programs is described.
fn page_routes(document: Bytes) -> Router<Arc<Server>> {
    Router::new()
        .route("/", get(ui::page))
        .route("/ui", get(ui::page))
        .route("/ui/{*path}", get(ui::page))
        .route("/static/page.js", get(ui::script))
        .route("/static/page.css", get(ui::style))
        .route("/static/docs.js", get(ui::docs_script))
        .route("/static/docs.css", get(ui::docs_style))
        .route("/api/docs", get(ui::docs))
        .route("/api/openapi.json", get(async move || ([(header::CONTENT_TYPE, "application/json")], document)))
}

fn api_routes(max_body_bytes: usize) -> Routes {
    let small_enough = DefaultPredicate::new().and(NotForContentType::const_new(follow::LINES));
    Routes::new()
        .routes(routes!(installation::get_installation))
        .routes(routes!(installation::get_compatibility))
        .merge(agent_routes())
        .merge(queue_routes())
        .merge(connection_routes())
        .routes(routes!(runs::list::list_all_runs))
        .routes(routes!(runs::get::get_run_anywhere))
        .routes(routes!(runs::lineage::list_all_artifacts))
        .routes(routes!(versions::list::list_all_versions))
        .merge(project_routes())
        .nest("/{owner}/{project}/versions/{kind}", version_routes())
        .nest("/{owner}/{project}/runs", bulk_routes().merge(run_routes()))
        .layer(DefaultBodyLimit::max(max_body_bytes))
        .layer(CompressionLayer::new().gzip(true).compress_when(small_enough))
        .layer(middleware::from_fn(errors::refuse_head))
}

fn agent_routes() -> Routes {
    Routes::new()
        .routes(routes!(agents::state::get_state))
        .routes(routes!(agents::state::run_cron))
        .routes(routes!(agents::state::get_agent_state))
        .routes(routes!(agents::records::list_agents, agents::records::create_agent))
        .routes(routes!(agents::records::list_agent_names))
        .routes(routes!(
            agents::records::get_agent,
            agents::records::patch_agent,
            agents::records::put_agent,
            agents::records::delete_agent
        ))
        .routes(routes!(agents::records::get_agent_config, agents::records::patch_agent_config))
        .routes(routes!(agents::records::sync_agent))
        .routes(routes!(agents::statuses::get_agent_statuses, agents::statuses::post_agent_status))
        .routes(routes!(agents::reconcile::reconcile_agent))
}

fn connection_routes() -> Routes {
    Routes::new()
        .routes(routes!(connections::list_connections))
        .routes(routes!(connections::list_connection_names))
        .routes(routes!(connections::get_connection))
}

fn queue_routes() -> Routes {
    Routes::new()
        .routes(routes!(queues::list_all_queues))
        .routes(routes!(queues::list_all_queue_names))
        .routes(routes!(queues::list_queues, queues::create_queue))
        .routes(routes!(queues::list_queue_names))
        .routes(routes!(queues::get_queue, queues::patch_queue, queues::put_queue, queues::delete_queue))
        .routes(routes!(queues::get_queue_stats))
        .routes(routes!(queues::get_capacity))
}

fn project_routes() -> Routes {
    let project = routes!(
        projects::get::get_project,
        projects::patch::patch_project,
        projects::patch::put_project,
        projects::actions::delete_project
    );
    Routes::new()
        .routes(routes!(projects::create::create_project))
        .routes(routes!(projects::list::list_projects))
        .routes(routes!(projects::list::list_project_names))
        .routes(project)
        .routes(routes!(projects::actions::archive_project))
        .routes(routes!(projects::actions::restore_project))
        .routes(routes!(projects::actions::bookmark_project))
        .routes(routes!(projects::actions::unbookmark_project))
        .routes(routes!(stats::get_project_stats))
}

/// Below `/{owner}/{project}/versions/{kind}`.
fn version_routes() -> Routes {
    Routes::new()
        .routes(routes!(versions::list::list_versions, versions::write::create_version))
        .routes(routes!(versions::list::list_version_names))
        .routes(routes!(
            versions::read::get_version,
            versions::write::patch_version,
            versions::write::put_version,
            versions::write::delete_version
        ))
        .routes(routes!(versions::stages::get_stages, versions::stages::post_stage))
        .routes(routes!(versions::write::transfer_version))
}

/// Below `/{owner}/{project}/runs`: the list, and verbs on many runs.
fn bulk_routes() -> Routes {
    Routes::new()
        .routes(routes!(runs::list::list_runs, runs::create::create_run))
        .routes(routes!(runs::sync::sync_run))
        .routes(routes!(runs::lineage::list_project_artifacts))
        .route("/artifacts_lineage", get(runs::lineage::list_project_artifacts))
        .routes(routes!(runs::bulk::tag_runs))
        .routes(routes!(runs::bulk::stop_runs))
        .routes(routes!(runs::bulk::skip_runs))
        .routes(routes!(runs::bulk::approve_runs))
        .routes(routes!(runs::bulk::invalidate_runs))
        .routes(routes!(runs::bulk::bookmark_runs))
        .routes(routes!(runs::bulk::archive_runs))
        .routes(routes!(runs::bulk::restore_runs))
        .routes(routes!(runs::bulk::transfer_runs))
        .routes(routes!(runs::bulk::delete_runs))
}

fn run_routes() -> Routes {
    let run = routes!(runs::get::get_run, runs::patch::patch_run, runs::patch::put_run, runs::patch::delete_run);
    let artifacts = get(runs::lineage::list_artifacts).post(runs::lineage::post_artifacts);
    let artifact = get(runs::lineage::get_artifact).delete(runs::lineage::delete_artifact);
    Routes::new()
        .routes(run)
        .routes(routes!(runs::get::get_namespace))
        .routes(routes!(stats::get_run_stats))
        .routes(routes!(runs::statuses::get_statuses, runs::statuses::post_status))
        .routes(routes!(follow::follow_statuses))
        .routes(routes!(runs::statuses::post_heartbeat))
        .routes(routes!(runs::actions::stop_run))
        .routes(routes!(runs::actions::skip_run))
        .routes(routes!(runs::actions::approve_run))
        .routes(routes!(runs::actions::invalidate_run))
        .routes(routes!(runs::cache::explain_cache))
        .routes(routes!(runs::actions::archive_run))
        .routes(routes!(runs::actions::restore_run))
        .routes(routes!(runs::actions::bookmark_run))
        .routes(routes!(runs::actions::unbookmark_run))
        .routes(routes!(runs::actions::transfer_run))
        .routes(routes!(runs::clones::restart_run))
        .routes(routes!(runs::clones::copy_run))
        .routes(routes!(runs::clones::resume_run))
        .route("/{uuid}/artifacts_lineage", artifacts)
        .route("/{uuid}/artifacts_lineage/names", get(runs::lineage::list_artifact_names))
        .route("/{uuid}/artifacts_lineage/{name}", artifact)
        .routes(routes!(runs::lineage::list_artifacts, runs::lineage::post_artifacts))
        .routes(routes!(runs::lineage::list_artifact_names))
        .routes(routes!(runs::lineage::get_artifact, runs::lineage::delete_artifact))
        .routes(routes!(runs::edges::list_upstream))
        .routes(routes!(runs::edges::list_downstream))
        .routes(routes!(runs::edges::list_clones))
        .routes(routes!(runs::edges::set_edges))
        .routes(routes!(runs::explain::explain_run))
        .merge(
            Routes::new()
                .routes(routes!(runs::tree::follow_pipeline))
                .layer(Extension(Arc::new(streams::trees::Trees::default()))),
        )
}

/// Below `/streams/v1/{namespace}`. Bodies have no limit here: uploads count their bytes themselves.
fn stream_routes(max_body_bytes: usize) -> Routes {
    let run = Routes::new()
        .routes(routes!(artifacts::get_artifact, artifacts::upload_artifact, artifacts::delete_artifact))
        .route("/embedded_artifact", get(artifacts::get_artifact))
        .routes(routes!(artifacts::get_read_only))
        .routes(routes!(artifacts::get_artifacts, artifacts::upload_artifacts, artifacts::delete_artifacts))
        .routes(routes!(artifacts::get_tree))
        .routes(routes!(events::get_events))
        .routes(routes!(events::get_resources))
        .routes(routes!(logs::get_logs))
        .routes(routes!(follow::follow_logs))
        .routes(routes!(streams::inspect))
        .routes(routes!(resumable::create))
        .routes(routes!(resumable::position, resumable::append, resumable::terminate));
    let questions = Routes::new()
        .routes(routes!(importance::weigh_parameters))
        .routes(routes!(streams::agents::check_connections))
        .routes(routes!(streams::agents::get_logs))
        .routes(routes!(streams::agents::inspect))
        .routes(routes!(streams::agents::restart))
        .nest("/{owner}/{project}/runs/{uuid}", Routes::new().routes(routes!(notify::notify)))
        .layer(DefaultBodyLimit::max(max_body_bytes));
    Routes::new()
        .routes(routes!(events::get_multi_run_events))
        .route("/orgs/{owner}/runs/multi/events/{kind}", get(events::get_multi_run_events))
        .route("/orgs/{owner}/teams/{team}/runs/multi/events/{kind}", get(events::get_multi_run_events))
        .nest("/{owner}/{project}/runs/{uuid}", run)
        .layer(DefaultBodyLimit::disable())
        .merge(questions)
        .layer(Extension(Arc::new(streams::Shared::default())))
}

/// Below `/internal/v1/{namespace}`, for services of this installation.
fn internal_routes() -> Routes {
    Routes::new().routes(routes!(internal::collect_run_logs)).routes(routes!(internal::collect_agent))
}

/// Pages of this machine may read and write, also those of a development server on another port.
fn cross_origin(doors: Doors) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| doors.may_read_across(origin)))
        .allow_credentials(true)
        .allow_methods([Method::DELETE, Method::GET, Method::OPTIONS, Method::PATCH, Method::POST, Method::PUT])
        .allow_headers([
            header::ACCEPT,
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::RANGE,
            access::SERVICE_HEADER,
            REQUEST_ID,
        ])
        .expose_headers([header::CONTENT_DISPOSITION, header::CONTENT_RANGE, header::ETAG, REQUEST_ID])
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

fn request_span(request: &Request) -> Span {
    let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    tracing::info_span!("request", method = %request.method(), path = request.uri().path(), id)
}
