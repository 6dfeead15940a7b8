//! Reads documents for the checker: files and stdin, URLs, and hub components from the bundle or the server.

use std::io::Read;
use std::path::{Component, Path, PathBuf};

use polyaxon_client::http::{Client, Place};
use polyaxon_client::versions;
use polyaxon_spec::hub::{self, HubName};
use polyaxon_spec::loader::{LoadError, Loaded, Loader};

use crate::local::find::{Found, find};
use crate::settings::{Credentials, Settings};
use crate::source::web;
use crate::suggest::nearest;

/// Larger files are refused before they fill the memory; the reader has its own, smaller limit with its own words.
const LARGEST: u64 = 64 << 20;

/// Reads from the world. Nothing is opened before it is asked for.
#[derive(Default)]
pub(crate) struct WorldLoader {
    /// The project whose component versions unnamed owners mean.
    pub(crate) project: Option<String>,
    /// The local files that were read, by the names that messages use.
    pub(crate) files: Vec<(String, PathBuf)>,
}

impl Loader for WorldLoader {
    fn file(&mut self, folder: Option<&str>, path: &str) -> Result<Loaded, LoadError> {
        if path == "-" {
            return stdin();
        }
        let place = folder.map_or_else(|| Path::new(path).to_owned(), |folder| Path::new(folder).join(path));
        let unreadable = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => LoadError::not_found("no such file"),
            _ => LoadError::unreadable(error.to_string()),
        };
        let metadata = std::fs::metadata(&place).map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(LoadError::unreadable("it is a folder").help("name the file in it"));
        }
        if metadata.len() > LARGEST {
            let size = metadata.len() >> 20;
            return Err(LoadError::unreadable(format!("it has {size} MB, more than any polyaxonfile")));
        }
        let text = std::fs::read(&place).map_err(unreadable)?;
        let real = place.canonicalize().unwrap_or_else(|_| place.clone());
        self.files.push((shown(&place), real.clone()));
        let folder = place.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(Loaded {
            name: shown(&place),
            text,
            identity: real.display().to_string(),
            folder: Some(folder.display().to_string()),
        })
    }

    fn url(&mut self, url: &str) -> Result<Loaded, LoadError> {
        let text = block_on(web::read(url))?.map_err(|error| {
            let failed = LoadError::unreadable(error.message);
            match error.help {
                Some(help) => failed.help(help),
                None => failed,
            }
        })?;
        Ok(Loaded { name: url.to_owned(), text, identity: url.to_owned(), folder: None })
    }

    fn hub(&mut self, name: &str) -> Result<Loaded, LoadError> {
        let parsed = HubName::parse(name);
        let text = match hub::bundled(&parsed) {
            Some(text) => text,
            None => self.registered(&parsed).ok_or_else(|| unknown(&parsed))?,
        };
        let owner = parsed.owner.as_ref().map(|owner| format!("{owner}/")).unwrap_or_default();
        let name = format!("hub:{owner}{}:{}", parsed.name, parsed.version());
        Ok(Loaded { identity: name.clone(), name, text, folder: None })
    }
}

impl WorldLoader {
    /// A component version of the server: of the project that the name means. Any trouble counts as "not there", because
    /// the server is only a second place to look; one that does not run is not started for it.
    fn registered(&self, name: &HubName) -> Option<Vec<u8>> {
        let settings = Settings::read().ok()?;
        let client = reachable(&settings)?;
        let owner = name.owner.clone().unwrap_or_else(|| settings.owner().value);
        let place = Place { owner, project: name.name.clone() };
        let named = block_on(versions::component(&client, &place, name.version())).ok()?;
        if let Ok(text) = named {
            return Some(text.into_bytes());
        }
        let place = settings.place(self.project.as_deref()).ok()?.value;
        let version = if name.version() == hub::LATEST { &name.name } else { name.version() };
        let text = block_on(versions::component(&client, &place, version)).ok()?.ok()?;
        Some(text.into_bytes())
    }
}

fn reachable(settings: &Settings) -> Option<Client> {
    match settings.host() {
        Some(host) => settings.client(&host.value, Credentials::Send).ok(),
        None => match find(&settings.home).ok()? {
            Found::Live(record) => settings.client(&record.url, Credentials::Omit).ok(),
            Found::Starting | Found::Absent => None,
        },
    }
}

fn stdin() -> Result<Loaded, LoadError> {
    let mut text = Vec::new();
    std::io::stdin()
        .take(LARGEST)
        .read_to_end(&mut text)
        .map_err(|error| LoadError::unreadable(format!("cannot read stdin: {error}")))?;
    Ok(Loaded { name: "stdin".to_owned(), text, identity: "stdin".to_owned(), folder: Some(".".to_owned()) })
}

fn unknown(name: &HubName) -> LoadError {
    let names = hub::names();
    let error = LoadError::not_found("it is neither built in nor registered on the server");
    match nearest(&name.name, names.iter().map(String::as_str)) {
        Some(near) => error.help(format!("did you mean `{near}`? Built in are: {}", names.join(", "))),
        None => error.help(format!("built in are: {}", names.join(", "))),
    }
}

/// The path as a person would write it: without `./`, and with `a/../b` as `b`.
pub(crate) fn shown(path: &Path) -> String {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(clean.components().next_back(), Some(Component::Normal(_))) => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    clean.display().to_string()
}

fn block_on<T>(work: impl Future<Output = T>) -> Result<T, LoadError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map(|runtime| runtime.block_on(work))
        .map_err(|error| LoadError::unreadable(format!("cannot start the network runtime: {error}")))
}
