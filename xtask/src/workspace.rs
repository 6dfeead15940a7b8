//! Where things are: the root of the checkout, the target folder and the built program.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::command::Command;

#[derive(Clone, Copy)]
pub(crate) enum Profile {
    Debug,
    Release,
}

/// Returns the root of the checkout.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in a folder of the checkout")
}

/// Returns what `cargo metadata` says with the given further arguments.
pub(crate) fn metadata(arguments: &[&str]) -> Result<Value> {
    let text = Command::new(cargo()).args(&["metadata", "--format-version=1"]).args(arguments).read()?;
    serde_json::from_str(&text).context("`cargo metadata` did not print JSON")
}

pub(crate) fn target_folder() -> Result<PathBuf> {
    let metadata = metadata(&["--no-deps"])?;
    let folder = metadata["target_directory"].as_str().context("`cargo metadata` names no target folder")?;
    Ok(PathBuf::from(folder))
}

/// Builds the program and returns its path.
pub(crate) fn build(profile: Profile) -> Result<PathBuf> {
    let (folder, arguments): (_, &[&str]) = match profile {
        Profile::Debug => ("debug", &["build", "--locked", "--package=polyaxon"]),
        Profile::Release => ("release", &["build", "--locked", "--package=polyaxon", "--release"]),
    };
    Command::new(cargo()).args(arguments).run()?;
    Ok(target_folder()?.join(folder).join("polyaxon"))
}

/// Returns the cargo that started this program, else the first one in the PATH.
pub(crate) fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}
