//! `run`: the kinds of runtime (spec §5).

use super::kubernetes::{CONTAINER, RESOURCES, VOLUME};
use super::{EARLY_STOPPING, ENVIRONMENT, INIT};
use crate::section::{Field, Section, Type, field};

pub const RUNTIMES: &[(&str, &Section)] = &[
    ("job", &JOB),
    ("service", &SERVICE),
    ("dag", &DAG),
    ("tfjob", &TFJOB),
    ("pytorchjob", &PYTORCHJOB),
    ("mpijob", &MPIJOB),
    ("raycluster", &RAYCLUSTER),
    ("daskcluster", &DASKCLUSTER),
    ("notifier", &NOTIFIER),
    ("cleaner", &CLEANER),
    ("tuner", &TUNER_JOB),
];

const fn kind(words: &'static [&'static str]) -> Field {
    field("kind", Type::Enum(words), "The kind of runtime.", words[0])
}

const fn environment() -> Field {
    field(
        "environment",
        Type::Section(&ENVIRONMENT),
        "Where and how the pods are placed.",
        "{nodeSelector: {gpu: a100}}",
    )
    .template()
}

const fn connections() -> Field {
    field("connections", Type::List(&Type::Str), "Connections that the job may use.", "[s3-data]").template()
}

static VOLUME_TYPE: Type = Type::Kubernetes(&VOLUME);

const fn volumes() -> Field {
    field("volumes", Type::List(&VOLUME_TYPE), "Volumes of the pods.", "[{name: cache, emptyDir: {}}]")
}

/// The fields of everything that runs a container.
macro_rules! workload {
    ($($extra:expr),* $(,)?) => {
        &[
            $($extra,)*
            environment(),
            connections(),
            volumes(),
            field("init", Type::List(&Type::Section(&INIT)), "What happens before the container starts.", "[{git: {url: https://github.com/org/repo}}]").template(),
            field("sidecars", Type::List(&Type::Kubernetes(&CONTAINER)), "Containers beside the main one.", "[{name: proxy, image: proxy}]"),
            field("container", Type::Kubernetes(&CONTAINER), "The main container.", "{image: python, command: [python, train.py]}"),
        ]
    };
}

macro_rules! job_like {
    ($($section:ident $kind:literal $doc:literal;)*) => {
        $(pub(super) static $section: Section =
            Section { name: $kind, doc: $doc, fields: workload![kind(&[$kind])], check: None };)*
    };
}

job_like! {
    JOB "job" "Runs a container to its end.";
    NOTIFIER "notifier" "Internal: sends a notification.";
    CLEANER "cleaner" "Internal: removes artifacts.";
    TUNER_JOB "tuner" "Internal: makes suggestions for a search.";
}

pub static SERVICE: Section = Section {
    name: "service",
    doc: "Runs a container that serves until it is stopped.",
    fields: workload![
        kind(&["service"]),
        field("ports", Type::List(&Type::IntStrict), "Ports that the service listens on.", "[8888]").template(),
        field("rewritePath", Type::Bool, "Removes the path prefix before requests reach the service.", "true")
            .template()
            .default("false"),
        field("isExternal", Type::Bool, "Serves without the authentication of the platform.", "true")
            .template()
            .default("false"),
        field("replicas", Type::IntStrict, "How many copies run.", "2").template().default("1"),
    ],
    check: None,
};

const fn replicas() -> Field {
    field("replicas", Type::IntStrict, "How many copies run.", "2").template().default("1")
}

const fn count(name: &'static str, doc: &'static str) -> Field {
    field(name, Type::IntStrict, doc, "1").template()
}

static REPLICA: Section =
    Section { name: "replica", doc: "One role of a distributed job.", fields: workload![replicas()], check: None };

const fn replica(name: &'static str, doc: &'static str) -> Field {
    field(name, Type::Section(&REPLICA), doc, "{replicas: 1, container: {image: tensorflow}}").template()
}

const fn clean_pod_policy() -> Field {
    field("cleanPodPolicy", Type::Enum(&["All", "Running", "None"]), "Which pods are removed at the end.", "Running")
        .default("None")
}

const fn scheduling_policy() -> Field {
    field(
        "schedulingPolicy",
        Type::Section(&SCHEDULING_POLICY),
        "How the pods are scheduled together.",
        "{minAvailable: 2}",
    )
}

static SCHEDULING_POLICY: Section = Section {
    name: "scheduling policy",
    doc: "How the pods of a distributed job are scheduled together.",
    fields: &[
        count("minAvailable", "Pods that must be available at once."),
        field("queue", Type::Str, "The queue of the scheduler.", "default"),
        count("minResources", "Resources that must be available at once."),
        field("priorityClass", Type::Str, "The priority class of the group.", "high"),
        count("scheduleTimeoutSeconds", "Seconds to wait for all pods."),
    ],
    check: None,
};

static TFJOB: Section = Section {
    name: "tfjob",
    doc: "A distributed TensorFlow job.",
    fields: &[
        kind(&["tfjob"]),
        clean_pod_policy(),
        scheduling_policy(),
        field("enableDynamicWorker", Type::Bool, "Workers may come and go.", "true").default("false"),
        field("successPolicy", Type::Str, "When the job counts as succeeded.", "AllWorkers"),
        replica("chief", "The replica that leads."),
        replica("ps", "The parameter servers."),
        replica("worker", "The workers."),
        replica("evaluator", "The replica that evaluates."),
    ],
    check: None,
};

