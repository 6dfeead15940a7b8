//! Brings a database to the schema that this program knows: numbered, embedded, all of them in one transaction.
//!
//! Invariants: an applied migration is never edited (its hash is recorded and compared); a file with data is copied
//! before it is changed; a newer database is refused untouched; of several servers that start at once, one migrates.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::db::connection::{Access, Connection, Patience};
use crate::db::{Place, Tx, args, first};
use crate::{Error, Result};

/// The text of every migration; its number is its place, from 1.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_initial.sql"),
    include_str!("../migrations/0002_versions.sql"),
    include_str!("../migrations/0003_executors.sql"),
    include_str!("../migrations/0004_metrics.sql"),
    include_str!("../migrations/0005_stats.sql"),
    include_str!("../migrations/0006_run_names.sql"),
    include_str!("../migrations/0007_pipelines.sql"),
    include_str!("../migrations/0008_queues.sql"),
    include_str!("../migrations/0009_cache.sql"),
    include_str!("../migrations/0010_tracks.sql"),
    include_str!("../migrations/0011_notifications.sql"),
    include_str!("../migrations/0012_events.sql"),
    include_str!("../migrations/0013_searches.sql"),
];

const VERSIONS_TABLE: &str =
    "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY, hash TEXT NOT NULL)";

/// The schema of a database against the one that this program knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// How many migrations are applied; none when there is no database yet.
    pub found: usize,
    pub known: usize,
    /// What is missing: the number of the migration, and what it is about.
    pub pending: Vec<(usize, String)>,
}

/// Compares, and changes nothing; an error when the database is newer or not one of ours.
pub(crate) fn inspect(tx: &mut dyn Tx, place: &Place) -> Result<Schema> {
    check(tx, place, MIGRATIONS).map(schema)
}

/// The schema with so many migrations applied.
pub(crate) fn schema(found: usize) -> Schema {
    let pending = (found + 1..).zip(MIGRATIONS.iter().skip(found));
    let pending = pending.map(|(version, text)| (version, title(text).to_owned())).collect();
    Schema { found, known: MIGRATIONS.len(), pending }
}

/// The first comment of a migration says what it is about.
fn title(text: &str) -> &str {
    text.lines().find_map(|line| line.strip_prefix("-- ")).unwrap_or("no description")
}

/// Brings the database of an open transaction from `from` to `to` migrations.
pub(crate) fn advance(connection: &mut Connection, from: usize, to: usize) -> Result<()> {
    let mut steps = MIGRATIONS.iter().enumerate().take(to).skip(from);
    steps.try_for_each(|(index, text)| apply(connection, index as i64 + 1, text))
}

/// The tables that so many migrations make.
pub(crate) fn tables(schema: usize) -> Vec<String> {
    let mut tables: Vec<String> = Vec::new();
    for line in MIGRATIONS.iter().take(schema).flat_map(|text| text.lines()) {
        if let Some(name) = made(line, "CREATE TABLE ") {
            tables.push(name);
        } else if let Some(name) = made(line, "DROP TABLE ") {
            tables.retain(|table| *table != name);
        }
    }
    tables
}

/// The functions that the migrations make.
pub(crate) fn functions() -> Vec<String> {
    MIGRATIONS.iter().flat_map(|text| text.lines()).filter_map(|line| made(line, "CREATE FUNCTION ")).collect()
}

fn made(line: &str, statement: &str) -> Option<String> {
    let line = line.trim_start_matches("--sqlite ").trim_start_matches("--postgres ");
    let name = line.strip_prefix(statement)?;
    Some(name.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect())
}

/// Applies what is missing. A file at `path` is copied before it is changed.
pub(crate) fn migrate(connection: &mut Connection, place: &Place) -> Result<()> {
    connection.set_patience(Patience::Endless)?;
    apply_all(connection, place, MIGRATIONS)?;
    connection.set_patience(Patience::Usual)
}

fn apply_all(connection: &mut Connection, place: &Place, migrations: &[&str]) -> Result<()> {
    let found = in_transaction(connection, |connection| check(connection.tx(), place, migrations))?;
    if found == migrations.len() {
        return Ok(());
    }
    if let (Connection::Sqlite(session), Place::File(path)) = (&*connection, place)
        && found > 0
    {
        let partial = sibling(path, &format!("schema-{found}.partial"));
        back_up(path, found, &partial, || session.copy_to(&partial))?;
    }
    in_transaction(connection, |connection| {
        // Another server may have been faster.
        let found = check(connection.tx(), place, migrations)?;
        for (index, text) in migrations.iter().enumerate().skip(found) {
            let version = index as i64 + 1;
            apply(connection, version, text).map_err(|source| Error::Migrate {
                database: place.clone(),
                version,
                source: Box::new(source),
            })?;
        }
        Ok(())
    })
}

/// Runs the closure in the one transaction that may write.
fn in_transaction<T>(connection: &mut Connection, closure: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
    connection.begin(Access::Write)?;
    let done = closure(connection).and_then(|answer| connection.commit().map(|()| answer));
    if done.is_err() {
        connection.roll_back();
    }
    done
}

