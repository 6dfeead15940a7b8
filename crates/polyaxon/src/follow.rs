//! Follows statuses and logs of a run together until it ends, survives a restart of the server, and detaches on Ctrl-C.

use std::time::{Duration, Instant};

use polyaxon_client::error::Error as ClientError;
use polyaxon_client::logs::{LogLine, Logs, Mode};
use polyaxon_client::runs::{self, Action};
use polyaxon_client::statuses;
use polyaxon_model::status::Status;
use serde_json::Value;
use tokio::sync::mpsc;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::log::{LogFormat, LogPrinter};
use crate::output::status_line;
use crate::output::{Printer, Stream};
use crate::session::Session;

/// What to show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Show {
    pub(crate) statuses: Statuses,
    /// `None`: no logs.
    pub(crate) logs: Option<LogFormat>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Statuses {
    /// Every status as a line on stderr.
    Notes,
    /// Every status as a line of data.
    Data,
    /// Every status as a JSON object a line.
    Json,
    /// Only how it ended.
    Outcome,
}

enum Event {
    Status(Value),
    StatusesEnded,
    Log(LogLine),
    LogsEnded,
    /// The connection broke; the follower tries again.
    Lost,
    Failed(ClientError),
    Interrupt,
}

/// How long a follower waits for a server that went away.
const PATIENCE: Duration = Duration::from_secs(30);
const RETRY_EVERY: Duration = Duration::from_millis(200);
/// Within this time a second Ctrl-C stops the run.
const SECOND_THOUGHT: Duration = Duration::from_secs(2);

/// Follows until the end; the exit code is the outcome of the run.
pub(crate) async fn follow(session: &Session<'_>, namespace: &str, uuid: &str, show: Show) -> Result<Exit, Failure> {
    let (events, mut incoming) = mpsc::channel(256);
    spawn_statuses(session, uuid, &events);
    if show.logs.is_some() {
        spawn_logs(session, namespace, uuid, &events);
    }
    tokio::spawn(interrupts(move || {
        let events = events.clone();
        async move { events.send(Event::Interrupt).await.is_ok() }
    }));
    let mut logs = show.logs.map(LogPrinter::new);
    let mut open = 1 + usize::from(show.logs.is_some());
    let mut last: Option<Value> = None;
    let mut told = false;
    while open > 0 {
        let Some(event) = incoming.recv().await else { break };
        match event {
            Event::Status(condition) => {
                status(session.printer, show.statuses, &condition)?;
                last = Some(condition);
            }
            Event::Log(line) => {
                if let Some(logs) = &mut logs {
                    logs.line(session.printer, &line)?;
                }
            }
            Event::StatusesEnded | Event::LogsEnded => open -= 1,
            Event::Lost if told => {}
            Event::Lost => {
                told = true;
                session.printer.warning(&format!("{} does not answer, trying again", session.client.host()));
            }
            Event::Failed(error) => {
                let failure = session.explain(error, Some(uuid)).await;
                return Err(match failure.help {
                    Some(_) => failure,
                    None => failure.help(format!("the run goes on; {}", again(session, uuid))),
                });
            }
            Event::Interrupt => {
                let second = async {
                    while let Some(event) = incoming.recv().await {
                        if matches!(event, Event::Interrupt) {
                            return true;
                        }
                    }
                    false
                };
                return detach(session, uuid, &again(session, uuid), second).await;
            }
        }
    }
    let outcome = last.as_ref().and_then(|condition| condition.get("type")?.as_str()?.parse::<Status>().ok());
    let exit = outcome.map_or(Exit::Failure, Exit::of_run);
    if let (Some(logs), true) = (&logs, exit != Exit::Ok) {
        logs.hidden(session.printer);
    }
    if let (Statuses::Outcome, Some(condition)) = (show.statuses, &last) {
        session.printer.note(&status_line::text(session.printer.style(Stream::Error), condition));
    }
    Ok(exit)
}

