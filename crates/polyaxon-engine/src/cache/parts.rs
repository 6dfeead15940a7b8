//! What a run is made of, as far as its result depends on it, and the key of it.
//!
//! Invariant: the key is a function of the canonical text of the parts (sorted keys, no spaces); [`VERSION`] changes
//! with the meaning of the parts, so that keys of different programs never meet.

use std::collections::BTreeMap;

use polyaxon_model::ids::{ProjectId, StateId};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use uuid::Builder;

use super::{Code, Policy};

/// Of the meaning of the parts.
const VERSION: u8 = 1;

/// Where the parts of a run are found.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// The `run` of the composed operation: it is compared as it is written. Rendered, it names the run itself.
    pub runtime: &'a Json,
    /// The resolved operation; its inputs, outputs and contexts hold their values.
    pub resolved: &'a Json,
    /// What the component is a version of.
    pub component: Option<StateId>,
    /// The image that was built for the run.
    pub built_image: Option<&'a str>,
    pub code: &'a Code,
    /// A param that says where the result goes, not what it is.
    pub left_out: Option<&'a str>,
}

/// The parts by their path.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parts(BTreeMap<String, Json>);

/// A part in which two runs differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    pub part: String,
    pub before: Option<Json>,
    pub after: Option<Json>,
}

impl Parts {
    /// Collects what the policy compares.
    pub fn collect(policy: &Policy, sources: &Sources<'_>) -> Parts {
        let mut parts = Parts::default();
        for (section, needs_value) in [("inputs", false), ("outputs", true), ("contexts", true)] {
            parts.add_ios(policy, section, needs_value, sources);
        }
        let run = sources.runtime;
        let is_compared =
            |section: &str| policy.sections.as_ref().is_none_or(|sections| sections.iter().any(|name| name == section));
        if is_compared("init") {
            parts.add_init(run);
        }
        if is_compared("connections") {
            parts.add("connections", run.get("connections"));
        }
        if is_compared("containers") {
            // A run of its own names what it consists of, a replica of a distributed one as well.
            parts.add_program("", run);
            for (name, replica) in run.as_object().into_iter().flatten() {
                if replica.get("container").is_some() {
                    parts.add_program(&format!("{name}."), replica);
                }
            }
        }
        // What a pipeline consists of is what it runs.
        parts.add("operations", run.get("operations"));
        parts.add("components", run.get("components"));
        parts.add("matrix", sources.resolved.get("matrix"));
        if policy.sections.is_none() {
            parts.add_surroundings(sources, run);
        }
        parts
    }

    fn add(&mut self, name: impl Into<String>, value: Option<&Json>) {
        if let Some(value) = value.filter(|value| !is_empty(value)) {
            self.0.insert(name.into(), value.clone());
        }
    }

    fn add_ios(&mut self, policy: &Policy, section: &str, needs_value: bool, sources: &Sources<'_>) {
        for io in sources.resolved.get(section).and_then(Json::as_array).into_iter().flatten() {
            let Some(name) = io.get("name").and_then(Json::as_str) else { continue };
            let value = io.get("value").unwrap_or(&Json::Null);
            let is_wanted = match &policy.io {
                Some(names) => names.iter().any(|wanted| wanted == name),
                None => sources.left_out != Some(name),
            };
            if is_wanted && !(needs_value && value.is_null()) {
                let kind = io.get("type").unwrap_or(&Json::Null);
                self.0.insert(format!("{section}.{name}"), json!({ "type": kind, "value": value }));
            }
        }
    }

    fn add_init(&mut self, run: &Json) {
        for (number, step) in run.get("init").and_then(Json::as_array).into_iter().flatten().enumerate() {
            let mut step = step.clone();
            let container = step.as_object_mut().and_then(|step| step.remove("container")).unwrap_or_default();
            self.add(format!("init[{number}]"), Some(&step));
            for field in ["command", "args"] {
                self.add(format!("init[{number}].container.{field}"), container.get(field));
            }
        }
    }

    fn add_program(&mut self, prefix: &str, program: &Json) {
        let container = program.get("container").unwrap_or(&Json::Null);
        let sidecars = program.get("sidecars").and_then(Json::as_array).into_iter().flatten();
        let sidecars = sidecars.enumerate().map(|(number, sidecar)| (format!("{prefix}sidecars[{number}]"), sidecar));
        for (name, container) in std::iter::once((format!("{prefix}container"), container)).chain(sidecars) {
            for field in ["command", "args"] {
                self.add(format!("{name}.{field}"), container.get(field));
            }
        }
    }

    /// What a narrow list of sections leaves out: image, environment, component, code.
    fn add_surroundings(&mut self, sources: &Sources<'_>, run: &Json) {
        let built = sources.built_image.map(|image| json!(image));
        let replicas = run.as_object().into_iter().flatten().map(|(name, replica)| (format!("{name}."), replica));
        for (prefix, program) in std::iter::once((String::new(), run)).chain(replicas) {
            let Some(container) = program.get("container") else { continue };
            self.add(format!("{prefix}container.image"), built.as_ref().or(container.get("image")));
            self.add(format!("{prefix}container.env"), container.get("env"));
        }
        if self.0.is_empty() {
            return;
        }
        self.add("component", sources.component.map(|state| json!(state)).as_ref());
        match sources.code {
            Code::Image => {}
            Code::Known(code) => self.add("code", Some(code)),
            Code::Unknown { folder } => self.add("code", Some(&json!({ "folder": folder }))),
        }
    }

