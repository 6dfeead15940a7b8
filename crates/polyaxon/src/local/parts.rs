//! Puts the server together: store, runtime and HTTP in one process, from a bound listener until a signal.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use polyaxon_artifacts::changes::Changes;
use polyaxon_artifacts::layout::Layout;
use polyaxon_compile::connection::Connection;
use polyaxon_engine::{executor, timer};
use polyaxon_model::ids::{ExecutorId, InstallationId};
use polyaxon_model::time::Timestamp;
use polyaxon_runtime::{Runtime, RuntimeOptions, default_capacity};
use polyaxon_server::{Agent, DEFAULT_CONCURRENCY, Doors, Limits, Options, Reach, Server};
use polyaxon_store::{Durability, Store, settings};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use uuid::Uuid;

use crate::args::server::{DurabilityLevel, ServeOptions};
use crate::env::{self, Variable};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::local::find::Record;
use crate::local::machine;

/// Serves until SIGTERM or Ctrl-C. `ready` is called when the next request will be answered.
pub(super) fn run(
    layout: &Layout,
    options: &ServeOptions,
    connections: Vec<Connection>,
    listener: TcpListener,
    record: &Record,
    store: Store,
    ready: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 8)))
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start the async runtime: {error}")))?;
    runtime.block_on(serve(layout, options, connections, listener, record, store, ready))
}

/// Opens the database of the options, by default that of the home. Waits for the network.
pub(super) fn open_store(layout: &Layout, options: &ServeOptions) -> Result<Store, Failure> {
    let database = match &options.database {
        Some(address) => address.clone(),
        None => layout.database().display().to_string(),
    };
    let durability = match options.durability {
        DurabilityLevel::Normal => Durability::Process,
        DurabilityLevel::Full => Durability::Power,
    };
    let opening = polyaxon_store::Options { durability, ..polyaxon_store::Options::default() };
    Store::open_url(&database, opening).map_err(|error| {
        let failure = caused("cannot open the database", &error);
        match error {
            polyaxon_store::Error::Unavailable { .. } => failure
                .exit(Exit::Unreachable)
                .help("start the database server, or check the host, the port and the firewall of the address"),
            polyaxon_store::Error::Address(_) => failure.exit(Exit::Usage),
            _ => failure,
        }
    })
}

async fn serve(
    layout: &Layout,
    options: &ServeOptions,
    connections: Vec<Connection>,
    listener: TcpListener,
    record: &Record,
    store: Store,
    ready: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let broken = |what: &str, error: &dyn std::error::Error| caused(what, error);
    let key = store
        .write_blocking(|tx| settings::installation(tx, InstallationId::new(Uuid::new_v4())))
        .map_err(|error| broken("cannot read the database", &error))?;
    let changes = Changes::default();
    let connections: Arc<[Connection]> = connections.into();
    let program =
        std::env::current_exe().map_err(|error| broken("cannot find the program file of polyaxon", &error))?;
    let capacity = machine::capacity(options, default_capacity())?;
    let server = server_id(layout)?;
    // What the handlers of this server decide, its runtime does.
    let store = store.of_server(server);
    let executor_lost = seconds(env::AGENT_LOST)?.unwrap_or(executor::LOST);
    let concurrency = number(env::MAX_CONCURRENCY)?.map_or(DEFAULT_CONCURRENCY, |count| count as usize);
    let runtime = Runtime::start(
        store.clone(),
        RuntimeOptions {
            server,
            layout: layout.clone(),
            program,
            api_host: record.url.clone(),
            capacity,
            executes: !options.no_agent,
            changes: changes.clone(),
            executor_lost,
            connections: Arc::clone(&connections),
            variable: env::named,
            clock: now,
        },
    )
    .map_err(|error| broken("cannot start the runtime", &error))?;
    let reach = listener.local_addr().map_or(Reach::Loopback, |address| Reach::of(address.ip()));
    let router = polyaxon_server::router(Server {
        store,
        layout: layout.clone(),
        changes,
        metrics: Default::default(),
        runtime: Some(runtime.task()),
        options: Options {
            key: key.to_hex(),
            doors: Doors { reach, allowed_hosts: options.allow_host.clone() },
            internal_token: env::text(env::INTERNAL_TOKEN),
            connections,
            agent: if options.no_agent { Agent::External } else { Agent::Local },
            max_concurrency: options.capacity.unwrap_or(concurrency),
            executor_lost,
            heartbeat_silence: seconds(env::TTL_HEARTBEAT)?.unwrap_or(timer::HEARTBEAT_LIMIT),
            ..Options::default()
        },
    });
    let listener = listener
        .set_nonblocking(true)
        .and_then(|()| tokio::net::TcpListener::from_std(listener))
        .map_err(|error| broken("cannot listen", &error))?;
    let ended = ended().map_err(|error| broken("cannot wait for signals", &error))?;
    ready()?;
    tracing::info!(url = record.url, pid = record.pid, "the server answers");
    let served = polyaxon_server::serve(listener, router, Limits::default(), ended).await;
    runtime.shutdown().await;
    tracing::info!("the server has ended; jobs go on");
    served.map_err(|error| broken("cannot serve", &error))
}

/// The id of the servers of this home, made by the first of them.
fn server_id(layout: &Layout) -> Result<ExecutorId, Failure> {
    let path = layout.server_id();
    let broken = |error: std::io::Error| caused(&format!("cannot use {}", path.display()), &error);
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            text.trim().parse().map_err(|error| caused(&format!("cannot read {}; remove it", path.display()), &error))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let id = ExecutorId::new(Uuid::new_v4());
            std::fs::write(&path, id.to_hex()).map_err(broken)?;
            Ok(id)
        }
        Err(error) => Err(broken(error)),
    }
}

fn seconds(variable: Variable) -> Result<Option<Duration>, Failure> {
    Ok(number(variable)?.map(|seconds| Duration::from_secs(seconds.into())))
}

fn number(variable: Variable) -> Result<Option<u32>, Failure> {
    let Some(text) = env::text(variable) else { return Ok(None) };
    let wrong = |_| Failure::new(format!("{} is `{text}`, expected a whole number", variable.name));
    text.trim().parse().map(Some).map_err(wrong)
}

/// Completes at SIGTERM or Ctrl-C.
fn ended() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

fn now() -> Timestamp {
    Timestamp::from_micros(jiff::Timestamp::now().as_microsecond())
}

pub(super) fn start_logging() {
    let filter = env::text(env::LOG_LEVEL).unwrap_or_else(|| "info".to_owned());
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let format = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    // Somebody else has set one up already, which is as good.
    let _ = format.try_init();
}

fn caused(what: &str, error: &dyn std::error::Error) -> Failure {
    let mut failure = Failure::new(what).cause(error.to_string());
    let mut source = error.source();
    while let Some(cause) = source {
        failure = failure.cause(cause.to_string());
        source = cause.source();
    }
    failure
}
