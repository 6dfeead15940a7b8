//! `termination`: when a run is retried, stopped or cleaned up.

use super::kubernetes::{EXEC_ACTION, HTTP_ACTION, POD_FAILURE_POLICY};
use crate::section::{Section, Type, field};

pub static TERMINATION: Section = Section {
    name: "termination",
    doc: "When a run is retried, stopped or cleaned up.",
    fields: &[
        field("maxRetries", Type::IntStrict, "How often a failed run is started again.", "3").template().default("0"),
        field("ttl", Type::IntStrict, "Seconds after which the traces of a finished run are removed.", "1000")
            .template(),
        field("timeout", Type::IntStrict, "Seconds after which a run is stopped.", "3600").template(),
        field("culling", Type::Section(&CULLING), "Stops a service that nobody uses.", "{timeout: 3600}"),
        field(
            "probe",
            Type::Section(&PROBE),
            "How to find out whether a service is used.",
            "{http: {path: /api/status, port: 8888}}",
        ),
        field(
            "podFailurePolicy",
            Type::Kubernetes(&POD_FAILURE_POLICY),
            "Which failures of a pod count (Kubernetes).",
            "{rules: [{action: Ignore, onPodConditions: [{type: DisruptionTarget}]}]}",
        )
        .template(),
    ],
    check: None,
};

static CULLING: Section = Section {
    name: "culling",
    doc: "Stops a service that nobody uses.",
    fields: &[field("timeout", Type::Int, "Seconds without activity after which the service is stopped.", "3600")],
    check: None,
};

static PROBE: Section = Section {
    name: "activity probe",
    doc: "How to find out whether a service is used.",
    fields: &[
        field(
            "exec",
            Type::Kubernetes(&EXEC_ACTION),
            "A command that succeeds while the service is used.",
            "{command: [\"./is-used.sh\"]}",
        ),
        field(
            "http",
            Type::Kubernetes(&HTTP_ACTION),
            "A request that succeeds while the service is used.",
            "{path: /api/status, port: 8888}",
        ),
    ],
    check: None,
};
