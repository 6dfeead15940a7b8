//! Reads a matrix: the document's section into settings of a search.

use polyaxon_spec::decode;
use polyaxon_spec::diagnostic::Diagnostic;
use polyaxon_spec::node::{Node, Value};
use polyaxon_spec::schema::MATRICES;
use polyaxon_spec::spaces::Rows;
use serde_json::Value as Json;

use crate::asha::Asha;
use crate::error::Error;
use crate::gp::Utility;
use crate::hyperband::{Hyperband, Resource};
use crate::space::Space;
use crate::trial::{Goal, Objective};

/// The kinds of search, in the order of the manual.
pub(crate) const KINDS: &[&str] =
    &["mapping", "grid", "random", "hyperband", "asha", "bayes", "tpe", "hyperopt", "iterative"];

/// A matrix, read.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) kind: Kind,
    pub(crate) space: Space,
    pub(crate) objectives: Vec<Objective>,
    pub(crate) seed: Option<i64>,
    /// How many trials go on at once, when the file says it.
    pub(crate) concurrency: Option<u64>,
    /// Trials that get more of the resource go on with what they have.
    pub(crate) resumes: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// The rows of a mapping, or of a grid without conditions.
    Rows(Rows),
    /// A grid some of whose rows are the same, because their parameters differ only where they are off.
    ConditionalGrid {
        limit: u64,
    },
    Random {
        runs: u64,
    },
    Hyperband(Hyperband),
    Asha(Asha),
    Model {
        model: Model,
        rounds: Rounds,
    },
}

/// How a search that proceeds in rounds makes suggestions.
#[derive(Clone, Debug)]
pub(crate) enum Model {
    Chance,
    Tpe,
    Anneal,
    Bayes(Utility),
}

/// The budget of a search in rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rounds {
    /// The trials of the first round.
    pub(crate) first: u64,
    /// The trials of each later round.
    pub(crate) later: u64,
    /// The number of rounds, with the first.
    pub(crate) count: u64,
}

impl Rounds {
    pub(crate) fn total(self) -> u64 {
        self.first.saturating_add(self.later.saturating_mul(self.count.saturating_sub(1)))
    }

    /// The round of a trial.
    pub(crate) fn of(self, index: u64) -> u64 {
        if index < self.first { 0 } else { 1 + (index - self.first) / self.later.max(1) }
    }
}

/// Checks and converts a matrix as it came over the wire, whose templates were rendered.
pub fn section_of(matrix: &Json) -> Result<Node, Error> {
    let mut node = Node::from_json(matrix);
    let kind = node.get("kind").and_then(Node::as_str).unwrap_or_default().to_owned();
    if kind == "hyperopt" && node.get("algorithm").is_none() {
        if let Some(map) = node.as_map_mut() {
            map.insert("algorithm", Node::string("tpe"));
        }
    }
    let section = MATRICES.iter().find(|(name, _)| *name == kind);
    let (_, section) = section.ok_or_else(|| Error::Kind(format!("`{kind}`")))?;
    let mut diagnostics = Vec::new();
    decode::section(section, &mut node, "matrix", &mut diagnostics);
    let errors: Vec<String> = diagnostics.iter().filter(|found| found.is_error()).map(sentence).collect();
    if errors.is_empty() { Ok(node) } else { Err(Error::Document(errors.join("\n"))) }
}

fn sentence(diagnostic: &Diagnostic) -> String {
    match &diagnostic.help {
        Some(help) => format!("{}; {help}", diagnostic.message),
        None => diagnostic.message.clone(),
    }
}

impl Settings {
    /// Reads a canonical matrix.
    pub(crate) fn read(matrix: &Node) -> Result<Settings, Error> {
        let kind = matrix.get("kind").and_then(Node::as_str).unwrap_or_default();
        let space = Space::read(matrix.get("params"))?;
        let mut objectives: Vec<Objective> = matrix.get("metric").and_then(objective).into_iter().collect();
        let others = matrix.get("objectives").and_then(Node::as_list).unwrap_or_default();
        objectives.extend(others.iter().filter_map(objective));
        if objectives.is_empty() && matches!(kind, "bayes" | "tpe" | "hyperopt" | "hyperband" | "asha") {
            return Err(missing(kind, "metric", "the name of an output and whether to minimize it"));
        }
        Ok(Settings {
            kind: read_kind(kind, matrix, &space)?,
            space,
            objectives,
            seed: integer(matrix, "seed")?,
            concurrency: count(matrix, "concurrency")?,
            resumes: matrix.get("resume").and_then(Node::as_bool) == Some(true),
        })
    }
}

