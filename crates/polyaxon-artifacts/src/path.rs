//! Paths that come from outside, made safe: whatever a client sends or a job links to stays below the run's folder.
//!
//! Knows nothing about runs or HTTP. Symbolic links are followed only while they stay below the root.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use polyaxon_model::artifact::RelativePath;
use rustix::fs::{Mode, OFlags, ResolveFlags};

use crate::error::{Error, Result};
use crate::folder::Folder;

/// The real path of something that exists below `root`, links resolved.
pub fn locate(root: &Path, relative: &RelativePath) -> Result<PathBuf> {
    let wanted = root.join(relative.as_str());
    let real_root = fs::canonicalize(root).map_err(|source| Error::read(root, source))?;
    let real = fs::canonicalize(&wanted).map_err(|source| Error::read(&wanted, source))?;
    if real.starts_with(&real_root) { Ok(real) } else { Err(Error::Traversal { path: relative.to_string() }) }
}

/// Opens a regular file below `root` for reading. What is opened is what was checked: links put in between are refused.
pub fn open(root: &Path, relative: &RelativePath) -> Result<(File, Metadata)> {
    let real = locate(root, relative)?;
    let real_root = fs::canonicalize(root).map_err(|source| Error::read(root, source))?;
    // Without NONBLOCK, opening a named pipe that a job left behind would wait for a writer for ever.
    let file = open_beneath(&real_root, &real, OFlags::NONBLOCK).map_err(|source| Error::read(&real, source))?;
    let metadata = file.metadata().map_err(|source| Error::read(&real, source))?;
    if metadata.is_file() { Ok((file, metadata)) } else { Err(Error::NotAFile { path: relative.to_string() }) }
}

pub(crate) fn open_beneath(real_root: &Path, real: &Path, flags: OFlags) -> io::Result<File> {
    let below = real.strip_prefix(real_root).unwrap_or(Path::new("."));
    let below = if below.as_os_str().is_empty() { Path::new(".") } else { below };
    let flags = flags | OFlags::RDONLY | OFlags::CLOEXEC;
    let directory = File::open(real_root)?;
    match rustix::fs::openat2(
        &directory,
        below,
        flags,
        Mode::empty(),
        ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS,
    ) {
        Ok(descriptor) => Ok(File::from(descriptor)),
        // Old kernels and some container sandboxes do not offer the call; the last component is still guarded.
        Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => {
            Ok(File::from(rustix::fs::open(real, flags | OFlags::NOFOLLOW, Mode::empty())?))
        }
        Err(error) => Err(error.into()),
    }
}

/// The path where a new file may be written: parent folders are made, and none of them leads out of `root` by a link.
pub fn create_parents(root: &Path, relative: &RelativePath) -> Result<PathBuf> {
    let Some(name) = relative.file_name() else { return Err(Error::NotAFile { path: String::new() }) };
    Ok(Folder::create(root, &relative.parent())?.path().join(name))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn path(text: &str) -> RelativePath {
        text.parse().unwrap()
    }

    #[test]
    fn links_that_stay_inside_are_followed_and_others_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("run");
        fs::create_dir_all(root.join("outputs")).unwrap();
        fs::write(root.join("outputs/a.txt"), "inside").unwrap();
        fs::write(folder.path().join("secret"), "outside").unwrap();
        symlink(root.join("outputs"), root.join("latest")).unwrap();
        symlink("../secret", root.join("relative")).unwrap();
        symlink(folder.path(), root.join("up")).unwrap();

        assert!(open(&root, &path("latest/a.txt")).is_ok());
        for escaping in ["relative", "up/secret"] {
            assert!(matches!(open(&root, &path(escaping)), Err(Error::Traversal { .. })), "{escaping}");
        }
        assert!(matches!(open(&root, &path("outputs")), Err(Error::NotAFile { .. })));
        assert!(open(&root, &path("missing")).is_err_and(|error| error.is_missing()));
        assert!(create_parents(&root, &path("new/deep/file")).is_ok());
        assert!(matches!(create_parents(&root, &path("up/file")), Err(Error::Traversal { .. })));
    }

    #[test]
    fn a_named_pipe_does_not_block_the_reader() {
        let folder = tempfile::tempdir().unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            folder.path().join("pipe"),
            rustix::fs::FileType::Fifo,
            Mode::RUSR | Mode::WUSR,
            0,
        )
        .unwrap();
        assert!(matches!(open(folder.path(), &path("pipe")), Err(Error::NotAFile { .. })));
    }
}
