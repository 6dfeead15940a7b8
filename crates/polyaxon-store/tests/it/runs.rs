//! Creating, patching and compiling runs.

use polyaxon_model::kinds::{CloningKind, ManagedBy};
use polyaxon_model::new_run::Submission;
use polyaxon_store::runs::{Compilation, NewRecord};
use polyaxon_store::{runs, submission};
use serde_json::{Value as Json, json};

use crate::testkit::{NOW, World, at, databases};

fn map(value: Json) -> polyaxon_model::JsonMap {
    value.as_object().cloned().unwrap()
}

#[test]
fn a_run_keeps_everything_it_was_created_with() {
    for database in databases() {
        let world = World::on(&database);
        let original = world.job();
        let sent = Submission { cwd: Some("/work".into()), env: map(json!({"PATH": "/bin"})), code: None };
        let record = NewRecord {
            name: Some("train".into()),
            tags: Some(vec!["a".into(), "b".into(), "a".into()]),
            inputs: Some(map(json!({"lr": 0.1}))),
            raw_content: Some("{}".into()),
            submission: Some(sent.clone()),
            original: Some((original.uuid, CloningKind::Restart)),
            pipeline: Some(original.uuid),
            ..world.record(ManagedBy::Agent)
        };
        let created = world.create(record, NOW);
        assert_eq!(created, world.get(created.uuid));
        assert_eq!(created.tags.as_deref(), Some(&["a".to_owned(), "b".to_owned()][..]));
        assert_eq!(created.original.as_ref().map(|original| original.kind), Some(CloningKind::Restart));
        assert_eq!(created.pipeline.as_ref().map(|pipeline| pipeline.uuid), Some(original.uuid));
        assert_eq!(created.project, "p");
        let kept = world.store.read_blocking(|tx| submission::get(tx, created.uuid)).unwrap();
        assert_eq!(kept, Some(sent));
    }
}

#[test]
fn patches_replace_and_merges_merge() {
    for database in databases() {
        let world = World::on(&database);
        let run = world.job().uuid;
        world.patch(run, json!({"outputs": {"a": 1, "deep": {"x": 1}}, "tags": ["t1", "t2"], "description": "d"}), NOW);
        let merged =
            world.patch(run, json!({"outputs": {"b": 2, "deep": {"y": 2}}, "tags": ["t2", "t3"], "merge": true}), NOW);
        assert_eq!(Json::Object(merged.outputs.unwrap()), json!({"a": 1, "deep": {"y": 2}, "b": 2}));
        assert_eq!(merged.tags.unwrap(), ["t1", "t2", "t3"]);
        let replaced = world.patch(run, json!({"outputs": {"c": 3}, "tags": [], "description": null}), NOW);
        assert_eq!(Json::Object(replaced.outputs.clone().unwrap()), json!({"c": 3}));
        assert_eq!((replaced.tags.clone(), replaced.description.clone()), (Some(vec![]), None));
        assert_eq!(replaced, world.get(run));
    }
}

#[test]
fn a_compilation_is_merged_into_the_run() {
    for database in databases() {
        let world = World::on(&database);
        let record = NewRecord { meta_info: map(json!({"upload_artifacts": "u"})), ..world.record(ManagedBy::Agent) };
        let run = world.create(record, NOW).uuid;
        let compilation = Compilation {
            content: "{\"kind\":\"compiled_operation\"}".into(),
            inputs: Some(map(json!({"lr": 0.5}))),
            outputs: None,
            meta_info: map(json!({"ttl": 3})),
            resources: polyaxon_model::run::Resources { cpu: 2.0, ..Default::default() },
            queue: 0,
        };
        world.store.write_blocking(move |tx| runs::set_compilation(tx, run, &compilation, at(NOW))).unwrap();
        let stored = world.get(run);
        assert_eq!(Json::Object(stored.meta_info), json!({"upload_artifacts": "u", "ttl": 3}));
        assert_eq!((stored.resources.cpu, stored.outputs), (2.0, None));
        assert_eq!(Json::Object(stored.inputs.unwrap()), json!({"lr": 0.5}));
    }
}
