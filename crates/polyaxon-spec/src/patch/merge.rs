//! The merge rules by type of value (spec §12.3).

use std::collections::HashSet;

use super::{Strategy, patch_section};
use crate::node::{Map, Node, Value};
use crate::section::{Section, Type};

/// How deep two mappings merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Values are typed, a value of one side replaces the other's as a whole (`params`).
    Entries,
    /// Values are free, nested mappings merge too (`labels`, `resources`).
    Everything,
}

/// Which algorithm merges a present value.
pub(super) enum Rule {
    Section(&'static Section),
    /// A mapping of replicas by group name: only groups that exist are patched.
    Replicas(&'static Section),
    Kubernetes,
    SameKind(&'static [(&'static str, &'static Section)]),
    Plain(Depth),
}

/// The rule for a value of type `ty` that currently is `current`.
pub(super) fn rule(ty: &'static Type, current: &Node) -> Rule {
    match (ty, &current.value) {
        (Type::Either(first, second), _) => match rule(first, current) {
            Rule::Plain(Depth::Everything) => rule(second, current),
            found => found,
        },
        (Type::Section(section), Value::Map(_)) => Rule::Section(section),
        (Type::Kubernetes(_), Value::Map(_)) => Rule::Kubernetes,
        (Type::Kinded(kinds), Value::Map(_)) => Rule::SameKind(kinds),
        (Type::Map(inner), Value::Map(_)) => match replica_of(inner) {
            Some(section) => Rule::Replicas(section),
            None if is_typed(inner) => Rule::Plain(Depth::Entries),
            None => Rule::Plain(Depth::Everything),
        },
        _ => Rule::Plain(Depth::Everything),
    }
}

/// The table of the replicas that a mapping holds: the worker groups of a ray cluster.
fn replica_of(ty: &'static Type) -> Option<&'static Section> {
    match ty {
        Type::Section(section) => section.fields.iter().any(|field| field.name == "replicas").then_some(*section),
        Type::Either(first, second) => replica_of(first).or_else(|| replica_of(second)),
        _ => None,
    }
}

fn is_typed(ty: &Type) -> bool {
    match ty {
        Type::Section(_) | Type::Kinded(_) | Type::Kubernetes(_) | Type::Document | Type::Custom(_) => true,
        Type::Either(first, second) => is_typed(first) || is_typed(second),
        _ => false,
    }
}

/// The worker groups that exist; a patch adds none.
pub(super) fn replicas(section: &'static Section, current: &mut Node, value: &Node, strategy: Strategy) {
    let Some(groups) = current.as_map_mut() else { return };
    for (name, group) in groups.iter_mut() {
        let Some(patch) = value.get(&name.text) else { continue };
        match (group.as_map_mut(), patch.as_map()) {
            (Some(config), Some(patch)) => patch_section(section, config, patch, strategy),
            (Some(_), None) => {}
            (None, _) => plain(Depth::Everything, group, patch, strategy),
        }
    }
}

/// Attribute by attribute; nulls of the patch keep what is there.
pub(super) fn kubernetes(current: &mut Node, value: &Node, strategy: Strategy) {
    let (Some(config), Some(patch)) = (current.as_map_mut(), value.as_map()) else {
        // A template that stands for the whole object has no attributes.
        return;
    };
    for (key, value) in patch.iter().filter(|(_, value)| !value.is_null()) {
        match config.get_mut(&key.text) {
            Some(current) if !current.is_null() => match strategy {
                Strategy::IsNull => {}
                Strategy::Replace => *current = value.clone(),
                Strategy::PostMerge | Strategy::PreMerge => merge(Depth::Everything, current, value, strategy),
            },
            _ => config.insert_key(key.clone(), value.clone()),
        }
    }
}

/// Schedules and matrices merge only with their own kind.
pub(super) fn same_kind(
    kinds: &'static [(&'static str, &'static Section)],
    current: &mut Node,
    value: &Node,
    strategy: Strategy,
) {
    match strategy {
        Strategy::IsNull => {}
        Strategy::Replace => *current = value.clone(),
        Strategy::PostMerge | Strategy::PreMerge => {
            let kind = current.get("kind").and_then(Node::as_str).map(str::to_string);
            let same = kind.is_some() && value.get("kind").and_then(Node::as_str) == kind.as_deref();
            let section = kinds.iter().find(|(name, _)| Some(*name) == kind.as_deref()).map(|(_, section)| *section);
            match (same, section, current.as_map_mut(), value.as_map()) {
                (true, Some(section), Some(config), Some(patch)) => patch_section(section, config, patch, strategy),
                _ if strategy.prefers_patch() => *current = value.clone(),
                _ => {}
            }
        }
    }
}

/// Scalars, lists and free mappings.
pub(super) fn plain(depth: Depth, current: &mut Node, value: &Node, strategy: Strategy) {
    match strategy {
        Strategy::IsNull => {}
        Strategy::Replace => *current = value.clone(),
        Strategy::PostMerge | Strategy::PreMerge => merge(depth, current, value, strategy),
    }
}

fn merge(depth: Depth, current: &mut Node, value: &Node, strategy: Strategy) {
    match (&mut current.value, &value.value) {
        (Value::Map(config), Value::Map(patch)) => {
            if strategy.prefers_patch() {
                update(depth, config, patch);
            } else {
                let below = std::mem::replace(config, patch.clone());
                update(depth, config, &below);
            }
        }
        (Value::List(config), Value::List(patch)) => {
            if strategy.prefers_patch() {
                append_new(config, patch);
            } else {
                let below = std::mem::replace(config, patch.clone());
                append_new(config, &below);
            }
        }
        _ if strategy.prefers_patch() => *current = value.clone(),
        _ => {}
    }
}

fn append_new(list: &mut Vec<Node>, more: &[Node]) {
    // Duplicates inside one side stay: only the other side counts as known.
    let texts: HashSet<&str> = list.iter().filter_map(Node::as_str).collect();
    let is_new = |item: &&Node| match item.as_str() {
        Some(text) => !texts.contains(text),
        None => !list.contains(item),
    };
    let new: Vec<Node> = more.iter().filter(is_new).cloned().collect();
    list.extend(new);
}

fn update(depth: Depth, config: &mut Map, patch: &Map) {
    match depth {
        Depth::Everything => deep_update(config, patch),
        Depth::Entries => {
            for (key, value) in patch.iter() {
                config.insert_key(key.clone(), value.clone());
            }
        }
    }
}

/// Nested mappings merge key by key, everything else is replaced by the later value (spec §2.3).
pub fn deep_update(config: &mut Map, patch: &Map) {
    for (key, value) in patch.iter() {
        match (config.get_mut(&key.text), value.as_map()) {
            (Some(current), Some(inner)) => match current.as_map_mut() {
                Some(map) => deep_update(map, inner),
                None => *current = value.clone(),
            },
            _ => config.insert_key(key.clone(), value.clone()),
        }
    }
}
