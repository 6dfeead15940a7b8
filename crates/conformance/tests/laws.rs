//! Laws of reading, patching and composing, over the documents of the corpus and over random trees.

use conformance::torture::{self, Random, is_same};
use conformance::{corpus, stages};
use polyaxon_spec::compose::{self, Compiled};
use polyaxon_spec::decode::{self, DocumentRole};
use polyaxon_spec::node::{Key, Map, Node, Value};
use polyaxon_spec::patch::{Strategy, patch_section};
use polyaxon_spec::schema;
use polyaxon_spec::section::{Section, Type};
use polyaxon_spec::span::{SourceId, Span};
use polyaxon_spec::yaml;

const STRATEGIES: [Strategy; 4] = [Strategy::PostMerge, Strategy::PreMerge, Strategy::IsNull, Strategy::Replace];
/// Random trees and random pairs of documents.
const ROUNDS: u64 = 2000;

/// The readable documents of the corpus in canonical form.
fn documents() -> Vec<Map> {
    let mut documents = Vec::new();
    for case in corpus::cases().expect("the corpus is readable") {
        for text in case.files.0.values() {
            let Ok(document) = yaml::read(SourceId::NONE, text) else { continue };
            if let Some(Value::Map(map)) =
                decode::document(document.node, DocumentRole::Preset, &mut Vec::new()).map(|node| node.value)
            {
                documents.push(map);
            }
        }
    }
    assert!(documents.len() > 500, "only {} documents", documents.len());
    documents
}

/// The operations of the corpus that are valid, with their composition.
fn operations() -> Vec<(String, Node, Compiled)> {
    let mut operations = Vec::new();
    for case in corpus::cases().expect("the corpus is readable") {
        let outcome = stages::outcome(&case);
        if let (Some(operation), Some(compiled)) = (outcome.operation, outcome.compiled) {
            operations.push((case.id, operation, compiled));
        }
    }
    assert!(operations.len() > 400, "only {} operations", operations.len());
    operations
}

fn patched(section: &'static Section, below: &Map, patch: &Map, strategy: Strategy) -> Map {
    let mut result = below.clone();
    patch_section(section, &mut result, patch, strategy);
    result
}

fn json(map: &Map) -> String {
    Node::map(map.clone()).to_json().to_string()
}

/// Calls back with two documents of the corpus, chosen by a seed.
fn each_pair(mut check: impl FnMut(&Map, &Map, &str)) {
    let documents = documents();
    for seed in 0..ROUNDS {
        let mut random = Random::new(seed);
        let (below, patch) = (random.one_of(&documents).clone(), random.one_of(&documents).clone());
        check(&below, &patch, &format!("seed {seed}: {} patched with {}", json(&below), json(&patch)));
    }
}

#[test]
fn what_is_written_reads_back() {
    let cases = corpus::cases().expect("the corpus is readable");
    cases.iter().flat_map(|case| case.files.0.values()).for_each(|text| torture::yaml(text));
    for (_, operation, compiled) in operations() {
        // Durations are numbers on the wire, so the tree is compared after one reading.
        for node in [operation, compiled.operation] {
            let read = yaml::read(SourceId::NONE, yaml::emit(&node).as_bytes()).expect("it was written here").node;
            torture::written_reads_back(&read);
        }
    }
    for seed in 0..ROUNDS {
        let node = torture::node(&mut Random::new(seed), 5);
        println!("seed {seed}");
        torture::written_reads_back(&node);
    }
}

#[test]
fn canonical_documents_stay_what_they_are() {
    for document in documents() {
        let mut problems = Vec::new();
        let again = decode::document(Node::map(document.clone()), DocumentRole::Preset, &mut problems);
        let again = again.unwrap_or_else(|| panic!("{}: {problems:?}", json(&document)));
        assert!(is_same(&again, &Node::map(document.clone())), "{} read again as {again:?}", json(&document));
    }
}

#[test]
fn a_document_patched_with_itself_stays_what_it_is() {
    for document in documents() {
        for strategy in STRATEGIES {
            let result = patched(&schema::DOCUMENT, &document, &document, strategy);
            assert_eq!(json(&result), json(&document), "{strategy:?}");
        }
    }
}

#[test]
fn a_second_time_changes_nothing() {
    each_pair(|below, patch, which| {
        for strategy in STRATEGIES {
            let once = patched(&schema::DOCUMENT, below, patch, strategy);
            let twice = patched(&schema::DOCUMENT, &once, patch, strategy);
            assert_eq!(json(&twice), json(&once), "{strategy:?}, {which}");
        }
    });
}

