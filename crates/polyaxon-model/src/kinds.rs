//! The closed vocabularies around runs: kinds, runtimes, managers, gates, edges, artifact kinds.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::wire_enum::wire_enum;

wire_enum! {
    /// The family a run belongs to.
    RunKind as "run kind" {
        Job = "job",
        Service = "service",
        Dag = "dag",
        DaskCluster = "daskcluster",
        RayCluster = "raycluster",
        MpiJob = "mpijob",
        TfJob = "tfjob",
        PytorchJob = "pytorchjob",
        Matrix = "matrix",
        Schedule = "schedule",
        Tuner = "tuner",
        Watchdog = "watchdog",
        Notifier = "notifier",
        Cleaner = "cleaner",
        Builder = "builder",
    }
}

impl RunKind {
    /// Whether its children do the work.
    pub const fn is_pipeline(self) -> bool {
        matches!(self, RunKind::Dag | RunKind::Matrix | RunKind::Schedule)
    }

    /// Whether it runs until it is stopped.
    pub const fn is_service(self) -> bool {
        matches!(self, RunKind::Service | RunKind::DaskCluster | RunKind::RayCluster)
    }

    /// The family and the exact runtime under which a run of this spec kind is recorded.
    pub const fn family(self) -> (RunKind, Runtime) {
        match self {
            RunKind::Job => (RunKind::Job, Runtime::Job),
            RunKind::Service => (RunKind::Service, Runtime::Service),
            RunKind::Dag => (RunKind::Dag, Runtime::Dag),
            RunKind::DaskCluster => (RunKind::Service, Runtime::DaskCluster),
            RunKind::RayCluster => (RunKind::Service, Runtime::RayCluster),
            RunKind::MpiJob => (RunKind::Job, Runtime::MpiJob),
            RunKind::TfJob => (RunKind::Job, Runtime::TfJob),
            RunKind::PytorchJob => (RunKind::Job, Runtime::PytorchJob),
            RunKind::Matrix => (RunKind::Matrix, Runtime::Matrix),
            RunKind::Schedule => (RunKind::Schedule, Runtime::Schedule),
            RunKind::Tuner => (RunKind::Job, Runtime::Tuner),
            RunKind::Watchdog => (RunKind::Watchdog, Runtime::Watchdog),
            RunKind::Notifier => (RunKind::Job, Runtime::Notifier),
            RunKind::Cleaner => (RunKind::Cleaner, Runtime::Cleaner),
            RunKind::Builder => (RunKind::Builder, Runtime::Builder),
        }
    }
}

wire_enum! {
    /// What exactly a run is: a run kind, or the kind of its matrix or schedule.
    Runtime as "runtime" {
        Job = "job",
        Service = "service",
        Dag = "dag",
        DaskCluster = "daskcluster",
        RayCluster = "raycluster",
        MpiJob = "mpijob",
        TfJob = "tfjob",
        PytorchJob = "pytorchjob",
        Matrix = "matrix",
        Schedule = "schedule",
        Tuner = "tuner",
        Watchdog = "watchdog",
        Notifier = "notifier",
        Cleaner = "cleaner",
        Builder = "builder",
        Random = "random",
        Grid = "grid",
        Hyperband = "hyperband",
        Asha = "asha",
        Bayes = "bayes",
        Tpe = "tpe",
        Hyperopt = "hyperopt",
        Iterative = "iterative",
        Mapping = "mapping",
        Cron = "cron",
        Interval = "interval",
        Datetime = "datetime",
    }
}

wire_enum! {
    /// Who moves a run through its life.
    ManagedBy as "manager of runs" {
        /// Tracking only: the run tells its statuses itself.
        User = "user",
        /// Compiled here, executed by the command line tool.
        Cli = "cli",
        /// Compiled, queued and executed here.
        Agent = "agent",
    }
}

impl ManagedBy {
    pub const fn is_managed(self) -> bool {
        !matches!(self, ManagedBy::User)
    }
}

wire_enum! {
    /// The gate that holds a run back.
    Pending as "pending gate" { Approval = "approval", Upload = "upload", Build = "build", Cache = "cache" }
}

wire_enum! {
    /// What must be true of the upstreams of an operation in a dag before it starts.
    Trigger as "trigger" {
        AllSucceeded = "all_succeeded",
        AllFailed = "all_failed",
        AllDone = "all_done",
        OneSucceeded = "one_succeeded",
        OneFailed = "one_failed",
        OneDone = "one_done",
    }
}

wire_enum! {
    CloningKind as "cloning kind" { Copy = "copy", Restart = "restart", Cache = "cache" }
}

wire_enum! {
    EdgeKind as "edge kind" {
        Action = "action",
        Event = "event",
        Hook = "hook",
        Dag = "dag",
        Join = "join",
        Run = "run",
        Tensorboard = "tb",
        Build = "build",
        Manual = "manual",
    }
}

wire_enum! {
    /// What a version is a version of.
    VersionKind as "kind of version" { Component = "component", Model = "model", Artifact = "artifact" }
}

wire_enum! {
    ArtifactKind as "artifact kind" {
        Model = "model",
        Audio = "audio",
        Video = "video",
        Histogram = "histogram",
        Image = "image",
        Tensor = "tensor",
        Dataframe = "dataframe",
        Chart = "chart",
        Csv = "csv",
        Tsv = "tsv",
        Psv = "psv",
        Ssv = "ssv",
        Metric = "metric",
        Env = "env",
        Html = "html",
        Text = "text",
        File = "file",
        Dir = "dir",
        Dockerfile = "dockerfile",
        DockerImage = "docker_image",
        Data = "data",
        Coderef = "coderef",
        Table = "table",
        Tensorboard = "tensorboard",
        Curve = "curve",
        Confusion = "confusion",
        Analysis = "analysis",
        Iteration = "iteration",
        Markdown = "markdown",
        System = "system",
        Artifact = "artifact",
        Span = "span",
    }
}

/// Whether a record is shown (1), archived (0) or being deleted (-1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LiveState {
    #[default]
    Live,
    Archived,
    Deleting,
}

impl LiveState {
    pub const fn as_number(self) -> i64 {
        match self {
            LiveState::Live => 1,
            LiveState::Archived => 0,
            LiveState::Deleting => -1,
        }
    }

    pub const fn from_number(number: i64) -> Option<LiveState> {
        match number {
            1 => Some(LiveState::Live),
            0 => Some(LiveState::Archived),
            -1 => Some(LiveState::Deleting),
            _ => None,
        }
    }
}

impl PartialSchema for LiveState {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .description(Some("1 is live, 0 is archived, -1 is being deleted."))
            .enum_values(Some([1, 0, -1]))
            .into()
    }
}

impl ToSchema for LiveState {}

impl Serialize for LiveState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.as_number())
    }
}

impl<'de> Deserialize<'de> for LiveState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<LiveState, D::Error> {
        let number = i64::deserialize(deserializer)?;
        LiveState::from_number(number).ok_or_else(|| {
            serde::de::Error::custom(format!("live_state {number} is not one of 1 (live), 0 (archived), -1 (deleting)"))
        })
    }
}
