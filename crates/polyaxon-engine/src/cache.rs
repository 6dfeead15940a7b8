//! Reuse of results: what makes two runs equal, when a run looks for an equal one, and which of them it takes.
//!
//! * [`parts`] what a run is made of, and the key that equal runs share · [`choice`] which earlier run stands for a
//!   new one
//!
//! Must not know where runs are kept; `polyaxon_store::cache` asks and persists.

pub mod choice;
pub mod parts;

use std::fmt;
use std::time::Duration;

use polyaxon_model::new_run::Submission;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

/// The section `cache` of an operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    pub disable: Option<bool>,
    pub ttl: Option<Duration>,
    /// The names of inputs, outputs and contexts that must be equal; all when absent.
    pub io: Option<Vec<String>>,
    /// The parts of the runtime that must be equal; all when absent.
    pub sections: Option<Vec<String>>,
}

impl Policy {
    /// Reads the section of a resolved operation. What is not of its type was refused before.
    pub fn read(operation: &Json) -> Policy {
        let Some(section) = operation.get("cache") else { return Policy::default() };
        let names = |field: &str| {
            let items = section.get(field)?.as_array()?;
            Some(items.iter().filter_map(Json::as_str).map(str::to_owned).collect())
        };
        Policy {
            disable: section.get("disable").and_then(Json::as_bool),
            ttl: section.get("ttl").and_then(Json::as_u64).map(Duration::from_secs),
            io: names("io"),
            sections: names("sections"),
        }
    }
}

/// Where the program of a run comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Code {
    /// From its image alone.
    Image,
    /// From a folder in this state.
    Known(Json),
    /// From a folder whose state nobody recorded.
    Unknown { folder: String },
}

impl Code {
    /// The code of a run: what its submitter tells of a folder, or what was uploaded.
    pub fn of(submission: Option<&Submission>, upload: Option<&str>) -> Code {
        let Some(folder) = submission.and_then(|submission| submission.cwd.as_deref()) else {
            return upload.map_or(Code::Image, |path| Code::Unknown { folder: path.to_owned() });
        };
        let code = submission.and_then(|submission| submission.code.as_ref());
        let known = code.and_then(|code| {
            let commit = code.commit.as_deref().filter(|commit| !commit.is_empty())?;
            let changes = code.diff.as_deref().map(|diff| hex::encode(Sha256::digest(diff.as_bytes())));
            let is_recorded = changes.is_some() || !code.is_dirty;
            is_recorded.then(|| json!({ "folder": folder, "commit": commit, "changes": changes }))
        });
        known.map_or_else(|| Code::Unknown { folder: folder.to_owned() }, Code::Known)
    }
}

/// What decides whether a run looks for an equal one.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    pub is_child: bool,
    pub is_schedule: bool,
    pub is_clone: bool,
    /// A person wanted it to run whatever equal runs there are.
    pub runs_anyway: bool,
    pub code: Code,
}

/// Why a run does not look for an equal one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    Disabled,
    OffByDefault,
    Clone,
    Approved,
    NothingToCompare,
    UnknownCode { folder: String },
}

/// Decides whether a run looks for an equal one. `has_key` tells whether anything identifies its result.
pub fn refusal(policy: &Policy, facts: &Facts, has_key: bool) -> Option<Refusal> {
    if policy.disable == Some(true) {
        Some(Refusal::Disabled)
    } else if policy.disable.is_none() && (!facts.is_child || facts.is_schedule) {
        Some(Refusal::OffByDefault)
    } else if facts.is_clone {
        Some(Refusal::Clone)
    } else if facts.runs_anyway {
        Some(Refusal::Approved)
    } else if !has_key {
        Some(Refusal::NothingToCompare)
    } else {
        match &facts.code {
            // Whoever asks for the cache answers for the code.
            Code::Unknown { folder } if policy.disable.is_none() => {
                Some(Refusal::UnknownCode { folder: folder.clone() })
            }
            Code::Unknown { .. } | Code::Known(_) | Code::Image => None,
        }
    }
}

