//! `polyaxon admin backup`.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Data, caused, size, stamp};
use crate::args::admin::BackupArgs;
use crate::backup::write::{Contents, Error, write};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::progress::Progress;
use crate::output::table::Table;
use crate::output::{Human, Output};
use crate::session::Context;

pub(super) fn run(context: &Context, args: &BackupArgs) -> Result<Exit, Failure> {
    let data = Data::find(&args.data)?;
    data.expect_database()?;
    let path = args.file.clone().unwrap_or_else(|| PathBuf::from(format!("polyaxon-backup-{}.tar.gz", stamp())));
    if path.is_dir() {
        return Err(Failure::usage(format!("{} is a folder, expected the name of a file", path.display())));
    }
    if path.exists() && !args.force {
        return Err(Failure::new(format!("{} exists", path.display()))
            .exit(Exit::Conflict)
            .help("choose another name, or replace it with --force"));
    }
    let layout = data.home.layout();
    if is_within(&path, &layout.store()) {
        return Err(Failure::usage("the backup cannot be among the artifacts that go into it"));
    }
    let contents = Contents {
        database: &data.database,
        layout: &layout,
        with_artifacts: !args.no_artifacts,
        created_at: jiff::Timestamp::now().to_string(),
    };
    let progress = Progress::bytes(&context.printer, "Backing up", None);
    let manifest = write(&path, &contents, &progress).map_err(|error| {
        let failure = caused(&error);
        match error {
            Error::Store(polyaxon_store::Error::Unavailable { .. }) => failure.exit(Exit::Unreachable),
            Error::Store(_) => failure,
            Error::Write { .. } => {
                failure.help("nothing was left behind; choose a place with room and the right to write")
            }
        }
    })?;
    drop(progress);
    let bytes = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
    let (runs, projects) = (manifest.rows("runs"), manifest.rows("projects"));
    let files = manifest.artifacts.as_ref().map_or(0, |artifacts| artifacts.files);
    let mut table = Table::pairs();
    table.pair("file", path.display().to_string());
    table.pair("size", size(bytes));
    table.pair("database", data.place());
    table.pair("schema", manifest.schema.to_string());
    table.pair("projects", projects.to_string());
    table.pair("runs", runs.to_string());
    table.pair(
        "artifacts",
        match &manifest.artifacts {
            Some(artifacts) => format!("{} files, {}", artifacts.files, size(artifacts.bytes)),
            None => "left out".to_owned(),
        },
    );
    let json = json!({
        "file": path, "bytes": bytes, "database": data.place(), "schema": manifest.schema, "projects": projects,
        "runs": runs, "files": files, "manifest": manifest,
    });
    let names = vec![path.display().to_string()];
    context.printer.data(&Output { json, human: Human::Table(table), names }, &args.format.output)?;
    Ok(Exit::Ok)
}

fn is_within(path: &Path, folder: &Path) -> bool {
    let Ok(folder) = folder.canonicalize() else { return false };
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    parent.canonicalize().is_ok_and(|parent| parent.starts_with(folder))
}
