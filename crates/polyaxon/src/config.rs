//! The settings and cache files of the official client, read and written so that it can still read them.
//!
//! Invariant: keys that we do not know survive a write; a write replaces the file whole and only its owner can read it.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::failure::Failure;

/// A file of the official client below a `.polyaxon` folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum File {
    Client,
    Auth,
    User,
    Project,
    Run,
    /// Says where the home folder is; YAML, one key.
    Home,
}

impl File {
    pub(crate) fn name(self) -> &'static str {
        match self {
            File::Client => ".client",
            File::Auth => ".auth",
            File::User => ".user",
            File::Project => ".project",
            File::Run => ".run",
            File::Home => ".home",
        }
    }

    pub(crate) fn path(self, folder: &Path) -> PathBuf {
        folder.join(self.name())
    }
}

/// Reads a file; absent, unreadable or malformed files count as empty, because another program owns them.
pub(crate) fn read(folder: &Path, file: File) -> Map<String, Value> {
    let Ok(text) = std::fs::read_to_string(file.path(folder)) else { return Map::new() };
    match serde_json::from_str(&text) {
        Ok(Value::Object(map)) => map,
        _ if file == File::Home => yaml_pairs(&text),
        _ => Map::new(),
    }
}

/// Changes some keys of a file; `null` removes a key.
pub(crate) fn change(folder: &Path, file: File, changes: &[(&str, Value)]) -> Result<(), Failure> {
    let mut map = read(folder, file);
    for (key, value) in changes {
        if value.is_null() {
            map.shift_remove(*key);
        } else {
            map.insert((*key).to_owned(), value.clone());
        }
    }
    write(folder, file, &Value::Object(map))
}

/// Replaces a file.
pub(crate) fn write(folder: &Path, file: File, content: &Value) -> Result<(), Failure> {
    let path = file.path(folder);
    let text = match (file, content) {
        (File::Home, Value::Object(map)) => {
            let lines = map.iter().map(|(key, value)| [key, ": ", value.as_str().unwrap_or_default(), "\n"].concat());
            lines.collect()
        }
        _ => format!("{content}\n"),
    };
    replace(&path, text.as_bytes()).map_err(|error| {
        Failure::new(format!("cannot write {}: {error}", path.display()))
            .help("choose a writable home folder with POLYAXON_HOME")
    })
}

/// Removes a file; an absent one is fine.
pub(crate) fn remove(folder: &Path, file: File) -> Result<(), Failure> {
    let path = file.path(folder);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::new(format!("cannot delete {}: {error}", path.display())))
        }
        _ => Ok(()),
    }
}

/// Writes a file so that a reader sees the old text or the new one, never half of it.
pub(crate) fn replace(path: &Path, text: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = folder.join(format!("{name}.{}.draft", std::process::id()));
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    let written = file.write_all(text).and_then(|()| std::fs::rename(&draft, path));
    if written.is_err() {
        // The draft is ours; if it cannot be removed either, the first error is the one to report.
        let _ = std::fs::remove_file(&draft);
    }
    written
}

/// The one shape of YAML that `.home` has: `KEY: value` lines.
fn yaml_pairs(text: &str) -> Map<String, Value> {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(key, value)| (key.trim().to_owned(), Value::from(value.trim().trim_matches(['"', '\'']))))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn unknown_keys_survive_a_change_and_null_removes() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".client"), r#"{"POLYAXON_HOST":"http://a","client_header":{}}"#).unwrap();
        let changes = [("POLYAXON_HOST", Value::Null), ("POLYAXON_DEBUG", true.into())];
        change(folder.path(), File::Client, &changes).unwrap();
        let map = Value::Object(read(folder.path(), File::Client));
        assert_eq!(map, json!({"client_header": {}, "POLYAXON_DEBUG": true}));
    }

    #[test]
    fn malformed_files_count_as_empty() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".client"), "{").unwrap();
        assert!(read(folder.path(), File::Client).is_empty());
        std::fs::write(folder.path().join(".home"), "POLYAXON_HOME: /data/x\n").unwrap();
        assert_eq!(read(folder.path(), File::Home)["POLYAXON_HOME"], "/data/x");
    }

    #[test]
    fn only_the_owner_can_read_what_is_written() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), File::Auth, &json!({"POLYAXON_AUTH_TOKEN": "secret"})).unwrap();
        let mode = std::fs::metadata(folder.path().join(".auth")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
