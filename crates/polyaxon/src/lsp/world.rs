//! What surrounds an open document: the other open documents, the files beside it, the bundled components.
//!
//! Open documents stand for the files of the same path. Nothing is fetched from a network.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use polyaxon_spec::hub::{self, HubName};
use polyaxon_spec::loader::{LoadError, Loaded, Loader};

use super::outline::{self, Outline};
use crate::source::loader::{WorldLoader, shown};
use crate::suggest::nearest;

/// Entries of a folder that are looked at for completion.
const MOST_FILES: usize = 1_000;
/// Larger files are not read for names.
const LARGEST: u64 = 1 << 20;
const EXTENSIONS: &[&str] = &["yaml", "yml", "json"];

/// A text with its structure.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) text: String,
    pub(crate) outline: Outline,
    /// `None` for components of the hub.
    pub(crate) path: Option<PathBuf>,
}

impl Document {
    pub(crate) fn new(text: String, path: Option<PathBuf>) -> Document {
        Document { outline: outline::read(&text), text, path }
    }
}

/// The open texts by their paths.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) open: BTreeMap<PathBuf, String>,
}

impl World {
    /// The document that a `pathRef` of another one names.
    pub(crate) fn document(&self, from: Option<&Path>, reference: &str) -> Option<Document> {
        let path = resolve(from?.parent()?, reference);
        if let Some(text) = self.open.get(&path) {
            return Some(Document::new(text.clone(), Some(path)));
        }
        if !std::fs::metadata(&path).is_ok_and(|found| found.is_file() && found.len() <= LARGEST) {
            return None;
        }
        let text = std::fs::read(&path).ok()?;
        Some(Document::new(String::from_utf8_lossy(&text).into_owned(), Some(path)))
    }
}

/// A bundled component.
pub(crate) fn component(name: &str) -> Option<Document> {
    let text = hub::bundled(&HubName::parse(name))?;
    Some(Document::new(String::from_utf8_lossy(&text).into_owned(), None))
}

/// Folders (with a slash) and documents in the folder that a half-typed path names, as whole paths.
pub(crate) fn files(from: Option<&Path>, typed: &str) -> Vec<String> {
    let Some(folder) = from.and_then(Path::parent) else { return Vec::new() };
    let prefix = typed.rfind('/').map_or("", |at| &typed[..=at]);
    let Ok(entries) = std::fs::read_dir(resolve(folder, if prefix.is_empty() { "." } else { prefix })) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .take(MOST_FILES)
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok().filter(|name| !name.starts_with('.'))?;
            if entry.file_type().ok()?.is_dir() {
                return Some(format!("{prefix}{name}/"));
            }
            let is_document =
                EXTENSIONS.iter().any(|extension| Path::new(&name).extension().is_some_and(|e| e == *extension));
            let is_itself = from.is_some_and(|from| from == resolve(folder, &format!("{prefix}{name}")));
            (is_document && !is_itself).then(|| format!("{prefix}{name}"))
        })
        .collect();
    names.sort();
    names
}

/// A path with `.` and `..` taken away, so that it equals the one an editor names.
pub(super) fn resolve(folder: &Path, reference: &str) -> PathBuf {
    PathBuf::from(shown(&folder.join(reference)))
}

/// Reads for the checker: open documents first, files, bundled components.
pub(crate) struct OpenLoader<'a> {
    pub(crate) open: &'a BTreeMap<PathBuf, String>,
    pub(crate) files: WorldLoader,
    /// What was left out because only a network has it.
    pub(crate) skipped: Vec<String>,
}

impl Loader for OpenLoader<'_> {
    fn file(&mut self, folder: Option<&str>, path: &str) -> Result<Loaded, LoadError> {
        if path == "-" {
            return Err(LoadError::unreadable("a document in an editor has no standard input"));
        }
        let place = resolve(Path::new(folder.unwrap_or_default()), path);
        let Some(text) = self.open.get(&place) else {
            // Pipes and devices may never end.
            if std::fs::metadata(&place).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
                return Err(LoadError::unreadable("it is not a file"));
            }
            return self.files.file(folder, path);
        };
        let name = place.display().to_string();
        self.files.files.push((name.clone(), place.clone()));
        // Open or not, a file has one identity.
        let identity = place.canonicalize().unwrap_or_else(|_| place.clone()).display().to_string();
        let folder = place.parent().map(|parent| parent.display().to_string());
        Ok(Loaded { name, text: text.clone().into_bytes(), identity, folder })
    }

    fn url(&mut self, url: &str) -> Result<Loaded, LoadError> {
        self.skipped.push(url.to_owned());
        Err(LoadError::unreadable("it is not fetched while editing"))
    }

    fn hub(&mut self, name: &str) -> Result<Loaded, LoadError> {
        match hub::bundled(&HubName::parse(name)) {
            Some(_) => self.files.hub(name),
            None => {
                self.skipped.push(name.to_owned());
                let error = LoadError::unreadable("it is not built in, and servers are not asked while editing");
                let names = hub::names();
                let near = nearest(&HubName::parse(name).name, names.iter().map(String::as_str)).map(str::to_owned);
                Err(match near {
                    Some(near) => error.help(format!("did you mean `{near}`?")),
                    None => error,
                })
            }
        }
    }
}
