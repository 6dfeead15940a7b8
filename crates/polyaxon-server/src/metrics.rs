//! Numbers for Prometheus: what is counted while requests are served, and what is looked up when somebody asks.
//!
//! Invariant: every label has few values. Routes are templates, methods and statuses come from closed lists; names and
//! uuids never become labels.

use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use polyaxon_model::status::Status;
use polyaxon_store::census;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use tokio::time::Instant;

use std::sync::Arc;

use crate::errors::Result;
use crate::state::Server;
use crate::usage;

/// The numbers of one server.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    durations: Family<Route, Histogram>,
    followers: Gauge,
    writes: Histogram,
    waiting_writes: Gauge,
    runs: Family<InStatus, Gauge>,
    open_actions: Gauge,
    resident_memory: Gauge,
    open_files: Gauge,
    processor_seconds: Gauge<f64, AtomicU64>,
    counted: Mutex<Option<Instant>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
    method: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InStatus {
    status: &'static str,
}

/// Seconds; what people wait for is told apart from what they do not notice.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// How long the numbers that cost a look through the database are kept.
const KEPT: Duration = Duration::from_secs(10);

impl Default for Metrics {
    fn default() -> Self {
        let durations = Family::new_with_constructor(histogram as fn() -> Histogram);
        let mut metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            durations,
            followers: Gauge::default(),
            writes: histogram(),
            waiting_writes: Gauge::default(),
            runs: Family::default(),
            open_actions: Gauge::default(),
            resident_memory: Gauge::default(),
            open_files: Gauge::default(),
            processor_seconds: Gauge::default(),
            counted: Mutex::new(None),
        };
        metrics.register();
        metrics
    }
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

impl Metrics {
    fn register(&mut self) {
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        let seconds = || Unit::Seconds;
        let all = &mut self.registry;
        all.register("polyaxon_build", "The program that answers", build);
        all.register("polyaxon_http_requests", "Answered requests", self.requests.clone());
        let text = "Time until the head of the answer";
        all.register_with_unit("polyaxon_http_request_duration", text, seconds(), self.durations.clone());
        all.register("polyaxon_followers", "Open streams of logs and statuses", self.followers.clone());
        let text = "Time from the wish to write to the disk, of requests";
        all.register_with_unit("polyaxon_store_write_duration", text, seconds(), self.writes.clone());
        let text = "Requests that wait for the disk";
        all.register("polyaxon_store_writes_waiting", text, self.waiting_writes.clone());
        let text = "Runs in each status; `queued` is the length of the queue";
        all.register("polyaxon_runs", text, self.runs.clone());
        let text = "Decisions that are not carried out yet";
        all.register("polyaxon_actions_open", text, self.open_actions.clone());
        let text = "Memory of this process in use";
        all.register("process_resident_memory_bytes", text, self.resident_memory.clone());
        all.register("process_open_fds", "Open files and sockets of this process", self.open_files.clone());
        let text = "Processor time that this process used";
        all.register("process_cpu_seconds", text, self.processor_seconds.clone());
    }

    /// Counts a follower until the guard is dropped.
    pub(crate) fn follow(&self) -> Counted {
        Counted::new(&self.followers)
    }

    /// Counts a write that waits until the guard is dropped, and measures it.
    pub(crate) fn write(&self) -> Write {
        Write { began: Instant::now(), duration: self.writes.clone(), _waiting: Counted::new(&self.waiting_writes) }
    }

    fn answered(&self, route: &str, method: &Method, status: u16, duration: Duration) {
        let (route, method) = (route.to_owned(), word(method));
        self.durations.get_or_create(&Route { route: route.clone(), method }).observe(duration.as_secs_f64());
        self.requests.get_or_create(&Answered { route, method, status }).inc();
    }

    /// Whether the numbers of the database are too old.
    fn must_count(&self, now: Instant) -> bool {
        let mut counted = self.counted.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let is_old = counted.is_none_or(|counted| now.duration_since(counted) >= KEPT);
        if is_old {
            *counted = Some(now);
        }
        is_old
    }
}

/// Adds one to a gauge for as long as it lives.
#[derive(Debug)]
pub(crate) struct Counted(Gauge);

impl Counted {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A write in progress.
#[derive(Debug)]
pub(crate) struct Write {
    began: Instant,
    duration: Histogram,
    _waiting: Counted,
}

impl Drop for Write {
    fn drop(&mut self) {
        self.duration.observe(self.began.elapsed().as_secs_f64());
    }
}

/// Anybody can invent methods.
fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

/// Middleware: counts and measures each request under the template of its route.
pub(crate) async fn measure(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("unknown", MatchedPath::as_str);
    server.metrics.answered(route, &method, response.status().as_u16(), began.elapsed());
    response
}

/// Read the numbers of this server for Prometheus.
///
/// Numbers of runs may be ten seconds old.
#[utoipa::path(
    get, path = "/metrics", tag = "server", operation_id = "read_metrics",
    responses((status = 200, description = "OpenMetrics text", body = String, content_type = METRICS_TYPE)),
)]
pub(crate) async fn get_metrics(State(server): State<Arc<Server>>) -> Result<Response> {
    let metrics = &server.metrics;
    if metrics.must_count(Instant::now()) {
        let (runs, actions) = server.read(|tx| Ok((census::runs_by_status(tx)?, census::open_actions(tx)?))).await?;
        for status in Status::ALL.iter().filter(|status| **status != Status::Done) {
            let count = runs.iter().find(|(known, _)| known == status).map_or(0, |(_, count)| *count);
            let gauge = metrics.runs.get_or_create(&InStatus { status: status.as_str() }).clone();
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        metrics.open_actions.set(i64::try_from(actions).unwrap_or(i64::MAX));
    }
    let usage = usage::now();
    metrics.resident_memory.set(usage.memory_bytes);
    metrics.open_files.set(usage.open_files);
    metrics.processor_seconds.set(usage.processor_seconds);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &metrics.registry).map_err(crate::errors::Error::internal)?;
    Ok(([(header::CONTENT_TYPE, METRICS_TYPE)], text).into_response())
}

const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
