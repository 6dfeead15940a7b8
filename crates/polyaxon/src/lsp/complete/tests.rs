//! Completion, hover and definition at the cursor of small documents.

use std::path::{Path, PathBuf};

use super::super::definition::definition;
use super::super::hover::hover;
use super::*;

const DAG: &str = "\
kind: component
inputs:
- {name: rounds, type: int, value: 3}
run:
  kind: dag
  components:
  - name: trainer
    description: Trains a model.
    inputs:
    - name: lr
      type: float
      description: Step size.
    - {name: epochs, type: int, value: 2}
    outputs:
    - {name: loss, type: float}
    run: {kind: job, container: {image: none, args: ['{{ lr }}']}}
  operations:
  - name: first
    dagRef: trainer
    params: {lr: 0.1}
  - name: second
    dagRef: trainer
    dependencies: [first]
    params:
      lr: {ref: ops.first, value: outputs.loss}
";

fn world() -> World {
    let component = "kind: component\ninputs:\n- {name: size, type: int}\nrun: {kind: job}\n";
    World { open: [(PathBuf::from("/home/me/part.yaml"), component.to_owned())].into() }
}

/// The document and the offset of the cursor `^`.
fn at_cursor(marked: &str) -> (Document, usize) {
    let offset = marked.find('^').expect("the test marks a place");
    let path = Some(Path::new("/home/me/main.yaml").to_owned());
    (Document::new(marked.replacen('^', "", 1), path), offset)
}

/// What is proposed: replaced text, then the inserted texts, best first.
fn proposals(marked: &str) -> (String, Vec<String>) {
    let (document, offset) = at_cursor(marked);
    let completion = complete(&document, &world(), offset);
    let mut candidates = completion.candidates;
    candidates.sort_by_key(|candidate| candidate.rank);
    (document.text[completion.range].to_owned(), candidates.into_iter().map(|candidate| candidate.insert).collect())
}

#[test]
fn every_place_has_its_proposals() {
    for (marked, replaced, first, also, never) in [
        ("^", "", "kind: ", "run:", "maxRetries: "),
        ("kind: ^", "", "component", "operation", "job"),
        ("kind: comp^", "comp", "component", "operation", "job"),
        ("kind: component\nrun:\n  kind: ^", "", "job", "raycluster", "component"),
        ("kind: component\nrun:\n  kind: job\n  ^", "", "environment:", "container:", "kind: "),
        ("kind: component\r\nrun:\r\n  kind: job\r\n  con^", "con", "environment:", "container:", "ports: "),
        ("run:\n  ^", "", "kind: ", "operations:", "name: "),
        ("run: {kind: service, ^", "", "ports: ", "container:", "kind: "),
        ("run: {kind: job, container: {im^", "im", "name: ", "image: ", "kind: "),
        ("run:\n  kind: job\n  environment:\n    ^\n  container: {image: '", "", "labels:", "nodeSelector:", "image: "),
        ("termination: {max^}", "max", "maxRetries: ", "ttl: ", "kind: "),
        ("inputs:\n- ^", "", "name: ", "type: ", "- name: "),
        ("inputs:\n  ^", "", "- name: ", "- type: ", "name: "),
        ("inputs:\n- name: a\n  ^", "", "description: ", "type: ", "name: "),
        ("inputs:\n- {name: a, type: fl^}", "fl", "int", "float", "job"),
        ("inputs:\n- name: a\n  isOptional: ^", "", "true", "false", "a"),
        ("hooks:\n- hubRef: x\n  trigger: ^", "", "created", "succeeded", "x"),
        ("hooks:\n- ^", "", "hubRef: ", "trigger: ", "kind: "),
        ("hubRef: ^", "", "buildx", "tensorboard", "job"),
        ("events:\n- kinds: [^]", "", "run_status_created", "alert_info", "job"),
        ("matrix:\n  kind: ^", "", "mapping", "grid", "job"),
        ("matrix:\n  kind: grid\n  params:\n    lr:\n      kind: ^", "", "choice", "linspace", "grid"),
        ("pathRef: part.yaml\nparams:\n  ^", "", "size: ", "size: ", "rounds: "),
        ("pathRef: part.yaml\nmatrix: {kind: grid, params: {^", "", "size: ", "size: ", "rounds: "),
        ("cmd: \"{{ globals.u^ }}\"", "u", "owner_name", "uuid", "globals"),
        ("inputs: [{name: lr}]\ncmd: |\n  x\n  train {{ ^", "", "lr", "globals", "as_args"),
        ("inputs: [{name: lr}]\ncmd: x {{ params.^", "", "lr", "as_args", "globals"),
        ("inputs: [{name: lr}]\ncmd: x {{ params.lr.as^ }}", "as", "value", "as_arg", "lr"),
        ("pathRef: part.yaml\nconditions: \"{{ ^", "", "size", "params", "rounds"),
    ] {
        let (word, found) = proposals(marked);
        assert_eq!(word, replaced, "{marked}");
        assert_eq!(found.first().map(String::as_str), Some(first), "{marked}: {found:?}");
        assert!(found.iter().any(|insert| insert == also), "{marked}: {also} in {found:?}");
        assert!(!found.iter().any(|insert| insert == never), "{marked}: {never} in {found:?}");
    }
}

