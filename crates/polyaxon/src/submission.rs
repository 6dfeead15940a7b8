//! The submitter's world that travels with a run: folder, allow-listed environment, git commit and uncommitted diff.
//!
//! Secrets stay here: only variables that say where programs and libraries are may leave.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

/// Variables that travel.
const NAMES: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TZ",
    "LANG",
    "LANGUAGE",
    "TERM",
    "TMPDIR",
    "VIRTUAL_ENV",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONUNBUFFERED",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "DYLD_LIBRARY_PATH",
    "LIBRARY_PATH",
    "PYENV_VERSION",
    "JAVA_HOME",
    "NVIDIA_VISIBLE_DEVICES",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "XDG_CONFIG_HOME",
];
/// Families of variables that travel.
const PREFIXES: &[&str] = &["LC_", "CONDA_", "MAMBA_", "CUDA_", "OMP_", "MKL_", "OPENBLAS_", "ROCR_", "HIP_"];

const LARGEST_DIFF: usize = 5 << 20;
const GIT_PATIENCE: Duration = Duration::from_secs(3);

/// The collection of a submission, running beside other work.
pub(crate) struct Collecting {
    code: Option<JoinHandle<Option<Value>>>,
}

/// Starts to ask git, if this is a work tree at all.
pub(crate) fn collect() -> Collecting {
    let folder = std::env::current_dir().ok().filter(|folder| is_work_tree(folder));
    Collecting { code: folder.map(|folder| std::thread::spawn(move || code(&folder))) }
}

impl Collecting {
    /// The value of the `submission` field.
    pub(crate) fn finish(self) -> Value {
        let mut submission = json!({ "env": environment() });
        if let Some(cwd) = std::env::current_dir().ok().and_then(|folder| folder.to_str().map(str::to_owned)) {
            submission["cwd"] = cwd.into();
        }
        if let Some(code) = self.code.and_then(|thread| thread.join().ok().flatten()) {
            submission["code"] = code;
        }
        submission
    }
}

fn environment() -> Map<String, Value> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| travels(name))
        .map(|(name, value)| (name, value.into()))
        .collect()
}

fn travels(name: &str) -> bool {
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn is_work_tree(folder: &Path) -> bool {
    folder.ancestors().any(|ancestor| ancestor.join(".git").exists())
}

/// Commit, branch, remote and uncommitted changes; `None` without git or without a commit.
fn code(folder: &Path) -> Option<Value> {
    let ask = |arguments: &'static [&'static str]| {
        let folder = folder.to_owned();
        std::thread::spawn(move || git(&folder, arguments))
    };
    let names = ask(&["rev-parse", "HEAD", "--abbrev-ref", "HEAD"]);
    let remote = ask(&["config", "--get", "remote.origin.url"]);
    let diff = ask(&["diff", "--no-ext-diff", "--no-color", "--binary", "HEAD"]);
    let names = text(names)?;
    let mut lines = names.lines();
    let commit = lines.next().filter(|line| line.len() >= 40)?;
    let mut code = json!({ "commit": commit });
    if let Some(branch) = lines.next().filter(|branch| *branch != "HEAD") {
        code["branch"] = branch.into();
    }
    if let Some(url) = text(remote) {
        code["url"] = without_credentials(url.trim()).into();
    }
    match diff.join().ok().flatten() {
        Some(diff) => {
            code["isDirty"] = (!diff.is_empty()).into();
            if !diff.is_empty() && diff.len() <= LARGEST_DIFF {
                code["diff"] = String::from_utf8_lossy(&diff).into();
            }
        }
        None => code["isDirty"] = Value::Null,
    }
    Some(code)
}

fn text(thread: JoinHandle<Option<Vec<u8>>>) -> Option<String> {
    let bytes = thread.join().ok().flatten()?;
    String::from_utf8(bytes).ok().filter(|text| !text.is_empty())
}

/// The output of git, cut just above the largest diff; `None` when it fails or takes too long.
fn git(folder: &Path, arguments: &[&str]) -> Option<Vec<u8>> {
    let mut child = Command::new("git")
        .arg("--no-optional-locks")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let output = child.stdout.take()?;
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        output.take(LARGEST_DIFF as u64 + 1).read_to_end(&mut bytes).ok().map(|_| bytes)
    });
    let end = Instant::now() + GIT_PATIENCE;
    let mut pause = Duration::from_micros(200);
    loop {
        let too_long = Instant::now() > end;
        // A reader that is done while git still writes has seen more than the largest diff.
        if too_long || reader.is_finished() {
            let status = if too_long { None } else { finished(&mut child) };
            let _ = child.kill();
            let status = status.or_else(|| child.wait().ok())?;
            let bytes = reader.join().ok().flatten()?;
            return (!too_long && (status.success() || bytes.len() > LARGEST_DIFF)).then_some(bytes);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(5));
    }
}

/// The exit of a child whose output has ended: it needs a moment to be gone.
fn finished(child: &mut std::process::Child) -> Option<std::process::ExitStatus> {
    for _ in 0..50 {
        if let Some(status) = child.try_wait().ok().flatten() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    None
}

/// `https://user:secret@host/x` must not be stored.
fn without_credentials(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(mut parsed)
            if parsed.password().is_some() || (parsed.scheme() != "ssh" && !parsed.username().is_empty()) =>
        {
            // Both calls fail only for addresses without a host, which have no credentials.
            let _ = parsed.set_password(None);
            let _ = parsed.set_username("");
            parsed.to_string()
        }
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_and_libraries_travel_but_secrets_do_not() {
        for name in ["PATH", "VIRTUAL_ENV", "CONDA_PREFIX", "LC_ALL", "CUDA_VISIBLE_DEVICES", "https_proxy"] {
            assert!(travels(name), "{name}");
        }
        for name in ["AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "POLYAXON_AUTH_TOKEN", "POLYAXON_HOME", "SSH_AUTH_SOCK"] {
            assert!(!travels(name), "{name}");
        }
    }

    #[test]
    fn credentials_of_a_remote_are_dropped() {
        assert_eq!(without_credentials("https://me:secret@example.com/a.git"), "https://example.com/a.git");
        assert_eq!(without_credentials("https://token@example.com/a.git"), "https://example.com/a.git");
        assert_eq!(without_credentials("git@example.com:a/b.git"), "git@example.com:a/b.git");
        assert_eq!(without_credentials("ssh://git@example.com/a.git"), "ssh://git@example.com/a.git");
    }
}
