//! What must hold for every input, however broken: nothing panics, work is bounded, what is written reads back.
//!
//! Each function takes any bytes. The fuzz targets of `fuzz/` call them with what a fuzzer makes, the tests with seeded
//! mutations of the corpus. A panic is a finding.

mod documents;
mod random;
mod seeds;
mod values;

use polyaxon_spec::diagnostic::Diagnostic;
use polyaxon_spec::node::{Node, Value};
use polyaxon_spec::span::{Sources, Span};

pub use documents::{decode, written_reads_back, yaml};
pub use random::{Random, map, mutated, node};
pub use seeds::{seeds, write_seeds};
pub use values::{params, refs, template};

/// A property of any bytes.
pub type Target = fn(&[u8]);

/// Every target by name.
pub const TARGETS: &[(&str, Target)] =
    &[("yaml", yaml), ("decode", decode), ("template", template), ("refs", refs), ("params", params)];

/// Larger inputs only repeat what smaller ones show.
const LARGEST_INPUT: usize = 1 << 16;

/// Whether two trees hold the same, spans aside. Stricter than equality: kinds of numbers and keys, and order count.
pub fn is_same(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::Float(a), Value::Float(b)) | (Value::TimeDelta(a), Value::TimeDelta(b)) => {
            a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
        }
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b)),
        (Value::Map(a), Value::Map(b)) => {
            let mut pairs = a.iter().zip(b.iter());
            a.len() == b.len()
                && pairs.all(|((k, a), (l, b))| k.text == l.text && k.is_text == l.is_text && is_same(a, b))
        }
        (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b) && a == b,
    }
}

/// Every place of a finding is a part of a text that was read.
fn check_places(problems: &[Diagnostic], sources: &Sources) {
    for problem in problems {
        let edits = problem.fix.iter().map(|edit| edit.span);
        let related = problem.related.iter().map(|(span, _)| *span);
        for span in related.chain(edits).chain([problem.span]) {
            check_span(span, sources, &problem.message);
        }
    }
}

fn check_span(span: Span, sources: &Sources, what: &str) {
    if span.is_none() {
        return;
    }
    let source = sources.get(span.source).unwrap_or_else(|| panic!("{what}: the place {span:?} has no text"));
    let is_part = source.text.get(span.start as usize..span.end as usize).is_some();
    assert!(is_part, "{what}: {span:?} is no part of its text of {} bytes", source.text.len());
}

fn check_spans(node: &Node, sources: &Sources) {
    check_span(node.span, sources, "a value");
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| check_spans(item, sources)),
        Value::Map(map) => map.iter().for_each(|(key, value)| {
            check_span(key.span, sources, "a key");
            check_spans(value, sources);
        }),
        _ => {}
    }
}
