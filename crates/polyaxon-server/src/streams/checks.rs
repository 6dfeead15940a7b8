//! What can be said of a connection from this machine without using it: its folder, its address, its secrets.
//!
//! Must not send anything to where a connection leads. Texts name folders, files and variables, never what is in them;
//! addresses of chats are secrets too.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use axum::http::Uri;
use polyaxon_compile::connection::{Class, Connection};
use serde_json::{Value, json};
use uuid::Uuid;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) category: &'static str,
    /// What was found, or what is wrong.
    pub(super) outcome: Result<String, Problem>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) hint: String,
}

impl Check {
    fn to_json(&self) -> Value {
        let Check { name, category, outcome } = self;
        match outcome {
            Ok(message) => {
                json!({ "name": name, "status": "passed", "code": "ok", "category": category, "message": message })
            }
            Err(Problem { code, message, hint }) => json!({
                "name": name, "status": "failed", "code": code, "category": category, "message": message, "hints": [hint],
            }),
        }
    }
}

/// The answer about one connection.
pub(super) fn answer(name: &str, kind: &str, sources: &[&str], checks: &[Check]) -> Value {
    let status = if checks.iter().all(|check| check.outcome.is_ok()) { "passed" } else { "failed" };
    let checks: Vec<Value> = checks.iter().map(Check::to_json).collect();
    let connection = json!({ "name": name, "kind": kind, "configured_sources": sources });
    json!({ "status": status, "results": [{ "status": status, "connection": connection, "checks": checks }] })
}

/// Where a connection has what it needs.
pub(super) fn sources(connection: &Connection) -> Vec<&'static str> {
    let Connection { schema, secret, config_map, env, .. } = connection;
    let all = [("schema", schema), ("secret", secret), ("config_map", config_map), ("env", env)];
    all.into_iter().filter(|(_, source)| source.is_some()).map(|(name, _)| name).collect()
}

/// Looks at everything of a connection that is on this machine. `is_set` knows the variables of the server.
pub(super) fn check(connection: &Connection, is_set: &dyn Fn(&str) -> bool) -> Vec<Check> {
    let mut checks = Vec::new();
    checks.extend(folder(connection));
    checks.extend(address(connection));
    let settings = connection.schema.as_ref().and_then(Value::as_object).into_iter().flatten();
    checks.extend(settings.filter_map(|(key, value)| reference(key, value, is_set)));
    for (name, resource) in [("secret", &connection.secret), ("config_map", &connection.config_map)] {
        checks.extend(resource.as_ref().and_then(|resource| held(name, resource, is_set)));
    }
    if checks.is_empty() {
        let outcome = Ok("It has no folder, address or secret that could be checked from here.".to_owned());
        checks.push(Check { name: "configuration", category: "configuration", outcome });
    }
    checks
}

/// The folder of a connection can be read, and written unless it says otherwise.
fn folder(connection: &Connection) -> Option<Check> {
    let path = match connection.class() {
        Class::HostPath => connection.setting("hostPath"),
        Class::Claim => connection.setting("mountPath"),
        Class::Bucket | Class::Git | Class::Ssh | Class::Other => None,
    }?;
    let is_read_only = connection.schema.as_ref()?.get("readOnly").and_then(Value::as_bool) == Some(true);
    let done = if is_read_only { "read" } else { "read and written" };
    let outcome = match use_folder(Path::new(path), is_read_only) {
        Ok(()) => Ok(format!("The folder {path} can be {done}.")),
        Err(error) => Err(Problem {
            code: if error.kind() == io::ErrorKind::NotFound {
                "connection_mount_path_missing"
            } else {
                "connection_access_failed"
            },
            message: format!("The folder {path} cannot be {done}: {error}."),
            hint: "Make the folder, give the user of the server access to it, or mend its path.".to_owned(),
        }),
    };
    Some(Check { name: "access", category: "storage", outcome })
}

fn use_folder(path: &Path, is_read_only: bool) -> io::Result<()> {
    fs::read_dir(path)?.next().transpose()?;
    if is_read_only {
        return Ok(());
    }
    let name = format!(".polyaxon-check-{}", Uuid::new_v4().simple());
    let file = path.join(&name);
    let written = OpenOptions::new().write(true).create_new(true).open(&file)?.write_all(name.as_bytes());
    written.and(fs::remove_file(&file))
}

