//! Hooks (acceptance 16): what follows the end of a run, and what does not.

use std::collections::BTreeSet;

use polyaxon_engine::state::Event;
use polyaxon_model::ids::RunId;
use polyaxon_model::run::Run;
use polyaxon_model::status::Status;
use polyaxon_store::pipelines::child_id;
use serde_json::{Value as Json, json};

use crate::bench::{Bench, block_on, script};

/// A component that prints one of its params.
fn printing(text: &str) -> Json {
    json!({"kind": "component", "run": {"kind": "job", "container": {"command": ["echo"], "args": [text]}}})
}

fn with_hooks(text: &str, hooks: &Json) -> Json {
    let mut operation = script(text);
    operation["hooks"] = hooks.clone();
    operation
}

/// The run of a hook of the first life of a run.
fn hook_of(run: RunId, number: usize) -> RunId {
    child_id(run, &format!("hook 0 {number}"))
}

/// Waits for the run and for the actions that follow its end.
async fn ended(bench: &Bench, run: RunId) -> Run {
    let record = bench.until(run, |record| record.status.is_done()).await;
    bench.until_settled(run).await;
    record
}

#[test]
fn triggers_and_conditions_choose_the_hooks() {
    block_on(async {
        let mut bench = Bench::new(4).await;
        let hook = |trigger: &str| json!({"trigger": trigger, "component": printing("x")});
        let triggers = ["succeeded", "failed", "stopped", "skipped", "upstream_failed", "done"];
        let mut hooks: Vec<Json> = triggers.iter().map(|trigger| hook(trigger)).collect();
        hooks.push(
            json!({"component": printing("x"), "conditions": "{{ globals.finished_at == globals.finished_at }}"}),
        );
        hooks.push(json!({"component": printing("x"), "conditions": "{{ globals.status == 'skipped' }}"}));
        hooks.push(json!({"component": printing("x"), "conditions": "{{ duration < 0 }}"}));
        let cases = [
            ("true", None, Status::Succeeded, vec![0, 5, 6]),
            ("exit 1", None, Status::Failed, vec![1, 5, 6]),
            ("sleep 100", Some(Event::StopRequested), Status::Stopped, vec![2, 5, 6]),
            ("{{ broken", None, Status::Failed, vec![1, 5, 6]),
        ];
        for (text, event, status, expected) in cases {
            let run = bench.submit(&with_hooks(text, &json!(hooks))).await;
            if let Some(event) = event {
                bench.until_status(run, Status::Running).await;
                bench.event(run, event).await;
            }
            let record = ended(&bench, run).await;
            assert_eq!(record.status, status, "{text}");
            assert_eq!(record.meta_info.get("hooks_errors"), None, "{record:?}");
            let mut started = BTreeSet::new();
            for number in 0..hooks.len() {
                if bench.find(hook_of(run, number)).await.is_some() {
                    started.insert(number);
                }
            }
            assert_eq!(started, BTreeSet::from_iter(expected), "{text}");
        }
    });
}

#[test]
fn a_hook_knows_the_run_and_its_failure_does_not_touch_it() {
    block_on(async {
        let mut bench = Bench::new(4).await;
        let mut failing = printing("x");
        failing["run"]["container"] = json!({"command": ["false"]});
        let mut asking = printing("{{ status }} {{ message }}");
        asking["inputs"] = json!([{"name": "message", "type": "str"}]);
        let hooks = json!([
            {"component": asking, "params": {"message": {"value": "{{ globals.name }}: {{ inputs.x }}"}}},
            {"component": failing},
            {"hubRef": "no-such-component"},
            {"component": printing("x"), "conditions": "maybe"},
        ]);
        let mut operation = with_hooks("true", &hooks);
        operation["component"]["inputs"] = json!([{"name": "x", "type": "int", "value": 7, "isOptional": true}]);
        let run = bench.submit(&operation).await;
        let before = ended(&bench, run).await;
        let told = hook_of(run, 0);
        let record = bench.until_status(told, Status::Succeeded).await;
        assert_eq!(bench.lines(told), ["succeeded test: 7"]);
        assert_eq!(record.meta_info.get("is_hook"), Some(&json!(true)));
        assert!(record.pipeline.is_none());
        bench.until_status(hook_of(run, 1), Status::Failed).await;
        let after = bench.get(run).await;
        assert_eq!((after.status, after.finished_at), (Status::Succeeded, before.finished_at));
        assert_eq!(after.meta_info.get("has_hooks"), Some(&json!(true)));
        let problems = after.meta_info.get("hooks_errors").and_then(Json::as_array).cloned().unwrap_or_default();
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(
            problems[0].as_str().is_some_and(|text| text.starts_with("hooks[2] (no-such-component): ")),
            "{problems:?}"
        );
        assert!(
            problems[1].as_str().is_some_and(|text| text.starts_with("hooks[3] (inline component): ")),
            "{problems:?}"
        );
        // The hook has no hooks of its own, so nothing follows it.
        bench.until_settled(told).await;
        assert!(bench.find(hook_of(told, 0)).await.is_none());
    });
}
