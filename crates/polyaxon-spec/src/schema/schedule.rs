//! `schedule`: when an operation runs again.

use crate::section::{Field, Section, Type, field};

pub const SCHEDULES: &[(&str, &Section)] = &[("cron", &CRON), ("interval", &INTERVAL), ("datetime", &DATETIME)];

const fn start() -> Field {
    field("startAt", Type::DateTime, "The first moment.", "2030-01-01T09:00:00Z").template()
}

const fn end() -> Field {
    field("endAt", Type::DateTime, "The last moment.", "2030-12-31T00:00:00Z").template()
}

const fn max_runs() -> Field {
    field("maxRuns", Type::IntStrict, "How many runs are started at most.", "10").template()
}

const fn depends_on_past() -> Field {
    field("dependsOnPast", Type::Bool, "Waits until the run before has ended.", "true").template().default("false")
}

const fn catch_up() -> Field {
    field(
        "catchup",
        Type::Enum(&["all", "latest", "none"]),
        "What becomes of runs whose time passed while no server was there.",
        "latest",
    )
    .default("all")
}

const fn timezone() -> Field {
    field("timezone", Type::Str, "The time zone that the times are meant in.", "Europe/Berlin").default("UTC")
}

static CRON: Section = Section {
    name: "cron schedule",
    doc: "Runs at the times of a cron expression.",
    fields: &[
        field("kind", Type::Enum(&["cron"]), "The kind of schedule.", "cron"),
        field("cron", Type::Str, "The cron expression.", "\"0 6 * * *\"").required(),
        start(),
        end(),
        max_runs(),
        depends_on_past(),
        catch_up(),
        timezone(),
    ],
    check: None,
};

static INTERVAL: Section = Section {
    name: "interval schedule",
    doc: "Runs after every interval.",
    fields: &[
        field("kind", Type::Enum(&["interval"]), "The kind of schedule.", "interval"),
        field("frequency", Type::TimeDelta, "The time between two runs.", "3600").required().template(),
        start(),
        end(),
        max_runs(),
        depends_on_past(),
        catch_up(),
    ],
    check: None,
};

static DATETIME: Section = Section {
    name: "datetime schedule",
    doc: "Runs once, at a given time.",
    fields: &[field("kind", Type::Enum(&["datetime"]), "The kind of schedule.", "datetime"), start().required()],
    check: None,
};