    /// The key that equal runs of a project share; none when there is nothing to compare.
    pub fn key(&self, project: ProjectId) -> Option<StateId> {
        if self.0.is_empty() {
            return None;
        }
        let mut text = project.to_hex();
        for (name, value) in &self.0 {
            text.push('\n');
            text.push_str(&Json::from(name.as_str()).to_string());
            write_canonical(value, &mut text);
        }
        let digest = Sha256::new().chain_update([VERSION]).chain_update(text.as_bytes()).finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Some(StateId::new(Builder::from_custom_bytes(bytes).into_uuid()))
    }

    /// The parts in which `after` differs from these.
    pub fn differences(&self, after: &Parts) -> Vec<Difference> {
        let names: std::collections::BTreeSet<&String> = self.0.keys().chain(after.0.keys()).collect();
        let pairs = names.into_iter().map(|name| (name, self.0.get(name), after.0.get(name)));
        pairs
            .filter(|(_, before, after)| before != after)
            .map(|(name, before, after)| Difference {
                part: name.clone(),
                before: before.cloned(),
                after: after.cloned(),
            })
            .collect()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All parts, by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(fields) => fields.values().all(Json::is_null),
        Json::Bool(_) | Json::Number(_) => false,
    }
}

fn write_canonical(value: &Json, out: &mut String) {
    match value {
        Json::Object(fields) => {
            let sorted: BTreeMap<&String, &Json> = fields.iter().collect();
            out.push('{');
            for (name, value) in sorted {
                out.push_str(&Json::from(name.as_str()).to_string());
                out.push(':');
                write_canonical(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Json::Array(items) => {
            out.push('[');
            for item in items {
                write_canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(cache: &Json, run: &Json, inputs: &Json) -> Parts {
        let resolved = json!({"cache": cache, "inputs": inputs});
        let sources = Sources {
            runtime: run,
            resolved: &resolved,
            component: None,
            built_image: None,
            code: &Code::Image,
            left_out: Some("destination"),
        };
        Parts::collect(&Policy::read(&resolved), &sources)
    }

    /// The parts in which two runs with this policy differ.
    fn check(cache: &Json, before: (&Json, &Json), after: (&Json, &Json), expected: &[&str]) {
        let (before, after) = (parts(cache, before.0, before.1), parts(cache, after.0, after.1));
        let found: Vec<String> = before.differences(&after).into_iter().map(|found| found.part).collect();
        assert_eq!(found, expected);
        let project = ProjectId::new(uuid::Uuid::nil());
        assert_eq!(before.key(project) == after.key(project), expected.is_empty());
    }

    #[test]
    fn what_is_compared_makes_the_difference() {
        let run = json!({"kind": "job", "init": [{"git": {"url": "a"}}],
            "container": {"image": "a", "command": ["sh"], "args": ["-c", "true"], "env": [{"name": "A", "value": "1"}]}});
        let changed = |path: &str, value: Json| {
            let mut run = run.clone();
            *run.pointer_mut(path).unwrap_or(&mut Json::Null) = value;
            run
        };
        let io =
            |value: Json| json!([{"name": "lr", "type": "float", "value": value}, {"name": "note", "value": null}]);
        let (all, none) = (json!(null), json!({"sections": []}));
        let narrow = json!({"sections": ["init", "containers", "connections"]});
        let same = io(json!(0.1));
        let cases = [
            (&all, run.clone(), io(json!(0.1)), vec![]),
            (&all, run.clone(), io(json!(0.2)), vec!["inputs.lr"]),
            (&json!({"io": ["note"]}), run.clone(), io(json!(0.2)), vec![]),
            (&all, changed("/container/image", json!("b")), same.clone(), vec!["container.image"]),
            (&all, changed("/container/env/0/value", json!("2")), same.clone(), vec!["container.env"]),
            (&all, changed("/container/args/1", json!("false")), same.clone(), vec!["container.args"]),
            (&all, changed("/init/0/git/url", json!("b")), same.clone(), vec!["init[0]"]),
            (&narrow, changed("/container/image", json!("b")), same.clone(), vec![]),
            (&narrow, changed("/container/args/1", json!("false")), same.clone(), vec!["container.args"]),
            (&none, changed("/container/args/1", json!("false")), same.clone(), vec![]),
            (&none, run.clone(), io(json!(0.2)), vec!["inputs.lr"]),
        ];
        for (cache, run_after, io_after, expected) in cases {
            check(cache, (&run, &same), (&run_after, &io_after), &expected);
        }
    }

    #[test]
    fn order_of_fields_does_not_matter_and_projects_are_apart() {
        let one = parts(&Json::Null, &json!({"container": {"image": "a"}, "connections": ["c"]}), &json!([]));
        let two = parts(&Json::Null, &json!({"connections": ["c"], "container": {"image": "a"}}), &json!([]));
        let (here, there) = (ProjectId::new(uuid::Uuid::nil()), ProjectId::new(uuid::Uuid::max()));
        assert_eq!(one.key(here), two.key(here));
        assert_ne!(one.key(here), one.key(there));
        assert_eq!(parts(&json!({"sections": []}), &json!({"container": {"image": "a"}}), &json!([])).key(here), None);
    }

    #[test]
    fn the_component_alone_is_not_enough() {
        let state = StateId::new(uuid::Uuid::max());
        let collect = |run: Json| {
            let sources = Sources {
                runtime: &run,
                resolved: &Json::Null,
                component: Some(state),
                built_image: Some("built"),
                code: &Code::Image,
                left_out: None,
            };
            Parts::collect(&Policy::default(), &sources)
        };
        assert_eq!(collect(json!({})), Parts::default());
        let found = collect(json!({"container": {"image": "written"}}));
        let found: Vec<(&str, &Json)> = found.iter().collect();
        assert_eq!(found, [("component", &json!(state)), ("container.image", &json!("built"))]);
    }
}
