//! Fills a database with the parts of a [`crate::dump`], in one transaction: all of it, or nothing.
//!
//! Invariant: records that were there before are refused or kept aside, never mixed or deleted.

use std::time::Duration;

use polyaxon_model::time::Timestamp;
use serde_json::Value as Json;

use crate::db::connection::{Access, Connection, Patience};
use crate::db::{Dialect, Place, Value, args, first, scalar};
use crate::dump::{columns, find, from_json};
use crate::{Error, Options, Result, migrate};

/// Arguments of one statement.
const MAX_ARGUMENTS: usize = 2000;

/// A server that was seen so recently lives.
const ALIVE: Duration = Duration::from_mins(1);

/// What becomes of records that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    Refuse,
    /// In a schema beside the new one.
    KeepAside,
}

/// A database that is being filled. Dropping it undoes everything.
pub struct Load {
    connection: Connection,
    place: Place,
    schema: usize,
    /// The schema of the server that keeps what was there.
    aside: Option<String>,
}

impl Load {
    /// Begins to fill the database at an address or path, with records of an older or the same schema.
    pub fn begin(url: &str, options: Options, schema: usize, existing: Existing, now: Timestamp) -> Result<Load> {
        let database = find(url, options)?;
        let place = database.place();
        let known = migrate::schema(0).known;
        if schema > known {
            return Err(Error::NewerSchema { database: place, found: schema as i64, known: known as i64 });
        }
        let mut connection = database.connect(Access::Write)?;
        connection.set_patience(Patience::Endless)?;
        connection.begin(Access::Write)?;
        let mut load = Load { connection, place, schema, aside: None };
        load.make_room(existing, now)?;
        migrate::advance(&mut load.connection, 0, schema)?;
        let defer = load.dialect().defer_references();
        load.connection.script(defer)?;
        // What migrations put there is in the parts as well.
        for table in migrate::tables(schema) {
            load.connection.tx().execute(&format!("DELETE FROM {table}"), &[])?;
        }
        Ok(load)
    }

    /// The name of what keeps the records that were there.
    pub fn aside(&self) -> Option<&str> {
        self.aside.as_deref()
    }

    fn dialect(&mut self) -> Dialect {
        self.connection.tx().dialect()
    }

    /// Writes the rows of a part; tells how many there were.
    pub fn part(&mut self, table: &str, text: &str) -> Result<u64> {
        let broken = |message: String| Error::Part { table: table.to_owned(), message };
        if !migrate::tables(self.schema).iter().any(|known| known == table) {
            return Err(broken("there is no such table".to_owned()));
        }
        let mut lines = text.lines();
        let names: Vec<String> = serde_json::from_str(lines.next().unwrap_or_default())
            .map_err(|error| broken(format!("its columns cannot be read: {error}")))?;
        let known = columns(self.connection.tx(), table)?;
        if let Some(name) = names.iter().find(|name| !known.contains(name)) {
            return Err(broken(format!("there is no column `{name}`")));
        }
        let rows = MAX_ARGUMENTS / names.len().max(1);
        let mut count = 0;
        let mut pending: Vec<Value> = Vec::with_capacity(MAX_ARGUMENTS);
        for (number, line) in lines.enumerate() {
            let cells: Vec<Json> = serde_json::from_str(line).unwrap_or_default();
            let values: Option<Vec<Value>> = cells.into_iter().map(from_json).collect();
            match values {
                Some(values) if values.len() == names.len() => pending.extend(values),
                _ => return Err(broken(format!("row {} of a part cannot be read", number + 1))),
            }
            count += 1;
            if count % rows.max(1) as u64 == 0 {
                self.insert(table, &names, &mut pending)?;
            }
        }
        self.insert(table, &names, &mut pending)?;
        Ok(count)
    }

    fn insert(&mut self, table: &str, names: &[String], values: &mut Vec<Value>) -> Result<()> {
        if values.is_empty() {
            return Ok(());
        }
        let row = |first: usize| {
            let places: Vec<String> = (first + 1..=first + names.len()).map(|place| format!("?{place}")).collect();
            format!("({})", places.join(", "))
        };
        let rows: Vec<String> = (0..values.len()).step_by(names.len()).map(row).collect();
        let sql = format!("INSERT INTO {table} ({}) VALUES {}", names.join(", "), rows.join(", "));
        self.connection.tx().execute(&sql, values)?;
        values.clear();
        Ok(())
    }

    /// Brings what was loaded to the schema of this program. Nobody sees it before [`Load::commit`].
    pub fn finish(&mut self) -> Result<()> {
        let dialect = self.dialect();
        self.connection.script(dialect.check_references())?;
        let known = migrate::schema(0).known;
        migrate::advance(&mut self.connection, self.schema, known)?;
        // The servers of the copy are elsewhere; what is theirs goes to others, unless they come back.
        self.connection.tx().execute("UPDATE servers SET seen_at = 0", &[])?;
        for table in migrate::tables(known) {
            if first(self.connection.tx(), dialect.has_counter(), args![table.as_str()])?.is_some() {
                self.connection.tx().query(&dialect.set_counter(&table), &[])?;
            }
        }
        Ok(())
    }

    pub fn commit(mut self) -> Result<()> {
        self.connection.commit()
    }

    /// Refuses a database with records, or moves them out of the way.
    fn make_room(&mut self, existing: Existing, now: Timestamp) -> Result<()> {
        let tx = self.connection.tx();
        let exists = tx.dialect().table_exists();
        if first(tx, exists, args!["schema_version"])?.is_none() {
            return Ok(());
        }
        let database = self.place.clone();
        let mut count = |table: &str| match first(tx, exists, args![table])? {
            Some(_) => Ok(scalar(tx, &format!("SELECT count(*) FROM {table}"), &[])?.unwrap_or(0)),
            None => Ok::<i64, Error>(0),
        };
        let (runs, projects) = (count("runs")?, count("projects")?);
        if first(tx, exists, args!["servers"])?.is_some() {
            let sql = "SELECT address FROM servers WHERE seen_at > ?1 ORDER BY seen_at DESC LIMIT 1";
            let oldest = Timestamp::from_micros(now.as_micros() - ALIVE.as_micros() as i64);
            if let Some(address) = scalar::<String>(tx, sql, args![oldest])? {
                return Err(Error::Served { database, address });
            }
        }
        let is_empty = runs == 0 && projects == 0;
        // A file is filled beside the one that it replaces.
        if tx.dialect() == Dialect::Sqlite || (!is_empty && existing == Existing::Refuse) {
            return Err(Error::NotEmpty { database, runs, projects });
        }
        let mut tables = migrate::tables(migrate::schema(0).known);
        tables.push("schema_version".to_owned());
        let aside = format!("before_restore_{}", now.as_micros());
        if !is_empty {
            self.connection.script(&format!("CREATE SCHEMA {aside}"))?;
        }
        for table in tables {
            if first(self.connection.tx(), exists, args![table.as_str()])?.is_some() {
                self.connection.script(&if is_empty {
                    format!("DROP TABLE {table} CASCADE")
                } else {
                    format!("ALTER TABLE {table} SET SCHEMA {aside}")
                })?;
            }
        }
        for function in migrate::functions() {
            self.connection.script(&if is_empty {
                format!("DROP FUNCTION IF EXISTS {function}()")
            } else {
                format!("ALTER FUNCTION {function}() SET SCHEMA {aside}")
            })?;
        }
        self.aside = (!is_empty).then_some(aside);
        Ok(())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.connection.roll_back();
    }
}
