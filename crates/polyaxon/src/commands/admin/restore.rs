//! `polyaxon admin restore`: verify, fill beside what is there, put in place by renaming.
//!
//! Invariant: until the renaming nothing that was there is touched, and what is replaced is kept under another name.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use polyaxon_artifacts::layout::Layout;
use polyaxon_store::Options;
use polyaxon_store::dump::sizes;
use polyaxon_store::load::{Existing, Load};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde_json::json;

use super::{Data, caused, free_bytes, now, size, stamp, stored};
use crate::args::admin::RestoreArgs;
use crate::backup::Manifest;
use crate::backup::read::{Error, unpack, verify};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::local::home::unwritable;
use crate::local::serve::take_lock;
use crate::output::progress::Progress;
use crate::output::table::Table;
use crate::output::{Human, Output};
use crate::session::Context;

pub(super) fn run(context: &Context, args: &RestoreArgs) -> Result<Exit, Failure> {
    let bytes = fs::metadata(&args.file).ok().map(|metadata| metadata.len());
    let progress = Progress::bytes(&context.printer, "Verifying", bytes);
    let manifest = verify(&args.file, &progress).map_err(refused)?;
    drop(progress);
    if args.verify {
        return report(context, args, &manifest, "verified", None, &[]);
    }
    let data = Data::find(&args.data)?;
    data.refuse_served("nothing can be restored into it")?;
    if !data.is_own && !data.database.starts_with("postgres") {
        return Err(Failure::usage("a backup is restored into a home folder or into PostgreSQL")
            .help("restore into a --home, then move its local/polyaxon.db"));
    }
    data.home.create_local()?;
    let _lock = take_lock(&data.home)?;
    refuse_filled(&data, args.force)?;
    refuse_small_disk(&data, &manifest)?;
    let staging = Staging::create(&data)?;
    let kept = fill_and_place(context, args, &data, &manifest, &staging)?;
    report(context, args, &manifest, "restored", Some(&data), &kept)
}

fn fill_and_place(
    context: &Context,
    args: &RestoreArgs,
    data: &Data,
    manifest: &Manifest,
    staging: &Staging,
) -> Result<Vec<String>, Failure> {
    let url = if data.is_own { staging.layout().database().display().to_string() } else { data.database.clone() };
    let existing = if args.force { Existing::KeepAside } else { Existing::Refuse };
    let mut load = Load::begin(&url, Options::default(), manifest.schema, existing, now()).map_err(stored)?;
    let bytes = fs::metadata(&args.file).ok().map(|metadata| metadata.len());
    let progress = Progress::bytes(&context.printer, "Restoring", bytes);
    let folder = staging.layout().store();
    unpack(&args.file, &folder, &progress, &mut |table, text| load.part(table, text).map(drop)).map_err(refused)?;
    drop(progress);
    load.finish().map_err(stored)?;
    let aside = load.aside().map(|schema| format!("the schema {schema} of {}", data.place()));
    let mut kept: Vec<String> = aside.into_iter().collect();
    if data.is_own {
        load.commit().map_err(stored)?;
        if let Some(server) = &manifest.server {
            let path = staging.layout().server_id();
            fs::write(&path, server).map_err(|error| unwritable(&path, &error))?;
        }
        rustix::fs::sync();
        kept.extend(staging.exchange(data.home.layout().local(), staging.layout().local())?);
    } else {
        rustix::fs::sync();
        let (place, staged) = (data.home.layout().store(), staging.layout().store());
        fs::create_dir_all(&place).map_err(|error| unwritable(&place, &error))?;
        exchange(&place, &staged)?;
        if let Err(error) = load.commit() {
            exchange(&place, &staged)?;
            return Err(stored(error));
        }
        kept.extend(staging.keep(&place)?);
    }
    Ok(kept)
}

/// The folder beside `local` that is filled; removed when it is dropped.
struct Staging {
    root: PathBuf,
}

