//! The list of all routes, grouped as the API document groups them, and the layers around them.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{Method, header};
use axum::routing::{delete, get, post};
use axum::{Extension, Router, middleware};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::normalize_path::NormalizePathLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::trace::{DefaultOnResponse, TraceLayer};
use tracing::{Level, Span};

use crate::api::{agents, installation, projects, runs, versions};
use crate::state::Server;
use crate::streams::{artifacts, events, follow, logs};
use crate::{access, body, errors, streams, ui};

/// Builds the whole service: `/api/v1`, `/streams/v1` and the page.
pub fn router(server: Server) -> Router {
    // Uploads that the end of an earlier server cut off; there may be none.
    let _ = std::fs::remove_dir_all(server.staging());
    let server = Arc::new(server);
    let routes = Router::new()
        .merge(page_routes())
        .nest("/api/v1", api_routes(&server))
        .nest("/streams/v1/{namespace}", stream_routes())
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
                .layer(CatchPanicLayer::custom(errors::panicked))
                .layer(cross_origin())
                .layer(middleware::from_fn(body::take_small))
                .layer(middleware::from_fn_with_state(server.clone(), access::guard)),
        )
        .with_state(server);
    // The router matches before its layers run, so the trailing slash has to go outside of it.
    Router::new()
        .fallback_service(ServiceBuilder::new().layer(NormalizePathLayer::trim_trailing_slash()).service(routes))
}

type Routes = Router<Arc<Server>>;

fn page_routes() -> Routes {
    Router::new()
        .route("/", get(ui::page))
        .route("/ui", get(ui::page))
        .route("/ui/{*path}", get(ui::page))
        .route("/static/page.js", get(ui::script))
        .route("/static/page.css", get(ui::style))
        .route("/healthz", get(installation::healthz))
}

fn api_routes(server: &Server) -> Routes {
    let small_enough = DefaultPredicate::new().and(NotForContentType::const_new(follow::LINES));
    Router::new()
        .route("/installation", get(installation::get_installation))
        .route("/compatibility/{uuid}/{version}/{service}", get(installation::get_compatibility))
        .route("/orgs/{owner}/agents/state", get(agents::get_state))
        .route("/orgs/{owner}/agents/cron", post(agents::run_cron))
        .route("/orgs/{owner}/runs", get(runs::list::list_all_runs))
        .route("/orgs/{owner}/runs/{uuid}", get(runs::get::get_run_anywhere))
        .route("/orgs/{owner}/versions/{kind}", get(versions::list::list_all_versions))
        .merge(project_routes())
        .nest("/{owner}/{project}/versions/{kind}", version_routes())
        .nest("/{owner}/{project}/runs", bulk_routes().merge(run_routes()))
        .layer(DefaultBodyLimit::max(server.options.max_body_bytes))
        .layer(CompressionLayer::new().gzip(true).compress_when(small_enough))
}

fn project_routes() -> Routes {
    let project = get(projects::get::get_project)
        .patch(projects::patch::patch_project)
        .put(projects::patch::put_project)
        .delete(projects::actions::delete_project);
    Router::new()
        .route("/{owner}/projects/create", post(projects::create::create_project))
        .route("/{owner}/projects/list", get(projects::list::list_projects))
        .route("/{owner}/projects/names", get(projects::list::list_project_names))
        .route("/{owner}/{project}", project)
        .route("/{owner}/{project}/archive", post(projects::actions::archive_project))
        .route("/{owner}/{project}/restore", post(projects::actions::restore_project))
        .route("/{owner}/{project}/bookmark", post(projects::actions::bookmark_project))
        .route("/{owner}/{project}/unbookmark", delete(projects::actions::unbookmark_project))
}

/// Below `/{owner}/{project}/versions/{kind}`.
fn version_routes() -> Routes {
    let version = get(versions::read::get_version)
        .patch(versions::write::patch_version)
        .put(versions::write::put_version)
        .delete(versions::write::delete_version);
    Router::new()
        .route("/", get(versions::list::list_versions).post(versions::write::create_version))
        .route("/names", get(versions::list::list_version_names))
        .route("/{name}", version)
        .route("/{name}/stages", get(versions::stages::get_stages).post(versions::stages::post_stage))
        .route("/{name}/transfer", post(versions::write::transfer_version))
}

/// Below `/{owner}/{project}/runs`: the list, and verbs on many runs.
fn bulk_routes() -> Routes {
    Router::new()
        .route("/", get(runs::list::list_runs).post(runs::create::create_run))
        .route("/sync", post(runs::sync::sync_run))
        .route("/lineage/artifacts", get(runs::lineage::list_project_artifacts))
        .route("/tag", post(runs::bulk::tag_runs))
        .route("/stop", post(runs::bulk::stop_runs))
        .route("/skip", post(runs::bulk::skip_runs))
        .route("/approve", post(runs::bulk::approve_runs))
        .route("/invalidate", post(runs::bulk::invalidate_runs))
        .route("/bookmark", post(runs::bulk::bookmark_runs))
        .route("/archive", post(runs::bulk::archive_runs))
        .route("/restore", post(runs::bulk::restore_runs))
        .route("/transfer", post(runs::bulk::transfer_runs))
        .route("/delete", delete(runs::bulk::delete_runs))
}

