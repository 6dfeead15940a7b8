//! The logs of a run, read once or followed: our own stream when the server has it, the official polling otherwise.

use std::collections::VecDeque;
use std::time::Duration;

use polyaxon_model::status::Status;
use serde_json::Value;

use crate::error::Error;
use crate::http::{Client, Place};
use crate::ndjson::Lines;
use crate::statuses;

/// One line of a log, as the server sent it.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine(pub Value);

impl LogLine {
    pub fn text(&self) -> &str {
        self.0.get("value").and_then(Value::as_str).unwrap_or_default()
    }

    pub fn timestamp(&self) -> &str {
        self.0.get("timestamp").and_then(Value::as_str).unwrap_or_default()
    }

    pub fn container(&self) -> &str {
        self.0.get("container").and_then(Value::as_str).unwrap_or_default()
    }
}

/// Whether to wait for lines that do not exist yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Follow,
    Now,
}

/// The lines of a run in order.
pub struct Logs {
    client: Client,
    place: Place,
    namespace: String,
    uuid: String,
    poll_every: Duration,
    mode: Mode,
    source: Source,
    waiting: VecDeque<LogLine>,
    /// Where to continue after a lost connection.
    cursor: Option<String>,
}

enum Source {
    Unopened,
    Stream(Lines),
    Poll(Poll),
    Done,
}

/// The state of the official polling loop.
#[derive(Default)]
struct Poll {
    last_time: Option<String>,
    last_file: Option<String>,
    rounds: u32,
}

impl Logs {
    pub fn new(client: &Client, place: &Place, namespace: &str, uuid: &str, mode: Mode, poll_every: Duration) -> Logs {
        Logs {
            client: client.clone(),
            place: place.clone(),
            namespace: namespace.to_owned(),
            uuid: uuid.to_owned(),
            poll_every,
            mode,
            source: match mode {
                Mode::Follow => Source::Unopened,
                Mode::Now => Source::Poll(Poll::default()),
            },
            waiting: VecDeque::new(),
            cursor: None,
        }
    }

    /// The next line; `None` at the end. After a transient error the call can be repeated.
    pub async fn next(&mut self) -> Result<Option<LogLine>, Error> {
        loop {
            if let Some(line) = self.waiting.pop_front() {
                return Ok(Some(line));
            }
            match &mut self.source {
                Source::Done => return Ok(None),
                Source::Unopened => self.open().await?,
                Source::Stream(lines) => match lines.next().await {
                    Ok(Some(json)) => self.accept(json),
                    Ok(None) => self.source = Source::Unopened,
                    Err(source) => {
                        self.source = Source::Unopened;
                        return Err(self.client.broken(source));
                    }
                },
                Source::Poll(_) => self.poll().await?,
            }
        }
    }

    async fn open(&mut self) -> Result<(), Error> {
        let url = self.client.streams(&self.namespace, &self.place, &self.uuid, "logs/follow");
        let query: Vec<_> = self.cursor.iter().map(|cursor| ("cursor", cursor.clone())).collect();
        self.source = match self.client.open(&url, &query).await {
            Ok(response) => Source::Stream(Lines::new(response)),
            Err(error) if error.is_unknown_endpoint() => Source::Poll(Poll::default()),
            Err(error) => return Err(error),
        };
        Ok(())
    }

    fn accept(&mut self, json: Value) {
        if let Some(cursor) = json.get("cursor").and_then(Value::as_str) {
            self.cursor = Some(cursor.to_owned());
        } else if json.get("done").is_some() {
            self.source = Source::Done;
        } else {
            self.waiting.push_back(LogLine(json));
        }
    }

    /// One round of the official protocol: files of a finished run one by one, or newer lines of a live one.
    async fn poll(&mut self) -> Result<(), Error> {
        let Source::Poll(state) = &mut self.source else { return Ok(()) };
        if self.mode == Mode::Follow && state.rounds > 0 {
            tokio::time::sleep(self.poll_every).await;
        }
        let live = match self.mode {
            Mode::Now if state.rounds > 0 => false,
            _ => {
                let json = statuses::get(&self.client, &self.place, &self.uuid).await?;
                let done = status(&json).is_some_and(Status::is_done);
                if !done && state.last_time.is_none() {
                    let first = json.pointer("/status_conditions/0/last_transition_time").and_then(Value::as_str);
                    state.last_time = first.map(str::to_owned);
                }
                !done
            }
        };
        let mut query = Vec::new();
        query.extend(state.last_time.clone().map(|time| ("last_time", time)));
        query.extend(state.last_file.clone().map(|file| ("last_file", file)));
        query.push(("force", "true".to_owned()));
        let url = self.client.streams(&self.namespace, &self.place, &self.uuid, "logs");
        let answer = self.client.get(&url, &query).await?;
        state.rounds += 1;
        let text = |key: &str| answer.get(key).and_then(Value::as_str).map(str::to_owned);
        let (last_time, last_file) = (text("last_time"), text("last_file"));
        let last_of_files = answer.get("files").and_then(Value::as_array).and_then(|files| files.last()?.as_str());
        let more_files = last_file.is_some() && last_file.as_deref() != last_of_files;
        if let Some(lines) = answer.get("logs").and_then(Value::as_array) {
            self.waiting.extend(lines.iter().cloned().map(LogLine));
        }
        if last_time.is_some() {
            state.last_time = last_time;
        }
        state.last_file = last_file;
        if !more_files && (self.mode == Mode::Now || !live) {
            self.source = Source::Done;
        }
        Ok(())
    }
}

fn status(json: &Value) -> Option<Status> {
    json.get("status").and_then(Value::as_str).and_then(|text| text.parse().ok())
}
