//! The tasks before the main one: code, files and artifacts that `run.init` asks for (execution §7.4, §12).
//!
//! Every step is a call of our own binary or the user's program; what those do is not known here.

use polyaxon_spec::node::{Map, Node, Value};

use super::CONTEXT_ROOT;
use super::context_path::rewrite;
use super::environment::{self, Service, Variables};
use super::process::{Host, PlanError, Task, TaskKind, argv, in_world, workdir};
use crate::connection::{Class, Connection};
use crate::text;

/// The order of keys in the context documents that the programs read.
const GIT_KEYS: &[&str] = &["url", "revision", "flags"];
const FILE_KEYS: &[&str] = &["kind", "content", "filename", "chmod"];
const DOCKERFILE_KEYS: &[&str] = &[
    "image",
    "env",
    "path",
    "copy",
    "postRunCopy",
    "run",
    "langEnv",
    "uid",
    "gid",
    "username",
    "filename",
    "workdir",
    "workdirPath",
    "shell",
];

/// One entry of `run.init` and what is needed to plan it.
struct Step<'a> {
    index: usize,
    entry: &'a Node,
    resolved: &'a Node,
    host: &'a Host,
}

/// A program call before it gets its unique name and its surroundings.
struct Call {
    name: String,
    argv: Vec<String>,
    env: Variables,
}

/// The initialisation tasks in order: entries that bring something first, then the user's own containers.
pub(super) fn tasks(resolved: &Node, host: &Host, notices: &mut Vec<String>) -> Result<Vec<Task>, PlanError> {
    let entries = resolved.at(&["run", "init"]).and_then(Node::as_list).unwrap_or_default();
    let mut tasks = Vec::new();
    let mut own = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let step = Step { index, entry, resolved, host };
        if let Some(calls) = calls(&step, notices)? {
            for call in calls {
                push(&mut tasks, &step, call, notices);
            }
        } else if entry.get("container").is_some_and(|container| !container.is_null()) {
            own.push(step);
        }
    }
    for step in own {
        let call = own_container(&step, notices)?;
        push(&mut tasks, &step, call, notices);
    }
    Ok(tasks)
}

/// The calls of an entry that brings something, `None` for a plain container.
fn calls(step: &Step<'_>, notices: &mut Vec<String>) -> Result<Option<Vec<Call>>, PlanError> {
    if let Some(name) = step.text("connection") {
        let connection = step.connection(&name)?;
        return connected(step, connection, notices).map(Some);
    }
    if step.has("artifacts") || step.has("paths") {
        let store = step.host.store.as_ref().ok_or(PlanError::NoStore { index: step.index })?;
        return stored(step, store).map(Some);
    }
    let call = if step.has("git") {
        git(step, None, notices)?
    } else if step.has("dockerfile") {
        dockerfile(step)
    } else if step.has("file") {
        file(step)
    } else if step.has("tensorboard") {
        tensorboard(step)?
    } else {
        return Ok(None);
    };
    Ok(Some(vec![call]))
}

fn connected(step: &Step<'_>, connection: &Connection, notices: &mut Vec<String>) -> Result<Vec<Call>, PlanError> {
    match connection.class() {
        Class::Git => Ok(vec![git(step, Some(connection), notices)?]),
        Class::Ssh if step.has("git") => Ok(vec![git(step, Some(connection), notices)?]),
        Class::HostPath => stored(step, connection),
        Class::Bucket | Class::Claim => Err(PlanError::ConnectionKind {
            index: step.index,
            name: connection.name.clone(),
            kind: connection.kind.clone(),
        }),
        Class::Ssh | Class::Other => {
            if argv(step.entry.get("container"), step.host).is_empty() {
                return Err(PlanError::NoContainer { index: step.index, name: connection.name.clone() });
            }
            let mut call = own_container(step, notices)?;
            call.env.extend(environment::service(step.resolved, step.host, Service::Initializer));
            call.env.extend(environment::catalog(&[connection]));
            call.env.extend(environment::own_env(connection));
            call.env.extend(environment::resources(connection, step.host, notices));
            Ok(vec![call])
        }
    }
}

