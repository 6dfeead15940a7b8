//! Process plans against what the official converter made of the same operations: `data/process-cases.json`.
//!
//! The record has shell scripts for stores and no context root; those parts are ours and tested in [`super::plan`].

use std::collections::BTreeMap;

use polyaxon_compile::connection::Connection;
use polyaxon_compile::plan::process::{Host, PlanError, ProcessPlan, Task, plan};
use polyaxon_spec::node::Node;
use serde::Deserialize;
use serde_json::Value as Json;

#[derive(Deserialize)]
struct Record {
    connections: Vec<Connection>,
    configs: BTreeMap<String, Config>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Config {
    host: String,
    namespace: String,
    store: Option<Connection>,
    connections: Vec<Connection>,
    secrets: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    config: String,
    run: Run,
    operation: Json,
    tasks: Vec<Recorded>,
}

#[derive(Deserialize)]
struct Run {
    owner: String,
    project: String,
    uuid: String,
    path: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recorded {
    argv: Vec<Json>,
    env: Vec<(String, String)>,
    working_dir: Option<String>,
}

#[test]
fn processes_are_what_the_official_converter_makes() {
    let record: Record = serde_json::from_str(include_str!("../data/process-cases.json")).unwrap();
    let (mut compared, mut refused) = (0, 0);
    let mut differences = Vec::new();
    for case in &record.cases {
        let host = host(case, &record);
        match plan(&Node::from_json(&case.operation), &host) {
            Ok(plan) => {
                compared += 1;
                compare(case, &plan, &mut differences);
            }
            // Buckets and claims are not on this machine; a process without image needs a command.
            Err(PlanError::ConnectionKind { .. } | PlanError::NoCommand { .. } | PlanError::NoContainer { .. }) => {
                refused += 1;
            }
            Err(error) => differences.push(format!("{}: {error}", case.id)),
        }
    }
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
    assert_eq!((compared, refused), (76, 27), "the record did not change, so neither should these");
}

fn host(case: &Case, record: &Record) -> Host {
    let config = &record.configs[&case.config];
    Host {
        program: "polyaxon".to_owned(),
        owner: case.run.owner.clone(),
        project: case.run.project.clone(),
        uuid: case.run.uuid.clone(),
        run_path: case.run.path.clone(),
        namespace: config.namespace.clone(),
        context_root: "/plx-context".to_owned(),
        api_host: config.host.clone(),
        store: config.store.clone(),
        connections: record.connections.iter().chain(&config.connections).cloned().collect(),
        secrets: config.secrets.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        ..Host::default()
    }
}

fn compare(case: &Case, plan: &ProcessPlan, differences: &mut Vec<String>) {
    let is_recorded = |task: &&Task| {
        ["polyaxon-main", "polyaxon-init-git", "polyaxon-init-file", "polyaxon-init-dockerfile"]
            .iter()
            .any(|name| task.name.starts_with(name))
    };
    let ours: Vec<&Task> = plan.tasks.iter().filter(is_recorded).collect();
    if ours.len() != case.tasks.len() {
        differences.push(format!("{}: {} tasks instead of {}", case.id, ours.len(), case.tasks.len()));
        return;
    }
    for (task, recorded) in ours.iter().zip(&case.tasks) {
        let argv: Vec<&str> = recorded.argv.iter().filter_map(Json::as_str).collect();
        if task.argv != argv {
            differences.push(format!("{} {}: argv\n  want {argv:?}\n  got  {:?}", case.id, task.name, task.argv));
        }
        // The record lets the tracking client do the sidecar's work; ours is not part of the job.
        let only_recorded = ["POLYAXON_HAS_PROCESS_SIDECAR"];
        let only_ours = ["PYTHONUNBUFFERED", "POLYAXON_CONTEXT_ROOT"];
        let want: Vec<_> = recorded.env.iter().filter(|(name, _)| !only_recorded.contains(&name.as_str())).collect();
        let got: Vec<_> = task.env.iter().filter(|(name, _)| !only_ours.contains(&name.as_str())).collect();
        if want != got {
            differences.push(format!("{} {}: env\n  want {want:?}\n  got  {got:?}", case.id, task.name));
        }
        if task.workdir != recorded.working_dir {
            differences.push(format!("{} {}: folder {:?}", case.id, task.name, task.workdir));
        }
    }
}
