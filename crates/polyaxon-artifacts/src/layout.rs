//! Where everything of one home folder is on disk. The only place that joins these names.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use polyaxon_model::artifact;
use polyaxon_model::ids::RunId;

/// The paths below `<home>/local`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    local: PathBuf,
}

impl Layout {
    /// For the home folder (`$POLYAXON_HOME` or `~/.polyaxon`).
    pub fn new(home: impl AsRef<Path>) -> Layout {
        Layout { local: home.as_ref().join("local") }
    }

    /// The layout that a supervisor folder belongs to.
    pub fn of_supervisor(folder: &Path) -> Option<Layout> {
        Some(Layout { local: folder.ancestors().nth(3)?.to_owned() })
    }

    pub fn local(&self) -> &Path {
        &self.local
    }

    pub fn database(&self) -> PathBuf {
        self.local.join("polyaxon.db")
    }

    /// `{pid, host, port, url, version, started_at}` of the live server.
    pub fn server_record(&self) -> PathBuf {
        self.local.join("server.json")
    }

    /// The id under which the servers of this home execute runs.
    pub fn server_id(&self) -> PathBuf {
        self.local.join("server-id")
    }

    /// Locked by the live server for as long as it lives.
    pub fn server_lock(&self) -> PathBuf {
        self.local.join("server.lock")
    }

    /// Locked by who starts the server in the background.
    pub fn start_lock(&self) -> PathBuf {
        self.local.join("start.lock")
    }

    pub fn server_log(&self) -> PathBuf {
        self.local.join("server.log")
    }

    /// Where supervisors send their datagrams.
    pub fn supervise_socket(&self) -> PathBuf {
        self.local.join("supervise.sock")
    }

    /// The artifacts store: one folder a run.
    pub fn store(&self) -> PathBuf {
        self.local.join("artifacts")
    }

    pub fn artifacts(&self, run: RunId) -> PathBuf {
        self.store().join(run.to_hex())
    }

    pub fn outputs(&self, run: RunId) -> PathBuf {
        self.artifacts(run).join(artifact::OUTPUTS)
    }

    pub fn events(&self, run: RunId) -> PathBuf {
        self.artifacts(run).join(artifact::EVENTS)
    }

    pub fn resources(&self, run: RunId) -> PathBuf {
        self.artifacts(run).join(artifact::RESOURCES)
    }

    pub fn logs(&self, run: RunId) -> PathBuf {
        self.artifacts(run).join(artifact::LOGS)
    }

    pub fn code(&self, run: RunId) -> PathBuf {
        self.artifacts(run).join(artifact::CODE)
    }

    /// The folder of all scratch folders.
    pub fn scratches(&self) -> PathBuf {
        self.local.join("runs")
    }

    /// The context root of the job (`POLYAXON_CONTEXT_ROOT`, in place of `/plx-context`).
    ///
    /// Its name has the uuid with hyphens: the official client takes what follows the first `<uuid>/` in a path for
    /// the path of an artifact in its run.
    pub fn scratch(&self, run: RunId) -> PathBuf {
        self.scratches().join(run.uuid().hyphenated().to_string())
    }

    pub fn supervisor(&self, run: RunId) -> PathBuf {
        self.scratch(run).join("supervisor")
    }

    /// Makes the folders that a job expects: the store folder with `outputs`, and the context root that links to it.
    pub fn prepare(&self, run: RunId) -> io::Result<()> {
        fs::create_dir_all(self.outputs(run))?;
        fs::create_dir_all(self.logs(run))?;
        fs::create_dir_all(self.scratch(run))?;
        // The plan holds the whole environment of the job, secrets included.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(self.supervisor(run))?;
        let context = self.scratch(run).join("artifacts");
        fs::create_dir_all(&context)?;
        let link = context.join(run.to_hex());
        match std::os::unix::fs::symlink(self.artifacts(run), &link) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    }

    /// Removes the scratch folder; the store folder stays.
    pub fn remove_scratch(&self, run: RunId) -> io::Result<()> {
        remove(&self.scratch(run))
    }

    /// Gives the artifacts of a run that goes away to another. May be done twice, and goes on where it was cut.
    pub fn hand_over(&self, run: RunId, heir: RunId) -> io::Result<()> {
        // A run that reused a result has little of its own: what a client put there, or the logs of an earlier life.
        merge(&self.artifacts(run), &self.artifacts(heir))?;
        self.remove(run)
    }

    /// Removes everything of a run.
    pub fn remove(&self, run: RunId) -> io::Result<()> {
        remove(&self.scratch(run))?;
        remove(&self.artifacts(run))
    }
}

/// Moves what is in a folder into another one; of two files of a name the moved one stays.
fn merge(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
            for entry in fs::read_dir(from)? {
                let entry = entry?;
                let target = to.join(entry.file_name());
                if entry.file_type()?.is_dir() && target.is_dir() {
                    merge(&entry.path(), &target)?;
                } else {
                    remove_any(&target)?;
                    fs::rename(entry.path(), target)?;
                }
            }
            Ok(())
        }
        other => other,
    }
}

fn remove_any(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(metadata) if metadata.is_dir() => remove(path),
        Ok(_) => fs::remove_file(path),
    }
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_heir_keeps_its_own_and_gets_the_rest() {
        let home = tempfile::tempdir().unwrap();
        let layout = Layout::new(home.path());
        let run: RunId = "9b0a3806e3f84ea1959a7842e34129ed".parse().unwrap();
        let heir: RunId = "0a3806e3f84ea1959a7842e34129ed9b".parse().unwrap();
        let write = |run: RunId, path: &str, text: &str| {
            let file = layout.artifacts(run).join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        write(run, "outputs/model", "of the run");
        write(run, "outputs/more/deep", "of the run");
        write(heir, "outputs/model/was/a/folder", "of the heir");
        write(heir, "assets/note", "of the heir");
        write(heir, "outputs/more/own", "of the heir");
        layout.hand_over(run, heir).unwrap();
        layout.hand_over(run, heir).unwrap();
        assert!(!layout.artifacts(run).exists());
        for (path, text) in [
            ("outputs/model", "of the run"),
            ("outputs/more/deep", "of the run"),
            ("outputs/more/own", "of the heir"),
            ("assets/note", "of the heir"),
        ] {
            assert_eq!(fs::read_to_string(layout.artifacts(heir).join(path)).unwrap(), text, "{path}");
        }
    }

    #[test]
    fn the_context_root_shows_the_store_folder_and_goes_away_alone() {
        let home = tempfile::tempdir().unwrap();
        let layout = Layout::new(home.path());
        let run: RunId = "9b0a3806e3f84ea1959a7842e34129ed".parse().unwrap();
        layout.prepare(run).unwrap();
        layout.prepare(run).unwrap();
        fs::write(layout.scratch(run).join("artifacts").join(run.to_hex()).join("outputs/a"), "x").unwrap();
        // What the official client logs as the path of an artifact.
        let logged = layout.scratch(run).join("artifacts").join(run.to_hex()).join("outputs/a");
        let logged = logged.to_string_lossy().into_owned();
        assert_eq!(logged.split(&format!("{run}/")).nth(1), Some("outputs/a"));
        assert_eq!(Layout::of_supervisor(&layout.supervisor(run)), Some(layout.clone()));
        layout.remove_scratch(run).unwrap();
        assert_eq!(fs::read_to_string(layout.outputs(run).join("a")).unwrap(), "x");
        layout.remove(run).unwrap();
        layout.remove(run).unwrap();
        assert!(!layout.artifacts(run).exists());
    }
}
