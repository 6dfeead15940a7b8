//! `polyaxon initializer git`: clones a repository with the system's git.
//!
//! What reaches git may come from an operation that somebody else wrote: no option of it may run a command, no url may
//! be read as an option, nothing may wait for a password that nobody can type.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use polyaxon_model::JsonMap;
use polyaxon_model::kinds::ArtifactKind;
use serde_json::{Value as Json, json};

use super::arguments::{Arguments, Options};
use super::error::{Error, Result};
use super::{Environment, lineage};

pub(super) const OPTIONS: Options =
    &[("url", true), ("revision", true), ("repo-path", true), ("connection", true), ("flags", true)];

const EXPERIMENTAL_FETCH: &str = "--experimental-fetch";
const RECURSE: &str = "--recurse-submodules";

/// Long options that run a command or read configuration; git takes any beginning of a name for the name.
const REFUSED: &[&str] = &["--upload-pack", "--config", "--exec", "--template", "--receive-pack", "--config-env"];

pub(super) fn clone(arguments: &Arguments, environment: &Environment, output: &mut dyn Write) -> Result<()> {
    let url = arguments.require("url")?;
    let folder = Path::new(arguments.require("repo-path")?);
    let revision = arguments.get("revision");
    refuse_option("url", url)?;
    refuse_option("revision", revision.unwrap_or_default())?;
    let flags = flags(arguments.get("flags"))?;
    let repository = Repository { folder, environment };
    let source = clone_url(url, environment)?;
    repository.fill(&source, revision, &flags)?;
    repository.git(&["remote", "set-url", "origin", without_credentials(url).as_str()])?;
    let _ = writeln!(output, "Git is initialized, path: `{}`", folder.display());
    repository.report(url)
}

struct Repository<'a> {
    folder: &'a Path,
    environment: &'a Environment,
}

impl Repository<'_> {
    fn fill(&self, source: &str, revision: Option<&str>, flags: &[String]) -> Result<()> {
        let own: Vec<&str> = flags.iter().map(String::as_str).filter(|flag| *flag != EXPERIMENTAL_FETCH).collect();
        if self.folder.join(".git").exists() {
            // An earlier attempt cloned it. Nothing that was changed since is thrown away.
            self.git(&["remote", "set-url", "origin", source])?;
            self.git(&["fetch", "origin"])?;
            let Some(revision) = revision else { return Ok(()) };
            let remote = format!("refs/remotes/origin/{revision}");
            let is_branch = !self.ask(&["rev-parse", "--verify", "--quiet", &remote]).is_empty();
            return self.checkout(if is_branch { &remote } else { revision });
        }
        if flags.iter().any(|flag| flag == EXPERIMENTAL_FETCH) {
            std::fs::create_dir_all(self.folder).map_err(|error| Error::write(self.folder, error))?;
            self.git(&["init"])?;
            self.git(&["remote", "add", "origin", source])?;
            let fetched = ["origin", revision.unwrap_or("HEAD"), "--update-head-ok", "--force"];
            self.git(&[&["fetch"], own.as_slice(), &fetched].concat())?;
            return self.git(&["checkout", "FETCH_HEAD", "--"]);
        }
        if let Some(parent) = self.folder.parent() {
            std::fs::create_dir_all(parent).map_err(|error| Error::write(parent, error))?;
        }
        let target = self.folder.display().to_string();
        self.run(None, &[&["clone"], own.as_slice(), &["--", source, &target]].concat())?;
        if let Some(revision) = revision {
            self.checkout(revision)?;
        }
        if own.iter().any(|flag| flag.starts_with(RECURSE)) {
            self.git(&["submodule", "update", "--init", "--recursive", "--rebase", "--force"])?;
        }
        Ok(())
    }

    fn checkout(&self, revision: &str) -> Result<()> {
        self.git(&["checkout", revision, "--"])
    }

    fn git(&self, arguments: &[&str]) -> Result<()> {
        self.run(Some(self.folder), arguments)
    }

    fn run(&self, folder: Option<&Path>, arguments: &[&str]) -> Result<()> {
        let mut command = self.command(folder, arguments);
        let status = command.stdin(Stdio::null()).status().map_err(|source| Error::NoGit { source })?;
        let word = arguments.first().copied().unwrap_or_default().to_owned();
        if status.success() { Ok(()) } else { Err(Error::Git { command: word, status }) }
    }

    /// What a question to the repository answers; empty when it has no answer.
    fn ask(&self, arguments: &[&str]) -> String {
        let answer = self.command(Some(self.folder), arguments).stdin(Stdio::null()).stderr(Stdio::null()).output();
        answer.map(|answer| String::from_utf8_lossy(&answer.stdout).trim().to_owned()).unwrap_or_default()
    }

    fn command(&self, folder: Option<&Path>, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.args(["-c", "advice.detachedHead=false"]);
        if let Some(store) = &self.environment.git_credentials_store {
            command.arg("-c").arg(format!("credential.helper=store --file={}", store.display()));
        }
        command.args(arguments);
        command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_ALLOW_PROTOCOL", "file:git:http:https:ssh");
        if let Some(folder) = folder {
            command.current_dir(folder);
        }
        if let Some(path) = &self.environment.ssh_path {
            let key = path.join(self.environment.ssh_private_key.as_deref().unwrap_or("id_rsa"));
            let options = "-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o BatchMode=yes";
            command.env("GIT_SSH_COMMAND", format!("ssh -i '{}' {options}", key.display()));
        }
        command
    }

    fn report(&self, url: &str) -> Result<()> {
        let commit = self.ask(&["rev-parse", "HEAD"]);
        if commit.is_empty() {
            return Ok(());
        }
        let summary = JsonMap::from_iter([
            ("commit".to_owned(), json!(commit)),
            ("branch".to_owned(), json!(self.ask(&["rev-parse", "--abbrev-ref", "HEAD"]))),
            ("url".to_owned(), json!(without_credentials(url))),
            ("is_dirty".to_owned(), json!(!self.ask(&["status", "--porcelain"]).is_empty())),
        ]);
        lineage::report(self.environment, &lineage::input(&commit, ArtifactKind::Coderef, None, summary))
    }
}

