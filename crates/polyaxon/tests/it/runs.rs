//! Runs through the local server: submit, follow, name, stop, copy out, detach.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::home::{Done, Home};

impl Home {
    /// Submits a script; the answer of the server.
    fn submit(&self, script: &str, more: &[&str]) -> Value {
        let arguments = [&["run", "--image", "none", "--cmd", script, "-o", "json"], more].concat();
        let done = self.run(&arguments);
        assert_eq!(done.code, 0, "{}", done.stderr);
        serde_json::from_str(&done.stdout).unwrap()
    }

    pub(crate) fn get(&self, run: &str) -> Value {
        let done = self.run(&["ops", "get", run, "-o", "json"]);
        assert_eq!(done.code, 0, "{}", done.stderr);
        serde_json::from_str(&done.stdout).unwrap()
    }

    pub(crate) fn wait_for(&self, run: &str, status: &str) {
        let end = Instant::now() + Duration::from_secs(20);
        while self.get(run)["status"] != status {
            assert!(Instant::now() < end, "{run} is {}, not {status}", self.get(run)["status"]);
        }
    }
}

fn uuid(run: &Value) -> &str {
    run["uuid"].as_str().unwrap()
}

#[test]
fn the_outcome_of_a_run_that_is_followed_is_the_exit_code() {
    let home = Home::new();
    let run = |script: &str, option: &str| home.run(&["run", "--image", "none", "--cmd", script, option]);
    let done = run("echo one; echo two >&2", "-l");
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stdout.contains("one\n") && done.stdout.contains("two\n"), "{}", done.stdout);
    assert!(done.stderr.contains("succeeded"), "{}", done.stderr);
    assert!(!done.stdout.contains("http://"), "with -l only the logs are data: {}", done.stdout);
    let done = run("exit 3", "-w");
    assert_eq!(done.code, 10);
    assert!(done.stderr.contains("running") && done.stderr.contains("exit code 3"), "{}", done.stderr);
    let sleeping = home.command(&["run", "--image", "none", "--cmd", "sleep 60", "-w", "--name", "sleeper"]);
    let mut sleeping = sleeping;
    let child = sleeping.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    while home.run(&["ops", "stop", "sleeper", "--yes"]).code != 0 {
        assert!(Instant::now() < end);
    }
    assert_eq!(Done::of(child.wait_with_output().unwrap()).code, 11);
}

#[test]
fn a_run_is_named_in_many_ways() {
    let home = Home::new();
    let first = home.submit("true", &["--name", "first", "--tags", "a,b", "--description", "of two"]);
    let second = home.submit("true", &[]);
    assert_eq!((first["project"].as_str(), first["tags"].as_array().map(Vec::len)), (Some("default"), Some(2)));
    let dashed = uuid::Uuid::parse_str(uuid(&first)).unwrap().to_string();
    for name in [uuid(&first), &dashed, &uuid(&first)[..8], "first", "@{2}", "@-2"] {
        assert_eq!(home.get(name)["uuid"], first["uuid"], "{name}");
    }
    for name in ["@last", "@{1}", "@-1"] {
        assert_eq!(home.get(name)["uuid"], second["uuid"], "{name}");
    }
    let done = home.run(&["ops", "get", "-uid", uuid(&first), "-o", "name"]);
    assert_eq!(done.stdout.trim(), uuid(&first));
    // Without a name the run that was used last is meant.
    assert_eq!(home.run(&["ops", "get", "-o", "name"]).stdout.trim(), uuid(&first));
    for (name, code) in
        [("ffffffffffffffffffffffffffffffff", 3), ("ffff", 3), ("nobody", 3), ("@{9}", 3), ("@first", 2)]
    {
        let done = home.run(&["ops", "get", name]);
        assert_eq!(done.code, code, "{name}: {}", done.stderr);
        assert!(done.stderr.contains(name) || name == "@{9}", "{name}: {}", done.stderr);
    }
}

