//! Root shortcuts: `container`, `cmd`, `env`, `resources` and friends beside `run` (spec §12.6).

use crate::diagnostic::{Diagnostic, codes};
use crate::node::{Key, Map, Node, Value};
use crate::patch::{Role, Strategy, patched, read_run_patch, replica_fields, runtime_map};
use crate::schema;
use crate::span::Span;

type Problems = Vec<Diagnostic>;

/// Applies the shortcuts of one layer to its runtime, in the order of the specification.
pub(super) fn apply(layer: &Map, run: Option<Node>, strategy: Strategy) -> Result<Option<Node>, Problems> {
    let mut run = run;
    if let Some(ports) = set(layer, "ports") {
        let patch = single(key(layer, "ports"), ports.clone());
        run = Some(patch_native(run, patch, strategy, "service").map_err(only_services)?);
    }
    if let Some(container) = layer.get("container") {
        run = Some(patch_native(run, single(key(layer, "container"), container.clone()), strategy, "job")?);
    }
    if let Some(command) = set(layer, "cmd") {
        run = Some(apply_command(run, key(layer, "cmd"), command, strategy)?);
    }
    if let Some(env) = set(layer, "env") {
        run = Some(apply_env(run, key(layer, "env"), env, strategy)?);
    }
    if let Some(wanted) = set(layer, "resources") {
        let lowered = Node::new(Value::Map(lower_resources(wanted)), wanted.span);
        let container = single(key(layer, "resources"), lowered);
        run = Some(patch_native(run, in_container(container, wanted.span), strategy, "job")?);
    }
    for field in ["environment", "init", "connections", "sidecars", "volumes"] {
        if let Some(value) = set(layer, field) {
            run = Some(patch_native(run, single(key(layer, field), value.clone()), strategy, "job")?);
        }
    }
    Ok(run)
}

fn set<'a>(layer: &'a Map, field: &str) -> Option<&'a Node> {
    layer.get(field).filter(|value| !value.is_null())
}

fn key(layer: &Map, field: &str) -> Key {
    layer.get_key(field).cloned().unwrap_or_else(|| Key::new(field))
}

fn single(key: Key, value: Node) -> Node {
    let span = value.span;
    Node::new(Value::Map([(key, value)].into_iter().collect()), span)
}

fn in_container(container: Node, span: Span) -> Node {
    single(Key { text: "container".into(), span, is_text: true }, container)
}

/// The requests and limits that the shortcut stands for; empty sides are left out. It was checked when it was read.
fn lower_resources(wanted: &Node) -> Map {
    let mut requests = Map::new();
    let mut limits = Map::new();
    for (key, value) in wanted.as_map().into_iter().flat_map(Map::iter) {
        let Ok(resource) = schema::resource(&key.text, &value.value) else { continue };
        for (side, amount) in [(&mut requests, resource.request), (&mut limits, resource.limit)] {
            if let Some(amount) = amount {
                let name = Key { text: resource.name.clone(), ..key.clone() };
                side.insert_key(name, Node::new(amount, value.span));
            }
        }
    }
    let sides = [("requests", requests), ("limits", limits)].into_iter().filter(|(_, side)| !side.is_empty());
    sides.map(|(name, side)| (Key::new(name), Node::new(Value::Map(side), wanted.span))).collect()
}

/// Patches the runtime below, or makes one of `kind`.
fn patch_native(run: Option<Node>, patch: Node, strategy: Strategy, kind: &str) -> Result<Node, Problems> {
    match run {
        Some(run) => {
            let read = read_run_patch(&patch, &run, "")?;
            Ok(patched(&run, &read, strategy))
        }
        None => {
            let stub = single(Key::new("kind"), Node::string(kind));
            let read = read_run_patch(&patch, &stub, "")?;
            Ok(Node::new(runtime_map(&stub, read), patch.span))
        }
    }
}

fn only_services(problems: Problems) -> Problems {
    let explain = |problem: Diagnostic| match problem.code {
        codes::UNKNOWN_FIELD => Diagnostic {
            message: "`ports` are for services, but the runtime below is of another kind".into(),
            label: "a job has no ports".into(),
            help: Some("use `run.kind: service`, or remove `ports`".into()),
            ..problem
        },
        _ => problem,
    };
    problems.into_iter().map(explain).collect()
}