/// The address of a connection has the form that its kind asks for.
fn address(connection: &Connection) -> Option<Check> {
    let kind = connection.kind.as_str();
    let (text, is_right, form) = match connection.class() {
        Class::Bucket => {
            let scheme = if kind == "gcs" { "gs" } else { kind };
            let bucket = connection.setting("bucket")?;
            let rest = bucket.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://"));
            (bucket, rest.is_some_and(|rest| !rest.is_empty()), format!("`{scheme}://` and the name of the bucket"))
        }
        Class::Git | Class::Ssh => {
            let url = connection.setting("url")?;
            (url, is_repository(url), "`https://HOST/REPOSITORY`, `git@HOST:REPOSITORY` or a folder".to_owned())
        }
        Class::Other if kind == "registry" => {
            let url = connection.setting("url")?;
            (
                url,
                is_registry(url),
                "the beginning of an image, `HOST/PATH`, without a scheme and a `/` at the end".to_owned(),
            )
        }
        Class::Other => {
            let url = connection.setting("url")?;
            (url, has_scheme_and_host(url), "a scheme and a host, `https://HOST/PATH`".to_owned())
        }
        Class::HostPath | Class::Claim => return None,
    };
    let field = if connection.class() == Class::Bucket { "bucket" } else { "url" };
    let outcome = if is_right && !text.contains(char::is_whitespace) {
        Ok(format!("Its `{field}` is well formed; whether somebody answers there was not tried."))
    } else {
        Err(Problem {
            code: "connection_address_malformed",
            message: format!("Its `{field}` is not an address of a connection of the kind `{kind}`."),
            hint: format!("Write {form}."),
        })
    };
    Some(Check { name: "address", category: "configuration", outcome })
}

fn has_scheme_and_host(text: &str) -> bool {
    Uri::try_from(text).is_ok_and(|uri| uri.scheme().is_some() && uri.host().is_some_and(|host| !host.is_empty()))
}

fn is_repository(text: &str) -> bool {
    let is_remote = || text.split_once('@').is_some_and(|(user, rest)| !user.is_empty() && rest.contains(':'));
    text.starts_with('/') || has_scheme_and_host(text) || (!text.contains("://") && is_remote())
}

fn is_registry(text: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "._-".contains(letter);
    let mut parts = text.split('/');
    let host = parts.next().unwrap_or_default();
    let (name, port) = host.split_once(':').unwrap_or((host, "0"));
    let is_host = !name.is_empty() && name.chars().all(|letter| is_plain(letter.to_ascii_lowercase()));
    is_host && port.parse::<u16>().is_ok() && parts.all(|part| !part.is_empty() && part.chars().all(is_plain))
}

/// A setting that stands for a variable or a file.
fn reference(key: &str, value: &Value, is_set: &dyn Fn(&str) -> bool) -> Option<Check> {
    let fields = value.as_object().filter(|fields| fields.len() == 1)?;
    let text = |field: &str| fields.get(field).and_then(Value::as_str);
    let what = format!("The setting `{key}`");
    match (text("env"), text("file")) {
        (Some(name), _) => Some(found("schema", variable(&what, name, is_set))),
        (None, Some(path)) => Some(found("schema", file(&what, Path::new(path)))),
        (None, None) => None,
    }
}

/// A secret or a config map: a folder with files, or a variable.
fn held(source: &'static str, resource: &Value, is_set: &dyn Fn(&str) -> bool) -> Option<Check> {
    let text = |field: &str| resource.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
    let what = format!("Its {}", source.replace('_', " "));
    let Some(folder) = text("hostPath").or_else(|| text("mountPath")).map(Path::new) else {
        return Some(found(source, variable(&what, text("name")?, is_set)));
    };
    let items = resource.get("items").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let files: Vec<_> = items.map(|item| folder.join(item)).collect();
    let missing = files.iter().map(|path| file(&what, path)).find(Result::is_err);
    Some(found(source, missing.unwrap_or_else(|| file(&what, folder))))
}

fn found(name: &'static str, outcome: Result<String, Problem>) -> Check {
    Check { name, category: "configuration", outcome }
}