fn read_kind(kind: &str, matrix: &Node, space: &Space) -> Result<Kind, Error> {
    let needed =
        |field: &'static str| count(matrix, field)?.ok_or_else(|| missing(kind, field, "a whole number above 0"));
    let model = |model| -> Result<Kind, Error> {
        let runs = needed("numRuns")?;
        let count = count(matrix, "maxIterations")?.unwrap_or(1);
        Ok(Kind::Model { model, rounds: Rounds { first: runs, later: runs, count } })
    };
    match kind {
        "mapping" => rows(matrix),
        "grid" if space.parameters.iter().all(|parameter| parameter.conditions.is_empty()) => rows(matrix),
        "grid" => Ok(Kind::ConditionalGrid { limit: count(matrix, "numRuns")?.unwrap_or(u64::MAX) }),
        "random" => Ok(Kind::Random { runs: needed("numRuns")? }),
        "hyperband" => Ok(Kind::Hyperband(Hyperband {
            most: needed("maxIterations")?,
            eta: eta(kind, matrix)?,
            resource: resource(kind, matrix)?,
        })),
        "asha" => Asha::new(
            number(matrix, "minResource").unwrap_or(1.0),
            needed("maxIterations")? as f64,
            eta(kind, matrix)?,
            needed("numRuns")?,
            resource(kind, matrix)?,
        )
        .map(Kind::Asha),
        "tpe" => model(Model::Tpe),
        "hyperopt" => match matrix.get("algorithm").and_then(Node::as_str) {
            Some("rand") => model(Model::Chance),
            Some("anneal") => model(Model::Anneal),
            _ => model(Model::Tpe),
        },
        "iterative" => Ok(Kind::Model {
            model: Model::Chance,
            rounds: Rounds { first: 1, later: 1, count: needed("maxIterations")? },
        }),
        "bayes" => Ok(Kind::Model {
            model: Model::Bayes(utility(matrix.get("utilityFunction"))),
            rounds: Rounds { first: needed("numInitialRuns")?, later: 1, count: 1 + needed("maxIterations")? },
        }),
        other => Err(Error::Kind(format!("`{other}`"))),
    }
}

fn rows(matrix: &Node) -> Result<Kind, Error> {
    let rows = Rows::of(matrix).ok_or(Error::Field {
        field: "params",
        found: "not a set of listed values".to_owned(),
        expected: "choices, ranges or spaces in a grid, rows in a mapping",
    })?;
    Ok(Kind::Rows(rows))
}

fn objective(metric: &Node) -> Option<Objective> {
    let name = metric.get("name")?.as_str()?.to_owned();
    let goal = match metric.get("optimization").and_then(Node::as_str) {
        Some("minimize") => Goal::Minimize,
        _ => Goal::Maximize,
    };
    Some(Objective { name, goal })
}

fn resource(kind: &str, matrix: &Node) -> Result<Resource, Error> {
    let resource = matrix.get("resource");
    let name = resource.and_then(|resource| resource.get("name")).and_then(Node::as_str);
    let name = name.ok_or_else(|| missing(kind, "resource", "the input that later stages get more of"))?;
    let is_whole = resource.and_then(|resource| resource.get("type")).and_then(Node::as_str) != Some("float");
    Ok(Resource { name: name.to_owned(), is_whole })
}

fn eta(kind: &str, matrix: &Node) -> Result<f64, Error> {
    let eta = number(matrix, "eta").ok_or_else(|| missing(kind, "eta", "a number above 1"))?;
    if eta > 1.0 && eta.is_finite() {
        return Ok(eta);
    }
    Err(Error::Field { field: "eta", found: eta.to_string(), expected: "a number above 1" })
}

fn utility(function: Option<&Node>) -> Utility {
    use crate::gp::{Acquisition, Smoothness};
    let default = Utility::default();
    let Some(function) = function else { return default };
    let process = function.get("gaussianProcess");
    let of_process = |name: &str| process.and_then(|process| number(process, name));
    let kernel = process.and_then(|process| process.get("kernel")).and_then(Node::as_str);
    let smoothness = match (kernel, of_process("nu")) {
        (Some("rbf"), _) => Smoothness::Infinite,
        (_, Some(nu)) => Smoothness::at_least(nu),
        (_, None) => default.smoothness,
    };
    let eps = number(function, "eps").unwrap_or(0.0);
    Utility {
        acquisition: match function.get("acquisitionFunction").and_then(Node::as_str) {
            Some("ei") => Acquisition::ExpectedImprovement { eps },
            Some("poi") => Acquisition::ProbabilityOfImprovement { eps },
            _ => Acquisition::UpperBound { kappa: number(function, "kappa").unwrap_or(1.2) },
        },
        smoothness,
        length_scale: of_process("lengthScale").filter(|scale| *scale > 0.0).unwrap_or(default.length_scale),
        restarts: of_process("numRestartsOptimizer").map_or(0, |restarts| restarts.clamp(0.0, 20.0) as usize),
        warmup: number(function, "numWarmup").map_or(0, |points| points.clamp(0.0, 20_000.0) as usize),
        refined: number(function, "numIterations").map_or(default.refined, |points| points.clamp(1.0, 50.0) as usize),
    }
}

fn missing(kind: &str, field: &'static str, expected: &'static str) -> Error {
    Error::Missing { kind: kind.to_owned(), field, expected }
}

fn number(node: &Node, field: &str) -> Option<f64> {
    match node.get(field)?.value {
        Value::Int(value) => Some(value as f64),
        Value::Float(value) => Some(value),
        _ => None,
    }
}

fn integer(matrix: &Node, field: &'static str) -> Result<Option<i64>, Error> {
    let Some(node) = matrix.get(field).filter(|node| !node.is_null()) else { return Ok(None) };
    let found = || Error::Field { field, found: node.to_json().to_string(), expected: "a whole number" };
    node.as_int().and_then(|value| i64::try_from(value).ok()).map(Some).ok_or_else(found)
}

/// A count, when it is there; less than 1 and templates that were not rendered are refused.
fn count(matrix: &Node, field: &'static str) -> Result<Option<u64>, Error> {
    match integer(matrix, field)? {
        None => Ok(None),
        Some(value) if value >= 1 => Ok(Some(value.unsigned_abs())),
        Some(value) => Err(Error::Field { field, found: value.to_string(), expected: "a whole number above 0" }),
    }
}
