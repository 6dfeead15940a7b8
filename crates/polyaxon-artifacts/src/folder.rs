//! A folder below a run's folder, held open while something is written into it.
//!
//! Invariant: everything happens relative to the open folder and never follows a link in the last place, so a folder
//! that is exchanged for a link in between leads nowhere else.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use polyaxon_model::artifact::RelativePath;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use crate::error::{Error, Result};
use crate::path::open_beneath;

/// An open folder and its real path.
#[derive(Debug)]
pub struct Folder {
    descriptor: OwnedFd,
    path: PathBuf,
}

const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl Folder {
    /// The existing folder `relative` below `root`. Links are followed while they stay below `root`.
    pub fn open(root: &Path, relative: &RelativePath) -> Result<Folder> {
        Folder::walk(root, relative, Missing::Fails)
    }

    /// As [`Folder::open`]; what is missing of the path is made, `root` too.
    pub fn create(root: &Path, relative: &RelativePath) -> Result<Folder> {
        fs::create_dir_all(root).map_err(|source| Error::write(root, source))?;
        Folder::walk(root, relative, Missing::IsMade)
    }

    fn walk(root: &Path, relative: &RelativePath, missing: Missing) -> Result<Folder> {
        let real_root = fs::canonicalize(root).map_err(|source| Error::read(root, source))?;
        let mut folder = Folder {
            descriptor: rustix::fs::open(&real_root, FOLDER, Mode::empty()).map_err(|errno| read(&real_root, errno))?,
            path: real_root.clone(),
        };
        for part in relative.parts() {
            let path = folder.path.join(part);
            if missing == Missing::IsMade {
                match rustix::fs::mkdirat(&folder.descriptor, part, Mode::from_raw_mode(0o777)) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(errno) => return Err(write(&path, errno)),
                }
            }
            folder = match rustix::fs::openat(&folder.descriptor, part, FOLDER, Mode::empty()) {
                Ok(descriptor) => Folder { descriptor, path },
                Err(Errno::LOOP | Errno::NOTDIR) if path.is_symlink() => {
                    let real = fs::canonicalize(&path).map_err(|source| Error::read(&path, source))?;
                    if !real.starts_with(&real_root) {
                        return Err(Error::Traversal { path: relative.to_string() });
                    }
                    let opened =
                        open_beneath(&real_root, &real, FOLDER).map_err(|source| Error::read(&real, source))?;
                    Folder { descriptor: opened.into(), path: real }
                }
                Err(errno) => return Err(read(&path, errno)),
            };
        }
        Ok(folder)
    }

    /// Where it is; for messages, and for callers that trust everybody who can write there.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What `name` is, itself and not what it leads to.
    pub fn kind(&self, name: &str) -> Result<Option<FileType>> {
        match rustix::fs::statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(status) => Ok(Some(FileType::from_raw_mode(status.st_mode))),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(read(&self.path.join(name), errno)),
        }
    }

    /// A new file; fails when the name is taken.
    pub fn create_file(&self, name: &str, mode: u32) -> Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(&self.descriptor, name, flags, Mode::from_raw_mode(mode))
            .map(File::from)
            .map_err(|errno| write(&self.path.join(name), errno))
    }

    /// A new symbolic link; fails when the name is taken.
    pub fn create_link(&self, name: &str, target: &Path) -> Result<()> {
        rustix::fs::symlinkat(target, &self.descriptor, name).map_err(|errno| write(&self.path.join(name), errno))
    }

    /// Moves the complete file `from`, which must be on the same file system, to `name`: at once, so that readers see
    /// the old or the new one. What exists is replaced or kept.
    pub fn take(&self, from: &Path, name: &str, existing: Existing) -> Result<()> {
        let failed = |errno: Errno| write(&self.path.join(name), errno);
        match existing {
            Existing::IsReplaced => rustix::fs::renameat(CWD, from, &self.descriptor, name).map_err(failed),
            Existing::IsKept => {
                match rustix::fs::renameat_with(CWD, from, &self.descriptor, name, RenameFlags::NOREPLACE) {
                    Ok(()) | Err(Errno::EXIST) => Ok(()),
                    // Some file systems do not know the flag; a race then replaces instead of keeping.
                    Err(Errno::INVAL | Errno::NOSYS) if self.kind(name)?.is_some() => Ok(()),
                    Err(Errno::INVAL | Errno::NOSYS) => {
                        rustix::fs::renameat(CWD, from, &self.descriptor, name).map_err(failed)
                    }
                    Err(errno) => Err(failed(errno)),
                }
            }
        }
    }

    /// Removes a file or a link.
    pub fn remove_file(&self, name: &str) -> Result<()> {
        rustix::fs::unlinkat(&self.descriptor, name, AtFlags::empty())
            .map_err(|errno| write(&self.path.join(name), errno))
    }

    /// Removes `name` with everything below it; links are removed, not followed.
    pub fn remove(&self, name: &str) -> Result<()> {
        remove_below(&self.descriptor, OsStr::new(name), &self.path.join(name))
    }
}

