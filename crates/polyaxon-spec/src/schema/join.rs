//! `joins`: params collected from many runs.

use super::param::FULL_PARAM;
use crate::section::{Section, Type, field};

pub static JOIN: Section = Section {
    name: "join",
    doc: "Collects values of the runs that a query finds; each param becomes a list.",
    fields: &[
        field("ref", Type::Str, "The project or operation to search in.", "ops.search"),
        field("query", Type::Str, "Which runs to take.", "\"metrics.loss:<0.1\"").required(),
        field("sort", Type::Str, "Their order.", "metrics.loss"),
        field("limit", Type::IntStrict, "How many runs to take at most.", "10").template(),
        field("offset", Type::IntStrict, "How many runs to pass over first.", "0").template(),
        field(
            "params",
            Type::Map(&FULL_PARAM),
            "The values to collect, in full form.",
            "{losses: {value: outputs.loss}}",
        )
        .template(),
    ],
    check: None,
};
