//! What people are told about their files.

use polyaxon_spec::check::{Inline, Options, Request, check};
use polyaxon_spec::loader::{LoadError, Loaded, Loader};

use crate::project::{Project, assert_findings, files};

#[test]
fn all_missing_params_are_named_at_once() {
    let mut project = Project::training(&[("op.yaml", "kind: operation\npathRef: train.yaml\nname: x\n")]);
    assert_findings(
        "
train.yaml:4:10: error[param-required] 2 required inputs have no value: `lr` (float), `epochs` (int)
    ^ declared here, without default
    - train.yaml:5:10: `epochs` is declared here, without default
    = add them to `params`, or on the command line: -P lr=VALUE -P epochs=VALUE
",
        &project.findings(files(&["op.yaml"])),
    );
}

#[test]
fn params_of_the_wrong_type_show_value_and_declaration() {
    let op = "kind: operation\npathRef: train.yaml\nparams:\n  lr: fast\n  epochs: 0\n";
    let mut project = Project::training(&[("op.yaml", op)]);
    assert_findings(
        r#"
op.yaml:4:7: error[io-value] `lr` has type `float`, but its value is the string "fast"
    ^ expected a number
    - train.yaml:4:10: `lr` is declared here as `float`
op.yaml:5:11: error[io-validation] the value of `epochs` must be greater than 0, but it is the integer 0
    ^ breaks `gt: 0`
    - train.yaml:5:10: `epochs` is declared here as `int`
    - train.yaml:5:42: the rule
"#,
        &project.findings(files(&["op.yaml"])),
    );
}

#[test]
fn misspelt_params_are_recognised() {
    let op =
        "kind: operation\npathRef: train.yaml\nstrictParams: true\nparams: {lr: 1, epoch: 2, epochs: 3, other: 1}\n";
    let mut project = Project::training(&[("op.yaml", op)]);
    assert_findings(
        "
op.yaml:4:17: error[param-undeclared] param `epoch` matches no input or output
    ^ unexpected
    = declared: lr, epochs, seed, loss; set `contextOnly: true` to use it in templates only
op.yaml:4:38: error[param-undeclared] param `other` matches no input or output
    ^ unexpected
    = declared: lr, epochs, seed, loss; set `contextOnly: true` to use it in templates only
",
        &project.findings(files(&["op.yaml"])),
    );
    let op = "kind: operation\npathRef: train.yaml\nparams: {lr: 1, epoch: 2}\n";
    let mut project = Project::training(&[("op.yaml", op)]);
    assert_findings(
        "
op.yaml:3:10: error[param-required] the required input `epochs` (int) has no value
    ^ values are given here
    - train.yaml:5:10: `epochs` is declared here, without default
    = add them to `params`, or on the command line: -P epochs=VALUE
op.yaml:3:17: warning[param-undeclared] param `epoch` matches no input or output
    ^ becomes a context value
    = did you mean `epochs`?
",
        &project.findings(files(&["op.yaml"])),
    );
}

#[test]
fn options_of_the_command_line_are_sources_too() {
    let mut project = Project::training(&[]);
    let params = ["lr", "epochs=x", "epochs=2", "epochs=3"].map(String::from).to_vec();
    assert_findings(
        "
-P:1:1: error[cli-param] `-P lr` is not of the form name=value
    ^ expected name=value
    = write `-P name=value`
-P epochs:1:1: error[cli-param] the param `epochs` is given twice
    ^ given again here
    = remove one `-P epochs=…`
-P epochs:1:1: error[cli-param] the param `epochs` is given twice
    ^ given again here
    = remove one `-P epochs=…`
",
        &project.findings(Request { params, ..files(&["train.yaml"]) }),
    );
    let params = ["lr=1", "epochs=many"].map(String::from).to_vec();
    assert_findings(
        r#"
-P epochs:1:8: error[io-value] `epochs` has type `int`, but its value is the string "many"
    ^ expected an integer
    - train.yaml:5:10: `epochs` is declared here as `int`
"#,
        &project.findings(Request { params, ..files(&["train.yaml"]) }),
    );
    let options = Options { cache: Some("maybe".into()), queue: Some("a/b/c".into()), ..Options::default() };
    let inline =
        Inline { cpu: Some("1cpu".into()), env: vec!["A".into()], ports: vec!["http".into()], ..Inline::default() };
    assert_findings(
        "
-: error[cli-param] `a/b/c` is not a queue
    = write QUEUE, or AGENT/QUEUE
-: error[cli-param] `--cache maybe` is neither yes nor no
    = use true or false
--env:1:1: error[cli-param] `--env A` is not of the form NAME=VALUE
    ^ expected NAME=VALUE
    = write `--env NAME=VALUE`
--ports:1:1: error[cli-param] `http` in `--ports http` is not a port
    ^ expected numbers separated by commas
    = for example: --ports 80,443
",
        &project.findings(Request { options, inline, ..files(&["train.yaml"]) }),
    );
}