#[test]
fn runs_are_listed_in_every_format() {
    let home = Home::new();
    assert!(home.run(&["ops", "ls"]).stderr.contains("No runs"));
    let run = home.submit("true", &["--name", "listed"]);
    home.wait_for("listed", "succeeded");
    let list = |format: &str| home.run(&["ops", "ls", "-o", format]).stdout;
    assert!(list("table").contains("✔ succeeded") && list("table").starts_with("UUID"), "{}", list("table"));
    let json: Value = serde_json::from_str(&list("json")).unwrap();
    assert_eq!(json["results"][0]["uuid"], run["uuid"]);
    let line: Value = serde_json::from_str(list("jsonl").trim()).unwrap();
    assert_eq!(line["uuid"], run["uuid"]);
    assert_eq!(list("name").trim(), uuid(&run));
    assert!(list("csv").lines().nth(1).unwrap().starts_with(uuid(&run)));
    assert!(list("yaml").contains("name: listed"));
    let done = home.run(&["ops", "ls", "-o", "path=runs.json"]);
    assert!(done.stdout.is_empty() && home.work().join("runs.json").exists());
    let done = home.run(&["ops", "ls", "-q", "status:failed", "-c", "name"]);
    assert!(done.stdout.is_empty() && done.stderr.contains("No runs match"), "{done:?}");
    assert_eq!(home.run(&["ops", "ls", "-q", "nonsense"]).code, 2);
    let done = home.run(&["ops", "ls", "-p", "defalt"]);
    assert!(done.code == 3 && done.stderr.contains("did you mean `default`"), "{}", done.stderr);
}

