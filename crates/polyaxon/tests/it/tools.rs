//! The commands that show how a file is understood, and `check` as programs and repair shops use it.

use serde_json::Value;
use snapbox::{assert_data_eq, str};

use crate::home::Home;

/// Nothing here is as it should be, and all of it is understood.
const OLD: &str = "\
# The search of last year.
kind: operation
matrix:
  kind: hyperopt
  algorithm: tpe      # the default
  numRuns: 5
  metric: {name: loss, optimization: minimize}
  params:
    lr: {kind: uniform, value: [0, 1]}
component:
  inputs: [{name: lr, type: float}]
  run:
    kind: job
    environment: {node_selector: {gpu: \"yes\"}} # where
    container:
      'image_pull_policy': Always
      image: train:1.0
      args: ['{{ lr }}']
";

const TRAIN: &str = "\
kind: component
name: train
inputs:
- {name: epochs, type: int, value: 3}
run:
  kind: job
  container:
    image: train:1.0
    args: [\"--epochs={{ epochs }}\", fast]
";

#[test]
fn old_spellings_are_rewritten_and_everything_else_stays() {
    let home = Home::new();
    home.write("old.yaml", OLD);
    let done = home.run(&["check", "-f", "old.yaml", "--fix"]);
    let (changes, _) = done.stderr.split_once("Fixed 4 places").unwrap();
    assert_data_eq!(
        changes.to_owned(),
        str![[r#"
--- old.yaml
+++ old.yaml
@@ -4,1 +4,1 @@
-  kind: hyperopt
+  kind: tpe
@@ -5,1 +5,1 @@
-  algorithm: tpe      # the default
+  # the default
@@ -14,1 +14,1 @@
-    environment: {node_selector: {gpu: "yes"}} # where
+    environment: {nodeSelector: {gpu: "yes"}} # where
@@ -16,1 +16,1 @@
-      'image_pull_policy': Always
+      'imagePullPolicy': Always

"#]]
    );
    let fixed = std::fs::read_to_string(home.work().join("old.yaml")).unwrap();
    let expected = OLD
        .replace("hyperopt", "tpe")
        .replace("algorithm: tpe      # the default", "# the default")
        .replace("node_selector", "nodeSelector")
        .replace("image_pull_policy", "imagePullPolicy");
    assert_eq!(fixed, expected);
    let again = home.run(&["check", "-f", "old.yaml", "--fix"]);
    assert!(again.stderr.starts_with("Nothing to fix\n"), "{}", again.stderr);
    assert_eq!(std::fs::read_to_string(home.work().join("old.yaml")).unwrap(), expected);
}

#[test]
fn errors_that_have_one_remedy_are_fixed_too() {
    let home = Home::new();
    home.write("op.yaml", "kind: component\nstrict_params: true # why\ncontainer: {image: 'train:1.0'}\n");
    assert_eq!(home.run(&["check", "-f", "op.yaml"]).code, 2);
    let done = home.run(&["check", "-f", "op.yaml", "--fix"]);
    assert_eq!((done.code, done.stdout.as_str()), (0, "Polyaxonfile valid\n"));
    let fixed = std::fs::read_to_string(home.work().join("op.yaml")).unwrap();
    assert_eq!(fixed, "kind: component\nstrictParams: true # why\ncontainer: {image: 'train:1.0'}\n");
}

#[test]
fn findings_are_annotations_of_github_on_request() {
    let home = Home::new();
    home.write(
        "op.yaml",
        "kind: component\nname: a\nname: b\ninputs: [{name: lr, type: float, value: 1.0}]\n\
         container: {image: python}\ntermination: {max_retries: 1}\nparams: {mode: fast}\n",
    );
    assert_data_eq!(
        home.run(&["check", "-f", "op.yaml", "--format", "github"]).transcript(),
        str![[r"
exit 0
--- stdout
::warning file=op.yaml,line=3,col=1,title=PLX0107::the key `name` is written twice (this value is used)%0Ahelp: remove one of the two
::warning file=op.yaml,line=6,col=15,title=PLX0214::`max_retries` is an old spelling of `maxRetries` (write `maxRetries`)%0Ahelp: `polyaxon check --fix` rewrites the names and nothing else
::warning file=op.yaml,line=5,col=20,title=PLX0608::the image `python` has no tag, which means `latest` (may be another image tomorrow)%0Ahelp: write a version, like `python:3.12`, or a digest
::warning file=op.yaml,line=4,col=17,title=PLX0315::nothing uses the input `lr` (declared here)%0Ahelp: use it as `{{ lr }}`, hand it on with `toEnv`, or remove it
::warning file=op.yaml,line=7,col=10,title=PLX0308::param `mode` matches no input or output, and no template uses it (without effect)%0Ahelp: declare it under `inputs`, or remove it
--- stderr
Polyaxonfile valid

"]]
    );
    assert_eq!(home.run(&["check", "-f", "op.yaml", "--format", "github", "--strict"]).code, 2);
    let done = home.run(&["check", "-f", "op.yaml", "--format", "json"]);
    let json: Value = serde_json::from_str(&done.stdout).unwrap();
    let codes: Vec<&str> =
        json["diagnostics"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["PLX0107", "PLX0214", "PLX0608", "PLX0315", "PLX0308"]);
}

#[test]
fn a_file_is_shown_stage_by_stage() {
    let home = Home::new();
    home.write("train.yaml", TRAIN);
    let compile = |stage: &str| home.run(&["compile", "-f", "train.yaml", "-P", "epochs=5", "--stage", stage]);
    assert_data_eq!(
        compile("operation").transcript(),
        str![[r#"
exit 0
--- stdout
kind: operation
params:
  epochs:
    value: "5"
component:
  kind: component
  name: train
  inputs:
    - name: epochs
      type: int
      value: 3
      isOptional: true
  run:
    kind: job
    container:
      image: train:1.0
      args:
        - --epochs={{ epochs }}
        - fast
--- stderr

"#]]
    );
    assert_data_eq!(
        compile("resolved").transcript(),
        str![[r"
exit 0
--- stdout
kind: compiled_operation
name: train
inputs:
  - name: epochs
    type: int
    value: 5
    isOptional: true
run:
  kind: job
  container:
    image: train:1.0
    args:
      - --epochs=5
      - fast
--- stderr

"]]
    );
    let done = home.run(&["compile", "-f", "train.yaml", "-o", "json"]);
    let json: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(json["kind"], "compiled_operation");
    assert_eq!(json["run"]["container"]["args"][1], "fast");
}

#[test]
fn every_value_says_where_it_comes_from() {
    let home = Home::new();
    home.write("train.yaml", TRAIN);
    home.write("preset.yaml", "isPreset: true\nqueue: fast\nrunPatch:\n  environment: {labels: {team: vision}}\n");
    let arguments =
        ["compile", "-f", "train.yaml", "-f", "preset.yaml", "-P", "epochs=5", "--stage", "resolved", "--origin"];
    assert_data_eq!(
        home.run(&arguments).transcript(),
        str![[r"
exit 0
--- stdout
kind: compiled_operation  # default
name: train  # train.yaml:2
inputs:
  - name: epochs  # train.yaml:4
    type: int  # train.yaml:4
    value: 5  # -P epochs
    isOptional: true  # default
queue: fast  # preset preset.yaml:2
run:
  kind: job  # train.yaml:6
  container:
    image: train:1.0  # train.yaml:8
    args:
      - --epochs=5  # train.yaml:9, --epochs={{ epochs }}, epochs from -P epochs
      - fast  # train.yaml:9
  environment:
    labels:
      team: vision  # preset preset.yaml:4
--- stderr

"]]
    );
    let done = home.run(&[&arguments[..], &["-o", "json"]].concat());
    let json: Value = serde_json::from_str(&done.stdout).unwrap();
    let origin = |path: &str| {
        let rows = json["origins"].as_array().unwrap();
        rows.iter().find(|row| row["path"] == path).unwrap_or_else(|| panic!("{path}"))["origin"].clone()
    };
    assert_eq!(origin("queue"), serde_json::json!({"kind": "preset", "name": "preset.yaml", "line": 2, "column": 8}));
    assert_eq!(
        origin("run.container.args[0]"),
        serde_json::json!({
            "kind": "file", "name": "train.yaml", "line": 9, "column": 12, "template": "--epochs={{ epochs }}",
            "inputs": [{"name": "epochs", "place": "-P epochs"}],
        })
    );
    assert_eq!(origin("kind"), serde_json::json!({"kind": "default"}));
}

#[test]
fn what_cannot_be_compiled_is_explained() {
    let home = Home::new();
    home.write("train.yaml", &TRAIN.replace(", value: 3", ""));
    let done = home.run(&["compile", "-f", "train.yaml"]);
    assert_eq!(done.code, 2);
    assert!(
        done.stderr.contains("error[PLX0307]") && done.stderr.ends_with("error: 1 error found\n"),
        "{}",
        done.stderr
    );
}

#[test]
fn fields_and_codes_are_explained() {
    let home = Home::new();
    let explain = |subject: &str| home.run(&["explain", subject]).transcript();
    assert_data_eq!(
        explain("termination.max_retries"),
        str![[r"
exit 0
--- stdout
termination.maxRetries
  integer, or a template; default 0

How often a failed run is started again.

Example:
  maxRetries: 3
--- stderr

"]]
    );
    assert_data_eq!(
        explain("run.job.container"),
        str![[r"
exit 0
--- stdout
run.job.container
  Kubernetes container

The main container.

Example:
  container: {image: python, command: [python, train.py]}

Fields, as in the Kubernetes API:
  name  image  command  args  env  envFrom  imagePullPolicy  lifecycle  livenessProbe  ports
  readinessProbe  resizePolicy  resources  restartPolicy  restartPolicyRules  securityContext
  startupProbe  stdin  stdinOnce  terminationMessagePath  terminationMessagePolicy  tty
  volumeDevices  volumeMounts  workingDir

Of the same name:
  container  run.service.container  run.notifier.container  run.cleaner.container
  run.tuner.container  init.container
--- stderr

"]]
    );
    assert_data_eq!(
        explain("trigger"),
        str![[r"
exit 0
--- stdout
trigger
  one of the allowed words, or a template; default all_succeeded

How the dependencies must have ended.

Allowed:
  all_succeeded  all_failed  all_done  one_succeeded  one_failed  one_done

Example:
  trigger: all_done

Of the same name:
  hooks.trigger  plugins.notifications.trigger
--- stderr

"]]
    );
    assert_data_eq!(
        explain("PLX0203"),
        str![[r#"
exit 0
--- stdout
PLX0203 missing-field

A required field is missing.

The section cannot be understood without the field. Add it; its meaning is in `polyaxon explain`.

Wrong:

kind: component
inputs: [{type: int, value: 3}]
container: {image: "train:1.0"}

Right:

kind: component
inputs: [{name: epochs, type: int, value: 3}]
container: {image: "train:1.0", args: ["{{ epochs }}"]}
--- stderr

"#]]
    );
    assert_data_eq!(
        explain("termination.maxRetrys"),
        str![[r"
exit 3
--- stdout
--- stderr
error: there is no field `termination.maxRetrys`
help: did you mean `termination.maxRetries`?

"]]
    );
    assert_data_eq!(
        explain("PLX9999"),
        str![[r"
exit 3
--- stdout
--- stderr
error: there is no code `PLX9999`
help: did you mean PLX0999? `polyaxon explain --all` lists every code

"]]
    );
    // A name that only one place has needs no path.
    assert_eq!(explain("maxRetries"), explain("termination.maxRetries"));
    let json: Value = serde_json::from_str(&home.run(&["explain", "run", "-o", "json"]).stdout).unwrap();
    assert_eq!(json["kinds"][0]["kind"], "job");
}

#[test]
fn the_schema_is_the_one_of_the_repository() {
    let home = Home::new();
    let schema = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema/polyaxonfile.json");
    assert_eq!(home.run(&["schema"]).stdout, std::fs::read_to_string(schema).unwrap());
}