#[test]
fn references_are_followed_and_explained() {
    for (file, expected) in
        [("missing.yaml", "
missing.yaml:2:10: error[reference-unresolved] cannot read `pathRef: parts/none.yaml`: no such file
    ^ not found
    = paths are relative to the folder of the file that names them
"), ("cycle.yaml", "
parts/b.yaml:2:10: error[reference-cycle] the reference `../cycle.yaml` leads back to where it started: cycle.yaml -> parts/a.yaml -> b.yaml -> ../cycle.yaml
    ^ closes the circle
    = a component cannot contain itself; remove one of these references
"), ("invalid.yaml", "
parts/bad.yaml:2:18: error[unknown-field] `contaner` is not a field of `run` (job)
    ^ unknown field
    - invalid.yaml:2:10: referenced by this `pathRef`
    = did you mean `container`?
"), ("hub.yaml", "
hub.yaml:2:9: error[reference-unresolved] cannot read `hubRef: none`: no such file
    ^ not found
")]
    {
        let mut project = Project::new(&[
            ("missing.yaml", "kind: operation\npathRef: parts/none.yaml\n"),
            ("cycle.yaml", "kind: operation\npathRef: parts/a.yaml\n"),
            ("parts/a.yaml", "kind: operation\npathRef: b.yaml\n"),
            ("parts/b.yaml", "kind: operation\npathRef: ../cycle.yaml\n"),
            ("invalid.yaml", "kind: operation\npathRef: parts/bad.yaml\n"),
            ("parts/bad.yaml", "kind: component\nrun: {kind: job, contaner: {image: a}}\n"),
            ("hub.yaml", "kind: operation\nhubRef: none\n"),
        ]);
        assert_findings(expected, &project.findings(files(&[file])));
    }
}

#[test]
fn overlays_are_read_like_files_and_their_places_are_kept() {
    let mut project = Project::training(&[
        ("op.yaml", "kind: operation\npathRef: train.yaml\nparams: {lr: 1, epochs: 2}\n"),
        ("gpu.yaml", "isPreset: true\nrunPatch:\n  container:\n    resource: {limits: {gpu: 1}}\n"),
        ("typo.yaml", "isPreset: true\ntermination: {maxRetry: 1}\n"),
    ]);
    assert_findings(
        "
typo.yaml:2:15: error[unknown-field] `maxRetry` is not a field of `termination`
    ^ unknown field
    = did you mean `maxRetries`?
-: error[no-file] cannot read `none.yaml`: no such file
",
        &project.findings(files(&["op.yaml", "gpu.yaml", "typo.yaml", "none.yaml"])),
    );
    assert_findings(
        "
gpu.yaml:4:5: error[k8s-field] `resource` is not a field of a Kubernetes container
    ^ unknown field
    = did you mean `resources`?
",
        &project.findings(files(&["op.yaml", "gpu.yaml"])),
    );
}

#[test]
fn nothing_to_do_is_said() {
    let mut project = Project::new(&[]);
    assert_findings(
        "
-: error[no-file] there is nothing to check: no file was given, and no default file is in this folder
    = use `-f FILE`, `--hub NAME`, `--url URL` or `--image IMAGE`; the default names start with polyaxonfile.yaml
",
        &project.findings(Request::default()),
    );
    assert_findings(
        "
-: error[no-file] cannot read `none.yaml`: no such file
",
        &project.findings(files(&["none.yaml"])),
    );
}

/// A server that answers every address with a reference to another one.
struct Endless(usize);

impl Loader for Endless {
    fn file(&mut self, _: Option<&str>, path: &str) -> Result<Loaded, LoadError> {
        let text = b"kind: operation\nurlRef: http://host/0\n".to_vec();
        Ok(Loaded { name: path.into(), text, identity: path.into(), folder: None })
    }

    fn url(&mut self, url: &str) -> Result<Loaded, LoadError> {
        self.0 += 1;
        let text = format!("kind: operation\nurlRef: http://host/{}\n", self.0).into_bytes();
        Ok(Loaded { name: url.into(), text, identity: url.into(), folder: None })
    }

    fn hub(&mut self, name: &str) -> Result<Loaded, LoadError> {
        Err(LoadError::not_found(format!("no component {name}")))
    }
}

#[test]
fn endless_chains_end() {
    let outcome = check(&files(&["op.yaml"]), &mut Endless(0));
    assert_eq!(outcome.diagnostics[0].message, "more than 50 references lead from one to the next");
}
