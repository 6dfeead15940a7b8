//! Whole documents from any bytes: reading, writing, the whole of `check`, resolution.

use polyaxon_compile::context::RunContext;
use polyaxon_compile::lint;
use polyaxon_compile::resolve::resolve;
use polyaxon_spec::check::{self, Outcome, Request};
use polyaxon_spec::children::{self, SearchChildren};
use polyaxon_spec::compose;
use polyaxon_spec::edit::{self, Edit};
use polyaxon_spec::node::Node;
use polyaxon_spec::spaces::Rows;
use polyaxon_spec::span::{SourceId, Sources};
use polyaxon_spec::{shadow, wire, yaml};

use super::{LARGEST_INPUT, check_places, check_spans, is_same};
use crate::files::Files;

/// Reads a text; what is read is written, and reads back as the same.
pub fn yaml(data: &[u8]) {
    if data.len() > LARGEST_INPUT {
        return;
    }
    let mut sources = Sources::default();
    let source = sources.add("input", String::from_utf8_lossy(data));
    let is_text = std::str::from_utf8(data).is_ok();
    match yaml::read(source, data) {
        Ok(document) => {
            check_spans(&document.node, &sources);
            check_places(&document.warnings, &sources);
            written_reads_back(&document.node);
        }
        Err(problems) => {
            assert!(!problems.is_empty(), "a failure without a reason");
            if is_text {
                check_places(&problems, &sources);
            }
        }
    }
}

/// What is written reads back as the same tree, and is written the same way again.
pub fn written_reads_back(node: &Node) {
    let written = yaml::emit(node);
    if written.len() > yaml::MAX_BYTES {
        return;
    }
    let again = match yaml::read(SourceId::NONE, written.as_bytes()) {
        Ok(document) => document.node,
        Err(problems) => panic!("what was written cannot be read: {problems:?}\n{written}"),
    };
    assert!(is_same(node, &again), "another tree: {node:?}\nwritten as\n{written}\nread as {again:?}");
    assert_eq!(yaml::emit(&again), written, "written differently the second time");
}

/// Checks a file with everything that follows: advice, fixes, submission, resolution, children.
pub fn decode(data: &[u8]) {
    if data.len() > LARGEST_INPUT || std::str::from_utf8(data).is_err() {
        return;
    }
    let mut files = Files([("main.yaml".to_owned(), data.to_vec())].into());
    for lint in [false, true] {
        let request = Request { files: vec!["main.yaml".into()], lint, ..Request::default() };
        follow(&check::check(&request, &mut files));
    }
    let preset = Request { files: vec!["main.yaml".into(), "main.yaml".into()], ..Request::default() };
    follow(&check::check(&preset, &mut files));
}

/// What a client and a server do with the outcome of a check.
pub(super) fn follow(outcome: &Outcome) {
    check_places(&outcome.diagnostics, &outcome.sources);
    assert_eq!(outcome.has_errors(), outcome.operation.is_none(), "{:?}", outcome.diagnostics);
    let edits: Vec<Edit> = outcome.diagnostics.iter().flat_map(|problem| problem.fix.clone()).collect();
    if let Some(source) = outcome.sources.get(SourceId(0)) {
        let edits = edit::of_source(&edits, SourceId(0));
        edit::apply(&source.text, &edits);
        edit::diff("main.yaml", &source.text, &edits);
    }
    let Some(operation) = &outcome.operation else { return };
    check_spans(operation, &outcome.sources);
    if let Some(compiled) = &outcome.compiled {
        check_spans(&compiled.operation, &outcome.sources);
        let params = &compiled.params;
        check_places(&lint::lint(&compiled.operation, params), &outcome.sources);
        check_places(&lint::advice::advice(operation, &compiled.operation, params), &outcome.sources);
        check_places(&shadow::find(operation), &outcome.sources);
        yaml::emit(&compiled.operation);
    }
    let Ok(source) = wire::to_source(operation) else { return };
    // What the reader accepts, the server accepts too.
    let submitted = match wire::read_operation(&source.to_string()) {
        Ok(submitted) => submitted,
        Err(problems) => panic!("a valid operation is refused when it is submitted: {problems:?}\n{source}"),
    };
    let Some(compiled) = &outcome.compiled else { return };
    let again = compose::compose(&submitted).unwrap_or_else(|problems| panic!("cannot be composed: {problems:?}"));
    assert_eq!(again.operation.to_json(), compiled.operation.to_json(), "composed differently by the server");
    let Ok(resolved) = resolve(&compiled.operation, &compiled.params, &RunContext::default()) else { return };
    if resolved.operation.get("schedule").is_some() {
        let _ = compose::compose(&children::scheduled(&submitted, &resolved.operation));
    }
    if let Some(rows) = resolved.operation.get("matrix").and_then(Rows::of)
        && let Ok(children) = SearchChildren::new(&submitted, &resolved.operation)
    {
        let last = rows.len().checked_sub(1).and_then(|last| rows.at(last));
        for row in rows.iter().take(2).chain(last) {
            let _ = compose::compose(&children.child(row));
        }
    }
}
