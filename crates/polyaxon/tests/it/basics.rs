//! What works without a server: help, mistakes, versions, codes, completion.

use snapbox::{assert_data_eq, str};

use crate::home::Home;

#[track_caller]
fn check(arguments: &[&str], expected: impl snapbox::IntoData) {
    let home = Home::new();
    assert_data_eq!(home.run(arguments).transcript(), expected);
    assert!(!home.local().exists(), "{arguments:?} must not touch the home folder");
}

#[test]
fn the_bare_program_shows_the_next_step() {
    check(
        &[],
        str![[r"
exit 0
--- stdout
polyaxon runs machine learning operations that are written as files.

  polyaxon run -f operation.yaml -l    run a file and follow its logs
  polyaxon check -f operation.yaml     find the mistakes in a file
  polyaxon ops ls                      list runs
  polyaxon ops logs @last              logs of the last run
  polyaxon server status               the local server
  polyaxon --help                      every command
--- stderr

"]],
    );
}

#[test]
fn unknown_commands_and_options_get_a_suggestion() {
    check(
        &["rnu"],
        str![[r"
exit 2
--- stdout
--- stderr
error: unrecognized subcommand 'rnu'

  tip: a similar subcommand exists: 'run'

Usage: polyaxon [OPTIONS] [COMMAND]

For more information, try '--help'.

"]],
    );
    check(
        &["run", "--wacht"],
        str![[r"
exit 2
--- stdout
--- stderr
error: unexpected argument '--wacht' found

  tip: a similar argument exists: '--watch'

Usage: polyaxon run --watch

For more information, try '--help'.

"]],
    );
    check(
        &["ops", "lss"],
        str![[r"
exit 2
--- stdout
--- stderr
error: unrecognized subcommand 'lss'

  tip: some similar subcommands exist: 'logs', 'ls'

Usage: polyaxon ops [OPTIONS] <COMMAND>

For more information, try '--help'.

"]],
    );
}

#[test]
fn a_group_without_a_subcommand_prints_its_help_as_a_mistake() {
    for group in ["ops", "project"] {
        let done = Home::new().run(&[group]);
        assert_eq!((done.code, done.stdout.as_str()), (2, ""), "{group}");
        assert!(done.stderr.contains("Usage: polyaxon"), "{}", done.stderr);
    }
}

#[test]
fn every_command_has_help_with_examples() {
    let commands = [
        "",
        "run",
        "check",
        "ops",
        "ops ls",
        "ops get",
        "ops statuses",
        "ops logs",
        "ops stop",
        "ops restart",
        "ops resume",
        "ops delete",
        "ops skip",
        "ops approve",
        "ops invalidate",
        "ops explain-cache",
        "ops update",
        "ops transfer",
        "ops artifacts",
        "ops upload",
        "project",
        "project create",
        "project ls",
        "project get",
        "project update",
        "project delete",
        "config",
        "config show",
        "config get",
        "config set",
        "config purge",
        "server",
        "server start",
        "server stop",
        "server status",
        "server logs",
        "version",
        "completion",
        "explain",
    ];
    let home = Home::new();
    for command in commands {
        let arguments: Vec<&str> = command.split(' ').filter(|word| !word.is_empty()).chain(["--help"]).collect();
        let done = home.run(&arguments);
        assert_eq!(done.code, 0, "{command}: {}", done.stderr);
        assert!(done.stdout.contains("Examples:"), "{command} has no examples:\n{}", done.stdout);
        assert!(done.stderr.is_empty());
    }
}

#[test]
fn the_help_of_ops_logs_is_long_only_because_h_hides_the_time() {
    let home = Home::new();
    assert!(home.run(&["ops", "logs", "--help"]).stdout.contains("--hide-time"));
    assert!(home.run(&["ops", "ls", "-h"]).stdout.contains("Usage: polyaxon ops ls"));
}

#[test]
fn versions_are_printed_for_people_and_programs() {
    let home = Home::new();
    let done = home.run(&["version"]);
    assert!(done.code == 0 && done.stdout.starts_with("polyaxon "), "{done:?}");
    let done = home.run(&["version", "-o", "json"]);
    let json: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert!(json["version"].is_string() && json["program"].is_string(), "{json}");
}

#[test]
fn codes_are_explained() {
    check(
        &["explain", "PLX0202"],
        str![[r#"
exit 0
--- stdout
PLX0202 unknown-field

A field is not known in its section.

The field is misspelt, or belongs into another section. `polyaxon explain SECTION` lists what a section has.

Wrong:

kind: component
termination: {retries: 3}
container: {image: "train:1.0"}

Right:

kind: component
termination: {maxRetries: 3}
container: {image: "train:1.0"}
--- stderr

"#]],
    );
    check(
        &["explain", "PLX0200"],
        str![[r"
exit 3
--- stdout
--- stderr
error: there is no code `PLX0200`
help: did you mean PLX0210? `polyaxon explain --all` lists every code

"]],
    );
}

#[test]
fn completion_scripts_name_every_command() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let done = home.run(&["completion", shell]);
        assert_eq!(done.code, 0);
        assert!(done.stdout.contains("statuses") && done.stdout.contains("upload-from"), "{shell}");
    }
    assert_eq!(home.run(&["completion", "pwsh"]).code, 2);
}

#[test]
fn official_commands_that_are_not_there_say_so() {
    check(
        &["sandbox", "exec"],
        str![[r"
exit 1
--- stdout
--- stderr
error: `sandbox` is not supported by this version yet
help: the official client does it, and works against this server: pip install polyaxon

"]],
    );
    check(
        &["ops", "shell", "-uid", "abcd"],
        str![[r"
exit 1
--- stdout
--- stderr
error: `ops shell` is not supported by this version yet
help: the official client does it, and works against this server: pip install polyaxon

"]],
    );
}

#[test]
fn an_unreachable_server_is_named_within_a_moment() {
    let home = Home::new();
    let done = home.run_with(&["ops", "ls"], &[("POLYAXON_HOST", "http://127.0.0.1:1")]);
    assert_eq!(done.code, 6);
    assert!(done.stderr.contains("no server answers at http://127.0.0.1:1"), "{}", done.stderr);
    let done = home.run_with(&["ops", "ls", "-o", "json"], &[("POLYAXON_HOST", "http://127.0.0.1:1")]);
    let json: serde_json::Value = serde_json::from_str(&done.stderr).unwrap();
    assert_eq!(json["error"]["code"], 6);
    assert!(done.stdout.is_empty());
    let done = home.run_with(&["ops", "ls"], &[("POLYAXON_HOST", "localhost")]);
    assert_eq!(done.code, 2, "{}", done.stderr);
    assert!(!home.local().exists(), "a configured host must not start a local server");
}

#[test]
fn colours_obey_the_option_and_the_environment() {
    let home = Home::new();
    let coloured = |arguments: &[&str], environment: &[(&str, &str)]| {
        home.run_with(arguments, environment).stderr.contains("\u{1b}[")
    };
    let plain = &["explain", "PLX9999"];
    assert!(!coloured(plain, &[]));
    assert!(coloured(plain, &[("FORCE_COLOR", "1")]));
    assert!(!coloured(plain, &[("FORCE_COLOR", "1"), ("NO_COLOR", "1")]));
    assert!(!coloured(plain, &[("FORCE_COLOR", "1"), ("TERM", "dumb")]));
    assert!(coloured(&["explain", "PLX9999", "--color", "always"], &[("NO_COLOR", "1")]));
}