fn status(printer: &Printer, statuses: Statuses, condition: &Value) -> Result<(), Failure> {
    match statuses {
        Statuses::Notes => printer.note(&status_line::text(printer.style(Stream::Error), condition)),
        Statuses::Data => printer.line(&status_line::text(printer.style(Stream::Data), condition))?,
        Statuses::Json => printer.line(&condition.to_string())?,
        Statuses::Outcome => {}
    }
    Ok(())
}

fn spawn_statuses(session: &Session<'_>, uuid: &str, events: &mpsc::Sender<Event>) {
    let every = session.settings.watch_interval().value;
    let mut follow = statuses::Follow::new(&session.client, &session.place, uuid, every);
    let events = events.clone();
    tokio::spawn(async move {
        let mut patience = Patience::new();
        loop {
            let event = match follow.next().await {
                Ok(Some(condition)) => {
                    patience = Patience::new();
                    Event::Status(condition)
                }
                Ok(None) => Event::StatusesEnded,
                Err(error) => match patience.after(error).await {
                    Ok(()) => Event::Lost,
                    Err(error) => Event::Failed(error),
                },
            };
            let ends = matches!(event, Event::StatusesEnded | Event::Failed(_));
            if events.send(event).await.is_err() || ends {
                return;
            }
        }
    });
}

fn spawn_logs(session: &Session<'_>, namespace: &str, uuid: &str, events: &mpsc::Sender<Event>) {
    let every = session.settings.watch_interval().value;
    let mut logs = Logs::new(&session.client, &session.place, namespace, uuid, Mode::Follow, every);
    let events = events.clone();
    tokio::spawn(async move {
        let mut patience = Patience::new();
        loop {
            let event = match logs.next().await {
                Ok(Some(line)) => {
                    patience = Patience::new();
                    Event::Log(line)
                }
                Ok(None) => Event::LogsEnded,
                Err(error) => match patience.after(error).await {
                    Ok(()) => Event::Lost,
                    Err(error) => Event::Failed(error),
                },
            };
            let ends = matches!(event, Event::LogsEnded | Event::Failed(_));
            if events.send(event).await.is_err() || ends {
                return;
            }
        }
    });
}

/// Tells every Ctrl-C, until nobody listens any more.
pub(crate) async fn interrupts<F: Future<Output = bool>>(tell: impl Fn() -> F) {
    while tokio::signal::ctrl_c().await.is_ok() {
        if !tell().await {
            return;
        }
    }
}

/// How long failures of one follower have lasted.
pub(crate) struct Patience {
    since: Option<Instant>,
}

impl Patience {
    pub(crate) fn new() -> Patience {
        Patience { since: None }
    }

    /// Waits a moment after an error that may pass; any other comes back.
    pub(crate) async fn after(&mut self, error: ClientError) -> Result<(), ClientError> {
        let since = *self.since.get_or_insert_with(Instant::now);
        if !error.is_transient() || since.elapsed() > PATIENCE {
            return Err(error);
        }
        tokio::time::sleep(RETRY_EVERY).await;
        Ok(())
    }
}

/// Leaves the run alone, unless a second interrupt comes at once.
pub(crate) async fn detach(
    session: &Session<'_>,
    uuid: &str,
    again: &str,
    interrupt: impl Future<Output = bool>,
) -> Result<Exit, Failure> {
    let place = format!("-p {} -uid {uuid}", session.place.project);
    session.printer.note(&format!(
        "\nDetached; the run goes on.\n  follow it again: {again}\n  stop it:         polyaxon ops stop {place}\n\
         Ctrl-C again within {} s stops it now.",
        SECOND_THOUGHT.as_secs()
    ));
    if tokio::time::timeout(SECOND_THOUGHT, interrupt).await.unwrap_or(false) {
        runs::act(&session.client, &session.place, uuid, Action::Stop).await?;
        session.printer.note("Stopping the run.");
    }
    Ok(Exit::Interrupted)
}

fn again(session: &Session<'_>, uuid: &str) -> String {
    format!("polyaxon ops logs -p {} -uid {uuid}", session.place.project)
}