fn git(step: &Step<'_>, connection: Option<&Connection>, notices: &mut Vec<String>) -> Result<Call, PlanError> {
    let wanted = document(step.entry.get("git"), GIT_KEYS);
    // What the entry says replaces what the connection says.
    let mut settings = connection.and_then(|entry| entry.schema.as_ref()).map_or_else(Map::new, |schema| {
        match Node::from_json(schema).value {
            Value::Map(map) => map,
            _ => Map::new(),
        }
    });
    for (key, value) in wanted.iter().filter(|(_, value)| !is_empty(value)) {
        settings.insert(key.text.clone(), value.clone());
    }
    let url = settings.get("url").map(text::general).filter(|url| !url.is_empty());
    let url = url.ok_or(PlanError::NoGitUrl { index: step.index })?;
    let name = connection.map_or_else(|| repository_name(&url), |entry| entry.name.clone());

    let mut argv = step.program(&["initializer", "git"]);
    argv.push(format!("--repo-path={}/{name}", step.target()));
    argv.push(format!("--url={url}"));
    if let Some(revision) = settings.get("revision").filter(|value| !is_empty(value)) {
        argv.push(format!("--revision={}", text::general(revision)));
    }
    if let Some(entry) = connection {
        argv.push(format!("--connection={}", entry.name));
    }
    if let Some(flags) = settings.get("flags").filter(|value| !is_empty(value)) {
        argv.push(format!("--flags={}", text::compact_json(flags)));
    }

    let listed = Connection {
        schema: Some(Node::map(settings).to_json()),
        ..connection.cloned().unwrap_or_else(|| Connection {
            name: name.clone(),
            kind: "git".to_owned(),
            ..Connection::default()
        })
    };
    let mut env = environment::service(step.resolved, step.host, Service::Initializer);
    env.extend(environment::catalog(&[&listed]));
    env.extend(environment::own_env(&listed));
    env.extend(environment::resources(&listed, step.host, notices));
    env.extend(ssh_path(&listed));
    Ok(Call { name: format!("polyaxon-init-git-{name}"), argv, env })
}

/// Where the key of an ssh connection lies on this machine.
fn ssh_path(connection: &Connection) -> Option<(String, String)> {
    let secret = connection.secret.as_ref().filter(|_| connection.class() == Class::Ssh)?;
    secret.get("mountPath")?.as_str()?;
    let path = secret.get("hostPath").or_else(|| secret.get("mountPath"))?.as_str()?;
    Some(environment::pair("POLYAXON_SSH_PATH", path))
}

/// Copies out of a store: files, then folders, then paths whose kind is found out while copying.
fn stored(step: &Step<'_>, store: &Connection) -> Result<Vec<Call>, PlanError> {
    let refused =
        || PlanError::ConnectionKind { index: step.index, name: store.name.clone(), kind: store.kind.clone() };
    let from_root = match store.class() {
        // On this machine the data is where the host has it, not where containers would mount it.
        Class::HostPath => store.setting("hostPath").or_else(|| store.setting("mountPath")).ok_or_else(refused)?,
        _ => return Err(refused()),
    };
    let is_default = step.host.store.as_ref().is_some_and(|default| default.name == store.name);
    let to_root = match step.text("path") {
        Some(path) => path,
        None if is_default => format!("{CONTEXT_ROOT}/artifacts"),
        None => format!("{CONTEXT_ROOT}/artifacts/{}", store.name),
    };
    let artifacts = step.entry.get("artifacts");
    let mut items: Vec<(Vec<Node>, Option<&str>)> = vec![
        (list(artifacts.and_then(|artifacts| artifacts.get("files"))), Some("--is-file")),
        (list(artifacts.and_then(|artifacts| artifacts.get("dirs"))), None),
        (list(step.entry.get("paths")), Some("--check-path")),
    ];
    if items.iter().all(|(nodes, _)| nodes.is_empty()) {
        items[1].0.push(Node::string(""));
    }
    let mut calls = Vec::new();
    for (nodes, flag) in items {
        for node in nodes {
            let (from, to) = from_and_to(&node);
            let mut argv = step.program(&["initializer", "path"]);
            argv.push(format!("--connection-name={}", store.name));
            argv.push(format!("--connection-kind={}", store.kind));
            argv.push(format!("--path-from={}", join(from_root, &from)));
            argv.push(format!("--path-to={}", join(&to_root, &to)));
            argv.extend(flag.map(str::to_owned));
            let mut env = environment::service(step.resolved, step.host, Service::Initializer);
            env.extend(environment::catalog(&[store]));
            calls.push(Call { name: format!("polyaxon-init-artifacts-{}", store.name), argv, env });
        }
    }
    Ok(calls)
}

