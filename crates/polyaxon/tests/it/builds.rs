//! Images that are made before a run begins, by the components of the hub and a docker that only notes what it is told.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::home::{Done, Home};

/// Fails when the Dockerfile wants it to, and takes its time when it wants that.
const DOCKER: &str = r#"#!/bin/sh
echo "$@" >>"$HOME/docker.log"
case "$*" in *--file*) ;; *) exit 0 ;; esac
cat Dockerfile >>"$HOME/docker.log" || exit
if grep -q fail Dockerfile; then echo "no space left" >&2; exit 4; fi
if grep -q slow Dockerfile; then exec sleep 60; fi
"#;

impl Home {
    /// A home whose server knows a registry, and a machine with a docker.
    fn with_docker() -> Home {
        let home = Home::new();
        let registry = "- {name: registry, kind: registry, schema: {url: reg.example.com/acme}}";
        fs::write(home.path().join("connections.yaml"), registry).unwrap();
        home.write("docker", DOCKER);
        fs::set_permissions(home.work().join("docker"), fs::Permissions::from_mode(0o755)).unwrap();
        home
    }

    /// Runs a job whose image is built by a component, out of a Dockerfile with this step.
    fn build(&self, component: &str, step: &str, more: &str, options: &[&str]) -> Done {
        let operation = format!(
            "kind: operation\nname: main\nbuild:\n  hubRef: {component}\n  runPatch:\n    init:\n    \
             - dockerfile: {{image: 'python:3.12', run: ['{step}']}}\n{more}component:\n  kind: component\n  run:\n    \
             kind: job\n    container: {{image: none, command: [echo, begun]}}\n"
        );
        self.write("build.yaml", &operation);
        let path = format!("{}:{}", self.work().display(), std::env::var("PATH").unwrap());
        self.run_with(&[&["run", "-f", "build.yaml"], options].concat(), &[("PATH", &path)])
    }

    fn docker_log(&self) -> String {
        fs::read_to_string(self.path().join("docker.log")).unwrap_or_default()
    }

    fn uuid_of(&self, run: &str) -> String {
        let found: Value = self.get(run);
        found["uuid"].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_run_begins_with_the_image_that_a_component_of_the_hub_pushed() {
    let home = Home::with_docker();
    for component in ["kaniko", "dockerizer", "buildx"] {
        let done = home.build(component, "pip install numpy", "  connection: registry\n", &["-l"]);
        assert_eq!(done.code, 0, "{component}: {}{}", done.stdout, done.stderr);
        assert!(done.stdout.contains("begun"), "{component}: {}", done.stdout);
        let run = home.get("@last");
        let image = format!("reg.example.com/acme/default:{}", run["uuid"].as_str().unwrap());
        assert_eq!(run["meta_info"]["destination_image"], *image, "{component}");
        let log = home.docker_log();
        let pushes = if component == "buildx" { format!("--push --tag {image}") } else { format!("push {image}") };
        assert!(log.contains(&format!("--tag {image} --file Dockerfile")) && log.contains(&pushes), "{log}");
        assert!(log.contains("RUN pip install numpy"), "{log}");
        fs::remove_file(home.path().join("docker.log")).unwrap();
    }
    let done = home.build("buildx", "true", "  params: {platforms: {value: linux/arm64}}\n", &["-l"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let image = format!("default:{}", home.uuid_of("@last"));
    assert!(
        home.docker_log().contains(&format!("--load --platform=linux/arm64 --tag {image}")),
        "{}",
        home.docker_log()
    );
}

#[test]
fn a_run_whose_image_cannot_be_made_says_which_build_failed() {
    let home = Home::with_docker();
    let done = home.build("kaniko", "fail", "", &["-w"]);
    assert_ne!(done.code, 0);
    assert!(done.stderr.contains("made no image") && done.stderr.contains("exit code 4"), "{}", done.stderr);
    let build = home.uuid_of("kaniko");
    let explained = home.run(&["ops", "explain", "main"]).stdout;
    for words in ["its image was not made", &format!("The build `kaniko` ({}) is failed", &build[..8])] {
        assert!(explained.contains(words), "{explained}");
    }
    assert!(home.run(&["ops", "explain", &build[..8]]).stdout.contains("no space left"));
}

#[test]
fn a_build_that_is_under_way_is_named_and_stops_with_its_run() {
    let home = Home::with_docker();
    assert_eq!(home.build("dockerizer", "slow", "", &[]).code, 0);
    home.wait_for("dockerizer", "running");
    let explained = home.run(&["ops", "explain", "main"]).stdout;
    assert!(explained.contains("The build `dockerizer` (") && explained.contains("is running (for "), "{explained}");
    let done = home.run(&["ops", "stop", "main", "-y"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    home.wait_for("dockerizer", "stopped");
    let explained = home.run(&["ops", "explain", "dockerizer"]).stdout;
    assert!(explained.contains("No run waits for its image any more."), "{explained}");
}
