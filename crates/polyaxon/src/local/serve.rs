//! Running the server in the foreground of this process: lock, port, record, then the loops until a signal.

use std::fs::File;
use std::net::{IpAddr, TcpListener};

use polyaxon_store::Store;
use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit, setrlimit};

use crate::args::server::ServeOptions;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::local::connections;
use crate::local::find::{Found, Record, find};
use crate::local::home::{Home, unwritable};
use crate::local::parts;
use crate::session::Context;

pub(crate) const FIRST_PORT: u16 = 8000;
const LAST_PORT: u16 = 8100;

/// Serves until SIGTERM or Ctrl-C.
pub(crate) fn serve(context: &Context, options: &ServeOptions) -> Result<Exit, Failure> {
    if options.background {
        // Without a session of its own the server would end with the terminal. Failing means that it has one.
        let _ = rustix::process::setsid();
    }
    let home = Home::find(options.home.as_deref())?;
    home.create_local()?;
    let _lock = take_lock(&home)?;
    let listener = bind(context, options)?;
    let connections = connections::read(home.root(), options)?;
    parts::start_logging();
    let store = parts::open_store(&home.layout(), options)?;
    let record = record(&listener, options, &store)?;
    let is_loopback = listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
    allow_many_connections();
    parts::run(&home.layout(), options, connections, listener, &record, store, || {
        let database = match &options.database {
            Some(_) => format!(", database {}", record.database),
            None => String::new(),
        };
        context.printer.note(&format!("Polyaxon serves at {} (home {}{database})", record.url, home.root().display()));
        if !is_loopback {
            context.printer.warning(&format!(
                "listening on {}: everyone who can reach this address can do everything here, which includes running \
                 programs as you; leave --host out to be reached from this machine alone",
                options.host
            ));
        }
        write_record(&home, &record)
    })?;
    remove_record(&home);
    Ok(Exit::Ok)
}

/// The usual limit of 1024 open files is 1024 connections. What cannot be raised stays.
fn allow_many_connections() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum.map_or(Some(MAX_OPEN_FILES), |most| Some(most.min(MAX_OPEN_FILES)));
    let _ = setrlimit(Resource::Nofile, limit);
}

const MAX_OPEN_FILES: u64 = 65_536;

/// Proves that this process is the only server of the home, for as long as the file stays open.
pub(crate) fn take_lock(home: &Home) -> Result<File, Failure> {
    let path = home.layout().server_lock();
    let file = File::create(&path).map_err(|error| unwritable(&path, &error))?;
    match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(Errno::AGAIN | Errno::ACCESS) => Err(occupied(home)),
        Err(error) => Err(unwritable(&path, &error.into())),
    }
}

fn occupied(home: &Home) -> Failure {
    let where_it_is = match find(home) {
        Ok(Found::Live(record)) => format!(" at {} (pid {})", record.url, record.pid),
        _ => String::new(),
    };
    Failure::new(format!("another server already uses home {}{where_it_is}", home.root().display()))
        .exit(Exit::Conflict)
        .help("one home has one server: use that one, `polyaxon server stop` it, or choose another --home")
}

/// The port that was asked for, or the first free one from 8000 on.
fn bind(context: &Context, options: &ServeOptions) -> Result<TcpListener, Failure> {
    let address = |port: u16| format!("{}:{port}", options.host);
    let refused =
        |port: u16, error: &std::io::Error| Failure::new(format!("cannot listen on {}: {error}", address(port)));
    if let Some(port) = options.port {
        return TcpListener::bind((options.host.as_str(), port)).map_err(|error| {
            let failure = refused(port, &error);
            if error.kind() == std::io::ErrorKind::AddrInUse {
                return failure.exit(Exit::Conflict).help("leave --port out to get the next free port");
            }
            failure
        });
    }
    for port in FIRST_PORT..=LAST_PORT {
        match TcpListener::bind((options.host.as_str(), port)) {
            Ok(listener) => {
                if port != FIRST_PORT {
                    context.printer.warning(&format!("port {FIRST_PORT} is taken, listening on {port} instead"));
                }
                return Ok(listener);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(refused(port, &error)),
        }
    }
    Err(Failure::new(format!("every port from {FIRST_PORT} to {LAST_PORT} is taken"))
        .exit(Exit::Conflict)
        .help("choose one with --port"))
}

fn record(listener: &TcpListener, options: &ServeOptions, store: &Store) -> Result<Record, Failure> {
    let address = listener.local_addr().map_err(|error| Failure::new(format!("cannot listen: {error}")))?;
    // The official client's default address; an address for everybody is reached by this name too.
    let name = match address.ip() {
        ip if ip.is_loopback() || ip.is_unspecified() => "localhost".to_owned(),
        IpAddr::V6(ip) => format!("[{ip}]"),
        IpAddr::V4(_) => options.host.clone(),
    };
    Ok(Record {
        pid: std::process::id(),
        host: options.host.clone(),
        port: address.port(),
        url: format!("http://{name}:{}", address.port()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: jiff::Timestamp::now().to_string(),
        database: store.place().to_string(),
    })
}

/// Tells others where the server is. Called when it answers.
fn write_record(home: &Home, record: &Record) -> Result<(), Failure> {
    let path = home.layout().server_record();
    let text = serde_json::to_vec_pretty(record).unwrap_or_default();
    crate::config::replace(&path, &text).map_err(|error| unwritable(&path, &error))
}

fn remove_record(home: &Home) {
    // A record without a lock is not believed, so a leftover does no harm.
    let _ = std::fs::remove_file(home.layout().server_record());
}
