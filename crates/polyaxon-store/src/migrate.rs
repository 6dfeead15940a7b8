//! Brings a database to the schema that this program knows: numbered, embedded, one transaction each.
//!
//! Invariants: an applied migration is never edited (its hash is recorded and compared); a database with data is
//! copied before it is changed; a newer database is refused untouched.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use uuid::Uuid;

use crate::db::sqlite::explain;
use crate::{Error, Result};

/// The text of every migration; its number is its place, from 1.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_initial.sql"),
    include_str!("../migrations/0002_versions.sql"),
    include_str!("../migrations/0003_executors.sql"),
    include_str!("../migrations/0004_metrics.sql"),
    include_str!("../migrations/0005_stats.sql"),
];

/// What the placeholders of migrations mean to SQLite.
const PLACEHOLDERS: &[(&str, &str)] = &[
    ("{pk}", "INTEGER PRIMARY KEY"),
    ("{json}", "TEXT"),
    // The rows live in the primary key.
    ("{clustered}", "WITHOUT ROWID"),
    // Lines that other databases read as comments.
    ("--sqlite ", ""),
];

const VERSIONS_TABLE: &str =
    "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY, hash TEXT NOT NULL)";

/// Applies what is missing.
pub(crate) fn migrate(connection: &mut Connection, path: &Path) -> Result<()> {
    apply_all(connection, path, MIGRATIONS)
}

fn apply_all(connection: &mut Connection, path: &Path, migrations: &[&str]) -> Result<()> {
    let applied = applied(connection).map_err(|source| explain(path, source))?;
    let known = migrations.len() as i64;
    let found = applied.len() as i64;
    if found > known {
        return Err(Error::NewerSchema { path: path.to_owned(), found, known });
    }
    for ((index, recorded), text) in applied.iter().enumerate().zip(migrations) {
        if *recorded != hash(text) {
            return Err(Error::EditedMigration { path: path.to_owned(), version: index as i64 + 1 });
        }
    }
    if found > 0 && found < known {
        back_up(connection, path, found)?;
    }
    for (index, text) in migrations.iter().enumerate().skip(applied.len()) {
        let version = index as i64 + 1;
        apply(connection, version, text).map_err(|source| Error::Migrate {
            path: path.to_owned(),
            version,
            source: Box::new(explain(path, source)),
        })?;
    }
    Ok(())
}

/// The hashes of the applied migrations, in order.
fn applied(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let exists = connection.table_exists(None, "schema_version")?;
    if !exists {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare("SELECT hash FROM schema_version ORDER BY version")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

fn apply(connection: &mut Connection, version: i64, text: &str) -> rusqlite::Result<()> {
    let sql = PLACEHOLDERS.iter().fold(text.to_owned(), |sql, (name, meaning)| sql.replace(name, meaning));
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    transaction.execute(VERSIONS_TABLE, [])?;
    transaction.execute_batch(&sql)?;
    transaction.execute("INSERT INTO schema_version (version, hash) VALUES (?1, ?2)", (version, hash(text)))?;
    transaction.commit()
}

/// Copies the whole database beside itself; a copy of the same schema is replaced.
fn back_up(connection: &Connection, path: &Path, version: i64) -> Result<()> {
    let backup = sibling(path, &format!("schema-{version}.backup"));
    let partial = sibling(path, &format!("schema-{version}.partial"));
    let failed = |source: Error| Error::Backup { backup: backup.clone(), source: Box::new(source) };
    let unwritable = |_| failed(Error::ReadOnly { path: partial.clone() });
    if partial.exists() {
        std::fs::remove_file(&partial).map_err(unwritable)?;
    }
    connection
        .execute("VACUUM INTO ?1", [partial.to_string_lossy()])
        .map_err(|source| failed(explain(&partial, source)))?;
    std::fs::rename(&partial, &backup).map_err(unwritable)
}

fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let name = path.file_name().map_or("polyaxon.db".into(), |name| name.to_string_lossy());
    path.with_file_name(format!("{name}.{suffix}"))
}

fn hash(text: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).simple().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::sqlite::{self, Access};

    /// Never change a hash here: add a migration instead.
    const RELEASED: &[&str] = &[
        "4b34e0763a7b544a826d645638aa5a70",
        "9a02d12c34845eefb1edf19a19863fba",
        "f2c68d9327c8596c84e4e37663c4e50e",
        "650765bd25b1530c846a38d08442561d",
        "40eaca292c9d523ba1a6b3a870ab6128",
    ];

    const FIRST: &str = "CREATE TABLE things (id {pk}, name TEXT);";
    const SECOND: &str = "ALTER TABLE things ADD COLUMN size BIGINT;";

    fn database(folder: &tempfile::TempDir, migrations: &[&str]) -> Result<Connection> {
        let path = folder.path().join("polyaxon.db");
        let mut connection = sqlite::open(&path, Access::Write)?;
        apply_all(&mut connection, &path, migrations)?;
        Ok(connection)
    }

    #[test]
    fn applied_migrations_are_never_edited() {
        assert_eq!(MIGRATIONS.iter().map(|text| hash(text)).collect::<Vec<_>>(), RELEASED);
    }

    #[test]
    fn an_old_database_is_copied_and_then_changed() {
        let folder = tempfile::tempdir().unwrap();
        let old = database(&folder, &[FIRST]).unwrap();
        old.execute("INSERT INTO things (name) VALUES ('kept')", []).unwrap();
        drop(old);
        let new = database(&folder, &[FIRST, SECOND]).unwrap();
        let kept: (String, Option<i64>) =
            new.query_row("SELECT name, size FROM things", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert_eq!(kept, ("kept".to_owned(), None));
        let backup = Connection::open(folder.path().join("polyaxon.db.schema-1.backup")).unwrap();
        assert_eq!(backup.query_row("SELECT count(*) FROM things", [], |row| row.get::<_, i64>(0)).unwrap(), 1);
        assert!(backup.prepare("SELECT size FROM things").is_err());
    }

    #[test]
    fn newer_and_edited_schemas_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        drop(database(&folder, &[FIRST, SECOND]).unwrap());
        let newer = database(&folder, &[FIRST]).unwrap_err();
        assert!(newer.to_string().contains("newer version of this program (schema 2, this one knows 1)"), "{newer}");
        let edited = database(&folder, &[FIRST, "SELECT 1;"]).unwrap_err();
        assert!(edited.to_string().contains("another text of migration 2"), "{edited}");
    }

    #[test]
    fn a_migration_that_fails_leaves_the_old_schema() {
        let folder = tempfile::tempdir().unwrap();
        drop(database(&folder, &[FIRST]).unwrap());
        let error = database(&folder, &[FIRST, "ALTER TABLE things ADD COLUMN a TEXT; SELECT nonsense;"]).unwrap_err();
        assert!(matches!(error, Error::Migrate { version: 2, .. }), "{error}");
        let same = database(&folder, &[FIRST]).unwrap();
        assert!(same.prepare("SELECT a FROM things").is_err());
    }
}