/// One script. It replaces `command` and `args` together, so that it never mixes with what is below.
fn apply_command(run: Option<Node>, key: Key, command: &Node, strategy: Strategy) -> Result<Node, Problems> {
    let lines = match &command.value {
        Value::List(lines) => lines.iter().filter_map(Node::as_str).collect(),
        _ => command.as_str().into_iter().collect::<Vec<_>>(),
    };
    let script = std::iter::once("set -e").chain(lines).collect::<Vec<_>>().join("\n");
    let text = |text: &str| Node::new(Value::Str(text.to_string()), command.span);
    let list = |items: Vec<Node>| Node::new(Value::List(items), command.span);
    let mut pair = Map::new();
    let named = |name: &str| Key { text: name.to_string(), ..key.clone() };
    pair.insert_key(named("command"), list(vec![text("/bin/sh"), text("-c")]));
    pair.insert_key(named("args"), list(vec![text(&script)]));
    let patch = in_container(Node::new(Value::Map(pair), command.span), command.span);

    let Some(below) = run else { return patch_native(None, patch, Strategy::Replace, "job") };
    if strategy.prefers_patch() {
        return patch_native(Some(below), patch, Strategy::Replace, "job");
    }
    let has_script = |path: &Place| {
        let container = at(&below, path);
        let has = |field| container.and_then(|container| container.get(field)).is_some_and(|value| !value.is_null());
        has("command") || has("args")
    };
    let kept: Vec<Place> = main_containers(&below).into_iter().filter(has_script).collect();
    let mut patched = patch_native(Some(below.clone()), patch, Strategy::IsNull, "job")?;
    for path in kept {
        for field in ["command", "args"] {
            let before = at(&below, &path).and_then(|container| container.get(field)).cloned();
            let Some(container) = at_mut(&mut patched, &path).and_then(Node::as_map_mut) else { continue };
            match before {
                Some(before) => container.insert(field, before),
                None => drop(container.remove(field)),
            }
        }
    }
    Ok(patched)
}

/// Variables join those of every main container; of equal names the last one stays.
fn apply_env(run: Option<Node>, key: Key, env: &Node, strategy: Strategy) -> Result<Node, Problems> {
    let entries: Vec<Node> =
        env.as_map().into_iter().flat_map(Map::iter).map(|(name, value)| entry(name, value)).collect();
    let list = Node::new(Value::List(entries.clone()), env.span);
    let patch = in_container(single(key, list), env.span);
    let merges = matches!(strategy, Strategy::PostMerge | Strategy::PreMerge);
    let Some(below) = run.as_ref().filter(|_| merges) else { return patch_native(run, patch, strategy, "job") };
    let mut patched = patch_native(Some(below.clone()), patch, strategy, "job")?;
    for path in main_containers(&patched) {
        let original = at(below, &path).and_then(|container| container.get("env")).filter(|env| !env.is_null());
        let original = match original {
            Some(Node { value: Value::List(items), .. }) => items.clone(),
            // A template for the whole list is rendered later: it cannot be merged here.
            Some(_) => continue,
            None => Vec::new(),
        };
        let merged = match strategy {
            Strategy::PostMerge => original.into_iter().chain(entries.iter().cloned()).collect(),
            _ => entries.iter().cloned().chain(original).collect(),
        };
        if let Some(container) = at_mut(&mut patched, &path).and_then(Node::as_map_mut) {
            container.insert("env", Node::new(Value::List(last_of_each_name(merged)), env.span));
        }
    }
    Ok(patched)
}

fn entry(name: &Key, value: &Node) -> Node {
    let mut entry = Map::new();
    entry.insert("name", Node::new(Value::Str(name.text.clone()), name.span));
    entry.insert("value", value.clone());
    Node::new(Value::Map(entry), value.span)
}

fn last_of_each_name(entries: Vec<Node>) -> Vec<Node> {
    let names: Vec<Option<String>> = entries.iter().map(variable_name).collect();
    let is_last = |index: usize| names[index].is_none() || !names[index + 1..].contains(&names[index]);
    let keep: Vec<bool> = (0..entries.len()).map(is_last).collect();
    entries.into_iter().zip(keep).filter_map(|(entry, keep)| keep.then_some(entry)).collect()
}

/// `{name: A, …}`, or the short form `{A: value}`.
fn variable_name(entry: &Node) -> Option<String> {
    let map = entry.as_map()?;
    match map.get("name") {
        Some(name) => name.as_str().map(str::to_string),
        None if map.len() == 1 => map.iter().next().map(|(key, _)| key.text.clone()),
        None => None,
    }
}

type Place = Vec<String>;

/// The places of the main containers of a runtime: its own, or one for each replica that is present.
fn main_containers(run: &Node) -> Vec<Place> {
    let mut places = Vec::new();
    let mut add = |path: &[&str]| {
        let place: Place = path.iter().chain(&["container"]).map(|part| (*part).to_string()).collect();
        if at(run, &place).is_some_and(|container| container.as_map().is_some()) {
            places.push(place);
        }
    };
    add(&[]);
    for role in replica_fields(run) {
        match role {
            Role::Replica(name) => add(&[name]),
            Role::Groups(name) => {
                for (group, _) in run.get(name).and_then(Node::as_map).into_iter().flat_map(Map::iter) {
                    add(&[name, &group.text]);
                }
            }
        }
    }
    places
}

fn at<'a>(node: &'a Node, place: &Place) -> Option<&'a Node> {
    place.iter().try_fold(node, |node, key| node.get(key))
}

fn at_mut<'a>(node: &'a mut Node, place: &Place) -> Option<&'a mut Node> {
    place.iter().try_fold(node, |node, key| node.as_map_mut()?.get_mut(key))
}
