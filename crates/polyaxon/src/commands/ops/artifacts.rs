//! `polyaxon ops artifacts` and `upload`: files of a run, listed, downloaded and sent.

use std::path::{Path, PathBuf};

use polyaxon_artifacts::archive::{self, Limits, Target};
use polyaxon_artifacts::folder::Existing;
use polyaxon_client::artifacts::{Store, download_file, download_folder, tree};
use polyaxon_model::artifact::RelativePath;
use serde_json::{Map, Value, json};

use crate::args::ops::{ArtifactsArgs, UploadArgs};
use crate::commands::ops::{Group, detail, open};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::table::{Column, Table};
use crate::output::{Human, Output, time};
use crate::session::{Context, block_on};
use crate::upload::{Links, Upload, check, send};

pub(super) fn run(context: &Context, group: &Group, args: &ArtifactsArgs) -> Result<Exit, Failure> {
    if !args.lineage_name.is_empty() || !args.lineage_kind.is_empty() {
        return Err(Failure::unsupported("ops artifacts --lineage-name"));
    }
    let session = open(context, group, &args.target)?;
    block_on(async {
        let run = detail(&session, group, &args.target).await?;
        let store =
            Store { client: &session.client, place: &session.place, namespace: run.namespace(), uuid: run.uuid() };
        if args.files.is_empty() && args.folders.is_empty() {
            let output = list(&store).await?;
            if output.names.is_empty() {
                context.printer.note("The run has no files");
            }
            context.printer.data(&output, &args.format.output)?;
            return Ok(Exit::Ok);
        }
        let folder = args.path.clone().unwrap_or_else(|| PathBuf::from("."));
        std::fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, &error))?;
        let mut written = Vec::new();
        for path in &args.files {
            let target = folder.join(Path::new(path).file_name().unwrap_or_default());
            let size = download_file(&store, path.trim_start_matches('/'), &target).await?;
            context.printer.note(&format!("{} ({})", target.display(), time::bytes(size)));
            written.push(target);
        }
        for path in &args.folders {
            written.push(fetch_folder(context, &store, path.trim_matches('/'), &folder, args.no_untar).await?);
        }
        let names: Vec<String> = written.iter().map(|path| path.display().to_string()).collect();
        let output = Output { json: json!({ "paths": names }), human: Human::Nothing, names };
        context.printer.data(&output, &args.format.output)?;
        Ok(Exit::Ok)
    })
}

async fn fetch_folder(
    context: &Context,
    store: &Store<'_>,
    path: &str,
    folder: &Path,
    keep_archive: bool,
) -> Result<PathBuf, Failure> {
    let name = Path::new(path).file_name().map_or_else(|| store.uuid.to_owned(), |name| name.to_string_lossy().into());
    let packed = folder.join(format!("{name}.tar.gz"));
    let size = download_folder(store, path, &packed).await?;
    context.printer.note(&format!("{} ({} packed)", folder.join(&name).display(), time::bytes(size)));
    if keep_archive {
        return Ok(packed);
    }
    let target = folder.join(&name);
    std::fs::create_dir_all(&target).map_err(|error| unwritable(&target, &error))?;
    let file = std::fs::File::open(&packed).map_err(|error| unwritable(&packed, &error))?;
    let place =
        Target { root: &target, relative: &RelativePath::root(), staging: folder, existing: Existing::IsReplaced };
    archive::unpack(file, place, Limits::default())
        .map_err(|error| Failure::new(format!("cannot unpack {}", packed.display())).cause(error.to_string()))?;
    // Only the unpacked folder was asked for; a leftover archive does no harm.
    let _ = std::fs::remove_file(&packed);
    Ok(target)
}

/// Every file with its path, folder by folder.
async fn list(store: &Store<'_>) -> Result<Output, Failure> {
    let column = |name: &str| Column { name: name.to_owned(), key: name.to_owned(), wide: false };
    let mut table = Table::new(vec![column("path"), column("size")]);
    let mut files = Map::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let level = tree(store, &folder).await?;
        let inside = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        for (name, size) in &level.files {
            let path = inside(name);
            table.row(vec![path.clone(), time::bytes(*size)]);
            files.insert(path, Value::from(*size));
        }
        folders.extend(level.folders.iter().rev().map(|name| inside(name)));
    }
    let names = files.keys().cloned().collect();
    Ok(Output { json: json!({ "files": files }), human: Human::Table(table), names })
}

pub(super) fn upload(context: &Context, group: &Group, args: &UploadArgs) -> Result<Exit, Failure> {
    if args.sync_failure || args.agent.is_some() || args.ignore_agent_host {
        return Err(Failure::unsupported("ops upload --agent and --sync-failure"));
    }
    let from = args.path_from.clone().unwrap_or_else(|| PathBuf::from("."));
    let upload = Upload::new(from, args.path_to.as_deref());
    check(&upload)?;
    let session = open(context, group, &args.target)?;
    block_on(async {
        let run = detail(&session, group, &args.target).await?;
        let store =
            Store { client: &session.client, place: &session.place, namespace: run.namespace(), uuid: run.uuid() };
        let links = Links { mode: args.symlink_mode, report_limit: args.symlink_report_limit };
        send(&context.printer, &store, &upload, links).await?;
        Ok(Exit::Ok)
    })
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot write {}: {error}", path.display()))
}
