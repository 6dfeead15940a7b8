//! The status history of a run, read once or followed: our own stream when the server has it, polling otherwise.

use std::collections::VecDeque;
use std::time::Duration;

use polyaxon_model::run::DEFAULT_NAMESPACE;
use polyaxon_model::status::Status;
use serde_json::{Value, json};

use crate::error::Error;
use crate::http::{Client, Place};
use crate::ndjson::Lines;
use crate::runs::address;

/// The answer of the statuses call, whole.
pub async fn get(client: &Client, place: &Place, uuid: &str) -> Result<Value, Error> {
    client.get(&address(client, place, uuid, "statuses"), &[]).await
}

/// Asks the server to tell a connection what happened to a run.
pub async fn notify(
    client: &Client,
    place: &Place,
    uuid: &str,
    connection: &str,
    condition: Value,
) -> Result<(), Error> {
    let body = json!({ "condition": condition, "connections": [connection] });
    client.post(&client.streams(DEFAULT_NAMESPACE, place, uuid, "notify"), &body).await.map(drop)
}

/// The conditions of a run in order, as they come.
pub struct Follow {
    client: Client,
    place: Place,
    uuid: String,
    poll_every: Duration,
    source: Source,
    /// Conditions that the caller has; a new connection starts from the first one again.
    seen: usize,
    waiting: VecDeque<Value>,
    last: Option<Status>,
}

enum Source {
    Unopened,
    Stream { lines: Lines, position: usize },
    Poll { first: bool },
}

impl Follow {
    pub fn new(client: &Client, place: &Place, uuid: &str, poll_every: Duration) -> Follow {
        Follow {
            client: client.clone(),
            place: place.clone(),
            uuid: uuid.to_owned(),
            poll_every,
            source: Source::Unopened,
            seen: 0,
            waiting: VecDeque::new(),
            last: None,
        }
    }

    /// The next condition; `None` when the run is done. After a transient error the call can be repeated.
    pub async fn next(&mut self) -> Result<Option<Value>, Error> {
        loop {
            if let Some(condition) = self.waiting.pop_front() {
                self.seen += 1;
                self.last = condition.get("type").and_then(Value::as_str).and_then(|text| text.parse().ok());
                return Ok(Some(condition));
            }
            match &mut self.source {
                Source::Unopened => self.open().await?,
                Source::Stream { lines, position } => match lines.next().await {
                    Ok(Some(condition)) => {
                        *position += 1;
                        if *position > self.seen {
                            self.waiting.push_back(condition);
                        }
                    }
                    Ok(None) if self.last.is_some_and(Status::is_done) => return Ok(None),
                    // The server went away in mid-run: the caller decides how long to wait for it.
                    Ok(None) => self.source = Source::Poll { first: true },
                    Err(source) => {
                        self.source = Source::Unopened;
                        return Err(self.client.broken(source));
                    }
                },
                Source::Poll { first } => {
                    if self.last.is_some_and(Status::is_done) {
                        return Ok(None);
                    }
                    if !std::mem::take(first) {
                        tokio::time::sleep(self.poll_every).await;
                    }
                    let json = get(&self.client, &self.place, &self.uuid).await?;
                    let conditions = json.get("status_conditions").and_then(Value::as_array).cloned();
                    self.waiting.extend(conditions.unwrap_or_default().into_iter().skip(self.seen));
                    if self.waiting.is_empty() && is_done(&json) {
                        return Ok(None);
                    }
                }
            }
        }
    }

    async fn open(&mut self) -> Result<(), Error> {
        let url = address(&self.client, &self.place, &self.uuid, "statuses/follow");
        self.source = match self.client.open(&url, &[]).await {
            Ok(response) => Source::Stream { lines: Lines::new(response), position: 0 },
            Err(error) if error.is_unknown_endpoint() => Source::Poll { first: true },
            Err(error) => return Err(error),
        };
        Ok(())
    }
}

fn is_done(json: &Value) -> bool {
    json.get("status").and_then(Value::as_str).and_then(|text| text.parse().ok()).is_some_and(Status::is_done)
}