#[test]
fn a_folder_travels_with_a_run() {
    let home = Home::new();
    home.write("data.txt", "payload");
    home.write(".polyaxonignore", "*.tmp\n");
    home.write("junk.tmp", "");
    let script = "cat \"$POLYAXON_CONTEXT_ROOT\"/artifacts/*/uploads/data.txt";
    let done = home.run(&["run", "--image", "none", "--cmd", script, "-u", "-l", "--name", "sent"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stdout.contains("payload"), "{}", done.stdout);
    let files = home.run(&["ops", "artifacts", "sent"]).stdout;
    assert!(files.contains("uploads/data.txt") && !files.contains("junk.tmp"), "{files}");
    assert_eq!(home.run(&["ops", "artifacts", "sent", "-f", "uploads/data.txt", "--path-to", "out"]).code, 0);
    assert_eq!(std::fs::read_to_string(home.work().join("out/data.txt")).unwrap(), "payload");
    assert_eq!(home.run(&["ops", "artifacts", "sent", "-d", "uploads", "--path", "out"]).code, 0);
    assert_eq!(std::fs::read_to_string(home.work().join("out/uploads/data.txt")).unwrap(), "payload");
}

#[test]
fn the_first_interrupt_detaches_and_the_second_stops() {
    let home = Home::new();
    for (interrupts, status) in [(1, "running"), (2, "stopped")] {
        let name = format!("interrupted-{interrupts}");
        let mut command = home.command(&["run", "--image", "none", "--cmd", "sleep 60", "-w", "--name", &name]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let interrupt = || kill_process(Pid::from_raw(child.id() as i32).unwrap(), Signal::INT).unwrap();
        assert!(lines.by_ref().any(|line| line.contains("running")));
        interrupt();
        assert!(lines.by_ref().any(|line| line.contains("polyaxon ops stop")), "no word on how to stop");
        if interrupts == 2 {
            assert!(lines.by_ref().any(|line| line.contains("Ctrl-C again")));
            interrupt();
        }
        assert_eq!(child.wait().unwrap().code(), Some(130));
        home.wait_for(&name, status);
        home.run(&["ops", "stop", &name, "-y"]);
    }
}

#[test]
fn destruction_needs_a_yes() {
    let home = Home::new();
    let run = home.submit("sleep 60", &[]);
    for command in ["stop", "delete", "skip"] {
        let done = home.run(&["ops", command, uuid(&run)]);
        assert!(done.code == 1 && done.stderr.contains("--yes"), "{command}: {done:?}");
    }
    assert_eq!(home.run(&["ops", "stop", uuid(&run), "-y"]).code, 0);
    home.wait_for(uuid(&run), "stopped");
    assert!(home.run(&["ops", "stop", uuid(&run), "-y"]).stderr.contains("ended already"));
    assert_eq!(home.run(&["ops", "delete", uuid(&run), "-y"]).code, 0);
    assert!(home.run(&["ops", "ls"]).stdout.is_empty());
}

#[test]
fn a_run_is_restarted_and_resumed() {
    let home = Home::new();
    let first = home.submit("echo again", &["--name", "first"]);
    home.wait_for(uuid(&first), "succeeded");
    let done = home.run(&["ops", "restart", "first", "--name", "second", "-o", "json"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let second: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((second["name"].as_str(), &second["original"]["uuid"]), (Some("second"), &first["uuid"]));
    home.wait_for("second", "succeeded");
    assert_eq!(home.run(&["ops", "resume", "second"]).code, 0);
    home.wait_for("second", "succeeded");
    let statuses = home.run(&["ops", "statuses", "second"]).stdout;
    assert!(statuses.contains("resuming"), "{statuses}");
    assert_eq!(home.run(&["ops", "statuses", "second", "-w"]).code, 0);
}

#[test]
fn runs_that_start_again_are_followed_like_new_ones() {
    let home = Home::new();
    let first = home.submit("echo again; exit 3", &["--name", "first"]);
    home.wait_for(uuid(&first), "failed");
    for verb in ["restart", "resume"] {
        let done = home.run(&["ops", verb, "first", "-l"]);
        assert_eq!(done.code, 10, "{}", done.stderr);
        // The logs are the data.
        assert!(done.stdout.contains(" again\n") && !done.stdout.contains("uuid"), "{}", done.stdout);
        assert!(done.stderr.contains("exit code 3"), "{}", done.stderr);

        let done = home.run(&["ops", verb, "first", "-w"]);
        assert_eq!((done.code, done.stdout.as_str()), (10, ""), "{}", done.stderr);
        assert!(done.stderr.contains("running") && done.stderr.contains("exit code 3"), "{}", done.stderr);
    }
    let done = home.run(&["ops", "restart", "first", "--copy", "--wait", "-o", "json"]);
    assert_eq!(done.code, 10);
    assert_eq!(serde_json::from_str::<Value>(&done.stdout).unwrap()["name"], "first");
    assert!(done.stderr.contains(", with its files"), "{}", done.stderr);
    assert!(done.stderr.contains("failed") && !done.stderr.contains("running"), "{}", done.stderr);
    let done = home.run(&["ops", "resume", "first", "--wait", "-w"]);
    assert!(done.code == 2 && done.stderr.contains("cannot be used with"), "{}", done.stderr);
    let wrong = home.run(&["ops", "get", "frist"]);
    assert!(wrong.code == 3 && wrong.stderr.contains("did you mean `first`?"), "{}", wrong.stderr);
    let why = home.run(&["ops", "get", "first"]).stdout;
    assert!(why.contains("why       Error: the process ended with exit code 3"), "{why}");
    let done = home.run(&["run", "--image", "none", "--cmd", "true", "--wait"]);
    assert!(done.code == 0 && done.stderr.contains("succeeded"), "{}", done.stderr);
}

#[test]
fn projects_are_made_shown_changed_and_deleted() {
    let home = Home::new();
    assert_eq!(home.run(&["project", "create", "--name", "mnist", "--tags", "a,b", "--init"]).code, 0);
    assert_eq!(home.run(&["project", "create", "--name", "mnist"]).code, 5);
    // --init made it the project of this folder.
    assert_eq!(home.submit("true", &[])["project"], "mnist");
    assert_eq!(home.run(&["project", "update", "-p", "mnist", "--description", "digits"]).code, 0);
    assert!(home.run(&["projects", "get", "-p", "mnist"]).stdout.contains("digits"));
    assert_eq!(home.run(&["project", "ls", "--output", "name"]).stdout, "mnist\n");
    let done = home.run(&["project", "get", "mnits"]);
    assert!(done.code == 3 && done.stderr.contains("did you mean `mnist`"), "{}", done.stderr);
    let done = home.run(&["run", "--image", "none", "--cmd", "true", "-p", "other"]);
    assert!(done.code == 3 && done.stderr.contains("polyaxon project create --name other"), "{}", done.stderr);
    assert_eq!(home.run(&["project", "delete", "mnist"]).code, 1);
    assert_eq!(home.run(&["project", "delete", "mnist", "--yes"]).code, 0);
    assert!(home.run(&["project", "ls"]).stdout.is_empty());
}

#[test]
fn followers_survive_a_restart_of_the_server() {
    let home = Home::new();
    let script = "for i in $(seq 30); do echo line $i; sleep 0.05; done";
    let mut command = home.command(&["run", "--image", "none", "--cmd", script, "-l"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut seen: Vec<String> = lines.by_ref().take_while(|line| !line.ends_with("line 3")).collect();
    assert_eq!(home.run(&["server", "stop"]).code, 0);
    assert_eq!(home.run(&["server", "start"]).code, 0);
    seen.extend(lines);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let numbers: Vec<_> = seen.iter().filter_map(|line| line.split_once("line ")).map(|(_, number)| number).collect();
    let expected: Vec<String> = (1..=30).filter(|number| *number != 3).map(|number| number.to_string()).collect();
    assert_eq!(numbers, expected);
}
