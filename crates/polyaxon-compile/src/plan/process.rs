//! The plan of a run on this machine: which programs run after each other, with which arguments and variables.
//!
//! Containers become plain processes (execution §11): images, volumes and limits of resources have no meaning here,
//! and the plan says so in its notices. Starting, watching and stopping the processes is the supervisor's work.

use polyaxon_spec::node::{Node, Value};
use serde::{Deserialize, Serialize};

use super::CONTEXT_ROOT;
use super::context_path::rewrite;
use super::environment::{self, Variables};
use super::initializer;
use crate::connection::Connection;
use crate::template::print;

/// What the supervisor runs; written to `plan.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessPlan {
    /// The run's uuid, 32 hex digits.
    pub run: String,
    pub attempt: u32,
    /// In order; each must succeed before the next one starts. The last one is the main task.
    pub tasks: Vec<Task>,
    /// The folder that stands for `/plx-context`.
    pub context_root: String,
    pub timeout_secs: Option<u64>,
    pub grace_secs: u64,
    /// The ports that a service says it listens on.
    pub ports: Vec<u16>,
    /// What the reader of the logs should know, one sentence each.
    pub notices: Vec<String>,
}

/// One program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Unique in the plan and safe as a file name.
    pub name: String,
    pub kind: TaskKind,
    /// Never empty.
    pub argv: Vec<String>,
    /// Must exist when the task starts; `None` is the run's artifacts folder.
    pub workdir: Option<String>,
    /// The whole environment of the program, without duplicates: the supervisor adds nothing.
    pub env: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskKind {
    Init,
    Main,
}

/// Everything about the run and the machine that the operation does not say.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// Path of our own binary.
    pub program: String,
    /// Owner, maybe with a team: `acme/vision`.
    pub owner: String,
    pub project: String,
    /// 32 hex digits.
    pub uuid: String,
    /// The run's folder in the artifacts store; its uuid.
    pub run_path: String,
    pub attempt: u32,
    pub namespace: String,
    pub context_root: String,
    /// The URL of the server as jobs reach it.
    pub api_host: String,
    pub auth_token: Option<String>,
    pub store: Option<Connection>,
    pub connections: Vec<Connection>,
    /// Secrets and config maps by name, each a JSON object of variables (execution D5).
    pub secrets: Vec<(String, String)>,
    /// The folder where the run was submitted.
    pub cwd: Option<String>,
    /// The submitter's environment, below everything else.
    pub base_env: Vec<(String, String)>,
    /// The GPUs that are the run's own, as programs are told them; none when it asked for none.
    pub devices: Option<String>,
    pub grace_secs: u64,
}

/// Why an operation cannot run as processes of this machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error("`{name}`: a local process needs a command: `run.container` has neither `command` nor `args`")]
    NoCommand { name: String },

    #[error("`run.kind: {kind}` cannot be executed by this version yet: only `job` and `service` can")]
    Runtime { kind: String },

    #[error("`plugins.{plugin}` works on Kubernetes only")]
    Plugin { plugin: &'static str },

    #[error("`run.init[{index}]`: connection `{name}` is not known")]
    UnknownConnection { index: usize, name: String },

    #[error("`run.init[{index}]`: connection `{name}` of kind `{kind}` cannot be initialised on this machine")]
    ConnectionKind { index: usize, name: String, kind: String },

    #[error("`run.init[{index}]`: connection `{name}` needs a `container` with a command")]
    NoContainer { index: usize, name: String },

    #[error("`run.init[{index}]`: a git url is required, in `git.url` or in the connection")]
    NoGitUrl { index: usize },

    #[error("`run.init[{index}]`: artifacts need an artifacts store, and this machine has none")]
    NoStore { index: usize },

    #[error("`run.init[{index}]`: a local process needs a command: the container has neither `command` nor `args`")]
    NoInitCommand { index: usize },
}

/// Kinds of jobs that the server starts for others.
const HELPERS: &[&str] = &["notifier", "cleaner", "tuner"];

/// Plans a resolved job or service as processes.
pub fn plan(resolved: &Node, host: &Host) -> Result<ProcessPlan, PlanError> {
    let kind = resolved.at(&["run", "kind"]).and_then(Node::as_str).unwrap_or_default();
    if !matches!(kind, "job" | "service") && !HELPERS.contains(&kind) {
        return Err(PlanError::Runtime { kind: kind.to_owned() });
    }
    for plugin in ["sandbox", "ssh"] {
        if environment::plugin(resolved, plugin, false) {
            return Err(PlanError::Plugin { plugin });
        }
    }
    let mut notices = notices(resolved);
    let mut tasks = initializer::tasks(resolved, host, &mut notices)?;
    tasks.push(main_task(resolved, host, &mut notices)?);
    let limits = super::termination(resolved);
    Ok(ProcessPlan {
        run: host.uuid.clone(),
        attempt: host.attempt,
        tasks,
        context_root: host.context_root.clone(),
        timeout_secs: limits.timeout.map(|timeout| timeout.as_secs_f64().ceil() as u64),
        grace_secs: host.grace_secs,
        ports: ports(resolved),
        notices,
    })
}

