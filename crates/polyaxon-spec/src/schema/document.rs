//! The root of a polyaxonfile: one table for components, operations and documents without kind (spec §4.3).

use super::kubernetes::{CONTAINER, VOLUME};
use super::mount::MOUNT_ITEM;
use super::param::ANY_PARAM;
use super::resources::SHORT_RESOURCES;
use super::shortcut::{COMMAND, ENVIRONMENT_VARIABLES, NAME};
use super::{
    BUILD, CACHE, ENVIRONMENT, EVENT_TRIGGER, HOOK, INIT, IO, JOIN, MATRICES, PATCH_STRATEGIES, PLUGINS, SCHEDULES,
    TEMPLATE, TERMINATION,
};
use crate::section::{Section, Type, field};

pub const DOCUMENT_KINDS: &[&str] = &["component", "operation"];

/// Root fields that are short for fields of the runtime (spec §12.6): composition lowers them into `run`.
pub const SHORTCUTS: &[&str] =
    &["ports", "container", "cmd", "env", "resources", "environment", "init", "connections", "sidecars", "volumes"];

const TRIGGERS: &[&str] = &["all_succeeded", "all_failed", "all_done", "one_succeeded", "one_failed", "one_done"];

pub static DOCUMENT: Section = Section {
    name: "polyaxonfile",
    doc: "A component says what can run; an operation says how to run it. Both have the same fields.",
    fields: &[
        field("version", Type::Float, "The version of the language; not needed.", "1.1"),
        field("kind", Type::Enum(DOCUMENT_KINDS), "What the document is.", "operation"),
        field("name", Type::Custom(&NAME), "The name of the run.", "train-mnist"),
        field("description", Type::Str, "What the run is for.", "Baseline with dropout"),
        field("tags", Type::CsvList, "Words to find the run by.", "[mnist, baseline]"),
        field("presets", Type::CsvList, "Presets that the server lays over the operation.", "[gpu]"),
        field("strictParams", Type::Bool, "Params without a matching input are errors.", "true").default("false"),
        field("queue", Type::Str, "The queue of the run.", "agent/queue"),
        field("namespace", Type::Str, "The namespace of the run.", "research"),
        field("cache", Type::Section(&CACHE), "Whether an equal run may stand for this one.", "{disable: true}")
            .template(),
        field(
            "termination",
            Type::Section(&TERMINATION),
            "When the run is retried, stopped or cleaned up.",
            "{maxRetries: 3}",
        )
        .template(),
        field("plugins", Type::Section(&PLUGINS), "What runs around the job.", "{collectLogs: true}").template(),
        field("build", Type::Section(&BUILD), "A run that makes the image first.", "{hubRef: kaniko}").template(),
        field(
            "hooks",
            Type::List(&Type::Section(&HOOK)),
            "Runs that follow this one.",
            "[{hubRef: slack, trigger: failed}]",
        )
        .template(),
        field("isApproved", Type::Bool, "With false, the run waits for an approval.", "false")
            .template()
            .default("true"),
        field("cost", Type::Float, "The cost of the run, in any unit.", "1.5").template(),
        field("mount", Type::List(&MOUNT_ITEM), "Local files that the run sees.", "[\"./data:/data\"]"),
        field(
            "schedule",
            Type::Kinded(SCHEDULES),
            "When the operation runs again.",
            "{kind: cron, cron: \"0 6 * * *\"}",
        ),
        field(
            "events",
            Type::List(&Type::Section(&EVENT_TRIGGER)),
            "What starts the operation.",
            "[{kinds: [run_status_done], ref: ops.train}]",
        )
        .template(),
        field(
            "matrix",
            Type::Kinded(MATRICES),
            "Runs the operation many times with other params.",
            "{kind: grid, params: {lr: {kind: choice, value: [0.1]}}}",
        ),
        field(
            "joins",
            Type::List(&Type::Section(&JOIN)),
            "Params collected from many runs.",
            "[{query: \"status:succeeded\", params: {}}]",
        ),
        field("dependencies", Type::List(&Type::Str), "Operations of the dag to wait for.", "[prepare]").template(),
        field("trigger", Type::Enum(TRIGGERS), "How the dependencies must have ended.", "all_done")
            .template()
            .default("all_succeeded"),
        field(
            "conditions",
            Type::Str,
            "A condition; the operation is skipped when it is false.",
            "\"{{ loss < 0.1 }}\"",
        ),
        field("skipOnUpstreamSkip", Type::Bool, "Skips the operation when a dependency was skipped.", "true")
            .default("false"),
        field(
            "inputs",
            Type::List(&Type::Section(&IO)),
            "What the component takes.",
            "[{name: lr, type: float, value: 0.1}]",
        ),
        field("outputs", Type::List(&Type::Section(&IO)), "What the component gives.", "[{name: loss, type: float}]"),
        field("params", Type::Map(&ANY_PARAM), "Values for inputs and outputs.", "{lr: 0.2}"),
        field("run", Type::Runtime, "What runs.", "{kind: job, container: {image: python}}"),
        field("runPatch", Type::AnyMap, "Changes to what runs.", "{environment: {nodeSelector: {gpu: a100}}}"),
        field(
            "patchStrategy",
            Type::Enum(PATCH_STRATEGIES),
            "How this document changes what it builds on.",
            "post_merge",
        )
        .default("post_merge"),
        field("isPreset", Type::Bool, "The document is meant to be laid over others.", "true").default("false"),
        field("hubRef", Type::Str, "The component to run, from the hub.", "trainer:1.0"),
        field("dagRef", Type::Str, "The component to run, from the components of the dag.", "trainer"),
        field("urlRef", Type::Str, "The component to run, from an address.", "https://example.com/trainer.yaml"),
        field("pathRef", Type::Str, "The component to run, from a file.", "./trainer.yaml"),
        field("component", Type::Document, "The component to run, written here.", "{run: {kind: job}}"),
        field("template", Type::Section(&TEMPLATE), "Marks a form that must be completed first.", "{enabled: true}"),
        field(
            "container",
            Type::Kubernetes(&CONTAINER),
            "The main container; short for `run.container`.",
            "{image: python}",
        ),
        field("cmd", Type::Custom(&COMMAND), "Commands for a shell in the main container.", "python train.py"),
        field(
            "env",
            Type::Custom(&ENVIRONMENT_VARIABLES),
            "Environment variables of the main container.",
            "{SEED: \"42\"}",
        ),
        field("resources", SHORT_RESOURCES, "Resources of the main container.", "{cpu: 1..2, memory: 4Gi, gpu: 1}"),
        field("ports", Type::List(&Type::IntStrict), "Ports of the service; without a runtime, makes one.", "[8888]"),
        field("environment", Type::Section(&ENVIRONMENT), "Short for `run.environment`.", "{labels: {team: vision}}"),
        field("init", Type::List(&Type::Section(&INIT)), "Short for `run.init`.", "[{paths: [data]}]"),
        field("connections", Type::List(&Type::Str), "Short for `run.connections`.", "[s3-data]"),
        field(
            "sidecars",
            Type::List(&Type::Kubernetes(&CONTAINER)),
            "Short for `run.sidecars`.",
            "[{name: proxy, image: proxy}]",
        ),
        field(
            "volumes",
            Type::List(&Type::Kubernetes(&VOLUME)),
            "Short for `run.volumes`.",
            "[{name: cache, emptyDir: {}}]",
        ),
    ],
    check: None,
};
