//! The files of a case as the loader of the checker sees them; nothing outside the case exists.

use std::collections::BTreeMap;

use polyaxon_spec::loader::{LoadError, Loaded, Loader};
use serde_json::Value as Json;

/// File contents by path relative to the case, with `/` between parts.
#[derive(Clone, Debug, Default)]
pub struct Files(pub BTreeMap<String, Vec<u8>>);

impl Files {
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.0.get(&normalized(path)?).map(Vec::as_slice)
    }

    fn is_folder(&self, path: &str) -> bool {
        let prefix = format!("{path}/");
        path.is_empty() || self.0.keys().any(|file| file.starts_with(&prefix))
    }

    fn load(&self, name: &str, path: &str) -> Result<Loaded, LoadError> {
        let Some(path) = normalized(path) else { return Err(LoadError::not_found("no such file")) };
        match self.0.get(&path) {
            Some(text) => Ok(Loaded {
                name: name.to_string(),
                text: text.clone(),
                folder: Some(path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_string())),
                identity: path,
            }),
            None if self.is_folder(&path) => Err(LoadError::unreadable("it is a folder")),
            None => Err(LoadError::not_found("no such file")),
        }
    }
}

/// `a/./b/../c` as `a/c`; `None` when it leaves the case.
fn normalized(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

impl Loader for Files {
    fn file(&mut self, folder: Option<&str>, path: &str) -> Result<Loaded, LoadError> {
        let full = match folder {
            Some(folder) if !path.starts_with('/') => format!("{folder}/{path}"),
            _ => path.to_string(),
        };
        self.load(path, &full)
    }

    fn url(&mut self, url: &str) -> Result<Loaded, LoadError> {
        let known: Option<Json> = self.get("urls.json").and_then(|text| serde_json::from_slice(text).ok());
        let file = known.as_ref().and_then(|known| known.get(url)).and_then(Json::as_str);
        let Some(file) = file else { return Err(LoadError::not_found("the host does not answer")) };
        Ok(Loaded { identity: url.to_string(), folder: None, ..self.load(url, file)? })
    }

    fn hub(&mut self, name: &str) -> Result<Loaded, LoadError> {
        let (component, version) = name.split_once(':').unwrap_or((name, "latest"));
        let file = format!("hub/{component}/{version}.yaml");
        let loaded = self.load(name, &file).map_err(|_| LoadError::not_found("the hub has no such component"))?;
        Ok(Loaded { identity: name.to_string(), folder: None, ..loaded })
    }
}
