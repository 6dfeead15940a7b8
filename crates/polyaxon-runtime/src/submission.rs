//! The submitter's world of a run as the job sees it: where it runs, its environment, the code it came from.

use std::fs;
use std::path::Path;

use polyaxon_artifacts::layout::Layout;
use polyaxon_model::JsonMap;
use polyaxon_model::artifact::UNCOMMITTED_DIFF;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::ArtifactKind;
use polyaxon_model::lineage::NewArtifact;
use polyaxon_model::new_run::Submission;
use serde_json::{Value as Json, json};

/// The submitter's environment as pairs; without one, the server's own PATH and HOME so that programs are found.
pub(crate) fn environment(submission: Option<&Submission>) -> Vec<(String, String)> {
    let sent = submission.map(|submission| &submission.env).filter(|env| !env.is_empty());
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match sent {
        Some(env) => env.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        None => OWN_VARIABLES.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?))).collect(),
    }
}

/// What a program needs to run at all.
const OWN_VARIABLES: &[&str] = &["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TMPDIR", "TZ"];

/// The submitter's folder, when it is on this machine.
pub(crate) fn folder(submission: Option<&Submission>) -> Option<String> {
    submission?.cwd.clone().filter(|folder| Path::new(folder).is_dir())
}

/// The lineage row of the code; none when the submitter's folder is in no repository.
pub(crate) fn code_reference(submission: &Submission) -> Option<NewArtifact> {
    let code = submission.code.as_ref()?;
    let commit = code.commit.as_ref().filter(|commit| !commit.is_empty())?;
    let summary = JsonMap::from_iter([
        ("commit".to_owned(), json!(commit)),
        ("branch".to_owned(), json!(code.branch)),
        ("url".to_owned(), json!(code.url)),
        ("is_dirty".to_owned(), json!(code.is_dirty)),
    ]);
    Some(NewArtifact {
        name: commit.clone(),
        kind: ArtifactKind::Coderef,
        path: has_diff(submission).then(|| UNCOMMITTED_DIFF.to_owned()),
        summary: Some(summary),
        is_input: Some(true),
        state: None,
        run: None,
        connection: None,
        meta_info: None,
    })
}

/// Keeps the uncommitted changes beside the run.
pub(crate) fn write_diff(layout: &Layout, run: RunId, submission: &Submission) -> std::io::Result<()> {
    let Some(diff) = submission.code.as_ref().and_then(|code| code.diff.as_ref()).filter(|diff| !diff.is_empty())
    else {
        return Ok(());
    };
    fs::create_dir_all(layout.code(run))?;
    fs::write(layout.artifacts(run).join(UNCOMMITTED_DIFF), diff)
}

fn has_diff(submission: &Submission) -> bool {
    submission.code.as_ref().and_then(|code| code.diff.as_ref()).is_some_and(|diff| !diff.is_empty())
}
