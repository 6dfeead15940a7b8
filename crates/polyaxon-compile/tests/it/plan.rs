//! Process plans of small resolved operations.

use polyaxon_compile::connection::Connection;
use polyaxon_compile::plan::process::{Host, PlanError, ProcessPlan, TaskKind, plan};
use polyaxon_spec::node::Node;
use serde_json::{Value as Json, json};

fn host() -> Host {
    Host {
        program: "/bin/polyaxon".to_owned(),
        owner: "acme/team".to_owned(),
        project: "vision".to_owned(),
        uuid: "u".repeat(32),
        run_path: "u".repeat(32),
        attempt: 1,
        namespace: "local".to_owned(),
        context_root: "/home/me/runs/u".to_owned(),
        api_host: "http://localhost:8000/".to_owned(),
        store: Some(Connection::host_path("local-store", "/home/me/artifacts")),
        cwd: Some("/home/me/dir".to_owned()),
        base_env: vec![("PATH".to_owned(), "/usr/bin".to_owned()), ("SEED".to_owned(), "from-shell".to_owned())],
        grace_secs: 10,
        ..Host::default()
    }
}

fn planned(operation: &Json) -> Result<ProcessPlan, PlanError> {
    plan(&Node::from_json(operation), &host())
}

fn variable<'a>(plan: &'a ProcessPlan, task: usize, name: &str) -> Option<&'a str> {
    plan.tasks[task].env.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

#[test]
fn a_job_becomes_one_process_in_the_submitters_world() {
    let plan = planned(&json!({
        "inputs": [{"name": "lr", "value": 0.5, "toEnv": "LR"}, {"name": "none", "toEnv": "NONE"}],
        "termination": {"timeout": 90, "maxRetries": 3},
        "run": {"kind": "job", "container": {
            "image": "python:3.11",
            "command": ["python", "-u"],
            "args": ["train.py", "--out=/plx-context/artifacts/x", null, "", true, 0.1],
            "env": [{"name": "SEED", "value": 7}, {"name": "POLYAXON_HOST", "value": "mine"}],
        }},
    }))
    .unwrap();
    assert_eq!(plan.tasks.len(), 1);
    let main = &plan.tasks[0];
    assert_eq!(main.kind, TaskKind::Main);
    assert_eq!(main.argv, ["python", "-u", "train.py", "--out=/home/me/runs/u/artifacts/x", "True", "0.1"]);
    assert_eq!(main.workdir.as_deref(), Some("/home/me/dir"));
    assert_eq!(plan.timeout_secs, Some(90));
    let expected = [
        ("PATH", "/usr/bin"),
        ("SEED", "7"),
        ("LR", "0.5"),
        ("NONE", "null"),
        ("POLYAXON_HOST", "http://localhost:8000"),
        ("POLYAXON_CONTEXT_ROOT", "/home/me/runs/u"),
        ("PYTHONUNBUFFERED", "1"),
        ("POLYAXON_COLLECT_ARTIFACTS", "true"),
        ("POLYAXON_ARTIFACTS_STORE_NAME", "local-store"),
    ];
    for (name, value) in expected {
        assert_eq!(variable(&plan, 0, name), Some(value), "{name}");
    }
    let instance = format!("acme.vision.runs.{}", "u".repeat(32));
    assert_eq!(variable(&plan, 0, "POLYAXON_RUN_INSTANCE"), Some(instance.as_str()));
    assert_eq!(variable(&plan, 0, "POLYAXON_HAS_PROCESS_SIDECAR"), None);
    assert_eq!(
        plan.notices,
        ["container.image `python:3.11` is not used by the process executor: the command runs on this machine"]
    );
}

#[test]
fn strings_are_lists_of_one_and_folders_can_be_relative() {
    let plan = planned(&json!({"run": {"kind": "service", "ports": [8888, 8889], "container":
        {"args": "serve", "workingDir": "sub"}}}))
    .unwrap();
    assert_eq!(plan.tasks[0].argv, ["serve"]);
    assert_eq!(plan.tasks[0].workdir.as_deref(), Some("/home/me/dir/sub"));
    assert_eq!(plan.ports, [8888, 8889]);
}

