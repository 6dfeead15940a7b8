//! `matrix`: one operation run many times with other params.

use super::EARLY_STOPPING;
use super::hyper_parameter::HYPER_PARAMETERS;
use super::param::FULL_PARAM;
use crate::decode::report;
use crate::diagnostic::{Diagnostic, codes};
use crate::node::Node;
use crate::section::{Field, Section, Type, field};

pub const MATRICES: &[(&str, &Section)] = &[
    ("mapping", &MAPPING),
    ("grid", &GRID),
    ("random", &RANDOM),
    ("hyperband", &HYPERBAND),
    ("asha", &ASHA),
    ("bayes", &BAYES),
    ("tpe", &TPE),
    ("iterative", &ITERATIVE),
    ("hyperopt", &HYPEROPT),
];

const OPTIMIZATION: Type = Type::Enum(&["maximize", "minimize"]);

const fn kind(words: &'static [&'static str]) -> Field {
    field("kind", Type::Enum(words), "The kind of search.", words[0])
}

const fn params() -> Field {
    field(
        "params",
        Type::Map(&Type::Kinded(HYPER_PARAMETERS)),
        "The hyper-parameters by name.",
        "{lr: {kind: choice, value: [0.1, 0.01]}}",
    )
}

const fn concurrency() -> Field {
    field("concurrency", Type::PositiveInt, "How many runs go on at once.", "4")
}

const fn early_stopping() -> Field {
    field(
        "earlyStopping",
        Type::List(&Type::Kinded(EARLY_STOPPING)),
        "When the search stops before its end.",
        "[{kind: failure_early_stopping, percent: 50}]",
    )
    .template()
}

const fn seed() -> Field {
    field("seed", Type::IntStrict, "Makes the choices repeatable.", "42").template()
}

const fn tuner() -> Field {
    field("tuner", Type::Section(&TUNER), "The component that makes the suggestions.", "{hubRef: my-tuner}")
}

const fn metric() -> Field {
    field("metric", Type::Section(&METRIC), "What to optimize.", "{name: loss, optimization: minimize}")
}

const OBJECTIVE: Type = Type::Section(&METRIC);

const fn objectives() -> Field {
    field(
        "objectives",
        Type::List(&OBJECTIVE),
        "Further metrics: the search looks for the best compromises between all.",
        "[{name: latency, optimization: minimize}]",
    )
}

const fn warm_start() -> Field {
    field(
        "warmStart",
        Type::Section(&WARM_START),
        "Earlier runs to learn from, found once when the search begins.",
        "{query: \"tags: baseline\"}",
    )
}

const fn max_iterations() -> Field {
    field("maxIterations", Type::PositiveInt, "How many rounds of suggestions there are.", "20")
}

const fn num_runs() -> Field {
    field("numRuns", Type::PositiveInt, "How many runs there are at most.", "20")
}

static MAPPING: Section = Section {
    name: "mapping",
    doc: "Runs once for each given set of values.",
    fields: &[
        kind(&["mapping"]),
        field("values", Type::List(&Type::AnyMap), "The sets of values.", "[{lr: 0.1}, {lr: 0.2}]")
            .required()
            .template(),
        concurrency(),
        early_stopping(),
    ],
    check: None,
};

static GRID: Section = Section {
    name: "grid search",
    doc: "Runs once for each combination of values.",
    fields: &[kind(&["grid"]), params().required(), num_runs(), concurrency(), early_stopping()],
    check: Some(refuse_distributions),
};

static RANDOM: Section = Section {
    name: "random search",
    doc: "Runs with values chosen at random.",
    fields: &[
        kind(&["random"]),
        params().required().template(),
        num_runs().required(),
        seed(),
        concurrency(),
        early_stopping(),
    ],
    check: None,
};

static HYPERBAND: Section = Section {
    name: "hyperband",
    doc: "Starts many short runs and goes on with the best.",
    fields: &[
        kind(&["hyperband"]),
        params().template(),
        max_iterations(),
        field("eta", Type::NonNegativeFloat, "The share of runs that goes on is one in `eta`.", "3").template(),
        field(
            "resource",
            Type::Section(&RESOURCE),
            "What the runs get more of from round to round.",
            "{name: epochs, type: int}",
        ),
        metric(),
        field("resume", Type::Bool, "Runs that get more go on with the files of the old ones.", "true")
            .template()
            .default("false"),
        seed(),
        concurrency(),
        tuner(),
        early_stopping(),
    ],
    check: None,
};

