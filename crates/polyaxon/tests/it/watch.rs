//! Watching and explaining: trees as lines and as JSON, runs in words.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::home::Home;

const PIPELINE: &str = r#"
version: 1.1
kind: component
name: pipe
run:
  kind: dag
  operations:
    - name: prepare
      component:
        run: {kind: job, container: {image: none:1, command: [sh, -c], args: ["true"]}}
    - name: train
      dependencies: [prepare]
      matrix: {kind: mapping, values: [{n: 1}, {n: 2}, {n: 3}]}
      component:
        inputs: [{name: n, type: int}]
        run: {kind: job, container: {image: none:1, command: [sh, -c], args: ["[ {{ n }} != 2 ] || { echo boom; exit 3; }"]}}
    - name: report
      dependencies: [train]
      component:
        run: {kind: job, container: {image: none:1, command: [sh, -c], args: ["true"]}}
"#;

#[test]
fn a_pipeline_is_watched_and_explained() {
    let home = Home::new();
    home.write("pipe.yaml", PIPELINE);
    let done = home.run(&["run", "-f", "pipe.yaml", "-w"]);
    assert_eq!(done.code, 10, "{}", done.stderr);
    for line in
        [" pipe  ", " prepare  ", " train  ", "x failed  Error: the process ended with exit code 3", " report  "]
    {
        assert!(done.stderr.contains(line), "`{line}` is missing in {}", done.stderr);
    }
    // A pipeline has no logs of its own.
    assert!(home.run(&["run", "-f", "pipe.yaml", "--name", "again"]).stderr.contains("polyaxon ops watch "));
    home.wait_for("again", "failed");
    home.run(&["ops", "delete", "again", "--yes"]);
    // The last run is the one that was asked for, not one of the six that it made.
    assert!(home.run(&["ops", "get", "@last"]).stdout.starts_with("name      pipe\n"));
    assert_eq!(home.run(&["ops", "get", "@{2}"]).code, 3);
    // Later, as data: every run of the tree, and how it ended.
    let done = home.run(&["ops", "watch", "pipe", "-o", "json"]);
    assert_eq!(done.code, 10);
    let lines: Vec<Value> = done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let runs: Vec<&Value> = lines.iter().filter_map(|line| line.get("run")).collect();
    assert_eq!((runs.len(), &lines.last().unwrap()["done"]), (7, &Value::from("failed")));
    let train = runs.iter().find(|run| run["kind"] == "matrix").unwrap();
    let bad = runs.iter().find(|run| run["status"] == "failed" && run["parent"] == train["uuid"]).unwrap();
    assert_eq!((&bad["params"]["n"], &bad["reason"]), (&Value::from(2), &Value::from("Error")));

    let explain = |run: &Value| home.run(&["explain", run["uuid"].as_str().unwrap()]).stdout;
    let text = explain(bad);
    for words in ["exit code 3", "The last lines that it printed", "boom", "polyaxon ops logs"] {
        assert!(text.contains(words), "`{words}` is missing in {text}");
    }
    let report = runs.iter().find(|run| run["name"] == "report").unwrap();
    assert!(explain(report).contains("Upstream: `train` (failed)"), "{}", explain(report));
    let root = home.run(&["ops", "explain", "pipe", "-o", "json"]);
    let root: Value = serde_json::from_str(&root.stdout).unwrap();
    assert_eq!(root["status"], "failed");
    assert!(root["reasons"].to_string().contains("child_failed"), "{root}");
}

#[test]
fn a_search_without_its_metric_says_so_everywhere() {
    let home = Home::new();
    home.write(
        "search.yaml",
        "kind: operation\nname: search\nmatrix:\n  kind: tpe\n  numRuns: 2\n  metric: {name: los, optimization: minimize}\n  \
         params: {x: {kind: uniform, value: [0, 1]}}\ncomponent:\n  inputs: [{name: x, type: float}]\n  \
         run: {kind: job, container: {command: [\"true\"]}}\n",
    );
    let done = home.run(&["run", "-f", "search.yaml", "-w"]);
    let sentence = "None of the 2 trials that succeeded reported `los`";
    assert!(done.code == 10 && done.stderr.contains(sentence), "{}", done.stderr);
    for command in [["ops", "get"], ["ops", "statuses"], ["ops", "explain"]] {
        let text = home.run(&[command[0], command[1], "search"]).stdout;
        assert!(text.contains(sentence), "{command:?}: {text}");
    }
    // The trials are called like it; the name means the search.
    assert!(home.run(&["explain", "--uid", "search"]).stdout.contains("tracking.log_metrics(los=...)"));
}

