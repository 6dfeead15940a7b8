//! Arguments of `polyaxon admin`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::args::global::Format;

/// Look after a server's data: back it up, restore it, check it, see what an upgrade would do.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
        polyaxon admin backup monday.tar.gz\n  \
        polyaxon admin restore monday.tar.gz --home /srv/polyaxon\n  \
        polyaxon admin restore monday.tar.gz --database postgres://ann@db.example/polyaxon\n  \
        polyaxon admin fsck --repair\n  \
        polyaxon admin upgrade --check")]
pub(crate) struct AdminArgs {
    #[command(subcommand)]
    pub(crate) command: AdminCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    Backup(BackupArgs),
    Restore(RestoreArgs),
    Fsck(FsckArgs),
    Upgrade(UpgradeArgs),
    #[command(hide = true)]
    Deploy(super::Anything),
    #[command(hide = true)]
    Teardown(super::Anything),
    #[command(name = "clean-ops", hide = true)]
    CleanOps(super::Anything),
    #[command(hide = true)]
    Dashboard(super::Anything),
}

/// Whose data is meant.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct DataOptions {
    /// The home folder of the server.
    #[arg(long, value_name = "FOLDER", env = "POLYAXON_HOME", hide_env_values = true)]
    pub(crate) home: Option<PathBuf>,

    /// The database, when the server does not keep its records in the home folder: postgres://… or a file.
    #[arg(long, value_name = "ADDRESS", env = "POLYAXON_DATABASE_URL", hide_env_values = true)]
    pub(crate) database: Option<String>,
}

/// Write all records and artifacts into one file. The server may run: the records are those of one moment.
///
/// The file is the same for SQLite and PostgreSQL, so it also moves data from one to the other.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    polyaxon admin backup\n  \
    polyaxon admin backup /backups/monday.tar.gz\n  \
    polyaxon admin backup records.tar.gz --no-artifacts\n\n\
    Exit codes: 0 written, 1 failed (nothing is left behind), 5 the file exists.")]
pub(crate) struct BackupArgs {
    /// The file to write (default: polyaxon-backup-DATE-TIME.tar.gz in this folder).
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// Records only: leave out outputs, logs and events.
    #[arg(long)]
    pub(crate) no_artifacts: bool,

    /// Replace the file when it exists.
    #[arg(long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) data: DataOptions,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Put the contents of a backup into an empty home, or into an empty database. The server must not run.
///
/// The whole file is verified first, and everything is put in place at the end or not at all.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    polyaxon admin restore monday.tar.gz\n  \
    polyaxon admin restore monday.tar.gz --verify\n  \
    polyaxon admin restore monday.tar.gz --database postgres://ann@db.example/polyaxon\n  \
    polyaxon admin restore monday.tar.gz --force      what is there is moved aside, and said where\n\n\
    Exit codes: 0 restored, 1 failed (nothing was changed), 2 not a backup or a damaged one, 3 no such file,\n\
    5 the place is not empty or a server runs.")]
pub(crate) struct RestoreArgs {
    /// A file that `polyaxon admin backup` has written.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Only verify the file.
    #[arg(long)]
    pub(crate) verify: bool,

    /// Restore although there is something: it is kept, beside what is restored.
    #[arg(long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) data: DataOptions,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Check the records, and the artifacts against them. The server may run.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    polyaxon admin fsck\n  \
    polyaxon admin fsck -o json\n  \
    polyaxon admin fsck --repair\n\n\
    Exit codes: 0 nothing is wrong (there may be warnings), 1 something is wrong and was not repaired.")]
pub(crate) struct FsckArgs {
    /// Repair what can be repaired without losing anything.
    #[arg(long)]
    pub(crate) repair: bool,

    #[command(flatten)]
    pub(crate) data: DataOptions,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// Bring the database to the schema of this version, as a server does when it starts; or say what that would do.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    polyaxon admin upgrade --check\n  \
    polyaxon admin upgrade\n\n\
    Exit codes: 0 nothing to do, or it can be done; 1 it cannot: a newer or a changed schema, a damaged file, no room;\n\
    5 a server runs; 6 the database cannot be reached.")]
pub(crate) struct UpgradeArgs {
    /// Change nothing: show the schema, what would be changed, and whether there is room.
    #[arg(long)]
    pub(crate) check: bool,

    #[command(flatten)]
    pub(crate) data: DataOptions,

    #[command(flatten)]
    pub(crate) format: Format,
}
