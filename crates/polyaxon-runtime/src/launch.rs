//! The `Launch` action: the plan of an attempt and its start.

use polyaxon_compile::plan::process::{self, Host, PlanError, ProcessPlan};
use polyaxon_engine::state::{Event, Exit, Phase};
use polyaxon_executors::process::{ProcessExecutor, StopRequest};
use polyaxon_model::new_run::Submission;
use polyaxon_model::run::{DEFAULT_OWNER, Run};
use polyaxon_spec::wire;

use crate::{Result, RuntimeOptions, compile, connections, submission};

/// Between SIGTERM and SIGKILL.
pub(crate) const GRACE_SECS: u64 = 10;

/// The plan of an attempt of a resolved operation.
pub(crate) fn plan(
    options: &RuntimeOptions,
    run: &Run,
    submission: Option<&Submission>,
    attempt: u32,
    devices: Option<&str>,
    resolved: &polyaxon_spec::node::Node,
) -> std::result::Result<ProcessPlan, PlanError> {
    let host = Host {
        program: options.program.to_string_lossy().into_owned(),
        owner: DEFAULT_OWNER.to_owned(),
        project: run.project.clone(),
        uuid: run.uuid.to_hex(),
        run_path: run.uuid.to_hex(),
        attempt,
        namespace: compile::namespace(run),
        context_root: options.layout.scratch(run.uuid).to_string_lossy().into_owned(),
        api_host: options.api_host.clone(),
        auth_token: None,
        store: Some(compile::store(options)),
        connections: options.connections.to_vec(),
        secrets: connections::secrets(&options.connections, options.variable),
        cwd: submission::folder(submission),
        base_env: submission::environment(submission),
        devices: devices.map(str::to_owned),
        grace_secs: GRACE_SECS,
    };
    process::plan(resolved, &host)
}

/// Starts an attempt. The answer is what to report; an error leaves the action open.
pub(crate) fn launch(
    options: &RuntimeOptions,
    executor: &ProcessExecutor,
    run: &Run,
    sent: Option<&Submission>,
    attempt: u32,
    devices: Option<&str>,
) -> Result<Event> {
    let observed = |phase| Event::Observed { attempt, phase };
    let rejected =
        |reason: &str, message: String| observed(Phase::Exited(Exit::Rejected { reason: reason.to_owned(), message }));
    let Some(content) = run.content.as_deref().and_then(|text| serde_json::from_str(text).ok()) else {
        return Ok(rejected("PlanFailed", "the compiled operation of the run cannot be read".to_owned()));
    };
    let plan = match plan(options, run, sent, attempt, devices, &wire::read_compiled(&content)) {
        Ok(plan) => plan,
        Err(error) => return Ok(rejected("PlanFailed", error.to_string())),
    };
    if let Some(sent) = sent
        && let Err(error) = submission::write_diff(&options.layout, run.uuid, sent)
    {
        tracing::warn!(run = %run.uuid, %error, "cannot keep the uncommitted changes");
    }
    if let Err(error) = executor.launch(run.uuid, &plan) {
        return match error {
            // The last attempt is still ending. One that was given up while it was being started, and that nobody knows
            // of, would never end by itself.
            polyaxon_executors::process::Error::Busy { running, .. } => {
                let reason = Some("Another attempt of the run follows.".to_owned());
                executor.stop(run.uuid, &StopRequest { attempt: running, reason, grace_secs: None })?;
                Err(error.into())
            }
            error => {
                let cause = std::error::Error::source(&error).map_or_else(String::new, |cause| format!(": {cause}"));
                Ok(observed(Phase::Exited(Exit::Failed {
                    reason: "LaunchFailed".to_owned(),
                    message: format!("{error}{cause}"),
                    exit_code: None,
                })))
            }
        };
    }
    Ok(observed(Phase::Starting))
}
