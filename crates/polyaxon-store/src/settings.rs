//! Facts about this database: small named values, and the id it got when it was created.

use polyaxon_model::ids::InstallationId;

use crate::db::{Tx, args, scalar};
use crate::{Error, Result};

const INSTALLATION: &str = "installation";

/// The id of this database; `fresh` becomes it when there is none yet.
pub fn installation(tx: &mut dyn Tx, fresh: InstallationId) -> Result<InstallationId> {
    tx.execute(
        "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING",
        args![INSTALLATION, fresh.to_string()],
    )?;
    let text = get(tx, INSTALLATION)?.unwrap_or_default();
    text.parse()
        .map_err(|error: polyaxon_model::ids::InvalidId| Error::Corrupt { column: 0, message: error.to_string() })
}

/// A named value.
pub fn get(tx: &mut dyn Tx, name: &str) -> Result<Option<String>> {
    scalar(tx, "SELECT value FROM settings WHERE name = ?1", args![name])
}

/// Sets a named value.
pub fn set(tx: &mut dyn Tx, name: &str, value: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        args![name, value],
    )?;
    Ok(())
}