impl Staging {
    fn create(data: &Data) -> Result<Staging, Failure> {
        let root = data.home.root().join(".restoring");
        // Of a restore that was killed; what it has replaced is not in here.
        match fs::remove_dir_all(&root) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unwritable(&root, &error)),
            _ => {}
        }
        let staging = Staging { root };
        let store = staging.layout().store();
        fs::create_dir_all(&store).map_err(|error| unwritable(&store, &error))?;
        Ok(staging)
    }

    fn layout(&self) -> Layout {
        Layout::new(&self.root)
    }

    /// Puts what was filled in place at once; tells where that which was there is kept.
    fn exchange(&self, place: &Path, staged: &Path) -> Result<Option<String>, Failure> {
        exchange(place, staged)?;
        self.keep(place)
    }

    /// Keeps what was replaced, when there is anything in it, beside the place.
    fn keep(&self, place: &Path) -> Result<Option<String>, Failure> {
        let name = place.file_name().unwrap_or_default();
        let layout = self.layout();
        let replaced = if place.ends_with("artifacts") { layout.store() } else { layout.local().to_owned() };
        if !holds_anything(&replaced) {
            return Ok(None);
        }
        let kept = place.with_file_name(format!("{}.before-restore-{}", name.to_string_lossy(), stamp()));
        fs::rename(&replaced, &kept).map_err(|error| unwritable(&kept, &error))?;
        Ok(Some(kept.display().to_string()))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What is left over is removed by the next restore.
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// Two folders change their names at once; where the file system cannot do that, one after the other.
fn exchange(place: &Path, staged: &Path) -> Result<(), Failure> {
    let failed = |error: io::Error| unwritable(place, &error);
    if renameat_with(CWD, staged, CWD, place, RenameFlags::EXCHANGE).is_ok() {
        return Ok(());
    }
    let between = staged.with_extension("between");
    fs::rename(place, &between).map_err(failed)?;
    fs::rename(staged, place).map_err(failed)?;
    fs::rename(&between, staged).map_err(failed)
}

/// Whether a folder has something that a person may miss: a database or files.
fn holds_anything(folder: &Path) -> bool {
    let names = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names(folder).any(|name| {
        let path = folder.join(&name);
        match name.to_string_lossy().as_ref() {
            "server.lock" | "start.lock" | "server.log" | "server-id" | "server.json" => false,
            "artifacts" | "runs" => names(&path).next().is_some(),
            _ => true,
        }
    })
}

/// Refuses a home in which there is something, unless that may be moved aside.
fn refuse_filled(data: &Data, force: bool) -> Result<(), Failure> {
    if force {
        return Ok(());
    }
    let mut there = Vec::new();
    if data.is_own {
        let (runs, projects) = sizes(&data.database, Options::default()).map_err(stored)?;
        if runs + projects > 0 {
            there.push(format!("{runs} runs in {projects} projects"));
        }
    }
    let store = data.home.layout().store();
    let folders = fs::read_dir(&store).into_iter().flatten().count();
    if folders > 0 {
        there.push(format!("the artifacts of {folders} runs"));
    }
    if there.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("home {} is not empty: it has {}", data.home.root().display(), there.join(" and ")))
        .exit(Exit::Conflict)
        .help("name an empty folder with --home, or add --force: what is there is moved aside and kept"))
}

fn refuse_small_disk(data: &Data, manifest: &Manifest) -> Result<(), Failure> {
    // Rows and their indexes take more than their text.
    let records = if data.is_own { manifest.database_bytes() * 2 } else { 0 };
    let needed = records + manifest.artifacts.as_ref().map_or(0, |artifacts| artifacts.bytes);
    match free_bytes(data.home.root()) {
        Some(free) if free < needed => Err(Failure::new(format!(
            "there is no room in {}: about {} are needed, {} are free",
            data.home.root().display(),
            size(needed),
            size(free)
        ))
        .help("free some space, or choose another --home")),
        _ => Ok(()),
    }
}

fn refused(error: Error) -> Failure {
    let failure = caused(&error);
    match error {
        Error::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => failure.exit(Exit::NotFound),
        Error::Read { .. } => failure,
        Error::Foreign { .. } => failure.exit(Exit::Usage).help("`polyaxon admin backup` writes such files"),
        Error::Newer { .. } => failure.exit(Exit::Usage).help("restore it with that version or a newer one"),
        Error::CutOff { .. } | Error::Damaged { .. } => {
            failure.exit(Exit::Usage).help("nothing was changed; copy the file again, or use an older backup")
        }
        Error::Store(error) => stored(error),
        Error::Write { .. } => failure.help("nothing was changed"),
    }
}

fn report(
    context: &Context,
    args: &RestoreArgs,
    manifest: &Manifest,
    what: &str,
    data: Option<&Data>,
    kept: &[String],
) -> Result<Exit, Failure> {
    let mut table = Table::pairs();
    table.pair(what, args.file.display().to_string());
    if let Some(data) = data {
        table.pair("home", data.home.root().display().to_string());
        table.pair("database", data.place());
    }
    table.pair("written", format!("{} by version {}", manifest.created_at, manifest.version));
    table.pair("projects", manifest.rows("projects").to_string());
    table.pair("runs", manifest.rows("runs").to_string());
    table.pair(
        "artifacts",
        match &manifest.artifacts {
            Some(artifacts) => format!("{} files, {}", artifacts.files, size(artifacts.bytes)),
            None => "left out of this backup".to_owned(),
        },
    );
    for kept in kept {
        table.pair("kept", kept);
    }
    let json = json!({
        "file": args.file, "done": what, "kept": kept, "manifest": manifest,
        "home": data.map(|data| data.home.root().to_owned()), "database": data.map(Data::place),
    });
    let names = vec![args.file.display().to_string()];
    context.printer.data(&Output { json, human: Human::Table(table), names }, &args.format.output)?;
    Ok(Exit::Ok)
}