fn remove_below(folder: &OwnedFd, name: &OsStr, path: &Path) -> Result<()> {
    let inner = match rustix::fs::openat(folder, name, FOLDER, Mode::empty()) {
        Ok(inner) => inner,
        Err(Errno::LOOP | Errno::NOTDIR) => {
            return rustix::fs::unlinkat(folder, name, AtFlags::empty()).map_err(|errno| write(path, errno));
        }
        Err(errno) => return Err(write(path, errno)),
    };
    for entry in Dir::read_from(&inner).map_err(|errno| read(path, errno))? {
        let entry = entry.map_err(|errno| read(path, errno))?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if name != "." && name != ".." {
            remove_below(&inner, name, &path.join(name))?;
        }
    }
    rustix::fs::unlinkat(folder, name, AtFlags::REMOVEDIR).map_err(|errno| write(path, errno))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missing {
    Fails,
    IsMade,
}

/// What happens to something that has the wanted name already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    IsReplaced,
    IsKept,
}

fn read(path: &Path, errno: Errno) -> Error {
    Error::read(path, errno.into())
}

fn write(path: &Path, errno: Errno) -> Error {
    Error::write(path, errno.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn path(text: &str) -> RelativePath {
        text.parse().unwrap()
    }

    #[test]
    fn links_inside_are_followed_and_others_are_refused() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("run");
        let folder = Folder::create(&root, &path("outputs/deep")).unwrap();
        drop(folder.create_file("a", 0o644).unwrap());
        symlink(root.join("outputs"), root.join("absolute")).unwrap();
        symlink("outputs/deep", root.join("relative")).unwrap();
        symlink("..", root.join("up")).unwrap();
        assert!(Folder::open(&root, &path("absolute/deep")).unwrap().kind("a").unwrap().is_some());
        assert!(Folder::create(&root, &path("relative/new")).is_ok());
        assert!(root.join("outputs/deep/new").is_dir());
        for escaping in ["up", "up/other"] {
            assert!(matches!(Folder::create(&root, &path(escaping)), Err(Error::Traversal { .. })), "{escaping}");
        }
        assert!(Folder::open(&root, &path("missing")).is_err_and(|error| error.is_missing()));
        assert!(!home.path().join("other").exists());
    }

    #[test]
    fn a_folder_that_is_exchanged_for_a_link_leads_nowhere_else() {
        let home = tempfile::tempdir().unwrap();
        let (root, outside) = (home.path().join("run"), home.path().join("outside"));
        fs::create_dir_all(outside.join("precious")).unwrap();
        fs::write(outside.join("a"), "old").unwrap();
        let folder = Folder::create(&root, &path("outputs")).unwrap();
        fs::rename(root.join("outputs"), root.join("moved")).unwrap();
        symlink(&outside, root.join("outputs")).unwrap();
        fs::write(home.path().join("new"), "new").unwrap();
        folder.take(&home.path().join("new"), "a", Existing::IsReplaced).unwrap();
        assert_eq!(fs::read_to_string(root.join("moved/a")).unwrap(), "new");
        assert_eq!(fs::read_to_string(outside.join("a")).unwrap(), "old");
        let top = Folder::open(&root, &RelativePath::root()).unwrap();
        top.remove("outputs").unwrap();
        symlink(&outside, root.join("moved/link")).unwrap();
        top.remove("moved").unwrap();
        assert!(outside.join("precious").exists() && fs::read_dir(&root).unwrap().next().is_none());
    }

    #[test]
    fn existing_files_are_replaced_or_kept() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::create(home.path(), &path("run")).unwrap();
        for (text, existing, expected) in [
            ("one", Existing::IsKept, "one"),
            ("two", Existing::IsKept, "one"),
            ("three", Existing::IsReplaced, "three"),
        ] {
            let new = home.path().join("new");
            fs::write(&new, text).unwrap();
            folder.take(&new, "a", existing).unwrap();
            assert_eq!(fs::read_to_string(home.path().join("run/a")).unwrap(), expected);
        }
    }
}