/// Ours: earlier versions do not have it.
static ASHA: Section = Section {
    name: "asha",
    doc: "Starts many short runs and goes on with the best at once, without waiting for the others.",
    fields: &[
        kind(&["asha"]),
        params().required().template(),
        metric().required(),
        field(
            "resource",
            Type::Section(&RESOURCE),
            "What a run gets more of each time it is among the best.",
            "{name: epochs, type: int}",
        )
        .required(),
        field("minResource", Type::NonNegativeFloat, "What a run gets of it at first.", "1").template().default("1"),
        field("maxIterations", Type::PositiveInt, "What a run gets of it at most.", "81").required().template(),
        field("eta", Type::NonNegativeFloat, "One in `eta` runs goes on, with `eta` times as much.", "3")
            .required()
            .template(),
        field("numRuns", Type::PositiveInt, "How many runs start with new values.", "50").required().template(),
        field("resume", Type::Bool, "Runs that get more go on with the files of the old ones.", "true")
            .template()
            .default("false"),
        seed(),
        concurrency(),
        early_stopping(),
    ],
    check: None,
};

static BAYES: Section = Section {
    name: "bayesian optimization",
    doc: "Runs with values that a model of the metric suggests.",
    fields: &[
        kind(&["bayes"]),
        field(
            "utilityFunction",
            Type::Section(&UTILITY_FUNCTION),
            "How suggestions are rated.",
            "{acquisitionFunction: ucb, kappa: 1.2}",
        ),
        field("numInitialRuns", Type::PositiveInt, "How many runs start at random.", "10").required().template(),
        max_iterations().required().template(),
        metric().required(),
        params().required(),
        warm_start(),
        seed(),
        concurrency().template(),
        tuner().template(),
        early_stopping(),
    ],
    check: None,
};

static TPE: Section = Section {
    name: "tpe",
    doc: "Runs with values that a tree of Parzen estimators suggests.",
    fields: &[
        kind(&["tpe"]),
        field("maxIterations", Type::IntStrict, "How many rounds of suggestions there are.", "20").template(),
        metric().required(),
        params().required().template(),
        objectives(),
        warm_start(),
        num_runs(),
        seed(),
        concurrency(),
        tuner(),
        early_stopping(),
    ],
    check: None,
};

static ITERATIVE: Section = Section {
    name: "iterative search",
    doc: "Runs with values that a component of yours suggests.",
    fields: &[
        kind(&["iterative"]),
        params().template(),
        max_iterations().required(),
        seed(),
        concurrency(),
        tuner(),
        early_stopping(),
    ],
    check: None,
};

/// With `algorithm: tpe` it is read as `tpe`: see [`super::old`].
static HYPEROPT: Section = Section {
    name: "hyperopt",
    doc: "The old form of `tpe`, kept for its other two algorithms.",
    fields: &[
        kind(&["hyperopt"]),
        field("algorithm", Type::Enum(&["tpe", "rand", "anneal"]), "How suggestions are made.", "anneal")
            .default("tpe"),
        field("maxIterations", Type::IntStrict, "How many rounds of suggestions there are.", "20").template(),
        metric().required(),
        params().required().template(),
        objectives(),
        warm_start(),
        num_runs().required(),
        seed(),
        concurrency(),
        tuner(),
        early_stopping(),
    ],
    check: None,
};

static METRIC: Section = Section {
    name: "metric",
    doc: "What a search optimizes.",
    fields: &[
        field("name", Type::Str, "The name of an output.", "loss").required(),
        field("optimization", OPTIMIZATION, "Whether it should grow or shrink.", "minimize"),
    ],
    check: None,
};

static WARM_START: Section = Section {
    name: "warm start",
    doc: "Earlier runs that a search learns from, as if they were its own.",
    fields: &[
        field(
            "query",
            Type::Str,
            "The runs of the project, as in `polyaxon ops ls -q`.",
            "'tags: baseline, status: succeeded'",
        )
        .required(),
        field("limit", Type::PositiveInt, "How many runs at most, the latest first.", "100").default("500"),
    ],
    check: None,
};