#[test]
fn a_dag_knows_its_parts() {
    let marked = |from: &str, to: &str| DAG.replacen(from, to, 1);
    for (text, expected) in [
        (marked("dependencies: [first]", "dependencies: [^]"), vec!["first"]),
        (marked("name: second\n    dagRef: trainer", "name: second\n    dagRef: ^"), vec!["trainer"]),
        (marked("ref: ops.first", "ref: ^"), vec!["ops.first", "dag", "runs."]),
        (marked("value: outputs.loss", "value: ^"), vec!["outputs.loss", "inputs.lr", "inputs.epochs"]),
        (marked("ref: ops.first, value: outputs.loss", "ref: dag, value: ^"), vec!["inputs.rounds"]),
        (marked("    params:\n", "    params:\n      ^\n"), vec!["epochs: ", "loss: "]),
        (marked("{{ lr }}", "{{ ^ }}"), vec!["lr", "epochs", "loss"]),
    ] {
        let (_, found) = proposals(&text);
        assert_eq!(found[..expected.len().min(found.len())], expected, "{found:?}");
    }
}

#[test]
fn existing_keys_are_replaced_without_a_second_colon() {
    let (word, found) = proposals("kind: job\nna^me: x\n");
    assert_eq!(word, "name");
    assert!(found.contains(&"name".to_owned()) && !found.contains(&"name: ".to_owned()));
}

#[test]
fn nothing_is_proposed_where_nothing_is_known() {
    for marked in
        ["# comment ^", "kind: job ^", "run: {kind: job, container: {resources: {^", "cmd: |\n  text ^", "labels:\n  ^"]
    {
        assert_eq!(proposals(marked).1, Vec::<String>::new(), "{marked}");
    }
}

#[test]
fn places_are_explained() {
    for (marked, expected) in [
        ("termination: {maxRetr^ies: 3}", "integer"),
        ("termination: {maxRetr^ies: 3}", "Default: 0"),
        ("run:\n  kind: jo^b", "Runs a container to its end."),
        ("run:\n  kind: job\n  container:\n    ima^ge: x", "Kubernetes container"),
        (
            "inputs: [{name: lr, type: float, description: Step., value: 0.1}]\ncmd: '{{ l^r }}'",
            "float (input, default `0.1`)",
        ),
        ("cmd: '{{ globals.uu^id }}'", "fact of the run"),
        ("pathRef: part^.yaml", "size"),
        ("pathRef: part.yaml\nparams: {si^ze: 1}", "int (input)"),
        (&DAG.replacen("ops.first", "ops.fi^rst", 1), "loss"),
        (&DAG.replacen("dagRef: trainer", "dagRef: tra^iner", 1), "Trains a model."),
    ] {
        let (document, offset) = at_cursor(marked);
        let found = hover(&document, &world(), offset).map(|hover| hover.markdown).unwrap_or_default();
        assert!(found.contains(expected), "{marked}: {found}");
    }
    for marked in ["^", "nothing^: x", "kind: job ^", "a: ^b"] {
        let (document, offset) = at_cursor(marked);
        assert_eq!(hover(&document, &world(), offset), None, "{marked}");
    }
}

#[test]
fn references_lead_to_what_they_mean() {
    let marked = |from: &str, to: &str| DAG.replacen(from, to, 1);
    for (text, expected) in [
        (marked("ops.first", "ops.fi^rst"), "first\n    dagRef"),
        (marked("[first]", "[fir^st]"), "first\n    dagRef"),
        (marked("dagRef: trainer", "dagRef: tr^ainer"), "trainer\n    description"),
        (marked("outputs.loss", "outputs.lo^ss"), "loss, type: float"),
        (marked("{{ lr }}", "{{ l^r }}"), "lr\n      type"),
        (marked("{lr: 0.1}", "{l^r: 0.1}"), "lr\n      type"),
    ] {
        let (document, offset) = at_cursor(&text);
        let place = definition(&document, &world(), offset).unwrap_or_else(|| panic!("{text}"));
        let target = place.text.as_deref().unwrap_or(&document.text);
        assert!(target[place.range.start..].starts_with(expected), "{expected}: {}", &target[place.range.start..]);
    }
    let (document, offset) = at_cursor("pathRef: part.y^aml");
    let place = definition(&document, &world(), offset);
    assert_eq!(place.and_then(|place| place.path), Some(PathBuf::from("/home/me/part.yaml")));
    let (document, offset) = at_cursor("pathRef: missing.y^aml");
    assert_eq!(definition(&document, &world(), offset), None);
}

#[test]
fn no_place_of_a_broken_text_is_a_fault() {
    let world = world();
    let texts = [
        DAG,
        "run: {kind: job, container: {args: [\"{{ lr.é\r\n  x: 'a: {{ params.😀\nhooks:\n- - {",
        "component: {component: {dagRef: a}}\nrun: {kind: dag, components: [{name: a, dagRef: a}], operations: [{dagRef: a, params: {",
        "params: {a: {ref: ops., value: outputs.}}\n'\"{{{{ }} %}",
    ];
    for text in texts {
        let ends = text.char_indices().map(|(at, _)| at).filter(|at| text == DAG || at % 2 == 0 || at % 3 == 0);
        for offset in ends {
            let whole = Document::new(text.to_owned(), Some(PathBuf::from("/home/me/main.yaml")));
            let cut = Document::new(text[..offset].to_owned(), None);
            for document in [whole, cut] {
                complete(&document, &world, offset);
                hover(&document, &world, offset);
                definition(&document, &world, offset);
            }
        }
    }
}
