//! Backups, restores, checks and upgrades of a home, as an operator types them.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::home::{Done, Home};

impl Home {
    /// A home with a run that has ended, its outputs and its logs.
    fn with_a_run() -> Home {
        let home = Home::new();
        let done = home.run(&["run", "--image", "none", "--cmd", "echo hello", "--name", "first", "-w"]);
        assert_eq!(done.code, 0, "{}", done.stderr);
        let artifacts = fs::read_dir(home.local().join("artifacts")).unwrap().next().unwrap().unwrap().path();
        fs::create_dir_all(artifacts.join("outputs/deep")).unwrap();
        fs::write(artifacts.join("outputs/deep/model.bin"), vec![7; 100_000]).unwrap();
        std::os::unix::fs::symlink("deep/model.bin", artifacts.join("outputs/latest")).unwrap();
        home
    }

    fn json(&self, arguments: &[&str], code: i32) -> Value {
        let done = self.run(arguments);
        assert_eq!(done.code, code, "{arguments:?}: {}{}", done.stdout, done.stderr);
        serde_json::from_str(if code == 0 || !done.stdout.is_empty() { &done.stdout } else { &done.stderr }).unwrap()
    }

    fn logs(&self) -> String {
        self.run(&["ops", "logs", "first", "--no-follow"]).stdout
    }
}

fn says(done: &Done, code: i32, texts: &[&str]) {
    assert_eq!(done.code, code, "{}{}", done.stdout, done.stderr);
    for text in texts {
        assert!(done.stderr.contains(text), "`{text}` is missing in: {}", done.stderr);
    }
}

