//! The protocol of `polyaxon tuner serve`: one JSON object a line in, one out. Reading and writing is the caller's.
//!
//! Every request carries the whole history, so an answer depends on its request only; the search of the request before
//! is kept because making it again takes time.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::read::section_of;
use crate::search::Search;
use crate::space::Configuration;
use crate::trial::{Outcome, Trial};

/// What the other side of the protocol sends.
#[derive(Debug, Deserialize)]
struct Request {
    #[serde(default)]
    id: Json,
    op: String,
    #[serde(default)]
    matrix: Json,
    #[serde(default)]
    configs: Vec<Configuration>,
    /// One metric for each of `configs`, or a list of them; null for a trial that failed.
    #[serde(default)]
    metrics: Vec<Json>,
    /// Values that are being tried.
    #[serde(default)]
    pending: Vec<Configuration>,
    #[serde(default = "one")]
    num: u64,
    seed: Option<i64>,
    #[serde(default)]
    iteration: u64,
    #[serde(default)]
    bracket_iteration: u64,
}

fn one() -> u64 {
    1
}

/// Most suggestions of one request.
const MOST_SUGGESTIONS: u64 = 100_000;

#[derive(Debug, Serialize)]
struct Answer {
    id: Json,
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestions: Option<Vec<Configuration>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// One conversation.
#[derive(Debug, Default)]
pub struct Conversation {
    search: Option<(Json, Option<i64>, Search)>,
}

impl Conversation {
    /// The answer to a line; `None` when the conversation is over.
    pub fn answer(&mut self, line: &str) -> Option<String> {
        let answer = match serde_json::from_str::<Request>(line) {
            Err(error) => Answer::error(Json::Null, format!("the request cannot be read: {error}")),
            Ok(request) if request.op == "exit" => return None,
            Ok(request) if request.op == "suggest" => {
                let id = request.id.clone();
                match self.suggest(request) {
                    Ok(suggestions) => Answer { id, suggestions: Some(suggestions), error: None },
                    Err(message) => Answer::error(id, message),
                }
            }
            Ok(request) => {
                let message = format!("the operation `{}` is not known; expected `suggest` or `exit`", request.op);
                Answer::error(request.id, message)
            }
        };
        // Values of configurations came as JSON or are finite numbers.
        Some(serde_json::to_string(&answer).unwrap_or_default())
    }

    fn suggest(&mut self, request: Request) -> Result<Vec<Configuration>, String> {
        if request.configs.len() != request.metrics.len() {
            let (configs, metrics) = (request.configs.len(), request.metrics.len());
            return Err(format!("there are {configs} configs and {metrics} metrics; expected as many of both"));
        }
        let is_kept =
            |(matrix, seed, _): &(Json, Option<i64>, Search)| *matrix == request.matrix && *seed == request.seed;
        let kept = self.search.take().filter(is_kept);
        let (matrix, seed, mut search) = match kept {
            Some(kept) => kept,
            None => {
                let section = section_of(&request.matrix).map_err(|error| error.to_string())?;
                // The seed of the request is that of the matrix, if that has none.
                let search = Search::new(&section, request.seed.unwrap_or(0).cast_unsigned());
                (request.matrix, request.seed, search.map_err(|error| error.to_string())?)
            }
        };
        let trial = |configuration, outcome| Trial {
            configuration,
            outcome,
            iteration: request.iteration,
            bracket_iteration: request.bracket_iteration,
        };
        let finished = request.configs.into_iter().zip(&request.metrics);
        let mut trials: Vec<Trial> = finished.map(|(values, metric)| trial(values, outcome(metric))).collect();
        trials.extend(request.pending.into_iter().map(|values| trial(values, Outcome::Pending)));
        let suggestions = search.suggest(&trials, request.num.min(MOST_SUGGESTIONS));
        self.search = Some((matrix, seed, search));
        Ok(suggestions)
    }
}

fn outcome(metric: &Json) -> Outcome {
    let numbers: Option<Vec<f64>> = match metric {
        Json::Array(items) => items.iter().map(Json::as_f64).collect(),
        _ => metric.as_f64().map(|metric| vec![metric]),
    };
    numbers.map_or(Outcome::Failed, Outcome::Succeeded)
}

impl Answer {
    fn error(id: Json, message: String) -> Answer {
        Answer { id, suggestions: None, error: Some(message) }
    }
}
