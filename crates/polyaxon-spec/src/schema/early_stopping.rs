//! `earlyStopping`: when a search stops before its end.

use crate::section::{Field, Section, Type, field};

pub const EARLY_STOPPING: &[(&str, &Section)] =
    &[("metric_early_stopping", &METRIC), ("failure_early_stopping", &FAILURE)];

pub const STOPPING_POLICIES: &[(&str, &Section)] = &[("median", &MEDIAN), ("truncation", &TRUNCATION), ("diff", &DIFF)];

static METRIC: Section = Section {
    name: "metric early stopping",
    doc: "Stops the search when a metric reaches a value.",
    fields: &[
        field("kind", Type::Enum(&["metric_early_stopping"]), "The kind of early stopping.", "metric_early_stopping"),
        field("metric", Type::Str, "The metric to watch.", "loss").required(),
        field("value", Type::Float, "The value to reach.", "0.1").required().template(),
        field(
            "optimization",
            Type::Either(&Type::Enum(&["maximize", "minimize"]), &Type::Number),
            "Whether the metric should grow or shrink.",
            "minimize",
        )
        .required(),
        field(
            "policy",
            Type::Kinded(STOPPING_POLICIES),
            "Stops single runs that do worse than others, while the search goes on.",
            "{kind: median, evaluationInterval: 1}",
        ),
    ],
    check: None,
};

static FAILURE: Section = Section {
    name: "failure early stopping",
    doc: "Stops the search when too many runs fail.",
    fields: &[
        field("kind", Type::Enum(&["failure_early_stopping"]), "The kind of early stopping.", "failure_early_stopping"),
        field("percent", Type::Float, "The share of failed runs, in percent.", "50").required().template(),
    ],
    check: None,
};

const fn interval() -> Field {
    field("evaluationInterval", Type::IntStrict, "Runs are compared at each multiple of this step.", "1").template()
}

const fn min_interval() -> Field {
    field("minInterval", Type::IntStrict, "The step before which no run is stopped.", "5").template()
}

const fn min_samples() -> Field {
    field("minSamples", Type::IntStrict, "Other runs that must have reached the step.", "3").template()
}

const fn percent() -> Field {
    field("percent", Type::Float, "The share of runs to stop, in percent.", "50").required().template()
}

static MEDIAN: Section = Section {
    name: "median policy",
    doc: "Stops runs whose best value is worse than the median of the means of the others.",
    fields: &[
        field("kind", Type::Enum(&["median"]), "The kind of policy.", "median"),
        interval(),
        min_interval(),
        min_samples(),
    ],
    check: None,
};

static TRUNCATION: Section = Section {
    name: "truncation policy",
    doc: "Stops a share of the worst runs.",
    fields: &[
        field("kind", Type::Enum(&["truncation"]), "The kind of policy.", "truncation"),
        percent(),
        interval().required(),
        min_interval(),
        min_samples(),
        field("includeSucceeded", Type::Bool, "Compares with succeeded runs too.", "true").template(),
    ],
    check: None,
};

static DIFF: Section = Section {
    name: "diff policy",
    doc: "Stops runs that are worse than the best one by a share.",
    fields: &[
        field("kind", Type::Enum(&["diff"]), "The kind of policy.", "diff"),
        percent(),
        interval().required(),
        min_interval(),
        min_samples(),
    ],
    check: None,
};