#[test]
fn a_backup_of_a_server_that_runs_is_restored_into_an_empty_home() {
    let home = Home::with_a_run();
    let written = home.json(&["admin", "backup", "b.tar.gz", "-o", "json"], 0);
    assert_eq!((&written["runs"], &written["projects"]), (&1.into(), &1.into()));
    assert!(written["files"].as_u64().unwrap() >= 4, "{written}");
    assert!(!home.work().join("b.tar.gz.partial").exists());
    says(&home.run(&["admin", "backup", "b.tar.gz"]), 5, &["b.tar.gz exists", "--force"]);
    let file = home.work().join("b.tar.gz");

    let other = Home::new();
    let done = other.run(&["admin", "restore", file.to_str().unwrap()]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(!other.path().join(".restoring").exists());
    assert_eq!(other.logs(), home.logs());
    assert!(other.logs().contains("hello"));
    let artifacts = fs::read_dir(other.local().join("artifacts")).unwrap().next().unwrap().unwrap().path();
    assert_eq!(fs::read(artifacts.join("outputs/latest")).unwrap(), vec![7; 100_000]);
    assert_eq!(fs::read_to_string(other.local().join("server-id")).unwrap().len(), 32);
    assert_eq!(other.json(&["admin", "fsck", "-o", "json"], 0)["findings"], serde_json::json!([]));
}

#[test]
fn a_restore_never_mixes_and_never_deletes() {
    let home = Home::with_a_run();
    home.json(&["admin", "backup", "b.tar.gz", "-o", "json"], 0);
    says(&home.run(&["admin", "restore", "b.tar.gz"]), 5, &["a server runs for home", "polyaxon server stop"]);
    assert_eq!(home.run(&["server", "stop"]).code, 0);
    let done = home.run(&["admin", "restore", "b.tar.gz"]);
    says(&done, 5, &["is not empty: it has 1 runs in 1 projects and the artifacts of 1 runs", "--force"]);
    let restored = home.json(&["admin", "restore", "b.tar.gz", "--force", "-o", "json"], 0);
    let kept = restored["kept"][0].as_str().unwrap();
    assert!(kept.contains("local.before-restore-") && Path::new(kept).join("polyaxon.db").exists(), "{kept}");
    assert!(home.logs().contains("hello"));
}

#[test]
fn a_backup_without_artifacts_has_the_records() {
    let home = Home::with_a_run();
    home.json(&["admin", "backup", "b.tar.gz", "--no-artifacts", "-o", "json"], 0);
    let file = home.work().join("b.tar.gz");
    let verified = home.json(&["admin", "restore", "b.tar.gz", "--verify", "-o", "json"], 0);
    assert_eq!((&verified["done"], &verified["manifest"]["artifacts"]), (&"verified".into(), &Value::Null));
    let other = Home::new();
    assert_eq!(other.run(&["admin", "restore", file.to_str().unwrap()]).code, 0);
    assert_eq!(other.json(&["ops", "get", "first", "-o", "json"], 0)["status"], "succeeded");
}

#[test]
fn files_that_cannot_be_restored_change_nothing() {
    let home = Home::with_a_run();
    home.json(&["admin", "backup", "good.tar.gz", "-o", "json"], 0);
    let good = fs::read(home.work().join("good.tar.gz")).unwrap();
    let other = Home::new();
    let refused = |bytes: &[u8], texts: &[&str]| {
        fs::write(other.work().join("b.tar.gz"), bytes).unwrap();
        says(&other.run(&["admin", "restore", "b.tar.gz"]), 2, texts);
        assert!(!other.local().exists());
    };
    refused(b"", &["is no backup of polyaxon"]);
    refused(b"something else entirely, which is long enough to be looked at", &["is no backup of polyaxon"]);
    for part in 1..8 {
        refused(&good[..good.len() * part / 8], &["is cut off"]);
    }
    refused(&good[..good.len() - 1], &["is cut off"]);
    refused(&repack(&home, |name, _| name != "manifest.json"), &["is cut off"]);
    refused(&repack(&home, |name, _| !name.contains("/outputs/")), &["is damaged: the artifacts are not those"]);
    refused(&repack(&home, |name, _| !name.starts_with("database/runs/")), &["is damaged: the records of `runs`"]);
    let newer = |name: &str, text: &mut Vec<u8>| {
        if name == "polyaxon-backup.json" {
            *text = br#"{"format": 99, "version": "77.0", "created_at": ""}"#.to_vec();
        }
        true
    };
    refused(&repack(&home, newer), &["newer version (77.0)"]);
    let changed = |name: &str, text: &mut Vec<u8>| {
        if name.ends_with("model.bin") {
            text[5] = 8;
        }
        true
    };
    refused(&repack(&home, changed), &["is damaged"]);
    says(&other.run(&["admin", "restore", "missing.tar.gz"]), 3, &["cannot read missing.tar.gz"]);
    says(&other.run(&["admin", "backup"]), 3, &["there is no database in home"]);
    says(&home.run(&["admin", "backup", "no/such/folder.tar.gz"]), 1, &["cannot write", "nothing was left behind"]);
}

/// The good archive with entries left out or changed.
fn repack(home: &Home, mut keep: impl FnMut(&str, &mut Vec<u8>) -> bool) -> Vec<u8> {
    use std::io::Read;
    let file = fs::File::open(home.work().join("good.tar.gz")).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let output = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut builder = tar::Builder::new(output);
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut text = Vec::new();
        entry.read_to_end(&mut text).unwrap();
        if keep(&name, &mut text) {
            let mut header = entry.header().clone();
            header.set_size(text.len() as u64);
            builder.append_data(&mut header, &name, text.as_slice()).unwrap();
        }
    }
    builder.into_inner().unwrap().finish().unwrap()
}