/// Field by field: what `replace` sets, `isnull` leaves, and neither touches what the patch does not name.
#[test]
fn replace_sets_and_isnull_keeps() {
    each_pair(|below, patch, which| {
        let replaced = patched(&schema::DOCUMENT, below, patch, Strategy::Replace);
        let kept = patched(&schema::DOCUMENT, below, patch, Strategy::IsNull);
        check_fields(&schema::DOCUMENT, below, patch, &replaced, &kept, which);
    });
}

fn are_same(a: Option<&Node>, b: Option<&Node>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => is_same(a, b),
        (a, b) => a.is_none() && b.is_none(),
    }
}

fn check_fields(section: &'static Section, below: &Map, patch: &Map, replaced: &Map, kept: &Map, which: &str) {
    for field in section.fields {
        let name = field.name;
        let (old, new) = (below.get(name), patch.get(name));
        match (old.filter(|old| !old.is_null()), new) {
            (_, None) => {
                assert!(are_same(replaced.get(name), old), "{name} was not named, but replaced; {which}");
                assert!(are_same(kept.get(name), old), "{name} was not named; {which}");
            }
            (None, Some(_)) => {
                assert!(are_same(replaced.get(name), new), "{name} was not set, but not replaced; {which}");
                assert!(are_same(kept.get(name), new), "{name} was not set; {which}");
            }
            (Some(current), Some(value)) => match &field.ty {
                // Their own rules: below.
                Type::Kubernetes(_) | Type::Either(..) => {}
                Type::Section(inner) if current.as_map().is_some() => {
                    let (Some(current), Some(value)) = (current.as_map(), value.as_map()) else { continue };
                    let map = |map: &Map| map.get(name).and_then(Node::as_map).expect("it is a section").clone();
                    check_fields(inner, current, value, &map(replaced), &map(kept), which);
                }
                _ => {
                    assert!(are_same(replaced.get(name), new), "{name} is replaced; {which}");
                    assert!(are_same(kept.get(name), old), "{name} is kept; {which}");
                }
            },
        }
    }
}

/// Of two free mappings, it does not matter which is laid over the other: `pre_merge` is `post_merge` turned around.
/// Found by fuzzing: numbers beyond 64 bits and without a point lost their kind when they were keys.
#[test]
fn numbers_that_are_keys_read_back() {
    for input in ["500000000000000000000000000000000000: x", "1.0e+35: x", ".inf: x", "? 0x10\n: x", "-1.5: {1: 2}"] {
        torture::yaml(input.as_bytes());
    }
}

#[test]
fn merging_before_is_merging_after_turned_around() {
    for seed in 0..ROUNDS {
        let mut random = Random::new(seed);
        let mut layer = || -> Map {
            let fields = ["labels", "annotations", "nodeSelector"];
            let mut entry = |name: &&str| (Key::new(*name), Node::map(torture::map(&mut random, 2)));
            fields.iter().map(&mut entry).collect()
        };
        let (a, b) = (layer(), layer());
        let pre = patched(&schema::ENVIRONMENT, &a, &b, Strategy::PreMerge);
        let post = patched(&schema::ENVIRONMENT, &b, &a, Strategy::PostMerge);
        assert!(is_same(&Node::map(pre), &Node::map(post)), "seed {seed}: {} and {}", json(&a), json(&b));
    }
    each_pair(|below, patch, which| {
        let mut results = [Strategy::PreMerge, Strategy::PostMerge].map(|strategy| {
            let result = patched(&schema::DOCUMENT, below, patch, strategy);
            result.iter().map(|(key, _)| key.text.clone()).collect::<Vec<_>>()
        });
        for keys in &mut results {
            keys.sort();
        }
        assert_eq!(results[0], results[1], "{which}");
    });
}

#[test]
fn composition_is_deterministic_and_ignores_places() {
    for (id, mut operation, compiled) in operations() {
        let composed = |operation: &Node| {
            let compiled = compose::compose(operation).unwrap_or_else(|problems| panic!("{id}: {problems:?}"));
            (compiled.operation.to_json().to_string(), json(&compiled.params))
        };
        let first = composed(&operation);
        assert_eq!(composed(&operation), first, "{id}");
        if operation.get("mount").is_none() {
            assert_eq!((compiled.operation.to_json().to_string(), json(&compiled.params)), first, "{id}");
        }
        let mut random = Random::new(1);
        move_around(&mut operation, &mut random);
        assert_eq!(composed(&operation), first, "{id}: places change the values");
    }
}

/// Gives every value a place that means nothing.
fn move_around(node: &mut Node, random: &mut Random) {
    let start = random.below(1000);
    node.span = Span::new(SourceId(random.below(3) as u32), start, start + random.below(50));
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| move_around(item, random)),
        Value::Map(map) => map.iter_mut().for_each(|(_, value)| move_around(value, random)),
        _ => {}
    }
}
