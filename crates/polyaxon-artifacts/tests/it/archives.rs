//! Archives made by hand, because no builder makes the ones that tests need; and a folder to unpack them into.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use polyaxon_artifacts::Result;
use polyaxon_artifacts::archive::{Limits, Target, unpack};
use polyaxon_artifacts::folder::Existing;
use tar::{EntryType, Header};
use tempfile::TempDir;

/// One entry as its bytes in a tar: the header with whatever name it is given, and the content padded.
pub(crate) fn entry(name: &[u8], kind: EntryType, link: &str, content: &[u8]) -> Vec<u8> {
    sized(name, kind, link, content, content.len() as u64)
}

/// As [`entry`], with a header that claims another size.
pub(crate) fn sized(name: &[u8], kind: EntryType, link: &str, content: &[u8], claimed: u64) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(claimed);
    header.set_mode(0o644);
    header.as_mut_bytes()[..name.len()].copy_from_slice(name);
    header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

pub(crate) fn file(name: &str, content: &str) -> Vec<u8> {
    entry(name.as_bytes(), EntryType::Regular, "", content.as_bytes())
}

/// A long name in the GNU way, followed by its file.
pub(crate) fn long_named(name: &str, content: &str) -> Vec<u8> {
    let mut bytes = entry(b"././@LongLink", EntryType::GNULongName, "", format!("{name}\0").as_bytes());
    bytes.extend(file("short", content));
    bytes
}

pub(crate) fn tar(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = entries.concat();
    bytes.extend([0; 1024]);
    bytes
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A run's folder with things beside it that nothing may touch.
pub(crate) struct Place {
    home: TempDir,
}

impl Place {
    pub(crate) fn new() -> Place {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir_all(home.path().join("run/in/folder")).unwrap();
        fs::create_dir_all(home.path().join("outside")).unwrap();
        fs::write(home.path().join("outside/secret"), "secret").unwrap();
        fs::write(home.path().join("run/in/old"), "old").unwrap();
        symlink("../../outside", home.path().join("run/in/planted")).unwrap();
        symlink("folder", home.path().join("run/in/link")).unwrap();
        Place { home }
    }

    pub(crate) fn unpack(&self, bytes: &[u8], existing: Existing, limits: Limits) -> Result<()> {
        let (root, staging) = (self.home.path().join("run"), self.home.path().join("staging"));
        let target = Target { root: &root, relative: &"in".parse().unwrap(), staging: &staging, existing };
        let result = unpack(bytes, target, limits);
        assert_eq!(fs::read_dir(&staging).unwrap().count(), 0, "something stays in the folder of staging");
        result
    }

    /// Every file and link below the home with its content, sorted.
    pub(crate) fn content(&self) -> Vec<String> {
        let mut found = Vec::new();
        list(self.home.path(), self.home.path(), &mut found);
        found.sort();
        found
    }

    /// What is there beyond an untouched place.
    pub(crate) fn news(&self) -> Vec<String> {
        let before = Place::new().content();
        let after = self.content();
        let lost: Vec<_> = before.iter().filter(|item| !after.contains(item)).map(|item| format!("-{item}")).collect();
        after.into_iter().filter(|item| !before.contains(item)).chain(lost).collect()
    }
}

fn list(top: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        let name = path.strip_prefix(top).unwrap().display().to_string();
        if path.is_symlink() {
            found.push(format!("{name} -> {}", fs::read_link(&path).unwrap().display()));
        } else if path.is_dir() {
            list(top, &path, found);
        } else {
            found.push(format!("{name} = {}", String::from_utf8_lossy(&fs::read(&path).unwrap())));
        }
    }
}