fn run_routes() -> Routes {
    let run =
        get(runs::get::get_run).patch(runs::patch::patch_run).put(runs::patch::put_run).delete(runs::patch::delete_run);
    let artifacts = get(runs::lineage::list_artifacts).post(runs::lineage::post_artifacts);
    let artifact = get(runs::lineage::get_artifact).delete(runs::lineage::delete_artifact);
    Router::new()
        .route("/{uuid}", run)
        .route("/{uuid}/namespace", get(runs::get::get_namespace))
        .route("/{uuid}/statuses", get(runs::statuses::get_statuses).post(runs::statuses::post_status))
        .route("/{uuid}/statuses/follow", get(follow::follow_statuses))
        .route("/{uuid}/stop", post(runs::actions::stop_run))
        .route("/{uuid}/skip", post(runs::actions::skip_run))
        .route("/{uuid}/approve", post(runs::actions::approve_run))
        .route("/{uuid}/invalidate", post(runs::actions::invalidate_run))
        .route("/{uuid}/archive", post(runs::actions::archive_run))
        .route("/{uuid}/restore", post(runs::actions::restore_run))
        .route("/{uuid}/bookmark", post(runs::actions::bookmark_run))
        .route("/{uuid}/unbookmark", delete(runs::actions::unbookmark_run))
        .route("/{uuid}/transfer", post(runs::actions::transfer_run))
        .route("/{uuid}/restart", post(runs::clones::restart_run))
        .route("/{uuid}/copy", post(runs::clones::copy_run))
        .route("/{uuid}/resume", post(runs::clones::resume_run))
        .route("/{uuid}/artifacts_lineage", artifacts.clone())
        .route("/{uuid}/lineage/artifacts", artifacts)
        .route("/{uuid}/lineage/artifacts/names", get(runs::lineage::list_artifact_names))
        .route("/{uuid}/lineage/artifacts/{name}", artifact)
        .route("/{uuid}/lineage/upstream", get(runs::edges::list_upstream))
        .route("/{uuid}/lineage/downstream", get(runs::edges::list_downstream))
        .route("/{uuid}/lineage/clones", get(runs::edges::list_clones))
        .route("/{uuid}/lineage/edges", post(runs::edges::set_edges))
}

/// Below `/streams/v1/{namespace}`. Bodies have no limit here: uploads count their bytes themselves.
fn stream_routes() -> Routes {
    let run = Router::new()
        .route(
            "/artifact",
            get(artifacts::get_artifact).post(artifacts::upload_artifact).delete(artifacts::delete_artifact),
        )
        .route("/embedded_artifact", get(artifacts::get_artifact))
        .route("/ro_artifact/{*path}", get(artifacts::get_read_only))
        .route(
            "/artifacts",
            get(artifacts::get_artifacts).post(artifacts::upload_artifacts).delete(artifacts::delete_artifacts),
        )
        .route("/artifacts/tree", get(artifacts::get_tree))
        .route("/events/{kind}", get(events::get_events))
        .route("/resources", get(events::get_resources))
        .route("/logs", get(logs::get_logs))
        .route("/logs/follow", get(follow::follow_logs))
        .route("/k8s_inspect", get(streams::inspect));
    Router::new()
        .route("/{owner}/{project}/runs/multi/events/{kind}", get(events::get_multi_run_events))
        .route("/orgs/{owner}/runs/multi/events/{kind}", get(events::get_multi_run_events))
        .route("/orgs/{owner}/teams/{team}/runs/multi/events/{kind}", get(events::get_multi_run_events))
        .nest("/{owner}/{project}/runs/{uuid}", run)
        .layer(DefaultBodyLimit::disable())
        .layer(Extension(Arc::new(streams::Shared::default())))
}

/// Pages of this machine may read and write, also those of a development server on another port.
fn cross_origin() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(|origin, _| access::may_read_across(origin)))
        .allow_credentials(true)
        .allow_methods([Method::DELETE, Method::GET, Method::OPTIONS, Method::PATCH, Method::POST, Method::PUT])
        .allow_headers([header::ACCEPT, header::AUTHORIZATION, header::CONTENT_TYPE, access::SERVICE_HEADER])
}

fn request_span(request: &Request) -> Span {
    let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    tracing::info_span!("request", method = %request.method(), path = request.uri().path(), id)
}
