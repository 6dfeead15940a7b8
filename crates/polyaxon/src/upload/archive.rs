//! Packs a folder as `.tar.gz` in a file without a name, leaving out what is ignored and treating links as asked.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use ignore::gitignore::Gitignore;

use crate::args::run::SymlinkMode;
use crate::failure::Failure;
use crate::upload::{Links, ignore as rules};

pub(super) struct Packed {
    pub(super) file: File,
    pub(super) size: u64,
    pub(super) files: usize,
    pub(super) notes: Vec<String>,
}

struct Packer<'a> {
    root: &'a Path,
    rules: Gitignore,
    links: Links,
    builder: tar::Builder<GzEncoder<File>>,
    files: usize,
    skipped: Vec<String>,
    /// Real folders on the way down, to notice links that lead in a circle.
    above: HashSet<PathBuf>,
}

pub(super) fn pack(root: &Path, links: Links) -> Result<Packed, Failure> {
    let root = root.canonicalize().map_err(|error| unreadable(root, &error))?;
    let file = tempfile::tempfile()
        .map_err(|error| Failure::new(format!("cannot write in {}: {error}", std::env::temp_dir().display())))?;
    let mut builder = tar::Builder::new(GzEncoder::new(file, Compression::fast()));
    builder.follow_symlinks(true);
    let mut packer = Packer {
        rules: rules::rules(&root)?,
        root: &root,
        links,
        builder,
        files: 0,
        skipped: Vec::new(),
        above: HashSet::new(),
    };
    if root.is_dir() {
        packer.folder(&root, Path::new(""))?;
    } else {
        let name = root.file_name().map(PathBuf::from).unwrap_or_default();
        packer.file(&root, &name)?;
    }
    let Packer { builder, files, skipped, .. } = packer;
    let mut file = builder
        .into_inner()
        .and_then(GzEncoder::finish)
        .map_err(|error| Failure::new(format!("cannot pack {}: {error}", root.display())))?;
    let size = file
        .seek(SeekFrom::End(0))
        .and_then(|size| file.seek(SeekFrom::Start(0)).map(|_| size))
        .map_err(|error| Failure::new(format!("cannot read the packed upload: {error}")))?;
    if links.mode == SymlinkMode::Error && !skipped.is_empty() {
        return Err(Failure::usage(listed("symbolic links are not allowed in this upload", &skipped, links))
            .help("choose another --symlink-mode: skip, resolve-safe or resolve-all"));
    }
    let notes = if skipped.is_empty() {
        Vec::new()
    } else {
        vec![listed("symbolic links and special files are left out of the upload", &skipped, links)]
    };
    Ok(Packed { file, size, files, notes })
}

impl Packer<'_> {
    fn folder(&mut self, folder: &Path, name: &Path) -> Result<(), Failure> {
        let real = folder.canonicalize().map_err(|error| unreadable(folder, &error))?;
        if !self.above.insert(real.clone()) {
            self.skipped.push(name.display().to_string());
            return Ok(());
        }
        let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
        let mut entries: Vec<_> = entries.filter_map(Result::ok).collect();
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let (path, name) = (entry.path(), name.join(entry.file_name()));
            let Ok(kind) = entry.file_type() else { continue };
            if self.rules.matched(self.root.join(&name), kind.is_dir()).is_ignore() {
                continue;
            }
            if kind.is_dir() {
                self.folder(&path, &name)?;
            } else if kind.is_file() {
                self.file(&path, &name)?;
            } else if kind.is_symlink() && self.may_follow(&path) {
                if path.is_dir() { self.folder(&path, &name)? } else { self.file(&path, &name)? }
            } else {
                self.skipped.push(name.display().to_string());
            }
        }
        self.above.remove(&real);
        Ok(())
    }

    fn may_follow(&self, link: &Path) -> bool {
        let Ok(target) = link.canonicalize() else { return false };
        let usable = target.is_dir() || target.is_file();
        match self.links.mode {
            SymlinkMode::Skip | SymlinkMode::Error => false,
            SymlinkMode::ResolveSafe => usable && target.starts_with(self.root),
            SymlinkMode::ResolveAll => usable,
        }
    }

    fn file(&mut self, path: &Path, name: &Path) -> Result<(), Failure> {
        match self.builder.append_path_with_name(path, name) {
            // A file that vanished since the folder was listed is as if it had never been there.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(unreadable(path, &error)),
            Ok(()) => {
                self.files += 1;
                Ok(())
            }
        }
    }
}

fn listed(what: &str, names: &[String], links: Links) -> String {
    let shown: Vec<&str> = names.iter().take(links.report_limit).map(String::as_str).collect();
    let more = names.len() - shown.len();
    let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{what}: {}{tail}", shown.join(", "))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names(root: &Path, mode: SymlinkMode) -> Vec<String> {
        let packed = pack(root, Links { mode, report_limit: 20 }).unwrap();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(packed.file));
        let mut names: Vec<String> =
            archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect();
        names.sort();
        assert_eq!(names.len(), packed.files);
        names
    }

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn the_built_in_list_leaves_out_caches_but_no_code() {
        let folder = folder(&[
            ("a.py", ""),
            ("lib/b.py", ""),
            ("__pycache__/a.pyc", ""),
            (".git/HEAD", ""),
            (".polyaxon/.run", ""),
        ]);
        assert_eq!(names(folder.path(), SymlinkMode::Skip), ["a.py", "lib/b.py"]);
    }

    #[test]
    fn the_ignore_file_of_the_folder_counts() {
        let folder = folder(&[
            (".polyaxonignore", "# notes\n/data/*\n!/data/keep.csv\n*.LOG\n"),
            ("data/a.csv", ""),
            ("data/keep.csv", ""),
            ("sub/data/b.csv", ""),
            ("x.log", ""),
            ("__pycache__/kept", ""),
        ]);
        assert_eq!(
            names(folder.path(), SymlinkMode::Skip),
            [".polyaxonignore", "__pycache__/kept", "data/keep.csv", "sub/data/b.csv"]
        );
    }

    #[test]
    fn links_are_treated_as_asked() {
        let folder = folder(&[("real/a", "x")]);
        let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, folder.path().join(name)).unwrap();
        link("real", "inside");
        link("/etc/hostname", "outside");
        link("..", "real/circle");
        link("nothing", "broken");
        assert_eq!(names(folder.path(), SymlinkMode::Skip), ["real/a"]);
        assert_eq!(names(folder.path(), SymlinkMode::ResolveSafe), ["inside/a", "real/a"]);
        assert_eq!(names(folder.path(), SymlinkMode::ResolveAll), ["inside/a", "outside", "real/a"]);
        let error = pack(folder.path(), Links { mode: SymlinkMode::Error, report_limit: 1 }).err().unwrap();
        assert!(error.message.contains("broken and 3 more"), "{}", error.message);
    }
}
