//! `polyaxon check`: files, stdin, options, data instead of text, input that no person would write.

use std::io::Write;
use std::process::Stdio;

use serde_json::Value;
use snapbox::{assert_data_eq, str};

use crate::home::{Done, Home};

const COMPONENT: &str = "\
kind: component
name: train
inputs:
  - {name: epochs, type: int}
run:
  kind: job
  container: {image: 'train:1.0', command: [train, '{{ epochs }}']}
";

#[test]
fn a_valid_file_is_called_valid() {
    let home = Home::new();
    home.write("train.yaml", COMPONENT);
    let done = home.run(&["check", "-f", "train.yaml", "-P", "epochs=3"]);
    assert_data_eq!(
        done.transcript(),
        str![[r"
exit 0
--- stdout
Polyaxonfile valid
--- stderr

"]]
    );
}

#[test]
fn params_of_the_command_line_are_underlined_too() {
    let home = Home::new();
    home.write("train.yaml", COMPONENT);
    assert_data_eq!(
        home.run(&["check", "-f", "train.yaml", "-P", "epochs=many"]).transcript(),
        str![[r#"
exit 2
--- stdout
--- stderr
error[PLX0303]: `epochs` has type `int`, but its value is the string "many"
 --> -P epochs:1:8
  |
1 | epochs=many
  |        ^^^^ expected an integer
  |
 ::: train.yaml:4:12
  |
4 |   - {name: epochs, type: int}
  |            ------ `epochs` is declared here as `int`

1 error

"#]]
    );
    assert_data_eq!(
        home.run(&["check", "-f", "train.yaml", "-P", "epochs"]).transcript(),
        str![[r"
exit 2
--- stdout
--- stderr
error[PLX0701]: `-P epochs` is not of the form name=value
 --> -P:1:1
  |
1 | epochs
  | ^^^^^^ expected name=value
  |
  = help: write `-P name=value`

1 error

"]]
    );
    assert_data_eq!(
        home.run(&["check", "-f", "train.yaml", "-P", "epoch=3"]).transcript(),
        str![[r"
exit 2
--- stdout
--- stderr
warning[PLX0308]: param `epoch` matches no input or output
 --> -P epoch:1:1
  |
1 | epoch=3
  | ^^^^^ becomes a context value
  |
  = help: did you mean `epochs`?

error[PLX0307]: the required input `epochs` (int) has no value
 --> -P epoch:1:1
  |
1 | epoch=3
  | ^^^^^ values are given here
  |
 ::: train.yaml:4:12
  |
4 |   - {name: epochs, type: int}
  |            ------ `epochs` is declared here, without default
  |
  = help: add them to `params`, or on the command line: -P epochs=VALUE

1 error, 1 warning

"]]
    );
}

#[test]
fn findings_are_data_on_request() {
    let home = Home::new();
    home.write("train.yaml", COMPONENT);
    let done = home.run(&["check", "-f", "train.yaml", "-o", "json"]);
    assert_eq!((done.code, done.stderr.as_str()), (2, ""));
    let json: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(json["valid"], false);
    assert_eq!(json["diagnostics"][0]["code"], "PLX0307");
    assert_eq!(json["diagnostics"][0]["severity"], "error");
    let done = home.run(&["check", "-f", "train.yaml", "-P", "epochs=3", "-o", "json"]);
    let json: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(json["valid"], true);
    assert_eq!(json["operation"]["component"]["name"], "train");
}

#[test]
fn a_run_of_an_invalid_file_gives_its_findings_as_data_too() {
    let home = Home::new();
    home.write("train.yaml", COMPONENT);
    let done = home.run(&["run", "-f", "train.yaml", "-o", "json"]);
    assert_eq!((done.code, done.stdout.as_str()), (2, ""));
    let json: Value = serde_json::from_str(&done.stderr).unwrap();
    assert_eq!(json["error"]["diagnostics"][0]["code"], "PLX0307");
    assert!(!home.local().exists(), "a bad file must not start a server");
}

#[test]
fn stdin_is_a_file() {
    let home = Home::new();
    let mut command = home.command(&["check", "-f", "-", "-P", "epochs=3"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(COMPONENT.as_bytes()).unwrap();
    assert_eq!(Done::of(child.wait_with_output().unwrap()).code, 0);
}

#[test]
fn without_a_file_the_default_name_is_used() {
    let home = Home::new();
    assert_data_eq!(
        home.run(&["check"]).transcript(),
        str![[r"
exit 2
--- stdout
--- stderr
error[PLX0105]: there is nothing to check: no file was given, and no default file is in this folder
 |
 = help: use `-f FILE`, `--hub NAME`, `--url URL` or `--image IMAGE`; the default names start with polyaxonfile.yaml

1 error

"]]
    );
    home.write("polyaxonfile.yaml", COMPONENT);
    assert_eq!(home.run(&["check", "-P", "epochs=3"]).code, 0);
}

#[test]
fn strict_turns_warnings_into_errors() {
    let home = Home::new();
    home.write("twice.yaml", &COMPONENT.replace("name: train\n", "name: train\nname: again\n"));
    let arguments = ["check", "-f", "twice.yaml", "-P", "epochs=3"];
    let done = home.run(&arguments);
    assert!(done.code == 0 && done.stderr.contains("warning[PLX0107]"), "{done:?}");
    assert_eq!(home.run(&[&arguments[..], &["--strict"]].concat()).code, 2);
}

#[test]
fn input_that_no_person_would_write_is_refused_quickly_and_briefly() {
    let home = Home::new();
    let bomb: String = (1..10).fold("a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, level| {
        let aliases = vec![format!("*a{}", level - 1); 9].join(",");
        format!("{text}a{level}: &a{level} [{aliases}]\n")
    });
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("empty.yaml", Vec::new()),
        ("binary.yaml", (0..=255).cycle().take(20_000).collect()),
        ("latin.yaml", b"name: \xff\xfe\n".to_vec()),
        ("deep.yaml", [vec![b'['; 1_000], vec![b']'; 1_000]].concat()),
        ("bomb.yaml", bomb.into_bytes()),
        ("large.yaml", [b"description: ".to_vec(), vec![b'x'; 50_000_000]].concat()),
        ("line.yaml", [b"kind: component\nx: [".to_vec(), b"1, ".repeat(300_000)].concat()),
    ];
    for (name, text) in files {
        std::fs::write(home.work().join(name), text).unwrap();
        let start = std::time::Instant::now();
        let done = home.run(&["check", "-f", name]);
        assert_eq!(done.code, 2, "{name}");
        assert!(done.stderr.contains(name), "{name}: {}", done.stderr);
        assert!(done.stderr.len() < 20_000, "{name}: {} bytes of message", done.stderr.len());
        assert!(start.elapsed().as_secs() < 5, "{name} took {:?}", start.elapsed());
    }
    let done = home.run(&["check", "-f", "."]);
    assert!(done.code == 2 && done.stderr.contains("folder"), "{done:?}");
}

#[test]
fn hub_components_are_built_in_and_near_names_are_suggested() {
    let home = Home::new();
    assert_eq!(home.run(&["check", "--hub", "tensorboard"]).code, 0);
    assert_data_eq!(
        home.run(&["check", "--hub", "tensorbord"]).transcript(),
        str![[r#"
exit 2
--- stdout
--- stderr
error[PLX0502]: cannot read the hub component `tensorbord`: it is neither built in nor registered on the server
 |
 = help: did you mean `tensorboard`? Built in are: buildx, discord, dockerizer, email, jupyterlab, kaniko, mattermost, notebook, pagerduty, quick-start, slack, teams, tensorboard, vscode, webhook

1 error

"#]]
    );
    assert_data_eq!(
        home.run(&["check", "--hub", "a", "--url", "b"]).transcript(),
        str![[r"
exit 2
--- stdout
--- stderr
error: the argument '--hub <COMPONENT>' cannot be used with '--url <URL>'

Usage: polyaxon check --hub <COMPONENT>

For more information, try '--help'.

"]]
    );
}

#[test]
fn what_cannot_be_executed_yet_is_valid_but_refused_by_run() {
    let home = Home::new();
    let component = "kind: component\nrun:\n  kind: mpijob\n  worker: {container: {image: \"a:1\", command: [x]}}\n";
    home.write("mpi.yaml", component);
    let checked = home.run(&["check", "-f", "mpi.yaml"]);
    assert_eq!((checked.code, checked.stdout.as_str()), (0, "Polyaxonfile valid\n"), "{}", checked.stderr);
    assert!(checked.stderr.starts_with("warning[PLX0901]: `run.kind: mpijob`"), "{}", checked.stderr);
    assert_data_eq!(
        home.run(&["run", "-f", "mpi.yaml"]).transcript(),
        str![[r#"
exit 2
--- stdout
--- stderr
error[PLX0901]: `run.kind: mpijob` cannot be executed by this version yet
 --> mpi.yaml:3:9
  |
3 |   kind: mpijob
  |         ^^^^^^ not supported yet
  |
  = help: jobs, services, dags, schedules and searches can be executed

error: 1 error found, nothing was run

"#]]
    );
}
