//! Runs conformance cases from folders: one folder as argument, or `--batch` with one folder a line on stdin. Prints one
//! JSON object a case, in the shape of `expected.json`.

use std::env;
use std::io::{self, BufRead as _, Write as _};
use std::path::Path;

use anyhow::{Result, bail};
use conformance::case::Case;
use conformance::{corpus, stages};
use serde_json::Value as Json;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let fixed = corpus::fixed()?;
    let mut out = io::stdout().lock();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--batch"] => {
            for folder in io::stdin().lock().lines() {
                writeln!(out, "{}", run(Path::new(&folder?), &fixed)?)?;
            }
        }
        [folder] => writeln!(out, "{}", run(Path::new(folder), &fixed)?)?,
        _ => bail!("usage: conformance CASE_FOLDER, or conformance --batch with folders on stdin"),
    }
    Ok(())
}

fn run(folder: &Path, fixed: &Json) -> Result<Json> {
    Ok(stages::run(&Case::from_folder(folder)?, fixed))
}
