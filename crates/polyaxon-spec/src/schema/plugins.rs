//! `plugins`: what runs around the job of a run.

use super::STATUSES;
use crate::section::{Section, Type, field};

pub static PLUGINS: Section = Section {
    name: "plugins",
    doc: "What runs around the job: collecting logs and artifacts, access to the API, shared memory.",
    fields: &[
        field("auth", Type::Bool, "Gives the job access to the API as its user.", "true").template(),
        field("docker", Type::Bool, "Mounts the Docker socket.", "false").template().default("false"),
        field("shm", Type::Bool, "Mounts shared memory.", "true").template().default("true"),
        field("tmux", Type::Bool, "Makes tmux available in the container.", "false").template().default("false"),
        field("sandbox", Type::Bool, "Turns a service into a sandbox that takes commands.", "true")
            .template()
            .default("false"),
        field("ssh", Type::Bool, "Opens an SSH server in a service.", "true").template().default("false"),
        field("mountArtifactsStore", Type::Bool, "Mounts the whole artifacts store.", "true")
            .template()
            .default("false"),
        field("collectArtifacts", Type::Bool, "Collects outputs and artifacts of the run.", "false")
            .template()
            .default("true"),
        field("collectLogs", Type::Bool, "Collects the logs of the run.", "false").template().default("true"),
        field("collectResources", Type::Bool, "Collects the use of processor and memory.", "false")
            .template()
            .default("true"),
        field("syncStatuses", Type::Bool, "Reports the states of the job.", "false").template().default("true"),
        field("autoResume", Type::Bool, "Restores earlier artifacts when a run is resumed.", "false")
            .template()
            .default("true"),
        field("logLevel", Type::Str, "How much the helpers of the run log.", "warning"),
        field("externalHost", Type::Bool, "Talks to the API by its public address.", "true")
            .template()
            .default("false"),
        field("sidecar", Type::Section(&SIDECAR), "Settings of the helper beside the job.", "{syncInterval: 60}")
            .template(),
        field(
            "notifications",
            Type::List(&Type::Section(&NOTIFICATION)),
            "Whom to notify, and when.",
            "[{connections: [slack], trigger: failed}]",
        )
        .template(),
    ],
    check: None,
};

pub static SIDECAR: Section = Section {
    name: "sidecar",
    doc: "Settings of the helper that collects logs and artifacts beside the job.",
    fields: &[
        field("image", Type::Str, "Image of the helper.", "polyaxon/polyaxon-sidecar"),
        field("imageTag", Type::Str, "Tag of the image.", "2.18.0"),
        field(
            "imagePullPolicy",
            Type::Enum(&["Always", "IfNotPresent", "Never"]),
            "When the image is pulled.",
            "IfNotPresent",
        ),
        field("sleepInterval", Type::IntStrict, "Seconds between two looks at the job.", "10").template(),
        field("syncInterval", Type::IntStrict, "Seconds between two collections.", "60").template(),
        field("monitorLogs", Type::Bool, "Collects logs while the job runs.", "true").template(),
        field("monitorSpec", Type::Bool, "Collects the specification of the pod.", "false").template(),
        field("noConnections", Type::Bool, "Gives other sidecars no connections.", "true").template(),
        field("resources", Type::AnyMap, "Resources of the helper.", "{requests: {memory: 64Mi}}").template(),
    ],
    check: None,
};

pub static NOTIFICATION: Section = Section {
    name: "notification",
    doc: "Whom to notify, and when.",
    fields: &[
        field("connections", Type::List(&Type::Str), "Connections that send the notification.", "[slack]").required(),
        field("trigger", Type::Enum(STATUSES), "The state that triggers it.", "failed"),
    ],
    check: None,
};
