//! Advice about valid documents, and the examples that belong to the codes of messages.

use polyaxon_compile::lint;
use polyaxon_spec::check::{Outcome, Request, check};
use polyaxon_spec::diagnostic::Diagnostic;
use polyaxon_spec::guidance;
use polyaxon_spec::loader::{LoadError, Loaded, Loader};

/// A world with one file.
struct OneFile<'a>(&'a str);

impl Loader for OneFile<'_> {
    fn file(&mut self, _: Option<&str>, path: &str) -> Result<Loaded, LoadError> {
        if path != "op.yaml" {
            return Err(LoadError::not_found("no such file"));
        }
        let text = self.0.as_bytes().to_vec();
        Ok(Loaded { name: path.to_owned(), text, identity: path.to_owned(), folder: None })
    }

    fn url(&mut self, _: &str) -> Result<Loaded, LoadError> {
        Err(LoadError::not_found("no network"))
    }

    fn hub(&mut self, name: &str) -> Result<Loaded, LoadError> {
        let text = format!("kind: component\nname: {name}\ncontainer: {{image: \"{name}:1\"}}\n").into_bytes();
        Ok(Loaded { name: name.to_owned(), text, identity: name.to_owned(), folder: None })
    }
}

fn checked(text: &str) -> Outcome {
    let request = Request { files: vec!["op.yaml".to_owned()], ..Request::default() };
    let mut outcome = check(&request, &mut OneFile(text));
    if let (Some(compiled), Some(operation)) = (&outcome.compiled, &outcome.operation) {
        let mut findings = lint::lint(&compiled.operation, &compiled.params);
        findings.extend(lint::advice::advice(operation, &compiled.operation, &compiled.params));
        outcome.diagnostics.extend(findings);
    }
    outcome
}

fn messages(text: &str) -> Vec<String> {
    checked(text).diagnostics.iter().map(|finding| format!("{} {}", finding.code.id, finding.path)).collect()
}

#[test]
fn every_wrong_example_gives_its_code_and_every_right_one_none() {
    for guidance in guidance::ALL {
        if !guidance.wrong.is_empty() {
            let found = checked(guidance.wrong).diagnostics;
            let has_code = found.iter().any(|finding| finding.code == guidance.code);
            assert!(has_code, "{}: {found:?}", guidance.code.id);
        }
        if !guidance.right.is_empty() {
            let found: Vec<Diagnostic> = checked(guidance.right).diagnostics;
            assert!(found.is_empty(), "{}: {found:?}", guidance.code.id);
        }
    }
}

#[test]
fn images_need_a_version() {
    let image = |image: &str| messages(&format!("kind: component\ncontainer: {{image: \"{image}\"}}\n"));
    for pinned in ["a:1", "host:5000/a:1", "a@sha256:00", "a:latest@sha256:00", "{{ globals.name }}"] {
        assert!(image(pinned).is_empty(), "{pinned}");
    }
    for unpinned in ["a", "a:latest", "host:5000/a"] {
        assert_eq!(image(unpinned), ["PLX0608 run.container.image"], "{unpinned}");
    }
    assert_eq!(
        messages(
            "kind: component\nrun:\n  kind: tfjob\n  worker: {container: {image: a}, sidecars: [{name: b, image: b}]}\n  \
             chief: {init: [{container: {image: c}}], container: {image: 'a:1'}}\n"
        ),
        [
            "PLX0608 run.worker.container.image",
            "PLX0608 run.worker.sidecars[0].image",
            "PLX0608 run.chief.init[0].container.image"
        ]
    );
}

#[test]
fn inputs_are_used_in_many_ways() {
    let component = |io: &str, args: &str| {
        messages(&format!(
            "kind: component\ninputs: [{{name: lr, type: float, value: 1.0{io}}}]\n\
             container: {{image: \"a:1\", args: {args}}}\n"
        ))
    };
    for (io, args) in [
        ("", "['{{ lr }}']"),
        ("", "['{{ params.lr.as_arg }}']"),
        ("", "['{{ params.as_args }}']"),
        ("", "['{% for p in params %}{{ p }}{% endfor %}']"),
        (", toEnv: LR", "[]"),
    ] {
        assert!(component(io, args).is_empty(), "{io} {args}: {:?}", component(io, args));
    }
    assert_eq!(component("", "['lr']"), ["PLX0315 inputs.lr"]);
    assert_eq!(component(", argFormat: '{{ lr }}'", "[]"), ["PLX0315 inputs.lr"]);
}

#[test]
fn params_without_effect_are_named() {
    let operation = |param: &str, args: &str| {
        messages(&format!(
            "kind: operation\nparams: {{extra: {param}}}\ncomponent: {{container: {{image: \"a:1\", args: {args}}}}}\n"
        ))
    };
    assert_eq!(operation("1", "[]"), ["PLX0308 params.extra"]);
    assert!(operation("1", "['{{ extra }}']").is_empty());
    assert!(operation("{value: 1, toEnv: X}", "[]").is_empty());
}

#[test]
fn inputs_of_a_dag_are_used_by_its_operations() {
    let dag = |value: &str| {
        messages(&format!(
            "kind: component\ninputs: [{{name: rows, type: int, value: 1}}]\nrun:\n  kind: dag\n  operations:\n  - name: a\n    \
             params: {{rows: {{ref: dag, value: {value}}}}}\n    component:\n      inputs: [{{name: rows, type: int}}]\n      \
             container: {{image: \"a:1\", args: ['{{{{ rows }}}}']}}\n"
        ))
    };
    assert!(dag("inputs.rows").is_empty(), "{:?}", dag("inputs.rows"));
}
