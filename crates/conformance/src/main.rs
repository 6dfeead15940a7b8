//! Runs conformance cases from folders: one folder as argument, or `--batch` with one folder a line on stdin. Prints one
//! JSON object a case, in the shape of `expected.json`. Other options are for development tasks: the corpus as a table,
//! the inputs of fuzz targets, the children of a search.

use std::env;
use std::fs;
use std::io::{self, BufRead as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use conformance::case::Case;
use conformance::{corpus, report, stages, torture};
use polyaxon_spec::children::SearchChildren;
use polyaxon_spec::spaces::Rows;
use polyaxon_spec::{compose, wire};
use serde_json::Value as Json;

const USAGE: &str = "usage: conformance CASE_FOLDER
       conformance --batch                   folders on stdin
       conformance --corpus                  the corpus of the repository as a table
       conformance --seeds TARGET FOLDER     the inputs that a fuzz target starts with
       conformance --children FILE           composes every child of a search, one after the other";

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let mut out = io::stdout().lock();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--batch"] => {
            let fixed = corpus::fixed()?;
            for folder in io::stdin().lock().lines() {
                writeln!(out, "{}", run(Path::new(&folder?), &fixed)?)?;
            }
        }
        ["--corpus"] => {
            let report = report::run()?;
            write!(out, "{report}")?;
            if !report.is_good() {
                bail!("the corpus does not give what is recorded");
            }
        }
        ["--seeds", target, folder] => {
            let count = torture::write_seeds(target, Path::new(folder))?;
            writeln!(out, "{count} inputs in {folder}")?;
        }
        ["--children", file] => writeln!(out, "{} children", children(file)?)?,
        [folder] if !folder.starts_with('-') => writeln!(out, "{}", run(Path::new(folder), &corpus::fixed()?)?)?,
        _ => bail!("{USAGE}"),
    }
    Ok(())
}

fn run(folder: &Path, fixed: &Json) -> Result<Json> {
    Ok(stages::run(&Case::from_folder(folder)?, fixed))
}

/// Makes each child as a server does, and drops it.
fn children(file: &str) -> Result<u64> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
    let source = wire::read_operation(&text).map_err(|problems| anyhow!("{file}: {problems:?}"))?;
    let compiled = compose::compose(&source).map_err(|problems| anyhow!("{file}: {problems:?}"))?;
    let matrix = compiled.operation.get("matrix").context("the operation has no matrix")?;
    let rows = Rows::of(matrix).context("the matrix is no grid and no mapping")?;
    let children = SearchChildren::new(&source, &compiled.operation).map_err(|problems| anyhow!("{problems:?}"))?;
    let mut count = 0;
    for row in rows.iter() {
        compose::compose(&children.child(row)).map_err(|problems| anyhow!("child {count}: {problems:?}"))?;
        count += 1;
    }
    Ok(count)
}