static RESOURCE: Section = Section {
    name: "resource",
    doc: "What runs of hyperband get more of from round to round.",
    fields: &[
        field("name", Type::Str, "The name of an input.", "epochs").required(),
        field("type", Type::Enum(&["int", "float"]), "Its type.", "int"),
    ],
    check: None,
};

pub static TUNER: Section = Section {
    name: "tuner",
    doc: "The component that makes suggestions for a search.",
    fields: &[
        field("hubRef", Type::Str, "The component.", "my-tuner").required(),
        field("presets", Type::List(&Type::Str), "Presets of the tuner.", "[small]").template(),
        field("queue", Type::Str, "The queue of the tuner.", "agent/tuners"),
        field("namespace", Type::Str, "The namespace of the tuner.", "tuners"),
        field("params", Type::Map(&FULL_PARAM), "Params of the tuner, in full form.", "{depth: {value: 3}}").template(),
    ],
    check: None,
};

static UTILITY_FUNCTION: Section = Section {
    name: "utility function",
    doc: "How suggestions are rated.",
    fields: &[
        field("acquisitionFunction", Type::Enum(&["ucb", "ei", "poi"]), "The rule.", "ucb").default("ucb"),
        field("gaussianProcess", Type::Section(&GAUSSIAN_PROCESS), "The model of the metric.", "{kernel: matern}"),
        field("kappa", Type::Float, "Needed by `ucb`: how much the unknown is worth.", "1.2"),
        field("eps", Type::Float, "Needed by `ei` and `poi`: how much the unknown is worth.", "0.01"),
        field("numWarmup", Type::Int, "How many points are tried first.", "1000"),
        field("numIterations", Type::Int, "How many points are refined.", "10"),
    ],
    check: Some(check_utility_function),
};

static GAUSSIAN_PROCESS: Section = Section {
    name: "gaussian process",
    doc: "The model of the metric.",
    fields: &[
        field("kernel", Type::Enum(&["rbf", "matern"]), "How near points resemble each other.", "matern")
            .default("matern"),
        field("lengthScale", Type::Float, "How far the resemblance reaches.", "1.0").default("1.0"),
        field("nu", Type::Float, "The smoothness of `matern`.", "1.5").default("1.5"),
        field("numRestartsOptimizer", Type::Int, "How often the fit is started again.", "2").default("0"),
    ],
    check: None,
};

fn check_utility_function(function: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let rule = match function.get("acquisitionFunction") {
        None => "ucb",
        Some(rule) => rule.as_str().unwrap_or_default(),
    };
    let needed = match rule {
        "ucb" => "kappa",
        "ei" | "poi" => "eps",
        _ => return,
    };
    if function.get(needed).is_none_or(Node::is_null) {
        let message = format!("`{path}` lacks `{needed}`, which the rule `{rule}` needs");
        diagnostics.push(
            Diagnostic::error(codes::VALUE, report::start(function), message)
                .label(format!("`{needed}` is missing here"))
                .path(report::join(path, needed))
                .help(format!("add `{needed}: 0.1`")),
        );
    }
}

const DISTRIBUTIONS: &[&str] =
    &["pchoice", "uniform", "quniform", "loguniform", "qloguniform", "normal", "qnormal", "lognormal", "qlognormal"];

fn refuse_distributions(matrix: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let is_distribution = |kind: &Node| kind.as_str().is_some_and(|kind| DISTRIBUTIONS.contains(&kind));
    let Some(params) = matrix.get("params").and_then(Node::as_map) else { return };
    for (name, param) in params.iter() {
        let Some(kind) = param.get("kind").filter(|kind| is_distribution(kind)) else { continue };
        let message = format!("`{}` has the kind {}, which a grid search cannot use", name.text, report::shown(kind));
        diagnostics.push(
            Diagnostic::error(codes::MATRIX_DISTRIBUTION, kind.span, message)
                .label("a distribution")
                .path(report::join(&report::join(path, "params"), &name.text))
                .help("use `choice`, a range or a space, or another kind of search"),
        );
    }
}
