//! `events`: what starts an operation beside the end of another one.

use crate::section::{Section, Type, field};

const KINDS: &[&str] = &[
    "run_status_created",
    "run_status_resuming",
    "run_status_compiled",
    "run_status_on_schedule",
    "run_status_queued",
    "run_status_scheduled",
    "run_status_starting",
    "run_status_running",
    "run_status_processing",
    "run_status_stopping",
    "run_status_failed",
    "run_status_stopped",
    "run_status_succeeded",
    "run_status_skipped",
    "run_status_warning",
    "run_status_unschedulable",
    "run_status_upstream_failed",
    "run_status_retrying",
    "run_status_unknown",
    "run_status_done",
    "run_approved_actor",
    "run_invalidated_actor",
    "run_new_artifacts",
    "connection_git_commit",
    "connection_dataset_version",
    "connection_registry_image",
    "alert_info",
    "alert_warning",
    "alert_critical",
    "model_version_new_metric",
    "project_custom_event",
    "org_custom_event",
];

pub static EVENT_TRIGGER: Section = Section {
    name: "event trigger",
    doc: "Starts the operation as soon as one of the kinds happens to a run, which need not have ended. Acting kinds are \
          `run_status_*`, `run_new_artifacts`, `run_approved_actor` and `run_invalidated_actor`; the others are accepted \
          and never happen.",
    fields: &[
        field(
            "kinds",
            Type::List(&Type::Either(&Type::Enum(KINDS), &Type::Template)),
            "What must happen.",
            "[run_status_succeeded]",
        )
        .required(),
        field(
            "ref",
            Type::Str,
            "Where it must happen: `ops.NAME`, an operation of the same dag, or `runs.UUID`.",
            "ops.train",
        )
        .required(),
    ],
    check: None,
};