fn dockerfile(step: &Step<'_>) -> Call {
    let context = document(step.entry.get("dockerfile"), DOCKERFILE_KEYS);
    let mut argv = step.program(&["docker", "generate"]);
    argv.push(format!("--build-context={}", text::compact_json(&Node::map(context))));
    argv.push(format!("--destination={}", step.target()));
    argv.push(format!("--copy-path={}", step.outputs()));
    argv.push("--track".to_owned());
    Call { name: "polyaxon-init-dockerfile".to_owned(), argv, env: step.tracking_env() }
}

fn file(step: &Step<'_>) -> Call {
    let mut context = document(step.entry.get("file"), FILE_KEYS);
    if context.get("filename").is_none_or(is_empty) {
        context.insert("filename", Node::string("file"));
    }
    let mut argv = step.program(&["initializer", "file"]);
    argv.push(format!("--file-context={}", text::compact_json(&Node::map(context))));
    argv.push(format!("--filepath={}", step.target()));
    argv.push(format!("--copy-path={}", step.outputs()));
    argv.push("--track".to_owned());
    Call { name: "polyaxon-init-file".to_owned(), argv, env: step.tracking_env() }
}

fn tensorboard(step: &Step<'_>) -> Result<Call, PlanError> {
    let store = step.host.store.as_ref().ok_or(PlanError::NoStore { index: step.index })?;
    let settings = step.entry.get("tensorboard");
    let setting = |key: &str| settings.and_then(|settings| settings.get(key)).filter(|value| !is_empty(value));
    let joined = |key: &str| setting(key).map(|value| list(Some(value)).iter().map(text::general).collect::<Vec<_>>());
    let root = store.setting("hostPath").map(str::to_owned).or_else(|| store.store_path()).unwrap_or_default();
    let mut argv = step.program(&["initializer", "tensorboard"]);
    argv.push(format!("--context-from={}", root.trim_end_matches('/')));
    argv.push(format!("--context-to={}", step.target()));
    argv.push(format!("--connection-kind={}", store.kind));
    argv.push(format!("--connection-name={}", store.name));
    argv.extend(setting("port").map(|port| format!("--port={}", text::general(port))));
    argv.extend(joined("uuids").map(|uuids| format!("--uuids={}", uuids.join(","))));
    if setting("useNames").and_then(Node::as_bool) == Some(true) {
        argv.push("--use-names".to_owned());
    }
    argv.extend(setting("pathPrefix").map(|prefix| format!("--path-prefix={}", text::general(prefix))));
    argv.extend(joined("plugins").map(|plugins| format!("--plugins={}", plugins.join(","))));
    let mut env = step.tracking_env();
    env.extend(environment::catalog(&[store]));
    Ok(Call { name: "polyaxon-init-tb".to_owned(), argv, env })
}

fn own_container(step: &Step<'_>, notices: &mut Vec<String>) -> Result<Call, PlanError> {
    let container = step.entry.get("container");
    let argv = argv(container, step.host);
    if argv.is_empty() {
        return Err(PlanError::NoInitCommand { index: step.index });
    }
    if let Some(image) = container.and_then(|container| container.get("image")).and_then(Node::as_str) {
        notices.push(format!(
            "run.init[{}].container.image `{image}` is not used by the process executor: the command runs on this machine",
            step.index
        ));
    }
    let name = container.and_then(|container| container.get("name")).and_then(Node::as_str);
    Ok(Call { name: name.map_or_else(|| "init".to_owned(), str::to_owned), argv, env: Variables::new() })
}

