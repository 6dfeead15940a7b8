//! Watches a run and everything below it until it ends: drawn in place on a terminal, as lines or as JSON elsewhere.

use std::collections::HashMap;
use std::time::Duration;

use polyaxon_client::error::Error as ClientError;
use polyaxon_client::runs;
use polyaxon_client::tree::Follow;
use polyaxon_model::ids::RunId;
use polyaxon_model::status::Status;
use polyaxon_model::tree::{TreeLine, TreeRow};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::env;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::follow::{self, Patience, Show, Statuses};
use crate::forest::Forest;
use crate::output::screen::Screen;
use crate::output::tree::{self, Look};
use crate::output::{Stream, style};
use crate::session::Session;

/// How it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// In place on a terminal, else a line for each new status.
    People(Stream),
    /// The lines of the server.
    Json,
}

enum Event {
    Line(TreeLine),
    Ended,
    /// The connection broke; the follower tries again.
    Lost,
    Failed(ClientError),
    Interrupt,
}

/// Frames are drawn at most this often, and at least that often for the times that pass.
const FRAME: Duration = Duration::from_millis(100);
const SECOND: Duration = Duration::from_secs(1);
/// A tree of more runs is summed up when the first lines are printed.
const MOST_FIRST_LINES: usize = 50;

/// Watches until the end; the exit code is the outcome of the run.
pub(crate) async fn watch(session: &Session<'_>, uuid: &str, view: View) -> Result<Exit, Failure> {
    let root: RunId = uuid.parse().map_err(|_| Failure::usage(format!("`{uuid}` is no uuid of a run")))?;
    let (events, mut incoming) = mpsc::channel(1024);
    tokio::spawn(receive(Follow::new(&session.client, &session.place, uuid), events.clone()));
    tokio::spawn(follow::interrupts(move || {
        let events = events.clone();
        async move { events.send(Event::Interrupt).await.is_ok() }
    }));
    let mut resized = signal(SignalKind::window_change()).ok();
    let mut shown = Shown::new(session, root, view);
    let mut outcome = None;
    let mut told = false;
    loop {
        let event = tokio::select! {
            event = incoming.recv() => event,
            () = sleep_until(shown.due()) => { shown.frame(); continue }
            _ = async { match &mut resized { Some(resized) => resized.recv().await, None => std::future::pending().await } } => {
                shown.is_stale = true;
                continue;
            }
        };
        match event {
            Some(Event::Line(line)) => {
                if let TreeLine::Done(status) = line {
                    outcome = Some(status);
                }
                shown.line(line)?;
            }
            None | Some(Event::Ended) => break,
            Some(Event::Lost) if told => {}
            Some(Event::Lost) => {
                told = true;
                shown.pause();
                session.printer.warning(&format!("{} does not answer, trying again", session.client.host()));
            }
            Some(Event::Failed(error)) => {
                shown.pause();
                let is_old = error.is_unknown_endpoint();
                if is_old && runs::get(&session.client, &session.place, uuid).await.is_ok() {
                    let statuses = if view == View::Json { Statuses::Json } else { Statuses::Notes };
                    return follow::follow(session, "polyaxon", uuid, Show { statuses, logs: None }).await;
                }
                let failure = session.explain(error, Some(uuid)).await;
                return Err(match failure.help {
                    Some(_) => failure,
                    None => failure.help(format!("the run goes on; {}", again(session, uuid))),
                });
            }
            Some(Event::Interrupt) => {
                shown.pause();
                let second = async {
                    while let Some(event) = incoming.recv().await {
                        if matches!(event, Event::Interrupt) {
                            return true;
                        }
                    }
                    false
                };
                return follow::detach(session, uuid, &again(session, uuid), second).await;
            }
        }
    }
    shown.frame();
    shown.pause();
    shown.warn_of_metrics();
    Ok(outcome.map_or(Exit::Failure, Exit::of_run))
}

async fn receive(mut follow: Follow, events: mpsc::Sender<Event>) {
    let mut patience = Patience::new();
    loop {
        let event = match follow.next().await {
            Ok(Some(line)) => {
                patience = Patience::new();
                Event::Line(line)
            }
            Ok(None) => Event::Ended,
            Err(error) => match patience.after(error).await {
                Ok(()) => Event::Lost,
                Err(error) => Event::Failed(error),
            },
        };
        let ends = matches!(event, Event::Ended | Event::Failed(_));
        if events.send(event).await.is_err() || ends {
            return;
        }
    }
}

fn again(session: &Session<'_>, uuid: &str) -> String {
    format!("polyaxon ops watch -p {} -uid {uuid}", session.place.project)
}

/// What is known, and how much of it was shown.
struct Shown<'a> {
    session: &'a Session<'a>,
    view: View,
    forest: Forest,
    screen: Option<Screen>,
    /// Whether everything that there was at the beginning is known.
    is_complete: bool,
    is_stale: bool,
    last_frame: Instant,
    statuses: HashMap<RunId, Status>,
}