fn main_task(resolved: &Node, host: &Host, notices: &mut Vec<String>) -> Result<Task, PlanError> {
    let container = resolved.at(&["run", "container"]);
    let mut argv = argv(container, host);
    let kind = resolved.at(&["run", "kind"]).and_then(Node::as_str).unwrap_or_default();
    // The kinds that the server itself starts call a program that need not be installed beside it.
    if HELPERS.contains(&kind) && argv.first().is_some_and(|program| program == "polyaxon") {
        argv[0].clone_from(&host.program);
    }
    if argv.is_empty() {
        let name = resolved.get("name").and_then(Node::as_str).unwrap_or(&host.uuid);
        return Err(PlanError::NoCommand { name: name.to_owned() });
    }
    let env = environment::main(resolved, host, notices);
    Ok(Task {
        name: "polyaxon-main".to_owned(),
        kind: TaskKind::Main,
        argv,
        workdir: workdir(container, host),
        env: in_world(host, env),
    })
}

/// `command ++ args` of a container; null and empty items are dropped (execution P6).
pub(super) fn argv(container: Option<&Node>, host: &Host) -> Vec<String> {
    let mut argv = Vec::new();
    for key in ["command", "args"] {
        match container.and_then(|container| container.get(key)).map(|node| (node, &node.value)) {
            None | Some((_, Value::Null)) => {}
            Some((_, Value::List(items))) => argv.extend(items.iter().filter(|item| !item.is_null()).map(print::text)),
            Some((node, _)) => argv.push(print::text(node)),
        }
    }
    argv.retain(|item| !item.is_empty());
    argv.iter().map(|item| rewrite(item, &host.context_root)).collect()
}

/// The container's own folder, relative ones below the submitter's; else the submitter's.
pub(super) fn workdir(container: Option<&Node>, host: &Host) -> Option<String> {
    let own = container.and_then(|container| container.get("workingDir")).filter(|node| !node.is_null());
    let Some(own) = own.map(print::text).filter(|dir| !dir.is_empty()) else {
        return host.cwd.clone();
    };
    let own = rewrite(&own, &host.context_root);
    match &host.cwd {
        Some(cwd) if !own.starts_with('/') => Some(format!("{}/{own}", cwd.trim_end_matches('/'))),
        _ => Some(own),
    }
}

/// The variables of a task on top of the submitter's world.
pub(super) fn in_world(host: &Host, variables: Variables) -> Vec<(String, String)> {
    let mut all = host.base_env.clone();
    // The operation may ask for buffered output, so this comes before its own variables.
    all.push(("PYTHONUNBUFFERED".to_owned(), "1".to_owned()));
    all.extend(variables.into_iter().map(|(name, value)| (name, rewrite(&value, &host.context_root))));
    if let Some(token) = &host.auth_token {
        all.push(("POLYAXON_AUTH_TOKEN".to_owned(), token.clone()));
    }
    all.push(("POLYAXON_CONTEXT_ROOT".to_owned(), host.context_root.clone()));
    for name in ["CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES"] {
        all.extend(host.devices.iter().map(|devices| (name.to_owned(), devices.clone())));
    }
    environment::last_wins(all)
}

fn ports(resolved: &Node) -> Vec<u16> {
    let ports = resolved.at(&["run", "ports"]).and_then(Node::as_list).unwrap_or_default();
    ports.iter().filter_map(|port| u16::try_from(port.as_int()?).ok()).collect()
}

fn notices(resolved: &Node) -> Vec<String> {
    let mut notices = Vec::new();
    let text = |path: &[&str]| resolved.at(path).and_then(Node::as_str);
    if let Some(image) = text(&["run", "container", "image"]) {
        notices.push(format!(
            "container.image `{image}` is not used by the process executor: the command runs on this machine"
        ));
    }
    let present = |path: &[&str]| resolved.at(path).is_some_and(has_content);
    if present(&["run", "sidecars"]) {
        notices.push("user sidecars are ignored by this executor".to_owned());
    }
    if present(&["run", "container", "resources"]) {
        notices.push("container.resources are not enforced by the process executor".to_owned());
    }
    if present(&["run", "volumes"]) || present(&["run", "container", "volumeMounts"]) {
        notices.push(format!(
            "volumes are not mounted by the process executor; only {CONTEXT_ROOT} is mapped to a folder of this machine"
        ));
    }
    if present(&["run", "environment"]) {
        notices.push("run.environment (scheduling on a cluster) is not used by the process executor".to_owned());
    }
    if super::environment::plugin(resolved, "tmux", false) {
        notices.push("plugins.tmux is ignored by this executor".to_owned());
    }
    notices
}

fn has_content(node: &Node) -> bool {
    match &node.value {
        Value::Null => false,
        Value::List(items) => !items.is_empty(),
        Value::Map(map) => !map.is_empty(),
        _ => true,
    }
}