/// Gives a call its unique name and its surroundings; the entry's own container may replace command and variables.
fn push(tasks: &mut Vec<Task>, step: &Step<'_>, call: Call, notices: &mut Vec<String>) {
    let container = step.entry.get("container");
    let own = argv(container, step.host);
    let generated = call.argv.iter().map(|item| rewrite(item, &step.host.context_root)).collect();
    let mut env = environment::user(container, step.host, notices);
    env.extend(call.env);
    let name = unique(&call.name, tasks);
    tasks.push(Task {
        name,
        kind: TaskKind::Init,
        argv: if own.is_empty() { generated } else { own },
        workdir: workdir(container, step.host),
        env: in_world(step.host, env),
    });
}

impl Step<'_> {
    fn has(&self, key: &str) -> bool {
        self.entry.get(key).is_some_and(|node| !node.is_null())
    }

    fn text(&self, key: &str) -> Option<String> {
        self.entry.get(key).and_then(Node::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    fn connection(&self, name: &str) -> Result<&Connection, PlanError> {
        let mut known = self.host.connections.iter().chain(&self.host.store);
        known
            .find(|connection| connection.name == name)
            .ok_or_else(|| PlanError::UnknownConnection { index: self.index, name: name.to_owned() })
    }

    /// The folder that the entry fills.
    fn target(&self) -> String {
        self.text("path").unwrap_or_else(|| format!("{CONTEXT_ROOT}/artifacts"))
    }

    fn outputs(&self) -> String {
        format!("{CONTEXT_ROOT}/artifacts/{}/outputs", self.host.run_path)
    }

    fn program(&self, words: &[&str]) -> Vec<String> {
        std::iter::once(self.host.program.as_str()).chain(words.iter().copied()).map(str::to_owned).collect()
    }

    /// Programs that report lineage name the run again, last (execution §6).
    fn tracking_env(&self) -> Variables {
        let mut env = environment::service(self.resolved, self.host, Service::Initializer);
        let run = env.iter().find(|(name, _)| name == "POLYAXON_RUN_INSTANCE").cloned();
        env.extend(run);
        env
    }
}

/// The members of a section that are set, in the given order.
fn document(section: Option<&Node>, keys: &[&str]) -> Map {
    let mut map = Map::new();
    for key in keys {
        if let Some(value) = section.and_then(|section| section.get(key)).filter(|value| !value.is_null()) {
            map.insert(*key, value.clone());
        }
    }
    map
}

fn list(node: Option<&Node>) -> Vec<Node> {
    match node.map(|node| (node, &node.value)) {
        None | Some((_, Value::Null)) => Vec::new(),
        Some((_, Value::List(items))) => items.clone(),
        Some((node, _)) => vec![node.clone()],
    }
}

/// An item `path` or `[from, to]`.
fn from_and_to(node: &Node) -> (String, String) {
    match node.as_list() {
        Some([from, to, ..]) => (text::general(from), text::general(to)),
        Some([path]) => (text::general(path), text::general(path)),
        Some([]) => (String::new(), String::new()),
        None => (text::general(node), text::general(node)),
    }
}

fn join(root: &str, path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", root.trim_end_matches('/')) }
}

/// `…/deep.repo.git` is `deep` (execution N5).
fn repository_name(url: &str) -> String {
    let last = url.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let name = last.split('.').next().unwrap_or_default();
    if name.is_empty() { "repository".to_owned() } else { name.to_owned() }
}

/// A name that no earlier task has and that every file system takes.
fn unique(name: &str, tasks: &[Task]) -> String {
    let mut safe: String = name
        .to_lowercase()
        .chars()
        .map(|char| if char.is_ascii_alphanumeric() || char == '-' { char } else { '-' })
        .take(60)
        .collect();
    if safe.trim_matches('-').is_empty() || safe == "polyaxon-main" {
        "init".clone_into(&mut safe);
    }
    let taken = |candidate: &str| tasks.iter().any(|task| task.name == candidate);
    if !taken(&safe) {
        return safe;
    }
    let candidates = (2..).map(|number| format!("{safe}-{number}"));
    candidates.into_iter().find(|candidate| !taken(candidate)).expect("some number is free")
}

fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::Str(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.is_empty(),
        _ => false,
    }
}
