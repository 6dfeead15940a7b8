//! `polyaxon ops get`, `statuses` and `logs`.

use polyaxon_client::logs::{Logs, Mode};
use polyaxon_client::record::Run;
use polyaxon_client::{runs, statuses as statuses_api};
use polyaxon_model::condition::METRIC_MISSING;
use polyaxon_model::status::Status;
use serde_json::Value;

use crate::args::global::OutputFormat;
use crate::args::ops::{GetArgs, LogsArgs, StatusesArgs, WatchArgs};
use crate::commands::ops::{Group, detail, open, refuse_offline, uuid};
use crate::commands::project::words;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::follow::{Show, Statuses, follow};
use crate::output::log::{LogFormat, LogPrinter};
use crate::output::table::Table;
use crate::output::{Human, Output, Printer, Stream, status_line, style, time};
use crate::run_reference;
use crate::session::{Context, Session, block_on};
use crate::watch::{self, View};

pub(super) fn get(context: &Context, group: &Group, args: &GetArgs) -> Result<Exit, Failure> {
    refuse_offline(&args.offline)?;
    let session = open(context, group, &args.target)?;
    let (run, why) = block_on(async {
        let run = detail(&session, group, &args.target).await?;
        let why = if args.format.output.is_for_people() { why(&session, &run).await } else { None };
        Ok::<_, Failure>((run, why))
    })?;
    run_reference::remember(&session, &run);
    context.printer.data(&run_output(&session, &run, why.as_deref()), &args.format.output)?;
    Ok(Exit::Ok)
}

/// Why a run is as it is, of those that did not do what they should or that something is wrong with.
async fn why(session: &Session<'_>, run: &Run) -> Option<String> {
    let status = run.status()?;
    let is_fine = matches!(
        status,
        Status::Created | Status::OnSchedule | Status::Compiled | Status::Queued | Status::Scheduled | Status::Resuming
    ) || matches!(status, Status::Starting | Status::Running | Status::Processing);
    if is_fine || (status == Status::Succeeded && !run.is_pipeline()) {
        return None;
    }
    let json = statuses_api::get(&session.client, &session.place, run.uuid()).await.ok()?;
    let last = json.get("status_conditions")?.as_array()?.last()?.clone();
    let text = |key: &str| last.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    if status == Status::Succeeded && text("reason") != Some(METRIC_MISSING) {
        return None;
    }
    let parts: Vec<&str> = [text("reason"), text("message")].into_iter().flatten().collect();
    let text = parts.join(": ");
    let words: Vec<&str> = text.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// A run in every output format; `why` tells why it is as it is.
pub(crate) fn run_output(session: &Session<'_>, run: &Run, why: Option<&str>) -> Output {
    let now = jiff::Timestamp::now();
    let text = |key: &str| run.0.get(key).and_then(Value::as_str).unwrap_or_default();
    let seconds = |key: &str| run.0.get(key).and_then(Value::as_f64).map(time::seconds).unwrap_or_default();
    let style = session.printer.style(Stream::Data);
    let mut table = Table::pairs();
    table.pair("name", run.name());
    table.pair("status", style::symbol(run.status_word()));
    table.pair("why", why.unwrap_or_default());
    table.pair("uuid", run.uuid());
    table.pair("project", format!("{}/{}", session.place.owner, session.place.project));
    table.pair("kind", text("kind"));
    table.pair("runtime", if text("runtime") == text("kind") { "" } else { text("runtime") });
    table.pair("description", text("description"));
    table.pair("tags", words(run.0.get("tags")));
    table.pair("pending", text("pending"));
    for (name, key) in [("created", "created_at"), ("started", "started_at"), ("finished", "finished_at")] {
        table.pair(name, time::local(text(key), now));
    }
    table.pair("waited", seconds("wait_time"));
    table.pair("duration", seconds("duration"));
    for field in ["pipeline", "original"] {
        if let Some(uuid) = run.0.pointer(&format!("/{field}/uuid")).and_then(Value::as_str) {
            table.pair(field, uuid);
        }
    }
    for (name, field) in [("in", "inputs"), ("out", "outputs")] {
        for (key, value) in run.0.get(field).and_then(Value::as_object).into_iter().flatten() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            table.pair(&format!("{name}.{key}"), value);
        }
    }
    table.pair("url", style.link(&session.client.run_url(&session.place, run.uuid())));
    Output { json: run.0.clone(), human: Human::Table(table), names: vec![run.uuid().to_owned()] }
}

