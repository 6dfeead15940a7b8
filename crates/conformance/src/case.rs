//! A recorded case: how to run it and what came out.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::Value as Json;

use crate::files::Files;

#[derive(Clone, Debug)]
pub struct Case {
    /// `GROUP/NAME`
    pub id: String,
    /// The content of `case.json`.
    pub case: Json,
    pub files: Files,
    /// The content of `expected.json`; null when a folder has none.
    pub expected: Json,
}

impl Case {
    /// Reads a line of `data/GROUP.jsonl`.
    pub fn from_line(line: &str) -> Result<Case> {
        let record: Json = serde_json::from_str(line)?;
        let files = record["files"].as_object().context("a case without files")?;
        let files = files.iter().map(|(path, content)| Ok((path.clone(), content_of(content)?)));
        let files = Files(files.collect::<Result<BTreeMap<_, _>>>()?);
        Case::new(record["case"].clone(), files, record["expected"].clone())
    }

    /// Reads a folder that holds `case.json`, the input files and maybe `expected.json`.
    pub fn from_folder(folder: &Path) -> Result<Case> {
        let mut files = BTreeMap::new();
        read_folder(folder, "", &mut files)?;
        let case = files.remove("case.json").context("there is no case.json")?;
        let expected = files.remove("expected.json");
        let expected = expected.map(|text| serde_json::from_slice(&text)).transpose()?.unwrap_or(Json::Null);
        Case::new(serde_json::from_slice(&case)?, Files(files), expected)
    }

    fn new(case: Json, files: Files, expected: Json) -> Result<Case> {
        let id = case["id"].as_str().context("a case without id")?.to_string();
        Ok(Case { id, case, files, expected })
    }

    pub fn stages(&self) -> impl Iterator<Item = &str> {
        self.case["stages"].as_array().into_iter().flatten().filter_map(Json::as_str)
    }

    pub fn option(&self, name: &str) -> &Json {
        &self.case["options"][name]
    }
}

/// Text, or `{"hex": …}` for files that are not UTF-8.
fn content_of(content: &Json) -> Result<Vec<u8>> {
    if let Some(text) = content.as_str() {
        return Ok(text.as_bytes().to_vec());
    }
    let digits = content["hex"].as_str().context("a file without content")?;
    let bytes = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16));
    Ok(bytes.collect::<Result<_, _>>()?)
}

fn read_folder(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { bail!("a file name is not UTF-8") };
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            read_folder(&entry.path(), &format!("{path}/"), files)?;
        } else {
            files.insert(path, fs::read(entry.path())?);
        }
    }
    Ok(())
}
