//! Why a run is as it is, in words: what the server answers and the command line prints. An addition of ours.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::RunId;
use crate::status::Status;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    pub uuid: RunId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub status: Status,
    /// One sentence.
    #[schema(example = "The run failed: its program ended with exit code 1.")]
    pub summary: String,
    /// What stands behind it, the most important first.
    pub reasons: Vec<Reason>,
    /// The last lines that a run that failed printed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
    /// What can be done about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reason {
    /// For programs: `exit_code`, `upstream`, `queue`, ….
    #[schema(example = "exit_code")]
    pub code: String,
    /// For people.
    pub text: String,
}
