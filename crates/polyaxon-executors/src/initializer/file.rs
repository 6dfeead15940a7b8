//! `polyaxon initializer file`: writes the content that the operation carries.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use md5::{Digest, Md5};
use polyaxon_model::JsonMap;
use polyaxon_model::artifact::base_name;
use polyaxon_model::kinds::ArtifactKind;
use serde::Deserialize;

use super::arguments::{Arguments, Options};
use super::error::{Error, Result};
use super::{Environment, lineage};

pub(super) const OPTIONS: Options =
    &[("file-context", true), ("filepath", true), ("copy-path", true), ("track", false)];

#[derive(Deserialize)]
struct Context {
    kind: Option<ArtifactKind>,
    #[serde(default)]
    content: String,
    filename: Option<String>,
    chmod: Option<serde_json::Value>,
}

pub(super) fn write(arguments: &Arguments, environment: &Environment, output: &mut dyn Write) -> Result<()> {
    let context: Context = serde_json::from_str(arguments.require("file-context")?)
        .map_err(|error| Error::BadOption { option: "file-context", reason: error.to_string() })?;
    let filename = context.filename.as_deref().unwrap_or("file");
    let name = base_name(filename)
        .ok_or_else(|| Error::BadOption { option: "file-context", reason: format!("`{filename}` is no file name") })?;
    let mut path = place(&context.content, Path::new(arguments.require("filepath")?), name)?;
    if let Some(mode) = &context.chmod {
        let mode = mode.as_str().map_or_else(|| mode.to_string(), str::to_owned);
        let status = Command::new("chmod").arg("--").arg(&mode).arg(&path).status();
        if !status.is_ok_and(|status| status.success()) {
            let reason = format!("`chmod {mode}` failed; expected a mode such as 755 or +x");
            return Err(Error::BadOption { option: "file-context", reason });
        }
    }
    // The system may refuse to say so, which is no reason to fail.
    let _ = writeln!(output, "File is initialized, path: `{}`", path.display());
    if let Some(folder) = arguments.get("copy-path") {
        path = copy_into(&path, Path::new(folder), name)?;
    }
    if arguments.has("track") {
        let kind = context.kind.unwrap_or_else(|| kind_by_name(name));
        let summary = JsonMap::from_iter([("hash".to_owned(), short_hash(&context.content).into())]);
        lineage::report(environment, &lineage::input(name, kind, Some(path.display().to_string()), summary))?;
    }
    Ok(())
}

/// Writes a new file, replacing one of the same name.
pub(super) fn place(content: &str, folder: &Path, name: &str) -> Result<PathBuf> {
    fs::create_dir_all(folder).map_err(|source| Error::write(folder, source))?;
    let path = folder.join(name);
    // Not through a link or into a running program: the old name goes first.
    match fs::remove_file(&path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => return Err(Error::write(&path, source)),
        _ => {}
    }
    fs::write(&path, content).map_err(|source| Error::write(&path, source))?;
    Ok(path)
}

pub(super) fn copy_into(path: &Path, folder: &Path, name: &str) -> Result<PathBuf> {
    let copy = folder.join(name);
    polyaxon_artifacts::tree::copy(path, &copy).map_err(|source| Error::Copy { from: path.to_owned(), source })?;
    Ok(copy)
}

/// The first 12 hex digits of the MD5 sum, which is what the record calls the hash of a content.
pub(super) fn short_hash(content: &str) -> String {
    hex::encode(&Md5::digest(content.as_bytes())[..6])
}

fn kind_by_name(name: &str) -> ArtifactKind {
    if name.to_lowercase().contains("dockerfile") { ArtifactKind::Dockerfile } else { ArtifactKind::File }
}
