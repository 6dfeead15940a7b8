//! `polyaxon admin`: backups, restores, checks and upgrades of the data of a server.

mod backup;
mod fsck;
mod restore;
mod upgrade;

use std::error::Error as StdError;

use polyaxon_model::time::Timestamp;
use polyaxon_store::dump;

use crate::args::admin::{AdminArgs, AdminCommand, DataOptions};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::local::find::{Found, find};
use crate::local::home::Home;
use crate::session::Context;

pub(crate) fn run(context: &Context, args: AdminArgs) -> Result<Exit, Failure> {
    match args.command {
        AdminCommand::Backup(args) => backup::run(context, &args),
        AdminCommand::Restore(args) => restore::run(context, &args),
        AdminCommand::Fsck(args) => fsck::run(context, &args),
        AdminCommand::Upgrade(args) => upgrade::run(context, &args),
        AdminCommand::Deploy(_) => Err(Failure::unsupported("admin deploy")),
        AdminCommand::Teardown(_) => Err(Failure::unsupported("admin teardown")),
        AdminCommand::CleanOps(_) => Err(Failure::unsupported("admin clean-ops")),
        AdminCommand::Dashboard(_) => Err(Failure::unsupported("admin dashboard")),
    }
}

/// The data of a server: its home and its database.
struct Data {
    home: Home,
    /// An address or a path.
    database: String,
    /// Whether the database is the file in the home folder.
    is_own: bool,
    /// Whether a server of this home runs.
    is_served: bool,
}

impl Data {
    /// A server that runs with another database would be misunderstood, so that is refused.
    fn find(options: &DataOptions) -> Result<Data, Failure> {
        let home = Home::find(options.home.as_deref())?;
        let own = home.layout().database().display().to_string();
        let database = options.database.clone().unwrap_or_else(|| own.clone());
        let is_own = database == own;
        let place = dump::place(&database).map_err(stored)?.to_string();
        let found = find(&home)?;
        if let Found::Live(record) = &found
            && !record.database.is_empty()
            && record.database != place
        {
            return Err(Failure::usage(format!(
                "the server of home {} keeps its records in {}, not in {place}",
                home.root().display(),
                record.database
            ))
            .help("name that database with --database or POLYAXON_DATABASE_URL"));
        }
        Ok(Data { home, database, is_own, is_served: found != Found::Absent })
    }

    fn place(&self) -> String {
        dump::place(&self.database).map_or_else(|_| self.database.clone(), |place| place.to_string())
    }

    /// What must not happen while a server runs.
    fn refuse_served(&self, what: &str) -> Result<(), Failure> {
        if !self.is_served {
            return Ok(());
        }
        Err(Failure::new(format!("a server runs for home {}: {what}", self.home.root().display()))
            .exit(Exit::Conflict)
            .help("stop it first: polyaxon server stop; jobs keep running"))
    }

    /// A database of this home or none: a mistyped folder is not a place to look for mistakes in.
    fn expect_database(&self) -> Result<(), Failure> {
        if self.is_own && !self.home.layout().database().exists() {
            return Err(Failure::new(format!("there is no database in home {}", self.home.root().display()))
                .exit(Exit::NotFound)
                .help("name the home of the server with --home, or its database with --database"));
        }
        Ok(())
    }
}

/// An error of the store as a failure with its causes and its exit code.
fn stored(error: polyaxon_store::Error) -> Failure {
    let failure = caused(&error);
    match error {
        polyaxon_store::Error::Unavailable { .. } => failure.exit(Exit::Unreachable),
        polyaxon_store::Error::Address(_) => failure.exit(Exit::Usage),
        polyaxon_store::Error::NotEmpty { .. } => failure
            .exit(Exit::Conflict)
            .help("restore into an empty database, or add --force: what is there is kept in a schema beside it"),
        polyaxon_store::Error::Served { .. } => failure.exit(Exit::Conflict),
        _ => failure,
    }
}

fn caused(error: &dyn StdError) -> Failure {
    let mut failure = Failure::new(error.to_string());
    let mut source = error.source();
    while let Some(cause) = source {
        failure = failure.cause(cause.to_string());
        source = cause.source();
    }
    failure
}

fn now() -> Timestamp {
    Timestamp::from_micros(jiff::Timestamp::now().as_microsecond())
}

/// A moment as part of a file name.
fn stamp() -> String {
    jiff::Zoned::now().strftime("%Y%m%d-%H%M%S").to_string()
}

/// A number of bytes for people.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    let mut number = bytes as f64;
    let mut name = "B";
    for unit in UNITS {
        if number < 1000.0 {
            break;
        }
        (number, name) = (number / 1000.0, unit);
    }
    if name == "B" { format!("{bytes} B") } else { format!("{number:.1} {name}") }
}

/// Free bytes on the disk of a folder, or of the nearest one above it that exists.
fn free_bytes(folder: &std::path::Path) -> Option<u64> {
    let place = folder.ancestors().find(|folder| folder.exists())?;
    let disk = rustix::fs::statvfs(place).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}
