//! `polyaxon admin upgrade`: what a start of this version would do to the database, or doing it.

use polyaxon_store::dump::inspect;
use polyaxon_store::{Options, Schema, Store};
use serde_json::json;

use super::{Data, free_bytes, size, stored};
use crate::args::admin::UpgradeArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::table::Table;
use crate::output::{Human, Output};
use crate::session::Context;

pub(super) fn run(context: &Context, args: &UpgradeArgs) -> Result<Exit, Failure> {
    let data = Data::find(&args.data)?;
    let options = Options::default();
    let schema = inspect(&data.database, options).map_err(stored)?;
    let plan = Plan::of(&data, &schema);
    if plan.needed > plan.free.unwrap_or(u64::MAX) {
        plan.print(context, args, &schema, "no room")?;
        return Ok(Exit::Failure);
    }
    if args.check || schema.pending.is_empty() {
        let outcome = if schema.pending.is_empty() { "nothing to do" } else { "can be upgraded" };
        plan.print(context, args, &schema, outcome)?;
        return Ok(Exit::Ok);
    }
    data.refuse_served("it upgrades the database itself when it starts with this version")?;
    data.home.create_local()?;
    drop(Store::open_url(&data.database, options).map_err(stored)?);
    plan.print(context, args, &schema, "upgraded")?;
    Ok(Exit::Ok)
}

/// What an upgrade takes.
struct Plan {
    place: String,
    /// Whether the file is copied before it is changed.
    is_copied: bool,
    bytes: u64,
    needed: u64,
    /// Unknown for a database server.
    free: Option<u64>,
}

impl Plan {
    fn of(data: &Data, schema: &Schema) -> Plan {
        let path = std::path::Path::new(&data.database);
        let is_file = !data.database.starts_with("postgres");
        let bytes = if is_file { std::fs::metadata(path).map_or(0, |metadata| metadata.len()) } else { 0 };
        let is_copied = is_file && schema.found > 0 && !schema.pending.is_empty();
        // The copy, and the pages that the change writes before the old ones are free.
        let needed = if is_copied { bytes * 2 } else { 0 };
        Plan { place: data.place(), is_copied, bytes, needed, free: if is_file { free_bytes(path) } else { None } }
    }

    fn print(&self, context: &Context, args: &UpgradeArgs, schema: &Schema, outcome: &str) -> Result<(), Failure> {
        let mut table = Table::pairs();
        table.pair("outcome", outcome);
        table.pair("version", env!("CARGO_PKG_VERSION"));
        table.pair("database", &self.place);
        table.pair(
            "schema",
            match schema.found {
                0 => format!("none yet, this version makes {}", schema.known),
                found => format!("{found}, this version knows {}", schema.known),
            },
        );
        for (version, title) in &schema.pending {
            table.pair(&format!("migration {version}"), title);
        }
        if self.is_copied {
            table.pair("backup", format!("{}.schema-{}.backup", self.place, schema.found));
            table.pair(
                "room",
                format!(
                    "{} needed, {} free",
                    size(self.needed),
                    self.free.map_or_else(|| "an unknown number".to_owned(), size)
                ),
            );
        } else if !schema.pending.is_empty() && schema.found > 0 {
            table.pair("backup", "none is taken of a database server: polyaxon admin backup takes one");
        }
        let pending: Vec<_> =
            schema.pending.iter().map(|(version, title)| json!({ "version": version, "title": title })).collect();
        let json = json!({
            "outcome": outcome, "version": env!("CARGO_PKG_VERSION"), "database": self.place, "bytes": self.bytes,
            "schema": { "found": schema.found, "known": schema.known }, "pending": pending,
            "backup": self.is_copied, "needed_bytes": self.needed, "free_bytes": self.free,
        });
        let names = schema.pending.iter().map(|(version, _)| version.to_string()).collect();
        context.printer.data(&Output { json, human: Human::Table(table), names }, &args.format.output)
    }
}
