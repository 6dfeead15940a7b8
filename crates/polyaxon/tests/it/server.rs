//! The local server: started once, found again, refused twice, stopped; what stands in its way is named.

use std::net::TcpListener;
use std::process::Stdio;

use serde_json::Value;

use crate::home::{Done, Home};

fn record(home: &Home) -> Value {
    serde_json::from_slice(&std::fs::read(home.local().join("server.json")).unwrap()).unwrap()
}

#[test]
fn ten_commands_at_once_start_one_server() {
    let home = Home::new();
    let spawn = |_| home.command(&["ops", "ls"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let children: Vec<_> = (0..10).map(spawn).collect();
    let done: Vec<_> = children.into_iter().map(|child| Done::of(child.wait_with_output().unwrap())).collect();
    for done in &done {
        assert_eq!(done.code, 0, "{}", done.stderr);
    }
    let started = done.iter().filter(|done| done.stderr.contains("Started the local server")).count();
    assert_eq!(started, 1);
}

#[test]
fn a_server_is_started_found_and_stopped() {
    let home = Home::new();
    let status = |code: i32, word: &str| {
        let done = home.run(&["server", "status", "-o", "json"]);
        let json: Value = serde_json::from_str(&done.stdout).unwrap();
        assert_eq!((done.code, json["status"].as_str()), (code, Some(word)));
    };
    status(6, "stopped");
    assert!(home.run(&["server", "stop"]).stderr.contains("No server runs"));
    let done = home.run(&["server", "start"]);
    assert!(done.code == 0 && done.stderr.contains("Started the server at http://localhost:"), "{done:?}");
    status(0, "running");
    assert!(home.run(&["server", "start"]).stderr.contains("runs already"));
    let shown = home.run(&["config", "get", "host"]).stdout;
    assert_eq!(shown.trim(), record(&home)["url"].as_str().unwrap());
    assert!(home.run(&["server", "logs"]).stdout.contains("the server answers"));
    assert!(home.run(&["server", "stop"]).stderr.contains("jobs keep running"));
    status(6, "stopped");
    assert!(!home.local().join("server.json").exists());
}

#[test]
fn a_second_server_of_the_same_home_is_refused() {
    let home = Home::new();
    assert_eq!(home.run(&["server", "start"]).code, 0);
    let done = home.run(&["server"]);
    assert_eq!(done.code, 5);
    let url = record(&home)["url"].as_str().unwrap().to_owned();
    assert!(done.stderr.contains("another server already uses home") && done.stderr.contains(&url), "{}", done.stderr);
}

#[test]
fn a_taken_port_is_refused_when_asked_for_and_avoided_otherwise() {
    let home = Home::new();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port().to_string();
    let done = home.run(&["server", "--port", &port]);
    assert_eq!(done.code, 5);
    assert!(done.stderr.contains(&format!("cannot listen on 127.0.0.1:{port}")), "{}", done.stderr);
    // Somebody else may hold 8000 already, which is as good.
    let _first = TcpListener::bind("127.0.0.1:8000");
    let done = home.run(&["server", "start"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert_ne!(record(&home)["port"], 8000);
}

#[test]
fn a_record_of_a_dead_server_is_not_believed() {
    let home = Home::new();
    std::fs::create_dir_all(home.local()).unwrap();
    // The process of this pid lives, but it is no server of this home: the lock says so.
    let stale = serde_json::json!({
        "pid": std::process::id(), "host": "127.0.0.1", "port": 1, "url": "http://localhost:1", "version": "0",
        "started_at": "2020-01-01T00:00:00Z",
    });
    std::fs::write(home.local().join("server.json"), stale.to_string()).unwrap();
    std::fs::write(home.local().join("server.lock"), "").unwrap();
    assert_eq!(home.run(&["server", "status"]).code, 6);
    assert!(home.run(&["server", "stop"]).stderr.contains("No server runs"));
    assert_eq!(home.run(&["ops", "ls"]).code, 0);
    assert_ne!(record(&home)["port"], 1);
}

#[test]
fn a_home_that_cannot_be_written_is_named() {
    let home = Home::new();
    home.write("file", "");
    let file = home.work().join("file");
    for unusable in [file.to_str().unwrap(), "/proc/self/home"] {
        for arguments in [&["ops", "ls"][..], &["server"], &["server", "start"]] {
            let done = home.run_with(arguments, &[("POLYAXON_HOME", unusable)]);
            assert_eq!(done.code, 1, "{arguments:?}: {}", done.stderr);
            assert!(done.stderr.contains(unusable) && done.stderr.contains("POLYAXON_HOME"), "{}", done.stderr);
        }
    }
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let home = Home::new();
    std::fs::create_dir_all(home.local()).unwrap();
    std::fs::write(home.local().join("polyaxon.db"), "this is no database, and it is long enough to be looked at")
        .unwrap();
    let done = home.run(&["ops", "ls"]);
    assert_eq!(done.code, 1);
    assert!(done.stderr.contains("did not start") && done.stderr.contains("polyaxon.db"), "{}", done.stderr);
}
