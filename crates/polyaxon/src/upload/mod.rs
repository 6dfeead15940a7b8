//! Sends a folder of the submitter into the files of a run.

mod archive;
mod ignore;

use std::path::PathBuf;
use std::sync::Arc;

use polyaxon_client::artifacts::{Store, upload_archive};
use polyaxon_client::resumable::{self, Archive, Watch};

use crate::args::run::SymlinkMode;
use crate::failure::Failure;
use crate::output::progress::Progress;
use crate::output::{Printer, time};

/// What to send, and where to in the run's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Upload {
    pub(crate) from: PathBuf,
    /// `""` is the top.
    pub(crate) to: String,
}

/// How links are treated and reported.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Links {
    pub(crate) mode: SymlinkMode,
    pub(crate) report_limit: usize,
}

/// Larger archives are sent so that they can go on after a cut connection.
const RESUMABLE_BYTES: u64 = 4 << 20;

/// The default target of an upload.
const UPLOADS: &str = "uploads";

impl Upload {
    /// `to` as the user writes it: absent is `uploads`, `/` is the top.
    pub(crate) fn new(from: PathBuf, to: Option<&str>) -> Upload {
        Upload { from, to: to.unwrap_or(UPLOADS).trim_matches('/').to_owned() }
    }
}

/// Packs and sends; the folder is checked before anything is sent.
pub(crate) async fn send(printer: &Printer, store: &Store<'_>, upload: &Upload, links: Links) -> Result<(), Failure> {
    let packed = archive::pack(&upload.from, links)?;
    for note in &packed.notes {
        printer.warning(note);
    }
    let target = if upload.to.is_empty() { "/" } else { &upload.to };
    printer.note(&format!(
        "Uploading {} files ({} packed) from {} to {target}",
        packed.files,
        time::bytes(packed.size),
        upload.from.display()
    ));
    if packed.size > RESUMABLE_BYTES {
        let progress = Arc::new(Progress::bytes(printer, "Uploading", Some(packed.size)));
        let archive = Archive { file: &packed.file, size: packed.size, path: &upload.to };
        if resumable::upload_archive(store, archive, progress).await? {
            return Ok(());
        }
    }
    upload_archive(store, &upload.to, packed.file, packed.size).await?;
    Ok(())
}

/// Fails early, before a run is created, when the folder cannot be sent.
pub(crate) fn check(upload: &Upload) -> Result<(), Failure> {
    match std::fs::metadata(&upload.from) {
        Ok(_) if upload.to.split('/').any(|part| part == "..") => {
            Err(Failure::usage(format!("the upload target `{}` leads out of the run", upload.to)))
        }
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::usage(format!("cannot upload {}: {error}", upload.from.display()))),
    }
}

impl Watch for Progress {
    fn set(&self, position: u64) {
        Progress::set(self, position);
    }

    fn advance(&self, bytes: u64) {
        Progress::advance(self, bytes);
    }
}