#[test]
fn init_entries_become_calls_of_our_binary() {
    let plan = planned(&json!({"run": {"kind": "job", "container": {"command": ["true"]}, "init": [
        {"container": {"command": ["echo"], "args": ["own"]}},
        {"git": {"url": "https://example.org/a/deep.repo.git", "flags": ["--depth 1"]}},
        {"file": {"content": "x"}, "path": "/plx-context/files"},
        {"artifacts": {"files": ["a/b.txt"], "dirs": [["d", "e"]]}},
        {"paths": "p"},
        {"dockerfile": {"run": ["make"], "image": "base"}},
    ]}}))
    .unwrap();
    let calls: Vec<String> = plan.tasks.iter().map(|task| format!("{}: {}", task.name, task.argv.join(" "))).collect();
    let uuid = "u".repeat(32);
    assert_eq!(
        calls,
        [
            "polyaxon-init-git-deep: /bin/polyaxon initializer git --repo-path=/home/me/runs/u/artifacts/deep \
             --url=https://example.org/a/deep.repo.git --flags=[\"--depth 1\"]"
                .to_owned(),
            format!(
                "polyaxon-init-file: /bin/polyaxon initializer file --file-context={{\"content\":\"x\",\"filename\":\
                 \"file\"}} --filepath=/home/me/runs/u/files --copy-path=/home/me/runs/u/artifacts/{uuid}/outputs --track"
            ),
            "polyaxon-init-artifacts-local-store: /bin/polyaxon initializer path --connection-name=local-store \
             --connection-kind=host_path --path-from=/home/me/artifacts/a/b.txt \
             --path-to=/home/me/runs/u/artifacts/a/b.txt --is-file"
                .to_owned(),
            "polyaxon-init-artifacts-local-store-2: /bin/polyaxon initializer path --connection-name=local-store \
             --connection-kind=host_path --path-from=/home/me/artifacts/d --path-to=/home/me/runs/u/artifacts/e"
                .to_owned(),
            "polyaxon-init-artifacts-local-store-3: /bin/polyaxon initializer path --connection-name=local-store \
             --connection-kind=host_path --path-from=/home/me/artifacts/p --path-to=/home/me/runs/u/artifacts/p \
             --check-path"
                .to_owned(),
            format!(
                "polyaxon-init-dockerfile: /bin/polyaxon docker generate --build-context={{\"image\":\"base\",\"run\":\
                 [\"make\"]}} --destination=/home/me/runs/u/artifacts --copy-path=/home/me/runs/u/artifacts/{uuid}/outputs \
                 --track"
            ),
            "init: echo own".to_owned(),
            "polyaxon-main: true".to_owned(),
        ]
    );
    assert_eq!(variable(&plan, 0, "POLYAXON_HEADER_SERVICE"), Some("initializer"));
}

#[test]
fn refusals_name_the_place() {
    let cases = [
        (
            json!({"name": "train", "run": {"kind": "job", "container": {"image": "a"}}}),
            "`train`: a local process needs a command: `run.container` has neither `command` nor `args`",
        ),
        (
            json!({"run": {"kind": "mpijob"}}),
            "`run.kind: mpijob` cannot be executed by this version yet: only `job` and `service` can",
        ),
        (
            json!({"run": {"kind": "job", "init": [{}, {"connection": "nope"}], "container": {"command": ["x"]}}}),
            "`run.init[1]`: connection `nope` is not known",
        ),
        (
            json!({"plugins": {"sandbox": true}, "run": {"kind": "service", "container": {"command": ["x"]}}}),
            "`plugins.sandbox` works on Kubernetes only",
        ),
    ];
    for (operation, expected) in cases {
        assert_eq!(planned(&operation).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_plan_survives_its_file() {
    let plan = planned(&json!({"run": {"kind": "job", "container": {"command": ["true"]}}})).unwrap();
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<ProcessPlan>(&text).unwrap(), plan);
}