#[test]
fn a_check_finds_folders_without_a_run_and_moves_them() {
    let home = Home::with_a_run();
    let checked = home.json(&["admin", "fsck", "-o", "json"], 0);
    assert_eq!((&checked["ok"], &checked["findings"]), (&true.into(), &serde_json::json!([])));
    fs::create_dir_all(home.local().join("artifacts/9b0a3806e3f84ea1959a7842e34129ed/outputs")).unwrap();
    let done = home.run(&["admin", "fsck"]);
    assert_eq!(done.code, 0);
    assert!(done.stdout.contains("warning[strays]: folders of artifacts belong to no run (1)"), "{}", done.stdout);
    assert!(home.run(&["admin", "fsck", "--repair"]).stdout.contains("repaired"));
    assert!(home.local().join("strays/artifacts-9b0a3806e3f84ea1959a7842e34129ed/outputs").exists());
    assert_eq!(home.json(&["admin", "fsck", "-o", "json"], 0)["findings"], serde_json::json!([]));
    assert_eq!(home.run(&["server", "stop"]).code, 0);
    let database = home.local().join("polyaxon.db");
    fs::write(&database, "this is no database, and it is long enough to be looked at").unwrap();
    for beside in ["polyaxon.db-wal", "polyaxon.db-shm"] {
        // They are there or not, depending on when the records were moved into the file.
        let _ = fs::remove_file(home.local().join(beside));
    }
    let done = home.run(&["admin", "fsck"]);
    assert_eq!(done.code, 1, "{}{}", done.stdout, done.stderr);
    assert!(format!("{}{}", done.stdout, done.stderr).contains("damaged"), "{}{}", done.stdout, done.stderr);
}

#[test]
fn an_upgrade_is_described_before_it_is_made() {
    let home = Home::new();
    let check = |home: &Home| home.json(&["admin", "upgrade", "--check", "-o", "json"], 0);
    let fresh = check(&home);
    assert_eq!((&fresh["outcome"], &fresh["schema"]["found"]), (&"can be upgraded".into(), &0.into()));
    assert!(!home.local().exists());
    assert_eq!(home.json(&["admin", "upgrade", "-o", "json"], 0)["outcome"], "upgraded");
    let current = check(&home);
    assert_eq!((&current["outcome"], &current["pending"]), (&"nothing to do".into(), &serde_json::json!([])));
    fs::write(home.local().join("polyaxon.db"), "this is no database, and it is long enough to be looked at").unwrap();
    says(&home.run(&["admin", "upgrade", "--check"]), 1, &["polyaxon.db"]);
}

#[test]
fn a_home_moves_to_postgres_and_back() {
    // Set by `cargo xtask test`.
    let Ok(server) = std::env::var("POLYAXON_TEST_POSTGRES") else { return };
    let name = format!("move_{}", std::process::id());
    let (base, options) = server.split_once('?').unwrap_or((&server, ""));
    let url = format!("{}/{name}?{options}", &base[..base.rfind('/').unwrap()]);
    let psql = |sql: &str| {
        let mut client = postgres::Client::connect(&server, postgres::NoTls).unwrap();
        client.batch_execute(sql).unwrap();
    };
    psql(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"));
    let home = Home::with_a_run();
    home.json(&["admin", "backup", "b.tar.gz", "-o", "json"], 0);
    let file = home.work().join("b.tar.gz");
    let file = file.to_str().unwrap();
    let big = Home::new();
    let done = big.run(&["admin", "restore", file, "--database", &url]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    says(&big.run(&["admin", "restore", file, "--database", &url]), 5, &["is not empty"]);
    let again = big.json(&["admin", "restore", file, "--database", &url, "--force", "-o", "json"], 0);
    assert_eq!(again["kept"].as_array().unwrap().len(), 2, "{again}");
    let done = big.run(&["admin", "fsck", "--database", &url, "-o", "json"]);
    assert_eq!(done.code, 0, "{}{}", done.stdout, done.stderr);
    let done = big.run(&["admin", "backup", "back.tar.gz", "--database", &url]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let back = big.work().join("back.tar.gz");
    let small = Home::new();
    let done = small.run(&["admin", "restore", back.to_str().unwrap()]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(small.logs().contains("hello"));
    psql(&format!("DROP DATABASE {name} WITH (FORCE)"));
}
