//! `polyaxon initializer tensorboard`: gathers the logs of runs and writes the script that shows them.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::arguments::{Arguments, Options};
use super::error::{Error, Result};
use super::file;
use super::path::copy_between;

pub(super) const OPTIONS: Options = &[
    ("port", true),
    ("uuids", true),
    ("use-names", false),
    ("path-prefix", true),
    ("plugins", true),
    ("context-from", true),
    ("context-to", true),
    ("connection-name", true),
    ("connection-kind", true),
];

const SCRIPT: &str = "start_tensorboard";

pub(super) fn prepare(arguments: &Arguments, output: &mut dyn Write) -> Result<()> {
    let from = Path::new(arguments.require("context-from")?);
    let to = Path::new(arguments.require("context-to")?);
    let logs = to.join("tensorboard");
    fs::create_dir_all(&logs).map_err(|source| Error::write(&logs, source))?;
    for uuid in list(arguments.get("uuids")) {
        if !uuid.chars().all(|char| char.is_ascii_alphanumeric() || char == '-') {
            let reason = format!("`{uuid}` is not a uuid");
            return Err(Error::BadOption { option: "uuids", reason });
        }
        let source = from.join(uuid).join("outputs/tensorboard");
        if source.is_dir() {
            copy_between(&source, &logs.join(uuid))?;
        } else {
            let _ = writeln!(output, "run {uuid} has no tensorboard logs (looked at `{}`)", source.display());
        }
    }
    if arguments.has("use-names") {
        let _ = writeln!(output, "names of runs are not known here: the folders are named by uuid");
    }
    let plugins = list(arguments.get("plugins")).map(quoted).collect::<Vec<_>>().join(" ");
    let install = if plugins.is_empty() { String::new() } else { format!("pip install {plugins} && ") };
    let port = arguments.get("port").unwrap_or("6006");
    let prefix = arguments.get("path-prefix").map(|prefix| format!(" --path_prefix={}", quoted(prefix)));
    let logdir = quoted(&logs.display().to_string());
    let script = format!(
        "#!/bin/sh\n{install}tensorboard --logdir={logdir} --port={}{} --host=0.0.0.0\n",
        quoted(port),
        prefix.unwrap_or_default()
    );
    let path = file::place(&script, to, SCRIPT)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).map_err(|source| Error::write(&path, source))?;
    let _ = writeln!(output, "Tensorboard script is initialized, path: `{}`", path.display());
    Ok(())
}

fn list(text: Option<&str>) -> impl Iterator<Item = &str> {
    text.unwrap_or_default().split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// As one word of a shell.
fn quoted(word: &str) -> String {
    let plain = word.chars().all(|char| char.is_ascii_alphanumeric() || "-_./=:,+@".contains(char));
    if plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}