static PYTORCHJOB: Section = Section {
    name: "pytorchjob",
    doc: "A distributed PyTorch job.",
    fields: &[
        kind(&["pytorchjob"]),
        clean_pod_policy(),
        scheduling_policy(),
        field(
            "elasticPolicy",
            Type::Section(&ELASTIC_POLICY),
            "How workers may come and go.",
            "{minReplicas: 1, maxReplicas: 4}",
        ),
        count("nProcPerNode", "Processes per node."),
        replica("master", "The replica that leads."),
        replica("worker", "The workers."),
    ],
    check: None,
};

static ELASTIC_POLICY: Section = Section {
    name: "elastic policy",
    doc: "How workers of a PyTorch job may come and go.",
    fields: &[
        count("minReplicas", "Workers at least."),
        count("maxReplicas", "Workers at most."),
        field("rdvzBackend", Type::Str, "How workers find each other.", "c10d"),
        count("rdvzPort", "The port at which they meet."),
        field("rdvzHost", Type::Str, "The host at which they meet.", "localhost"),
        field("rdvzId", Type::Str, "The name of the meeting.", "job-1"),
        field("rdvzConf", Type::List(&Type::AnyMap), "Settings of the meeting.", "[{key: timeout, value: \"60\"}]"),
        field("standalone", Type::Bool, "All on one node.", "true").template(),
        count("nProcPerNode", "Processes per node."),
        count("maxRestarts", "How often workers are started again."),
        field("Metrics", Type::List(&Type::AnyMap), "Metrics for scaling.", "[{type: Resource}]"),
    ],
    check: None,
};

static MPIJOB: Section = Section {
    name: "mpijob",
    doc: "A distributed MPI job.",
    fields: &[
        kind(&["mpijob"]),
        clean_pod_policy(),
        scheduling_policy(),
        count("slotsPerWorker", "Processes per worker."),
        replica("launcher", "The replica that starts the processes."),
        replica("worker", "The workers."),
    ],
    check: None,
};

static RAY_REPLICA: Section = Section {
    name: "ray replica",
    doc: "One group of a Ray cluster.",
    fields: workload![
        replicas(),
        count("minReplicas", "Copies at least."),
        count("maxReplicas", "Copies at most."),
        field("rayStartParams", Type::Map(&Type::GeneralText), "Options of `ray start`.", "{num-cpus: \"2\"}"),
    ],
    check: None,
};

static RAYCLUSTER: Section = Section {
    name: "raycluster",
    doc: "A Ray cluster.",
    fields: &[
        kind(&["raycluster"]),
        field("entrypoint", Type::Str, "The command to submit.", "python main.py"),
        field("runtimeEnv", Type::AnyMap, "What Ray prepares on every node.", "{pip: [torch]}").template(),
        field("metadata", Type::Map(&Type::Str), "Data that travels with the job.", "{team: vision}").template(),
        field("rayVersion", Type::Str, "The version of Ray.", "2.9.0"),
        field("head", Type::Section(&RAY_REPLICA), "The head of the cluster.", "{container: {image: ray}}").template(),
        field(
            "workers",
            Type::Map(&Type::Either(&Type::Section(&RAY_REPLICA), &Type::Template)),
            "Groups of workers by name.",
            "{small: {replicas: 2}}",
        ),
        field("enableInTreeAutoscaling", Type::Bool, "The cluster scales by itself.", "true").template(),
        field("autoscalerOptions", Type::Section(&AUTOSCALER), "Settings of the scaling.", "{upscalingMode: Default}")
            .template(),
    ],
    check: None,
};

static AUTOSCALER: Section = Section {
    name: "autoscaler options",
    doc: "How a Ray cluster scales by itself.",
    fields: &[
        field("upscalingMode", Type::Str, "How fast the cluster grows.", "Default"),
        field("imagePullPolicy", Type::Str, "When the image is pulled.", "IfNotPresent"),
        field("resources", Type::Kubernetes(&RESOURCES), "Resources of the autoscaler.", "{limits: {cpu: 500m}}"),
    ],
    check: None,
};

static DASKCLUSTER: Section = Section {
    name: "daskcluster",
    doc: "A Dask cluster.",
    fields: &[
        kind(&["daskcluster"]),
        replica("worker", "The workers."),
        replica("scheduler", "The scheduler."),
        count("minReplicas", "Workers at least."),
        count("maxReplicas", "Workers at most."),
    ],
    check: None,
};

static DAG: Section = Section {
    name: "dag",
    doc: "Operations that depend on each other.",
    fields: &[
        kind(&["dag"]),
        field("operations", Type::List(&Type::Document), "The operations.", "[{name: train, dagRef: trainer}]")
            .template(),
        field(
            "components",
            Type::List(&Type::Document),
            "Components that operations refer to with `dagRef`.",
            "[{name: trainer, run: {kind: job}}]",
        )
        .template(),
        environment(),
        connections(),
        volumes(),
        field("concurrency", Type::PositiveInt, "How many operations run at once.", "4").template(),
        field(
            "earlyStopping",
            Type::List(&Type::Kinded(EARLY_STOPPING)),
            "When the dag stops before its end.",
            "[{kind: failure_early_stopping, percent: 50}]",
        )
        .template(),
    ],
    check: None,
};