impl<'a> Shown<'a> {
    fn new(session: &'a Session<'a>, root: RunId, view: View) -> Shown<'a> {
        let screen = match view {
            View::People(stream) if session.printer.style(stream).is_terminal() => Some(Screen::new(stream)),
            View::People(_) | View::Json => None,
        };
        Shown {
            session,
            view,
            forest: Forest::new(root),
            screen,
            is_complete: false,
            is_stale: false,
            last_frame: Instant::now(),
            statuses: HashMap::new(),
        }
    }

    fn due(&self) -> Instant {
        self.last_frame + if self.is_stale { FRAME } else { SECOND }
    }

    fn line(&mut self, line: TreeLine) -> Result<(), Failure> {
        if self.view == View::Json {
            if matches!(line, TreeLine::Cursor(_)) {
                return Ok(());
            }
            return self.session.printer.line(&serde_json::to_string(&line).unwrap_or_default());
        }
        let is_first_cursor = matches!(line, TreeLine::Cursor(_)) && !self.is_complete;
        let run = match &line {
            TreeLine::Run(row) => Some(row.uuid),
            TreeLine::Removed(_) | TreeLine::Cursor(_) | TreeLine::Done(_) => None,
        };
        self.is_stale |= self.forest.apply(line);
        if is_first_cursor {
            self.is_complete = true;
            if self.screen.is_none() {
                self.first_lines()?;
            }
        } else if let (Some(run), true, None) = (run, self.is_complete, &self.screen) {
            self.status_line(run)?;
        }
        Ok(())
    }

    /// What there is at the beginning, without a line for each of ten thousand runs.
    fn first_lines(&mut self) -> Result<(), Failure> {
        let mut runs: Vec<(i64, RunId, Status)> =
            self.forest.rows().map(|row| (row.number, row.uuid, row.status)).collect();
        runs.sort_unstable();
        let is_much = runs.len() > MOST_FIRST_LINES;
        for (_, run, status) in &runs {
            let is_root = Some(*run) == self.forest.root().map(|root| root.uuid);
            if is_root || (!is_much && *status != Status::Created) {
                self.status_line(*run)?;
            }
            self.statuses.insert(*run, *status);
        }
        if is_much {
            let counts = crate::forest::counted(self.forest.rows());
            self.print(&format!("{} runs: {}", runs.len(), tree::summary(&counts)))?;
        }
        Ok(())
    }

    /// One line a status: time, run, status, why or what came out.
    fn status_line(&mut self, run: RunId) -> Result<(), Failure> {
        let Some(row) = self.forest.get(run) else { return Ok(()) };
        let (status, word) = (row.status, row.word());
        if self.statuses.insert(run, status) == Some(status) {
            return Ok(());
        }
        let stream = self.stream();
        let style = self.session.printer.style(stream);
        let now = jiff::Zoned::now().strftime("%H:%M:%S").to_string();
        let word = style.as_status(status, &style::glyph(status, word, env::is_unicode()));
        let detail = self.detail(row);
        let line = format!("{} {}  {word}  {}", style.dim(&now), self.forest.path(run), style.dim(&detail));
        self.print(line.trim_end())
    }

    fn detail(&self, row: &TreeRow) -> String {
        let value = row.parent.and_then(|parent| self.forest.get(parent)?.metric.as_ref()).zip(row.value);
        let value = value.map(|(metric, value)| format!("{} {}", metric.name, tree::number(value)));
        let value = value.filter(|_| row.status.is_done());
        tree::why(row).or(value).or_else(|| tree::reused(row)).unwrap_or_default()
    }

    fn stream(&self) -> Stream {
        match self.view {
            View::People(stream) => stream,
            View::Json => Stream::Data,
        }
    }

    fn print(&self, text: &str) -> Result<(), Failure> {
        match self.stream() {
            Stream::Data => self.session.printer.line(text),
            Stream::Error => {
                self.session.printer.note(text);
                Ok(())
            }
        }
    }

    fn frame(&mut self) {
        self.last_frame = Instant::now();
        self.is_stale = false;
        let stream = self.stream();
        let Some(screen) = self.screen.as_mut().filter(|_| self.is_complete) else { return };
        let size = screen.size();
        let look = Look { style: self.session.printer.style(stream), unicode: env::is_unicode() };
        screen.draw(&tree::draw(&self.forest, size, &look, jiff::Timestamp::now().into()), size.width);
    }

    /// The tree has no room for what is wrong with a search.
    fn warn_of_metrics(&self) {
        if self.screen.is_none() {
            return;
        }
        for row in self.forest.rows().filter(|row| row.lacks_metric()) {
            let message = row.message.as_deref().unwrap_or_default();
            self.session.printer.warning(&format!("{}: {message}", self.forest.path(row.uuid)));
        }
    }

    /// Leaves what was drawn, for something else is to be said.
    fn pause(&mut self) {
        if let Some(screen) = &mut self.screen {
            screen.release();
        }
    }
}
