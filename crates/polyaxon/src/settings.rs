//! Which server, project, owner and home: flag > environment > project folder > home folder > default, each with origin.

use std::path::{Path, PathBuf};
use std::time::Duration;

use polyaxon_client::http::{Client, Endpoint, Place};
use serde_json::{Map, Value};

use crate::config::{self, File};
use crate::env::{self, Variable};
use crate::failure::Failure;
use crate::local::home::Home;

/// A value and the layer that won.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) origin: Origin,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Flag,
    Environment(&'static str),
    /// A file of the project folder or of the home folder.
    File(PathBuf),
    Default,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::Flag => f.write_str("option"),
            Origin::Environment(name) => write!(f, "environment {name}"),
            Origin::File(path) => write!(f, "file {}", path.display()),
            Origin::Default => f.write_str("default"),
        }
    }
}

/// The layers, read once when a command first needs them.
pub(crate) struct Settings {
    pub(crate) home: Home,
    /// `./.polyaxon`, present only when it exists.
    pub(crate) project_folder: Option<PathBuf>,
    client: Map<String, Value>,
    auth: Map<String, Value>,
    user: Map<String, Value>,
}

const PROJECT_FOLDER: &str = ".polyaxon";
const DEFAULT_OWNER: &str = "default";
const DEFAULT_PROJECT: &str = "default";

impl Settings {
    pub(crate) fn read() -> Result<Settings, Failure> {
        let home = Home::find(None)?;
        let files = home.files();
        let project_folder = std::env::current_dir()
            .map(|folder| folder.join(PROJECT_FOLDER))
            .ok()
            .filter(|folder| folder.is_dir() && folder != files);
        Ok(Settings {
            client: config::read(files, File::Client),
            auth: config::read(files, File::Auth),
            user: config::read(files, File::User),
            project_folder,
            home,
        })
    }

    /// The configured server; `None` means the local one.
    pub(crate) fn host(&self) -> Option<Setting<String>> {
        self.text(env::HOST)
    }

    pub(crate) fn owner(&self) -> Setting<String> {
        if let Some(setting) = environment(env::OWNER) {
            return setting;
        }
        if let Some((project, path)) = self.cached(File::Project) {
            if let Some(owner) = project.get("owner").and_then(Value::as_str) {
                return Setting { value: owner.to_owned(), origin: Origin::File(path) };
            }
        }
        match self.user.get("organization").and_then(Value::as_str) {
            Some(owner) => self.filed(File::User, owner.to_owned()),
            None => Setting { value: DEFAULT_OWNER.to_owned(), origin: Origin::Default },
        }
    }

    /// Owner and project of a command; `flag` is `name` or `owner/name`.
    pub(crate) fn place(&self, flag: Option<&str>) -> Result<Setting<Place>, Failure> {
        let (text, origin) = match flag {
            Some(text) => (text.to_owned(), Origin::Flag),
            None => match environment(env::PROJECT) {
                Some(setting) => (setting.value, setting.origin),
                None => match self.cached(File::Project) {
                    Some((project, path)) if project.get("name").is_some_and(Value::is_string) => {
                        let name = project["name"].as_str().unwrap_or_default().to_owned();
                        (name, Origin::File(path))
                    }
                    _ => (DEFAULT_PROJECT.to_owned(), Origin::Default),
                },
            },
        };
        let (owner, project) = match text.split_once(['/', '.']) {
            Some((owner, project)) => (owner.to_owned(), project.to_owned()),
            None => (self.owner().value, text.clone()),
        };
        let is_slug =
            |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        if !is_slug(&owner) || !is_slug(&project) {
            return Err(Failure::usage(format!("`{text}` ({origin}) is not a project"))
                .help("a project is `name` or `owner/name`, of letters, digits, - and _"));
        }
        Ok(Setting { value: Place { owner, project }, origin })
    }

    pub(crate) fn verify_ssl(&self) -> Setting<bool> {
        self.boolean(env::VERIFY_SSL, true)
    }

    pub(crate) fn boolean(&self, variable: Variable, default: bool) -> Setting<bool> {
        match self.text(variable) {
            Some(setting) => Setting { value: parse_bool(&setting.value).unwrap_or(default), origin: setting.origin },
            None => Setting { value: default, origin: Origin::Default },
        }
    }

    pub(crate) fn timeout(&self) -> Setting<Duration> {
        self.seconds(env::TIMEOUT, 60)
    }

    pub(crate) fn watch_interval(&self) -> Setting<Duration> {
        self.seconds(env::WATCH_INTERVAL, 5)
    }

    pub(crate) fn token(&self) -> Option<Setting<String>> {
        environment(env::AUTH_TOKEN).or_else(|| {
            let token = self.auth.get(env::AUTH_TOKEN.name)?.as_str()?;
            Some(self.filed(File::Auth, token.to_owned()))
        })
    }

    /// A client of the server at `host`. The local server needs no credentials, so none are sent to it.
    pub(crate) fn client(&self, host: &str, credentials: Credentials) -> Result<Client, Failure> {
        let scheme =
            environment(env::AUTHENTICATION_TYPE).map_or_else(|| "Token".to_owned(), |it| capitalised(&it.value));
        let token = match credentials {
            Credentials::Send => self.token(),
            Credentials::Omit => None,
        };
        Ok(Client::new(Endpoint {
            host: host.to_owned(),
            authorization: token.map(|token| format!("{scheme} {}", token.value)),
            verify_certificates: self.verify_ssl().value,
            ca_certificate: self.text(env::SSL_CA_CERT).map(|setting| setting.value.into()),
            timeout: self.timeout().value,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            extra_header: env::text(env::HEADER).zip(env::text(env::HEADER_SERVICE)),
        })?)
    }

    /// A cache file of the project folder, else of the home folder.
    pub(crate) fn cached(&self, file: File) -> Option<(Map<String, Value>, PathBuf)> {
        let folders = self.project_folder.iter().map(PathBuf::as_path).chain([self.home.files()]);
        folders.map(|folder| (config::read(folder, file), file.path(folder))).find(|(map, _)| !map.is_empty())
    }

    /// Where cache files are written: beside the project file, as the official client does.
    pub(crate) fn cache_folder(&self) -> &Path {
        self.project_folder.as_deref().unwrap_or(self.home.files())
    }

    /// Environment, then the client file.
    fn text(&self, variable: Variable) -> Option<Setting<String>> {
        environment(variable).or_else(|| {
            let text = match self.client.get(variable.name)? {
                Value::String(text) if text.is_empty() => return None,
                Value::String(text) => text.clone(),
                Value::Null => return None,
                other => other.to_string(),
            };
            Some(self.filed(File::Client, text))
        })
    }

    fn seconds(&self, variable: Variable, default: u64) -> Setting<Duration> {
        let parsed = self.text(variable).and_then(|setting| {
            let seconds: f64 = setting.value.parse().ok().filter(|seconds| *seconds > 0.0)?;
            Some(Setting { value: Duration::try_from_secs_f64(seconds).ok()?, origin: setting.origin })
        });
        parsed.unwrap_or(Setting { value: Duration::from_secs(default), origin: Origin::Default })
    }

    fn filed<T>(&self, file: File, value: T) -> Setting<T> {
        Setting { value, origin: Origin::File(file.path(self.home.files())) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credentials {
    Send,
    Omit,
}

/// The words that the official client takes for a boolean.
pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
        "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
        _ => None,
    }
}

fn environment(variable: Variable) -> Option<Setting<String>> {
    Some(Setting { value: env::text(variable)?, origin: Origin::Environment(variable.name) })
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}
