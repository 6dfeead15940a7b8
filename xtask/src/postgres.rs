//! A private PostgreSQL cluster for tests: in a temporary folder, on a port of its own, and never left behind.
//!
//! Must not know the tests: they get an address, and make a database of their own in the cluster.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::command::Command;

/// The variable in which tests look for the address of a server.
pub(crate) const ADDRESS: &str = "POLYAXON_TEST_POSTGRES";

/// A server that ends with this value, or with this process whatever ends it.
pub(crate) struct Cluster {
    address: String,
    server: Option<Server>,
}

struct Server {
    folder: PathBuf,
    child: Child,
    programs: PathBuf,
}

const PREFIX: &str = "polyaxon-postgres-";
const PASSWORD: &str = "private-to-tests";

impl Cluster {
    /// Starts a cluster, unless the environment names one already.
    pub(crate) fn start() -> Result<Cluster> {
        if let Ok(address) = std::env::var(ADDRESS) {
            return Ok(Cluster { address, server: None });
        }
        let programs = programs()?;
        remove_leftovers();
        let folder = std::env::temp_dir().join(format!("{PREFIX}{}", std::process::id()));
        fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        start(programs, folder.clone()).inspect_err(|_| drop(fs::remove_dir_all(&folder)))
    }

    /// Where the tests find it.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let Some(server) = &mut self.server else { return };
        let data = server.folder.join("data");
        let stopped = as_owner(&server.programs.join("pg_ctl"))
            .args(&["stop", "--silent", "--mode=immediate", "--pgdata"])
            .args(&[&data])
            .succeeds();
        if !stopped {
            drop(server.child.kill());
        }
        drop(server.child.wait());
        drop(fs::remove_dir_all(&server.folder));
    }
}

fn start(programs: PathBuf, folder: PathBuf) -> Result<Cluster> {
    let (data, password) = (folder.join("data"), folder.join("password"));
    fs::write(&password, PASSWORD)?;
    if is_root() {
        let (user, group) = (number("-u")?, number("-g")?);
        chown(&folder, Some(user), Some(group))?;
    }
    // A language that orders texts otherwise than by their bytes, so that tests notice what depends on it.
    as_owner(&programs.join("initdb"))
        .args(&["--username=postgres", "--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8"])
        .args(&["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US", "--no-sync"])
        .args(&["--pwfile".as_ref(), password.as_path(), "--pgdata".as_ref(), data.as_path()])
        .read()
        .context("the PostgreSQL cluster for the tests cannot be made")?;
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let log = fs::File::create(folder.join("log"))?;
    let child = as_owner(&programs.join("postgres"))
        .args(&["-D".as_ref(), data.as_path(), "-k".as_ref(), folder.as_path()])
        .args(&["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=300"])
        // Nothing in it has to outlive the tests.
        .args(&["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off"])
        .start(|command| command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log))?;
    let address = format!("postgres://postgres:{PASSWORD}@127.0.0.1:{port}/postgres");
    let cluster = Cluster { address, server: Some(Server { folder, child, programs }) };
    wait(&cluster, port)?;
    Ok(cluster)
}

fn wait(cluster: &Cluster, port: u16) -> Result<()> {
    let Some(server) = &cluster.server else { return Ok(()) };
    let start = Instant::now();
    let is_ready = || {
        Command::new(server.programs.join("pg_isready"))
            .args(&["--quiet", "--host=127.0.0.1", "--username=postgres", &format!("--port={port}")])
            .succeeds()
    };
    while !is_ready() {
        if start.elapsed() > Duration::from_secs(30) {
            let log = fs::read_to_string(server.folder.join("log")).unwrap_or_default();
            bail!("the PostgreSQL cluster for the tests does not start:\n{log}");
        }
        sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// The folder of the newest programs; distributions keep them out of the `PATH`.
fn programs() -> Result<PathBuf> {
    let version = |folder: &Path| folder.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path());
    let newest = versions.filter(|folder| folder.join("bin/initdb").exists()).max_by_key(|folder| version(folder));
    if let Some(newest) = newest {
        return Ok(newest.join("bin"));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    match std::env::split_paths(&path).find(|folder| folder.join("initdb").exists()) {
        Some(folder) => Ok(folder),
        None => bail!(
            "the programs of PostgreSQL (initdb, postgres) are needed, and neither in /usr/lib/postgresql nor in PATH; \
             on Debian and Ubuntu: apt-get install postgresql; or set {ADDRESS} to a server for tests"
        ),
    }
}

/// The server refuses to run as root, and must not outlive this process.
fn as_owner(program: &Path) -> Command {
    let command = Command::new("setpriv").args(&["--pdeathsig=INT"]);
    let command =
        if is_root() { command.args(&["--reuid=postgres", "--regid=postgres", "--clear-groups"]) } else { command };
    command.args(&[program])
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

/// The number of the user (`-u`) or group (`-g`) that the package of PostgreSQL has made.
fn number(kind: &str) -> Result<u32> {
    let text = Command::new("id").args(&[kind, "postgres"]).read().context("there is no user `postgres`")?;
    text.trim().parse().context("`id` prints no number")
}

/// Removes the folders of clusters whose process was killed; their servers have ended with it.
fn remove_leftovers() {
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_answers_and_leaves_nothing_behind() {
        let Ok(programs) = programs() else { return };
        let folder = std::env::temp_dir().join(format!("polyaxon-test-cluster-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let cluster = start(programs, folder.clone()).unwrap();
        let pid = cluster.server.as_ref().unwrap().child.id();
        assert!(cluster.address().ends_with("/postgres"));
        drop(cluster);
        assert!(!folder.exists() && !Path::new("/proc").join(pid.to_string()).exists());
    }
}
