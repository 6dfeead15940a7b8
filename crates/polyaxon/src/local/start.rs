//! Starting the server in the background: one at a time, detached from the terminal, ready before we go on.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::args::server::{DurabilityLevel, ServeOptions};
use crate::env;
use crate::failure::Failure;
use crate::local::connections;
use crate::local::find::{Found, Record, find};
use crate::local::home::{Home, unwritable};

/// How the server came to be there.
#[derive(Clone, Debug)]
pub(crate) enum Started {
    WasRunning(Record),
    New(Record),
}

const PATIENCE: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(3);
const LARGEST_LOG: u64 = 10 << 20;

impl Started {
    pub(crate) fn record(&self) -> &Record {
        match self {
            Started::WasRunning(record) | Started::New(record) => record,
        }
    }
}

/// Finds the server of a home or starts one; returns when it answers.
pub(crate) fn ensure_running(home: &Home, options: &ServeOptions) -> Result<Started, Failure> {
    if let Found::Live(record) = find(home)? {
        return Ok(Started::WasRunning(record));
    }
    home.create_local()?;
    let path = home.layout().start_lock();
    let lock = File::create(&path).map_err(|error| unwritable(&path, &error))?;
    lock.lock().map_err(|error| unwritable(&path, &error))?;
    // Somebody may have started it while we waited for our turn.
    match find(home)? {
        Found::Live(record) => Ok(Started::WasRunning(record)),
        Found::Starting => wait(home, None).map(Started::WasRunning),
        Found::Absent => {
            // What is wrong with them is better said here than in a log.
            connections::read(home.root(), options)?;
            let child = spawn(home, options)?;
            wait(home, Some(child)).map(Started::New)
        }
    }
}

fn spawn(home: &Home, options: &ServeOptions) -> Result<Child, Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::new(format!("cannot find the program file of polyaxon: {error}")))?;
    let log = open_log(home)?;
    let copy = log.try_clone().map_err(|error| unwritable(&home.layout().server_log(), &error))?;
    let mut command = Command::new(&program);
    command.args(["server", "--background", "--host", &options.host]).arg("--home").arg(home.root());
    if let Some(port) = options.port {
        command.args(["--port", &port.to_string()]);
    }
    for name in &options.allow_host {
        command.args(["--allow-host", name]);
    }
    if let Some(database) = &options.database {
        // Not as an option, which everybody on this machine could read.
        command.env(env::DATABASE_URL.name, database);
    }
    if options.durability == DurabilityLevel::Full {
        command.args(["--durability", "full"]);
    }
    if let Some(path) = connections::named(options) {
        let path = std::path::absolute(&path).unwrap_or(path);
        command.arg("--connections").arg(path);
    }
    if options.no_agent {
        command.arg("--no-agent");
    }
    if let Some(capacity) = options.capacity {
        command.args(["--capacity", &capacity.to_string()]);
    }
    for (name, value) in [("--cpus", &options.cpus), ("--memory", &options.memory), ("--gpus", &options.gpus)] {
        if let Some(value) = value {
            command.args([name, value]);
        }
    }
    // The server must not keep the submitter's folder busy: jobs get theirs with the run.
    command.current_dir("/").stdin(Stdio::null()).stdout(log).stderr(copy);
    command.spawn().map_err(|error| Failure::new(format!("cannot start {}: {error}", program.display())))
}

/// The log of the background server, appended; one that grew large starts anew and the old text is kept once.
fn open_log(home: &Home) -> Result<File, Failure> {
    let path = home.layout().server_log();
    if std::fs::metadata(&path).is_ok_and(|metadata| metadata.len() > LARGEST_LOG) {
        // Losing the old log is better than not starting.
        let _ = std::fs::rename(&path, path.with_extension("log.1"));
    }
    File::options().create(true).append(true).open(&path).map_err(|error| unwritable(&path, &error))
}

fn wait(home: &Home, mut child: Option<Child>) -> Result<Record, Failure> {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Found::Live(record) = find(home)? {
            return Ok(record);
        }
        if let Some(status) = child.as_mut().and_then(|child| child.try_wait().ok().flatten()) {
            return Err(Failure::new(format!("the local server did not start ({status})"))
                .cause(last_lines(&home.layout().server_log()))
                .help("polyaxon server logs shows more; polyaxon server runs it in the foreground"));
        }
        if Instant::now() > end {
            return Err(Failure::new(format!("the local server did not answer within {} s", PATIENCE.as_secs()))
                .help("polyaxon server logs shows what it is doing"));
        }
        std::thread::sleep(POLL);
    }
}

fn last_lines(path: &Path) -> String {
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text[text.len().saturating_sub(2_000)..]).into_owned();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(5)..].join("\n    ")
}
