//! Removes explicit nulls from typed sections of a compiled operation; free values keep theirs.

use crate::node::{Node, Value};
use crate::schema;
use crate::section::{Section, Type};

pub(super) fn prune(section: &'static Section, node: &mut Node) {
    let Value::Map(map) = &mut node.value else { return };
    map.retain(|key, value| !value.is_null() || !section.fields.iter().any(|field| field.name == key.text));
    for (key, value) in map.iter_mut() {
        if let Some(field) = section.fields.iter().find(|field| field.name == key.text) {
            prune_value(&field.ty, value);
        }
    }
}

fn prune_kinded(kinds: &'static [(&'static str, &'static Section)], value: &mut Node) {
    let kind = value.get("kind").and_then(Node::as_str).unwrap_or_default();
    if let Some((_, section)) = kinds.iter().find(|(name, _)| *name == kind) {
        prune(section, value);
    }
}

fn prune_value(ty: &'static Type, value: &mut Node) {
    match (ty, &mut value.value) {
        (Type::Section(section), Value::Map(_)) => prune(section, value),
        (Type::Kinded(kinds), Value::Map(_)) => prune_kinded(kinds, value),
        (Type::Runtime, Value::Map(_)) => prune_kinded(schema::RUNTIMES, value),
        (Type::Kubernetes(_), Value::Map(map)) => map.retain(|_, value| !value.is_null()),
        (Type::List(inner), Value::List(items)) => items.iter_mut().for_each(|item| prune_value(inner, item)),
        (Type::Map(inner), Value::Map(map)) => map.iter_mut().for_each(|(_, item)| prune_value(inner, item)),
        (Type::Either(first, second), _) => {
            prune_value(first, value);
            prune_value(second, value);
        }
        // Documents are the nodes of a dag: they are read again later, their nulls are values of patches.
        _ => {}
    }
}
