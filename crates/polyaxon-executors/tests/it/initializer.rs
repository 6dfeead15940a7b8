//! The initialisation programs on a local disk and a local repository.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use polyaxon_artifacts::layout::Layout;
use polyaxon_executors::initializer::{Environment, Error, generate_dockerfile, initialize, lineage};

use crate::bench::run_id;

struct Bench {
    home: tempfile::TempDir,
    layout: Layout,
    environment: Environment,
}

impl Bench {
    fn new() -> Bench {
        let home = tempfile::tempdir().expect("the test machine works");
        let layout = Layout::new(home.path());
        layout.prepare(run_id(1)).expect("the test machine works");
        let context_root = Some(layout.scratch(run_id(1)));
        Bench { home, layout, environment: Environment { context_root, ..Environment::default() } }
    }

    fn initialize(&self, arguments: &[&str]) -> Result<String, Error> {
        let arguments: Vec<String> = arguments.iter().map(|&word| word.to_owned()).collect();
        let mut output = Vec::new();
        initialize(&arguments, &self.environment, &mut output)?;
        Ok(String::from_utf8_lossy(&output).into_owned())
    }

    fn lineage(&self) -> Vec<(String, String, String)> {
        let rows = lineage::collect(&self.layout, run_id(1)).into_iter();
        let summary = |map| serde_json::Value::Object(map).to_string();
        rows.map(|row| (row.name, row.kind.to_string(), summary(row.summary.unwrap_or_default()))).collect()
    }
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@example.test", "-c", "init.defaultBranch=main"];
    let output = Command::new("git").args(identity).args(arguments).current_dir(folder).output();
    let output = output.expect("git is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn a_repository_is_cloned_at_a_revision_and_again_without_harm() {
    let bench = Bench::new();
    let origin = bench.home.path().join("origin");
    fs::create_dir(&origin).unwrap();
    git(&origin, &["init"]);
    let mut commits = Vec::new();
    for text in ["one", "two"] {
        fs::write(origin.join("a.txt"), text).unwrap();
        git(&origin, &["add", "a.txt"]);
        git(&origin, &["commit", "-m", text]);
        commits.push(git(&origin, &["rev-parse", "HEAD"]));
    }
    let target = bench.home.path().join("deep/code");
    let url = format!("--url={}", origin.display());
    let to = format!("--repo-path={}", target.display());
    bench.initialize(&["git", &url, &to, &format!("--revision={}", commits[0])]).unwrap();
    assert_eq!(fs::read_to_string(target.join("a.txt")).unwrap(), "one");
    fs::write(target.join("mine.txt"), "kept").unwrap();
    bench.initialize(&["git", &url, &to, "--revision=main"]).unwrap();
    assert_eq!(fs::read_to_string(target.join("a.txt")).unwrap(), "two");
    assert_eq!(fs::read_to_string(target.join("mine.txt")).unwrap(), "kept");
    let (name, kind, summary) = bench.lineage().pop().unwrap();
    assert_eq!((name.as_str(), kind.as_str()), (commits[1].as_str(), "coderef"));
    assert!(summary.contains(r#""is_dirty":true"#), "{summary}");

    let fetched = format!("--repo-path={}", bench.home.path().join("fetched").display());
    bench
        .initialize(&["git", &url, &fetched, "--revision=main", r#"--flags=["--experimental-fetch","--depth=1"]"#])
        .unwrap();
    assert!(bench.home.path().join("fetched/a.txt").exists());

    for (arguments, expected) in [
        (vec!["git", "--url=--upload-pack=touch /tmp/x", &to], "must not begin with `-`"),
        (vec!["git", &url, "--repo-path=/tmp/x", "--revision=--exec"], "must not begin with `-`"),
        (vec!["git", &url, &to, "--revision=no-such"], "`git checkout` ended with exit status: 1"),
        (vec!["git", &url], "`--repo-path` is required"),
        (vec!["git", "--url=ext::sh -c true", &format!("{to}2")], "Error cloning git repo"),
    ] {
        let error = bench.initialize(&arguments).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn files_are_written_copied_and_reported() {
    let bench = Bench::new();
    let run_folder = bench.layout.scratch(run_id(1)).join("artifacts").join(run_id(1).to_hex());
    let (target, copy) = (bench.home.path().join("place"), run_folder.join("outputs"));
    let context = r#"--file-context={"content":"echo hi\n","filename":"run.sh","chmod":"+x","kind":"file"}"#;
    let to = format!("--filepath={}", target.display());
    let also = format!("--copy-path={}", copy.display());
    let said = bench.initialize(&["file", context, &to, &also, "--track"]).unwrap();
    assert_eq!(said, format!("File is initialized, path: `{}`\n", target.join("run.sh").display()));
    assert_eq!(fs::metadata(copy.join("run.sh")).unwrap().permissions().mode() & 0o111, 0o111);
    assert_eq!(lineage::collect(&bench.layout, run_id(1))[0].path.as_deref(), Some("outputs/run.sh"));
    assert_eq!(bench.lineage(), [("run.sh".into(), "file".into(), r#"{"hash":"9a312c9d8b03"}"#.into())]);
    assert!(bench.initialize(&["file", r#"--file-context={"filename":".."}"#, &to]).is_err());

    let mut output = Vec::new();
    let arguments = [r#"--build-context={"image":"a"}"#.to_owned(), format!("--destination={}", target.display())];
    generate_dockerfile(&arguments, &bench.environment, &mut output).unwrap();
    assert!(fs::read_to_string(target.join("Dockerfile")).unwrap().starts_with("FROM a\n"));
}

#[test]
fn paths_are_copied_and_a_missing_one_is_an_error() {
    let bench = Bench::new();
    let (from, to) = (bench.home.path().join("from"), bench.home.path().join("to/deep"));
    fs::create_dir_all(from.join("sub")).unwrap();
    fs::write(from.join("sub/a"), "x").unwrap();
    let argument = |name: &str, path: &Path| format!("--{name}={}", path.display());
    let said = bench.initialize(&[
        "path",
        "--connection-kind=host_path",
        &argument("path-from", &from),
        &argument("path-to", &to),
    ]);
    assert!(said.unwrap().starts_with("host_path path is initialized"));
    assert_eq!(fs::read_to_string(to.join("sub/a")).unwrap(), "x");
    let same = bench.initialize(&["path", &argument("path-from", &from), &argument("path-to", &from)]);
    assert!(same.is_ok());
    for (source, target, expected) in
        [(from.join("missing"), to.clone(), "does not exist"), (from.clone(), from.join("sub"), "lies inside of")]
    {
        let error = bench.initialize(&["path", &argument("path-from", &source), &argument("path-to", &target)]);
        assert!(error.unwrap_err().to_string().contains(expected));
    }
}

#[test]
fn tensorboard_logs_are_gathered_under_a_script() {
    let bench = Bench::new();
    let logs = bench.layout.outputs(run_id(2)).join("tensorboard");
    fs::create_dir_all(&logs).unwrap();
    fs::write(logs.join("events"), "x").unwrap();
    let to = bench.home.path().join("tb");
    let uuids = format!("--uuids={},{}", run_id(2), run_id(3));
    let (from, target) =
        (format!("--context-from={}", bench.layout.store().display()), format!("--context-to={}", to.display()));
    let said = bench.initialize(&["tensorboard", &from, &target, &uuids, "--port=6006", "--plugins=a,b"]).unwrap();
    assert!(said.contains("has no tensorboard logs"));
    assert!(to.join("tensorboard").join(run_id(2).to_hex()).join("events").exists());
    let script = fs::read_to_string(to.join("start_tensorboard")).unwrap();
    assert!(script.starts_with("#!/bin/sh\npip install a b && tensorboard --logdir="), "{script}");
    assert!(bench.initialize(&["tensorboard", &from, &target, "--uuids=../x"]).is_err());
}