fn variable(what: &str, name: &str, is_set: &dyn Fn(&str) -> bool) -> Result<String, Problem> {
    if is_set(name) {
        return Ok(format!("{what} is in the variable `{name}` of the server."));
    }
    Err(Problem {
        code: "connection_secret_missing",
        message: format!("{what} is the variable `{name}`, which is not set in the environment of the server."),
        hint: "Set it and start the server again.".to_owned(),
    })
}

fn file(what: &str, path: &Path) -> Result<String, Problem> {
    let opened = fs::metadata(path).and_then(|metadata| {
        if metadata.is_dir() { fs::read_dir(path).map(drop) } else { fs::File::open(path).map(drop) }
    });
    match opened {
        Ok(()) => Ok(format!("{what} is in {}.", path.display())),
        Err(error) => Err(Problem {
            code: "connection_secret_missing",
            message: format!("{what} cannot be read from {}: {error}.", path.display()),
            hint: "Put it there, or let the user of the server read it.".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The codes of the checks of a connection, by their names.
    fn codes(connection: Value) -> Vec<(&'static str, &'static str)> {
        let mut whole = json!({ "name": "c", "kind": "custom" });
        whole.as_object_mut().unwrap().extend(connection.as_object().unwrap().clone());
        let connection: Connection = serde_json::from_value(whole).unwrap();
        let checks = check(&connection, &|name| name == "SET");
        checks.iter().map(|it| (it.name, it.outcome.as_ref().map_or_else(|problem| problem.code, |_| "ok"))).collect()
    }

    #[test]
    fn addresses_have_the_form_of_their_kind() {
        for (kind, field, right, wrong) in [
            ("registry", "url", "reg.io:5000/acme/team", "https://reg.io/acme"),
            ("registry", "url", "localhost:5000", "reg.io/acme/"),
            ("registry", "url", "ghcr.io/acme", "ghcr.io/Acme"),
            ("git", "url", "https://github.com/acme/vision", "acme/vision"),
            ("git", "url", "git@github.com:acme/vision.git", "https://"),
            ("slack", "url", "https://hooks.example/x", "hooks.example/x"),
            ("postgres", "url", "postgres://user@db:5432/x", "db"),
            ("s3", "bucket", "s3://data", "data"),
            ("gcs", "bucket", "gs://data", "gcs://data"),
        ] {
            for (text, code) in [(right, "ok"), (wrong, "connection_address_malformed")] {
                let found = codes(json!({ "kind": kind, "schema": { field: text } }));
                assert_eq!(found, [("address", code)], "{kind} {text}");
            }
        }
    }

    #[test]
    fn folders_are_read_and_written_and_secrets_looked_for() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().to_str().unwrap();
        fs::write(home.path().join("token"), "x").unwrap();
        let store = |path: &str| json!({ "kind": "host_path", "schema": { "hostPath": path, "mountPath": "/data" } });
        assert_eq!(codes(store(folder)), [("access", "ok")]);
        assert_eq!(codes(store(&format!("{folder}/none"))), [("access", "connection_mount_path_missing")]);
        assert_eq!(codes(store(&format!("{folder}/token"))), [("access", "connection_access_failed")]);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "nothing is left behind");

        let missing = "connection_secret_missing";
        for (connection, expected) in [
            (json!({ "secret": { "name": "SET" } }), ("secret", "ok")),
            (json!({ "secret": { "name": "UNSET" } }), ("secret", missing)),
            (json!({ "configMap": { "name": "c", "mountPath": folder, "items": ["token"] } }), ("config_map", "ok")),
            (json!({ "secret": { "name": "c", "hostPath": folder, "items": ["key"] } }), ("secret", missing)),
            (json!({ "secret": { "name": "c", "mountPath": "/nowhere" } }), ("secret", missing)),
            (json!({ "schema": { "url": { "env": "SET" } } }), ("schema", "ok")),
            (json!({ "schema": { "url": { "file": format!("{folder}/key") } } }), ("schema", missing)),
            (json!({}), ("configuration", "ok")),
        ] {
            assert_eq!(codes(connection.clone()), [expected], "{connection}");
        }
    }
}