/// How many of the migrations are applied; an error when the database is not one that these made.
fn check(tx: &mut dyn Tx, place: &Place, migrations: &[&str]) -> Result<usize> {
    let exists = tx.dialect().table_exists();
    if first(tx, exists, args!["schema_version"])?.is_none() {
        return Ok(0);
    }
    let applied = tx.query("SELECT hash FROM schema_version ORDER BY version", &[])?;
    let (found, known) = (applied.len(), migrations.len());
    if found > known {
        return Err(Error::NewerSchema { database: place.clone(), found: found as i64, known: known as i64 });
    }
    for (index, (mut row, text)) in applied.into_iter().zip(migrations).enumerate() {
        if row.take::<String>()? != hash(text) {
            return Err(Error::EditedMigration { database: place.clone(), version: index as i64 + 1 });
        }
    }
    Ok(found)
}

fn apply(connection: &mut Connection, version: i64, text: &str) -> Result<()> {
    connection.script(VERSIONS_TABLE)?;
    let sql = connection.tx().dialect().migration(text);
    connection.script(&sql)?;
    let sql = "INSERT INTO schema_version (version, hash) VALUES (?1, ?2)";
    connection.tx().execute(sql, args![version, hash(text)]).map(drop)
}

/// Copies the whole database beside itself; a copy of the same schema is replaced.
fn back_up(path: &Path, version: usize, partial: &Path, copy: impl FnOnce() -> Result<()>) -> Result<()> {
    let backup = sibling(path, &format!("schema-{version}.backup"));
    let failed = |source: Error| Error::Backup { backup: backup.clone(), source: Box::new(source) };
    let unwritable = |_| failed(Error::ReadOnly { database: Place::from(partial) });
    if partial.exists() {
        std::fs::remove_file(partial).map_err(unwritable)?;
    }
    copy().map_err(failed)?;
    std::fs::rename(partial, &backup).map_err(unwritable)
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
    use crate::db::sqlite;

    /// Never change a hash here: add a migration instead.
    const RELEASED: &[&str] = &[
        "4b34e0763a7b544a826d645638aa5a70",
        "9a02d12c34845eefb1edf19a19863fba",
        "f2c68d9327c8596c84e4e37663c4e50e",
        "650765bd25b1530c846a38d08442561d",
        "40eaca292c9d523ba1a6b3a870ab6128",
        "10ca0eacd0e65769a07cbd59c17ab27e",
        "480ba3b383555acc83e78c5330cb269c",
        "bd373e35ceee5fbc9ef75b5f5c3ee934",
        "a750eadfb4135a2e8a6780b497281002",
        "e9c6756f0d5459ca89ad70b073a48a22",
        "b89efa5396f6534d85ae083800c7e95d",
        "b121db32e93d5d3e938de1232fb06a0f",
        "76b254ce441559129ba70d9486bed6c5",
    ];

    const FIRST: &str = "CREATE TABLE things (id {pk}, name TEXT);";
    const SECOND: &str = "ALTER TABLE things ADD COLUMN size BIGINT;";

    fn database(folder: &tempfile::TempDir, migrations: &[&str]) -> Result<Connection> {
        let path = folder.path().join("polyaxon.db");
        let mut connection = Connection::Sqlite(sqlite::Session::open(&path, Access::Write)?);
        apply_all(&mut connection, &Place::from(path.as_path()), migrations)?;
        Ok(connection)
    }

    #[test]
    fn applied_migrations_are_never_edited() {
        assert_eq!(MIGRATIONS.iter().map(|text| hash(text)).collect::<Vec<_>>(), RELEASED);
    }

    #[test]
    fn an_old_database_is_copied_and_then_changed() {
        let folder = tempfile::tempdir().unwrap();
        let mut old = database(&folder, &[FIRST]).unwrap();
        old.script("INSERT INTO things (name) VALUES ('kept')").unwrap();
        drop(old);
        let mut new = database(&folder, &[FIRST, SECOND]).unwrap();
        let mut row = first(new.tx(), "SELECT name, size FROM things", &[]).unwrap().unwrap();
        let kept: (String, Option<i64>) = (row.take().unwrap(), row.take().unwrap());
        assert_eq!(kept, ("kept".to_owned(), None));
        let backup = rusqlite::Connection::open(folder.path().join("polyaxon.db.schema-1.backup")).unwrap();
        assert_eq!(backup.query_row("SELECT count(*) FROM things", [], |row| row.get::<_, i64>(0)).unwrap(), 1);
        assert!(backup.prepare("SELECT size FROM things").is_err());
    }

    #[test]
    fn newer_and_edited_schemas_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        drop(database(&folder, &[FIRST, SECOND]).unwrap());
        let newer = database(&folder, &[FIRST]).err().unwrap();
        assert!(newer.to_string().contains("newer version of this program (schema 2, this one knows 1)"), "{newer}");
        let edited = database(&folder, &[FIRST, "SELECT 1;"]).err().unwrap();
        assert!(edited.to_string().contains("another text of migration 2"), "{edited}");
    }

    #[test]
    fn a_migration_that_fails_leaves_the_old_schema() {
        let folder = tempfile::tempdir().unwrap();
        drop(database(&folder, &[FIRST]).unwrap());
        let error =
            database(&folder, &[FIRST, "ALTER TABLE things ADD COLUMN a TEXT; SELECT nonsense;"]).err().unwrap();
        assert!(matches!(error, Error::Migrate { version: 2, .. }), "{error}");
        let mut same = database(&folder, &[FIRST]).unwrap();
        assert!(same.tx().query("SELECT a FROM things", &[]).is_err());
    }
}
