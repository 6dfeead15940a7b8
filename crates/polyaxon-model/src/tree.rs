//! The rows of a live tree: a run and everything below it, as one who watches gets them. An addition of ours.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::JsonMap;
use crate::condition::{EARLY_STOPPING, METRIC_MISSING};
use crate::ids::RunId;
use crate::kinds::{Pending, RunKind, Runtime};
use crate::status::Status;
use crate::time::Timestamp;

/// A run of a tree. Absent parts are not written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TreeRow {
    pub uuid: RunId,
    /// Grows with each run that is created: the order of children.
    pub number: i64,
    /// The pipeline around it, unless that is outside of the tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<RunId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub kind: RunKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Runtime>,
    pub status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
    /// The events that the run waits for: `run_status_running of train`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaits: Option<String>,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// Reason and message of the last condition, of runs that did not do what they should or could not be judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What the children of a matrix are compared by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<MetricOfInterest>,
    /// The child's value of its matrix' metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The params that a matrix gave to its child.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub params: Option<JsonMap>,
    /// The run whose result it has, of runs that were not executed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reuses: Option<RunId>,
}

impl TreeRow {
    /// The status as people call it.
    pub fn word(&self) -> &'static str {
        let is_pruned = self.reason.as_deref() == Some(EARLY_STOPPING);
        if is_pruned && self.status == Status::Stopped { "pruned" } else { self.status.as_str() }
    }

    /// Whether it is a search whose trials did not report what it looks at.
    pub fn lacks_metric(&self) -> bool {
        self.reason.as_deref() == Some(METRIC_MISSING)
    }
}

/// What the children of a matrix are compared by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MetricOfInterest {
    #[schema(example = "loss")]
    pub name: String,
    #[serde(default)]
    pub optimization: Optimization,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Optimization {
    #[default]
    Maximize,
    Minimize,
}

impl MetricOfInterest {
    /// Whether a value is better than the best so far.
    pub fn is_better(&self, value: f64, best: f64) -> bool {
        match self.optimization {
            Optimization::Maximize => value > best,
            Optimization::Minimize => value < best,
        }
    }
}

/// One line of the stream of a tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TreeLine {
    /// A run as it is now.
    Run(Box<TreeRow>),
    /// A run that was deleted.
    Removed(RunId),
    /// Everything before this line is known; a new connection may ask for what came after it.
    Cursor(i64),
    /// The run ended; nothing follows.
    Done(Status),
}
