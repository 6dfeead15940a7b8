//! Writes what is made from the code: the JSON Schema and the reference documentation from the decode tables, and the
//! OpenAPI document from the handlers. Tests compare them.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use polyaxon_spec::{json_schema, reference};

use crate::command::Command;
use crate::workspace::{self, cargo};

const SCHEMA: &str = "schema/polyaxonfile.json";
const REFERENCE: &str = "docs/reference";

/// Every generated file with its text.
fn files() -> Result<Vec<(PathBuf, String)>> {
    let schema = serde_json::to_string_pretty(&json_schema::document()).context("the schema is no JSON")?;
    let mut files = vec![(workspace::root().join(SCHEMA), format!("{schema}\n"))];
    let folder = workspace::root().join(REFERENCE);
    files.extend(reference::documents().into_iter().map(|document| (folder.join(document.path), document.text)));
    Ok(files)
}

/// Writes the generated files, and removes pages that are not generated any more.
pub(crate) fn run() -> Result<()> {
    let files = files()?;
    let pages = workspace::root().join(REFERENCE).join("polyaxonfile");
    if pages.exists() {
        fs::remove_dir_all(&pages).with_context(|| format!("cannot empty {}", pages.display()))?;
    }
    for (path, text) in files {
        let folder = path.parent().context("a generated file has a folder")?;
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        println!("{}", path.strip_prefix(workspace::root()).unwrap_or(&path).display());
    }
    write_openapi()
}

/// The test that compares the document writes it too, so that this program does not have to be built with a server.
fn write_openapi() -> Result<()> {
    let test = ["test", "-q", "-p", "polyaxon-server", "--test", "it", "the_committed_document_is_current"];
    Command::new(cargo()).args(&test).env("SNAPSHOTS", "overwrite").run()?;
    println!("schema/openapi.json");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_files_are_current() {
        let files = files().unwrap();
        let is_stale = |path: &PathBuf, text: &String| fs::read_to_string(path).ok().as_ref() != Some(text);
        let stale: Vec<_> = files.iter().filter(|(path, text)| is_stale(path, text)).map(|(path, _)| path).collect();
        assert!(stale.is_empty(), "run `cargo xtask codegen`, these files are old: {stale:?}");
        let pages = fs::read_dir(workspace::root().join(REFERENCE).join("polyaxonfile")).unwrap();
        let extra =
            pages.map(|entry| entry.unwrap().path()).filter(|path| !files.iter().any(|(known, _)| known == path));
        assert_eq!(extra.collect::<Vec<_>>(), Vec::<PathBuf>::new(), "run `cargo xtask codegen`");
    }
}
