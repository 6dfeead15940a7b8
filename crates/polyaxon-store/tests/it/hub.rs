//! Registered components as the components of operations.

use polyaxon_model::ids::VersionId;
use polyaxon_model::kinds::VersionKind;
use polyaxon_model::version::VersionBody;
use polyaxon_spec::node::Node;
use polyaxon_store::{hub, versions};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::testkit::{NOW, World, at, databases};

impl World {
    fn register(&self, name: &str, content: &str) {
        let body: VersionBody = serde_json::from_value(json!({ "content": content })).unwrap();
        let key = versions::Key { project: "p".into(), kind: VersionKind::Component, name: name.into() };
        let uuid = VersionId::new(Uuid::new_v4());
        self.store.write_blocking(move |tx| versions::create(tx, &key, uuid, &body, None, at(NOW))).unwrap();
    }

    fn collected(&self, document: &Json) -> Result<Json, Vec<String>> {
        let mut node = Node::from_json(document);
        let collected = self.store.read_blocking(|tx| Ok(hub::collect(tx, &mut node, "p"))).unwrap();
        collected.map_err(|problems| problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>())?;
        Ok(node.to_json())
    }
}

#[test]
fn operations_of_a_dag_and_of_components_are_filled_in() {
    for database in databases() {
        let world = World::on(&database);
        world.register(
            "v1",
            r#"{"kind": "component", "inputs": [{"name": "lr", "type": "float", "value": 1e-05}],
        "run": {"kind": "job", "container": {"image": "a"}}}"#,
        );
        world.register("v2", "kind: component\nrun: {kind: dag, operations: [{name: inner, hubRef: \"p:v1\"}]}");
        let dag = json!({ "kind": "operation", "hubRef": "p:v2" });
        let inner = &world.collected(&dag).unwrap()["component"]["run"]["operations"][0];
        assert_eq!(inner["component"]["run"]["container"]["image"], "a");
        assert_eq!(inner["component"]["inputs"][0]["value"], json!(1e-05), "contents in JSON are read as JSON");
        world.register(
            "v3",
            "kind: component\nrun: {kind: dag, operations: [{name: a, hubRef: \"p:v3\"}, {name: b, hubRef: \"q\"}]}",
        );
        let problems = world.collected(&json!({ "hubRef": "p:v3" })).unwrap_err();
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].contains("leads back to where it started"), "{problems:?}");
    }
}

#[test]
fn equal_components_have_equal_states() {
    let state = |json: Json| hub::component_state(&Node::from_json(&json));
    let one = json!({ "version": 1.1, "kind": "component", "name": "a", "run": { "kind": "job", "cmd": null } });
    assert_eq!(state(one), state(json!({ "run": { "kind": "job" }, "name": "a" })));
    assert_ne!(state(json!({ "name": "a" })), state(json!({ "name": "b" })));
    assert_ne!(state(json!({ "tags": ["a", "b"] })), state(json!({ "tags": ["a,b"] })));
}
