//! Settings: which layer wins, and that the official client's files stay valid.

use serde_json::{Value, json};

use crate::home::Home;

fn shown(home: &Home, environment: &[(&str, &str)]) -> Value {
    let done = home.run_with(&["config", "show", "--origin", "-o", "json"], environment);
    assert_eq!(done.code, 0, "{}", done.stderr);
    serde_json::from_str(&done.stdout).unwrap()
}

fn file(home: &Home, name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(home.path().join(".polyaxon").join(name)).unwrap()).unwrap()
}

#[test]
fn environment_wins_over_file_and_file_over_default() {
    let home = Home::new();
    let host = |environment: &[(&str, &str)]| shown(&home, environment)["host"].clone();
    assert_eq!(host(&[]), json!({ "value": null, "origin": "default" }));
    assert_eq!(home.run(&["config", "set", "--host", "http://file:8000/"]).code, 0);
    assert_eq!(file(&home, ".client"), json!({ "POLYAXON_HOST": "http://file:8000" }));
    assert_eq!(host(&[])["value"], "http://file:8000");
    assert!(host(&[])["origin"].as_str().unwrap().ends_with(".polyaxon/.client"));
    assert_eq!(
        host(&[("POLYAXON_HOST", "http://environment:1")]),
        json!({ "value": "http://environment:1", "origin": "environment POLYAXON_HOST" })
    );
}

#[test]
fn the_project_comes_from_the_folder_before_the_home() {
    let home = Home::new();
    assert_eq!(shown(&home, &[])["project"]["value"], "default");
    let write = |folder: std::path::PathBuf, name: &str| {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(".project"), json!({ "name": name, "owner": "acme" }).to_string()).unwrap();
    };
    write(home.path().join(".polyaxon"), "global");
    assert_eq!(shown(&home, &[])["project"]["value"], "global");
    write(home.work().join(".polyaxon"), "here");
    assert_eq!(shown(&home, &[])["project"]["value"], "here");
    assert_eq!(shown(&home, &[])["owner"]["value"], "acme");
    assert_eq!(shown(&home, &[("POLYAXON_PROJECT", "set")])["project"]["value"], "set");
}

#[test]
fn changes_keep_what_the_official_client_wrote() {
    let home = Home::new();
    let folder = home.path().join(".polyaxon");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(".client"), r#"{"POLYAXON_TIMEOUT": 9, "client_header": {}}"#).unwrap();
    std::fs::write(folder.join(".auth"), r#"{"POLYAXON_AUTH_TOKEN": "secret"}"#).unwrap();
    assert_eq!(home.run(&["config", "set", "--verify-ssl", "no", "--owner", "acme"]).code, 0);
    assert_eq!(
        file(&home, ".client"),
        json!({ "POLYAXON_TIMEOUT": 9, "client_header": {}, "POLYAXON_VERIFY_SSL": false })
    );
    assert_eq!(file(&home, ".user"), json!({ "organization": "acme" }));
    assert_eq!(shown(&home, &[])["timeout"]["value"], 9.0);
    assert_eq!(shown(&home, &[])["token"]["value"], "(set)");
    // A new host must not get the credentials of the old one.
    assert_eq!(home.run(&["config", "set", "--host", "http://other:1"]).code, 0);
    assert!(!folder.join(".auth").exists());
}

#[test]
fn single_settings_are_printed_bare() {
    let home = Home::new();
    assert_eq!(home.run(&["config", "get", "verify-ssl"]).stdout, "true\n");
    assert_eq!(home.run(&["config", "get", "owner", "verify_ssl"]).stdout, "owner=default\nverify_ssl=true\n");
    let done = home.run(&["config", "get", "hots"]);
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("host"), "{}", done.stderr);
    assert_eq!(home.run(&["config", "set", "--verify-ssl", "perhaps"]).code, 2);
    assert_eq!(home.run(&["config", "set", "--host", "nonsense"]).code, 2);
}

#[test]
fn purge_forgets_settings_and_keeps_runs() {
    let home = Home::new();
    home.run(&["config", "set", "--host", "http://a:1"]);
    std::fs::create_dir_all(home.local()).unwrap();
    assert_eq!(home.run(&["config", "purge"]).code, 0);
    assert!(!home.path().join(".polyaxon/.client").exists());
    assert!(home.local().exists());
}