fn refuse_option(option: &'static str, value: &str) -> Result<()> {
    if value.starts_with('-') {
        return Err(Error::BadOption { option, reason: format!("`{value}` must not begin with `-`") });
    }
    Ok(())
}

/// The flags as a JSON list; a plain text is split at blanks.
fn flags(text: Option<&str>) -> Result<Vec<String>> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let flags: Vec<String> = match serde_json::from_str(text) {
        Ok(Json::Array(items)) => {
            items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)).collect()
        }
        Ok(Json::String(flag)) => vec![flag],
        _ => text.split_whitespace().map(str::to_owned).collect(),
    };
    for flag in &flags {
        check_flag(flag)?;
    }
    Ok(flags)
}

fn check_flag(flag: &str) -> Result<()> {
    let refuse = |reason| Err(Error::GitFlag { flag: flag.to_owned(), reason });
    let name = flag.split(['=', ' ']).next().unwrap_or_default();
    if name == "--" {
        return refuse("it would end the options");
    }
    if name.starts_with("--") {
        if name.len() > 3 && REFUSED.iter().any(|refused| refused.starts_with(name)) {
            return refuse("it can run commands on this machine");
        }
    } else if name.starts_with('-') && name.contains(['c', 'u']) {
        return refuse("it can run commands on this machine (write other short options apart)");
    }
    Ok(())
}

/// The url that is cloned, with credentials or as ssh when those are configured.
fn clone_url(url: &str, environment: &Environment) -> Result<String> {
    if let Some(credentials) = &environment.git_credentials {
        return Ok(format!("https://{credentials}@{}", host_and_path(url)?));
    }
    if environment.git_credentials_store.as_ref().is_some_and(|path| path.exists()) {
        return Ok(format!("https://{}", host_and_path(url)?));
    }
    if environment.ssh_path.as_ref().is_some_and(|path| path.exists()) && url.starts_with("http") {
        let place = host_and_path(url)?;
        let (host, path) = place.split_once('/').ok_or(Error::GitUrl { url: url.to_owned(), reason: "has no path" })?;
        return Ok(format!("git@{host}:{}.git", path.trim_end_matches('/').trim_end_matches(".git")));
    }
    Ok(url.to_owned())
}

/// `host/org/repo` of an https, http or `git@host:org/repo.git` url.
fn host_and_path(url: &str) -> Result<String> {
    let bare = without_credentials(url);
    if let Some(rest) = bare.strip_prefix("https://").or_else(|| bare.strip_prefix("http://")) {
        return Ok(rest.to_owned());
    }
    if let Some((host, path)) = bare.strip_prefix("git@").and_then(|rest| rest.split_once(':')) {
        return Ok(format!("{host}/{}", path.trim_end_matches(".git")));
    }
    Err(Error::GitUrl { url: bare, reason: "is neither an https url nor of the form git@host:path" })
}

fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (host, path) = rest.split_once('/').map_or((rest, ""), |(host, path)| (host, path));
    let host = host.rsplit_once('@').filter(|_| scheme.starts_with("http")).map_or(host, |(_, host)| host);
    if rest.contains('/') { format!("{scheme}://{host}/{path}") } else { format!("{scheme}://{host}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_follow_the_configured_credentials() {
        let plain = Environment::default();
        let token = Environment { git_credentials: Some("me:tok".to_owned()), ..Environment::default() };
        let here = Some(std::env::temp_dir());
        let store = Environment { git_credentials_store: here.clone(), ..Environment::default() };
        let ssh = Environment { ssh_path: here, ..Environment::default() };
        for (url, environment, expected) in [
            ("https://x:y@h.io/o/r", &plain, "https://x:y@h.io/o/r"),
            ("https://h.io/o/r.git", &token, "https://me:tok@h.io/o/r.git"),
            ("git@h.io:o/r.git", &token, "https://me:tok@h.io/o/r"),
            ("https://x:y@h.io/o/r", &store, "https://h.io/o/r"),
            ("https://h.io/o/r.git", &ssh, "git@h.io:o/r.git"),
            ("git@h.io:o/r.git", &ssh, "git@h.io:o/r.git"),
        ] {
            assert_eq!(clone_url(url, environment).unwrap(), expected);
        }
        assert!(matches!(clone_url("/srv/repo", &token), Err(Error::GitUrl { .. })));
        assert_eq!(without_credentials("https://a:b@h.io/o@x"), "https://h.io/o@x");
        assert_eq!(without_credentials("ssh://git@h.io/o"), "ssh://git@h.io/o");
    }

    #[test]
    fn flags_that_run_commands_are_refused() {
        assert_eq!(flags(Some(r#"["--depth=1", "--recurse-submodules"]"#)).unwrap().len(), 2);
        assert_eq!(flags(Some("--depth 1 -b main")).unwrap(), ["--depth", "1", "-b", "main"]);
        for flag in
            ["--upload-pack=x", "--upl=x", "-u", "--config", "--conf", "-c", "-qc", "--exec=x", "--template=/x", "--"]
        {
            assert!(matches!(flags(Some(&json!([flag]).to_string())), Err(Error::GitFlag { .. })), "{flag}");
        }
    }
}
