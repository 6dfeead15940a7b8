//! The home folder: where the local server keeps its state and where the official client's files are.

use std::path::{Path, PathBuf};

use polyaxon_artifacts::layout::Layout;

use crate::config::{self, File};
use crate::env;
use crate::failure::Failure;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    root: PathBuf,
    files: PathBuf,
}

impl Home {
    /// `flag`, else `$POLYAXON_HOME`, else what `~/.polyaxon/.home` says, else `~/.polyaxon`.
    pub(crate) fn find(flag: Option<&Path>) -> Result<Home, Failure> {
        if let Some(root) = flag.map(Path::to_owned).or_else(|| env::os(env::HOME).map(PathBuf::from)) {
            return Home::at(&root);
        }
        let Some(user) = std::env::home_dir().filter(|folder| !folder.as_os_str().is_empty()) else {
            return Err(Failure::new("there is no home folder").help("name a folder with POLYAXON_HOME"));
        };
        let folder = user.join(".polyaxon");
        match config::read(&folder, File::Home).get(env::HOME.name).and_then(serde_json::Value::as_str) {
            Some(root) if Path::new(root) != user => Home::at(Path::new(root)),
            _ => Ok(Home { root: folder.clone(), files: folder }),
        }
    }

    fn at(root: &Path) -> Result<Home, Failure> {
        let root = std::path::absolute(root)
            .map_err(|error| Failure::new(format!("cannot use {} as home: {error}", root.display())))?;
        // The official client puts `.polyaxon` below the folder that the variable names.
        Ok(Home { files: root.join(".polyaxon"), root })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of the official client's files.
    pub(crate) fn files(&self) -> &Path {
        &self.files
    }

    /// Where everything of the local server is.
    pub(crate) fn layout(&self) -> Layout {
        Layout::new(&self.root)
    }

    /// Creates the folder of the local server, or says why it cannot be.
    pub(crate) fn create_local(&self) -> Result<(), Failure> {
        let folder = self.layout().local().to_owned();
        let created = std::fs::create_dir_all(&folder);
        created.map_err(|error| unwritable(&folder, &error))
    }
}

pub(crate) fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot write {}: {error}", path.display()))
        .help("choose a writable home folder: POLYAXON_HOME=/some/folder polyaxon ...")
}