impl Refusal {
    /// The rule as a word for programs.
    pub fn word(&self) -> &'static str {
        match self {
            Refusal::Disabled => "disabled",
            Refusal::OffByDefault => "off_by_default",
            Refusal::Clone => "clone",
            Refusal::Approved => "approved",
            Refusal::NothingToCompare => "nothing_to_compare",
            Refusal::UnknownCode { .. } => "unknown_code",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Disabled => write!(out, "`cache.disable` is true"),
            Refusal::OffByDefault => write!(
                out,
                "the cache is off for runs that are in no pipeline, and for schedules; `cache: {{disable: false}}` turns \
                 it on"
            ),
            Refusal::Clone => write!(out, "the run was made of another run, by restart or copy"),
            Refusal::Approved => write!(
                out,
                "somebody asked for it to run: it was approved while it waited for an equal run, or its dag was started \
                 again from it"
            ),
            Refusal::NothingToCompare => {
                write!(out, "it has no inputs, outputs, init steps, connections or commands that are compared")
            }
            Refusal::UnknownCode { folder } => write!(
                out,
                "the state of the code in `{folder}` is not known, since it is in no git repository or its changes \
                 are too large; `cache: {{disable: false}}` turns the cache on nevertheless"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_look_and_others_only_when_told() {
        let child =
            Facts { is_child: true, is_schedule: false, is_clone: false, runs_anyway: false, code: Code::Image };
        let alone = Facts { is_child: false, ..child.clone() };
        let unknown = || Code::Unknown { folder: "/work".to_owned() };
        let cases = [
            (json!(null), child.clone(), None),
            (json!(null), alone.clone(), Some("off_by_default")),
            (json!(null), Facts { is_schedule: true, ..child.clone() }, Some("off_by_default")),
            (json!({"disable": false}), alone.clone(), None),
            (json!({"disable": false}), Facts { is_schedule: true, ..alone.clone() }, None),
            (json!({"disable": true}), child.clone(), Some("disabled")),
            (json!({"ttl": 5}), child.clone(), None),
            (json!(null), Facts { is_clone: true, ..child.clone() }, Some("clone")),
            (json!(null), Facts { runs_anyway: true, ..child.clone() }, Some("approved")),
            (json!(null), Facts { code: Code::Known(json!({})), ..child.clone() }, None),
            (json!(null), Facts { code: unknown(), ..child.clone() }, Some("unknown_code")),
            (json!({"disable": false}), Facts { code: unknown(), ..child.clone() }, None),
        ];
        for (section, facts, expected) in cases {
            let policy = Policy::read(&json!({"cache": section}));
            let found = refusal(&policy, &facts, true);
            assert_eq!(found.as_ref().map(Refusal::word), expected, "{section} {facts:?}");
        }
        assert_eq!(refusal(&Policy::default(), &child, false), Some(Refusal::NothingToCompare));
    }

    #[test]
    fn code_is_known_when_all_of_its_state_was_recorded() {
        let check = |submission: Json, upload: Option<&str>| {
            let submission: Option<Submission> = serde_json::from_value(submission).unwrap();
            match Code::of(submission.as_ref(), upload) {
                Code::Image => "image".to_owned(),
                Code::Known(code) => format!("{} {}", code["commit"], code["changes"].is_string()),
                Code::Unknown { folder } => folder,
            }
        };
        let cases = [
            (json!(null), None, "image"),
            (json!(null), Some("uploads"), "uploads"),
            (json!({"cwd": "/work"}), None, "/work"),
            (json!({"cwd": "/work", "code": {"commit": "abc"}}), None, "\"abc\" false"),
            (json!({"cwd": "/work", "code": {"commit": "abc", "isDirty": true}}), None, "/work"),
            (json!({"cwd": "/work", "code": {"commit": "abc", "isDirty": true, "diff": "-a"}}), None, "\"abc\" true"),
        ];
        for (submission, upload, expected) in cases {
            assert_eq!(check(submission.clone(), upload), expected, "{submission}");
        }
    }
}