pub(super) fn statuses(context: &Context, group: &Group, args: &StatusesArgs) -> Result<Exit, Failure> {
    refuse_offline(&args.offline)?;
    let session = open(context, group, &args.target)?;
    block_on(async {
        let uuid = uuid(&session, group, &args.target).await?;
        if args.watch {
            let statuses = if args.format.output.is_json() { Statuses::Json } else { Statuses::Data };
            return follow(&session, "polyaxon", &uuid, Show { statuses, logs: None }).await;
        }
        let json = match statuses_api::get(&session.client, &session.place, &uuid).await {
            Ok(json) => json,
            Err(error) => return Err(session.explain(error, Some(&uuid)).await),
        };
        context.printer.data(&history(&context.printer, json), &args.format.output)?;
        Ok(Exit::Ok)
    })
}

pub(super) fn watch(context: &Context, group: &Group, args: &WatchArgs) -> Result<Exit, Failure> {
    let session = open(context, group, &args.target)?;
    let view = if args.format.output.is_json() { View::Json } else { View::People(Stream::Data) };
    block_on(async {
        let uuid = uuid(&session, group, &args.target).await?;
        watch::watch(&session, &uuid, view).await
    })
}

fn history(printer: &Printer, json: Value) -> Output {
    let conditions = json.get("status_conditions").and_then(Value::as_array);
    let lines: Vec<String> = conditions
        .into_iter()
        .flatten()
        .map(|condition| status_line::text(printer.style(Stream::Data), condition))
        .collect();
    let names = vec![json.get("status").and_then(Value::as_str).unwrap_or_default().to_owned()];
    Output { human: Human::Text(lines.join("\n")), names, json }
}

pub(super) fn logs(context: &Context, group: &Group, args: &LogsArgs) -> Result<Exit, Failure> {
    refuse_offline(&args.offline)?;
    let format = LogFormat {
        hide_time: args.hide_time,
        all_containers: args.all_containers,
        all_info: args.all_info,
        json: matches!(args.format.output, OutputFormat::Json | OutputFormat::Jsonl),
        on_stderr: false,
    };
    let session = open(context, group, &args.target)?;
    block_on(async {
        let run = detail(&session, group, &args.target).await?;
        let is_done = run.status().is_some_and(Status::is_done);
        if !args.no_follow && !is_done {
            let show = Show { statuses: Statuses::Outcome, logs: Some(format) };
            // Looking at logs is no verdict: a script that shows them must not fail because the run did.
            return match follow(&session, run.namespace(), run.uuid(), show).await? {
                Exit::Interrupted => Ok(Exit::Interrupted),
                _ => Ok(Exit::Ok),
            };
        }
        let every = session.settings.watch_interval().value;
        let mut logs = Logs::new(&session.client, &session.place, run.namespace(), run.uuid(), Mode::Now, every);
        let mut printer = LogPrinter::new(format);
        let mut none = true;
        while let Some(line) = logs.next().await? {
            none = false;
            printer.line(&context.printer, &line)?;
        }
        if none {
            let status = run.status().map_or("unknown", Status::as_str);
            context.printer.note(&format!("The run has no logs (status {status})"));
        }
        Ok(Exit::Ok)
    })
}

/// Reads the run again, for the answer of a command that changed it.
pub(super) async fn again(session: &Session<'_>, uuid: &str) -> Result<Run, Failure> {
    Ok(runs::get(&session.client, &session.place, uuid).await?)
}