#[test]
fn conditions_are_explained_with_the_values_that_they_saw() {
    let home = Home::new();
    home.write(
        "op.yaml",
        "version: 1.1\nkind: operation\nname: gated\nconditions: \"{{ accuracy > 0.9 }}\"\nparams: {accuracy: {value: 0.85}}\n\
         component:\n  inputs: [{name: accuracy, type: float}]\n  run: {kind: job, container: {image: none:1, command: [\"true\"]}}\n",
    );
    assert_eq!(home.run(&["run", "-f", "op.yaml", "-w"]).code, 12);
    let text = home.run(&["explain", "@last"]).stdout;
    assert!(text.contains("`{{ accuracy > 0.9 }}`") && text.contains("accuracy = 0.85"), "{text}");
    // What is no run stays a field of the language or a code.
    assert!(home.run(&["explain", "conditions"]).stdout.contains("conditions"));
    assert!(home.run(&["explain", "gated"]).stderr.contains("polyaxon explain --uid gated"));
    assert_eq!(home.run(&["explain", "--uid", "nobody"]).code, 3);
    assert_eq!(home.run(&["explain", "ffff0000ffff0000ffff0000ffff0000"]).code, 3);
}

#[test]
fn one_who_watches_can_leave_and_come_back() {
    let home = Home::new();
    let arguments = ["run", "--image", "none:1", "--cmd", "sleep 60", "--name", "sleeper", "-o", "jsonl"];
    assert_eq!(home.run(&arguments).code, 0);
    let mut command = home.command(&["ops", "watch", "sleeper"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut notes = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("sleeper  * running")));
    kill_process(Pid::from_raw(child.id() as i32).unwrap(), Signal::INT).unwrap();
    assert!(notes.any(|line| line.contains("follow it again: polyaxon ops watch -p default -uid")));
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(home.run(&["explain", "@last"]).stdout.contains("nothing holds it back"));
    assert_eq!(home.run(&["ops", "stop", "sleeper", "-y"]).code, 0);
    assert_eq!(home.run(&["ops", "watch", "sleeper"]).code, 11);
    assert_eq!(home.run(&["ops", "watch", "nobody"]).code, 3);
}

#[test]
fn a_join_collects_from_the_runs_that_its_query_finds() {
    let home = Home::new();
    home.write(
        "join.yaml",
        r#"
version: 1.1
kind: component
name: joined
run:
  kind: dag
  operations:
    - name: try
      matrix: {kind: mapping, values: [{n: 3}, {n: 1}, {n: 2}]}
      component:
        inputs: [{name: n, type: int}]
        run: {kind: job, container: {image: none:1, command: ["true"]}}
    - name: pick
      params: {tried: {ref: ops.try, value: globals.uuid, contextOnly: true}}
      joins:
        - query: "pipeline: {{ tried }}, status: succeeded"
          sort: -inputs.n
          limit: 2
          params: {best: {value: inputs.n}}
        - query: "name: nobody"
          params: {none: {value: inputs.n}}
      component:
        inputs: [{name: best, type: int, isList: true}, {name: none, type: int, isList: true, isOptional: true}]
        run: {kind: job, container: {image: none:1, command: [echo], args: ["best {{ best }} none {{ none }}"]}}
"#,
    );
    let done = home.run(&["run", "-f", "join.yaml", "-w"]);
    assert_eq!(done.code, 0, "{}\n{}", done.stderr, home.run(&["explain", "--uid", "pick"]).stdout);
    let logs = home.run(&["ops", "logs", "pick", "--hide-time"]).stdout;
    assert!(logs.contains("best [3, 2] none "), "{logs}");
}
