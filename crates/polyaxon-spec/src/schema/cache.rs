//! `cache`: whether an equal run that has succeeded may stand for a new one.

use crate::section::{Section, Type, field};

pub static CACHE: Section = Section {
    name: "cache",
    doc: "Reuses the result of an earlier run with the same inputs and the same runtime.",
    fields: &[
        field("disable", Type::Bool, "Always run, even when an equal run has succeeded.", "true")
            .template()
            .default("false"),
        field("ttl", Type::IntStrict, "Seconds for which a result may be reused; for ever when absent.", "36000")
            .template(),
        field("io", Type::List(&Type::Str), "The inputs that must be equal; all when absent.", "[lr, epochs]")
            .template(),
        field(
            "sections",
            Type::List(&Type::Enum(&["containers", "init", "connections"])),
            "The parts of the runtime that must be equal.",
            "[containers, init]",
        )
        .template(),
    ],
    check: None,
};
