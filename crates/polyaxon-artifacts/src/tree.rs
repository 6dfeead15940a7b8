//! One level of a run's folder, as the artifacts browser shows it, and copies of whole folders.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use polyaxon_model::artifact::RelativePath;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::path;

/// Names only; sizes in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tree {
    pub files: BTreeMap<String, u64>,
    pub dirs: Vec<String>,
}

/// What is directly below `relative`; of a file the file itself. A folder that does not exist is empty.
pub fn list(root: &Path, relative: &RelativePath) -> Result<Tree> {
    let folder = match path::locate(root, relative) {
        Ok(folder) => folder,
        Err(error) if error.is_missing() => return Ok(Tree::default()),
        Err(error) => return Err(error),
    };
    let mut tree = Tree::default();
    if let Ok(metadata) = fs::metadata(&folder)
        && metadata.is_file()
        && let Some(name) = folder.file_name()
    {
        tree.files.insert(name.to_string_lossy().into_owned(), metadata.len());
        return Ok(tree);
    }
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(source) => {
            let error = Error::read(&folder, source);
            return if error.is_missing() { Ok(Tree::default()) } else { Err(error) };
        }
    };
    for entry in entries {
        let entry = entry.map_err(|source| Error::read(&folder, source))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // A file may vanish while a job works in the folder; a dangling link has no size.
        let Ok(metadata) = fs::metadata(entry.path()) else { continue };
        if metadata.is_dir() {
            tree.dirs.push(name);
        } else {
            tree.files.insert(name, metadata.len());
        }
    }
    tree.dirs.sort();
    Ok(tree)
}

/// Copies a file or a folder with everything below it. Existing files are replaced, links are copied as links,
/// sockets, pipes and devices are left out.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    let kind = fs::symlink_metadata(from).map_err(|source| Error::read(from, source))?.file_type();
    if kind.is_dir() {
        fs::create_dir_all(to).map_err(|source| Error::write(to, source))?;
        for entry in fs::read_dir(from).map_err(|source| Error::read(from, source))? {
            let entry = entry.map_err(|source| Error::read(from, source))?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(|source| Error::write(parent, source))?;
    }
    if kind.is_symlink() {
        let target = fs::read_link(from).map_err(|source| Error::read(from, source))?;
        remove_existing(to)?;
        std::os::unix::fs::symlink(target, to).map_err(|source| Error::write(to, source))?;
    } else if kind.is_file() {
        remove_existing(to)?;
        fs::copy(from, to).map_err(|source| Error::write(to, source))?;
    }
    Ok(())
}

fn remove_existing(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(Error::write(path, source)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_one_level_and_treats_a_missing_folder_as_empty() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("outputs/sub")).unwrap();
        fs::write(folder.path().join("outputs/a.txt"), "12345").unwrap();
        let list = |path: &str| list(folder.path(), &path.parse().unwrap()).unwrap();
        let tree = list("outputs");
        assert_eq!(serde_json::to_string(&tree).unwrap(), r#"{"files":{"a.txt":5},"dirs":["sub"]}"#);
        assert_eq!(list("nothing/here"), Tree::default());
        assert_eq!(serde_json::to_string(&list("outputs/a.txt")).unwrap(), r#"{"files":{"a.txt":5},"dirs":[]}"#);
    }

    #[test]
    fn copies_a_folder_and_merges_into_an_existing_one() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("sub")).unwrap();
        fs::write(from.join("sub/a"), "new").unwrap();
        std::os::unix::fs::symlink("sub/a", from.join("link")).unwrap();
        fs::create_dir_all(to.join("sub")).unwrap();
        fs::write(to.join("sub/a"), "old").unwrap();
        fs::write(to.join("kept"), "kept").unwrap();
        copy(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("link")).unwrap(), "new");
        assert_eq!(fs::read_to_string(to.join("kept")).unwrap(), "kept");
    }
}
