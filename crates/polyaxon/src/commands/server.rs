//! `polyaxon server`: the foreground server and the management of the one in the background.

use std::io::{Read, Seek, SeekFrom};
use std::time::Duration;

use polyaxon_client::queues;
use polyaxon_model::queue::QueueResource;
use polyaxon_model::run::DEFAULT_OWNER;
use serde_json::{Value, json};

use crate::args::global::Format;
use crate::args::server::{HomeOption, LogsArgs, ServeOptions, ServerArgs, ServerCommand};
use crate::commands::project::words;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::local::find::{Found, find};
use crate::local::home::Home;
use crate::local::serve::serve;
use crate::local::start::{Started, ensure_running};
use crate::local::stop;
use crate::output::table::Table;
use crate::output::{Human, Output, time};
use crate::session::{Context, block_on};
use crate::settings::{Credentials, Settings};

pub(crate) fn run(context: &Context, args: ServerArgs) -> Result<Exit, Failure> {
    match args.command {
        None => serve(context, &args.options),
        Some(ServerCommand::Start(options)) => start(context, &options),
        Some(ServerCommand::Stop(args)) => stop(context, &args.home),
        Some(ServerCommand::Status(args)) => status(context, &args.home, &args.format),
        Some(ServerCommand::Logs(args)) => logs(context, &args),
    }
}

fn start(context: &Context, options: &ServeOptions) -> Result<Exit, Failure> {
    let home = Home::find(options.home.as_deref())?;
    let started = ensure_running(&home, options)?;
    let record = started.record();
    match &started {
        Started::New(_) => context.printer.note(&format!("Started the server at {} (pid {})", record.url, record.pid)),
        Started::WasRunning(_) => {
            context.printer.note(&format!("The server runs already at {} (pid {})", record.url, record.pid));
            if options.port.is_some_and(|port| port != record.port) {
                context.printer.warning("its port stays; `polyaxon server stop` first to change it");
            }
        }
    }
    Ok(Exit::Ok)
}

fn stop(context: &Context, home: &HomeOption) -> Result<Exit, Failure> {
    let home = Home::find(home.home.as_deref())?;
    match stop::stop(&home)? {
        Some(record) => context.printer.note(&format!("Stopped the server at {}; jobs keep running", record.url)),
        None => context.printer.note(&format!("No server runs for home {}", home.root().display())),
    }
    Ok(Exit::Ok)
}

fn status(context: &Context, home: &HomeOption, format: &Format) -> Result<Exit, Failure> {
    let home = Home::find(home.home.as_deref())?;
    let mut table = Table::pairs();
    let (json, exit) = match find(&home)? {
        Found::Live(record) => {
            table.pair("status", "running");
            table.pair("url", &record.url);
            table.pair("pid", record.pid.to_string());
            table.pair("started", time::local(&record.started_at, jiff::Timestamp::now()));
            table.pair("version", &record.version);
            table.pair("database", &record.database);
            let mut json = serde_json::to_value(&record).unwrap_or_default();
            json["status"] = "running".into();
            // A server that does not say what it has still runs.
            if let Some(usage) = usage(&record.url) {
                describe(&mut table, &usage);
                for key in ["capacity", "load"] {
                    json[key] = usage[key].clone();
                }
            }
            (json, Exit::Ok)
        }
        Found::Starting => {
            table.pair("status", "starting");
            (json!({ "status": "starting" }), Exit::Unreachable)
        }
        Found::Absent => {
            table.pair("status", "stopped");
            (json!({ "status": "stopped" }), Exit::Unreachable)
        }
    };
    table.pair("home", home.root().display().to_string());
    let names = vec![json["status"].as_str().unwrap_or_default().to_owned()];
    context.printer.data(&Output { json, human: Human::Table(table), names }, &format.output)?;
    Ok(exit)
}

/// What the server of this home has for runs, and what active runs hold of it.
fn usage(url: &str) -> Option<Value> {
    let client = Settings::read().ok()?.client(url, Credentials::Omit).ok()?;
    let json = block_on(async { Ok(queues::capacity(&client, DEFAULT_OWNER).await?) }).ok()?;
    let rows = json["results"].as_array()?;
    let is_ours = |row: &&Value| row["address"].as_str() == Some(url) || rows.len() == 1;
    rows.iter().find(is_ours).cloned()
}

fn describe(table: &mut Table, usage: &Value) {
    let number = |pointer: &str| usage.pointer(pointer).and_then(Value::as_f64);
    let of = |held: &str, all: &str| {
        let (held, all) = (number(held).unwrap_or_default(), number(all));
        all.map_or_else(|| format!("{held}"), |all| format!("{held} of {all}"))
    };
    let memory = |pointer: &str| number(pointer).map(|bytes| QueueResource::Memory.amount(bytes));
    table.pair("slots", format!("{} in use", of("/load/held", "/capacity/slots")));
    table.pair("processors", format!("{} asked for", of("/load/cpus", "/capacity/cpus")));
    if let Some((held, all)) = memory("/load/memory").zip(memory("/capacity/memory")) {
        table.pair(
            "memory",
            format!("{} of {} asked for", held.replace(" of memory", ""), all.replace(" of memory", "")),
        );
    }
    let list = |pointer: &str| words(usage.pointer(pointer));
    let (held, all) = (list("/load/gpus"), list("/capacity/gpus"));
    match (held.is_empty(), all.is_empty()) {
        (_, true) => table.pair("gpus", "none"),
        (true, false) => table.pair("gpus", format!("{all}; all free")),
        (false, false) => table.pair("gpus", format!("{all}; in use: {held}")),
    }
}

fn logs(context: &Context, args: &LogsArgs) -> Result<Exit, Failure> {
    let home = Home::find(args.home.home.as_deref())?;
    let path = home.layout().server_log();
    let mut file = match std::fs::File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            context.printer.note(&format!("No server has written a log in {}", path.display()));
            return Ok(Exit::Ok);
        }
        Err(error) => return Err(Failure::new(format!("cannot read {}: {error}", path.display()))),
    };
    let mut text = Vec::new();
    loop {
        text.clear();
        file.read_to_end(&mut text)
            .map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))?;
        context.printer.raw(&text)?;
        if !args.follow {
            return Ok(Exit::Ok);
        }
        // The log is a plain file that another process appends to; nothing announces new lines.
        std::thread::sleep(Duration::from_millis(200));
        let length = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
        if file.stream_position().is_ok_and(|position| position > length) {
            file.seek(SeekFrom::Start(0))
                .map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))?;
        }
    }
}
