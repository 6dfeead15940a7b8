//! Turns the pairs of a mapping into its entries: merge keys, duplicate keys, and the pair lists of `!!omap`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::diagnostic::{Diagnostic, codes};
use crate::node::{Key, Map, Node, Value};

pub(super) enum PairKey {
    /// `<<`
    Merge,
    Key(Key),
}

/// Merged entries come first; later entries win and keep the place of the first.
pub(super) fn build(pairs: Vec<(PairKey, Node)>, errors: &mut Vec<Diagnostic>, warnings: &mut Vec<Diagnostic>) -> Map {
    let mut merged = Vec::new();
    let mut own = Vec::new();
    for (key, value) in pairs {
        match key {
            PairKey::Key(key) => own.push((key, value)),
            PairKey::Merge => merge(value, &mut merged, errors),
        }
    }
    let first_own = merged.len();
    let mut entries: Vec<(Key, Node)> = Vec::new();
    let mut places: HashMap<(String, bool), (usize, bool)> = HashMap::new();
    for (index, (key, value)) in merged.into_iter().chain(own).enumerate() {
        let is_own = index >= first_own;
        match places.entry((key.text.clone(), key.is_text)) {
            Entry::Vacant(place) => {
                place.insert((entries.len(), is_own));
                entries.push((key, value));
            }
            Entry::Occupied(mut place) => {
                let (at, was_own) = *place.get();
                if was_own && is_own {
                    warnings.push(duplicate_key(&entries[at].0, &key));
                }
                place.insert((at, is_own));
                entries[at] = (key, value);
            }
        }
    }
    Map::from_entries(entries)
}

fn merge(value: Node, merged: &mut Vec<(Key, Node)>, errors: &mut Vec<Diagnostic>) {
    let span = value.span;
    let maps = match value.value {
        Value::Map(map) => vec![Node::new(Value::Map(map), span)],
        // Earlier mappings win, so they come last.
        Value::List(items) => items.into_iter().rev().collect(),
        _ => vec![Node::null()],
    };
    for map in maps {
        match map.value {
            Value::Map(map) => merged.extend(map),
            _ => {
                let message = "`<<` needs a mapping or a list of mappings";
                errors.push(Diagnostic::error(codes::YAML, span, message).label("not a mapping"));
                return;
            }
        }
    }
}

fn duplicate_key(first: &Key, second: &Key) -> Diagnostic {
    let message = format!("the key `{}` is written twice", second.text);
    Diagnostic::warning(codes::DUPLICATE_KEY, second.span, message)
        .label("this value is used")
        .related(first.span, "this value is ignored")
        .help("remove one of the two")
}

/// `!!omap` and `!!pairs`: a list of mappings with one entry becomes a list of pairs.
pub(super) fn pairs(items: Vec<Node>, errors: &mut Vec<Diagnostic>) -> Value {
    let mut pairs = Vec::new();
    for item in items {
        let span = item.span;
        match item.value {
            Value::Map(map) if map.len() == 1 => pairs.extend(map.into_iter().map(|(key, value)| {
                let key = Node::new(Value::Str(key.text), key.span);
                Node::new(Value::List(vec![key, value]), span)
            })),
            _ => errors.push(Diagnostic::error(codes::YAML, span, "expected a mapping with one entry")),
        }
    }
    Value::List(pairs)
}
