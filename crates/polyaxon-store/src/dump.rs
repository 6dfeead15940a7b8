//! Every record as text, the same for both databases, so that a copy of one can be loaded into the other.
//!
//! A part of a table is lines of JSON: the names of the columns, then an array a row. Invariants: all parts are of one
//! state of the database; servers go on meanwhile.

use std::io;

use serde_json::{Value as Json, json};

use crate::db::connection::{Access, Connection, Database, Patience};
use crate::db::postgres::server::Server;
use crate::db::postgres::{Address, is_address};
use crate::db::{Place, Tx, Value, args, scalar};
use crate::migrate::{self, Schema};
use crate::{Error, Options, Result};

/// The text of a part; a row more makes it larger.
const PART_BYTES: usize = 2 << 20;

/// Tables that are not copied: a new database has its own.
const LEFT_OUT: &[&str] = &["run_changes"];

/// A piece of a table.
#[derive(Debug)]
pub struct Part<'a> {
    pub table: &'a str,
    /// From 1, anew for each table.
    pub number: usize,
    pub rows: u64,
    pub text: &'a [u8],
}

/// What was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dumped {
    pub schema: usize,
    /// Tables and how many rows they have.
    pub tables: Vec<(String, u64)>,
}

/// The schema of the database at an address or path; changes nothing.
pub fn inspect(url: &str, options: Options) -> Result<Schema> {
    let database = find(url, options)?;
    if let Database::File(path) = &database
        && !path.exists()
    {
        return Ok(migrate::schema(0));
    }
    reading(&database, |tx, place| migrate::inspect(tx, place))
}

/// How many runs and projects there are; none when there is no database yet.
pub fn sizes(url: &str, options: Options) -> Result<(i64, i64)> {
    if inspect(url, options)?.found == 0 {
        return Ok((0, 0));
    }
    reading(&find(url, options)?, |tx, _| {
        let mut count = |table| scalar(tx, &format!("SELECT count(*) FROM {table}"), &[]);
        Ok((count("runs")?.unwrap_or(0), count("projects")?.unwrap_or(0)))
    })
}

/// Which database is meant by an address or path, without a password.
pub fn place(url: &str) -> Result<Place> {
    if is_address(url) { Ok(Address::parse(url)?.place) } else { Ok(Place::File(url.into())) }
}

/// Passes every record of the database at an address or path to `sink`.
pub fn dump(url: &str, options: Options, sink: &mut dyn FnMut(&Part<'_>) -> io::Result<()>) -> Result<Dumped> {
    reading(&find(url, options)?, |tx, place| {
        let schema = migrate::inspect(tx, place)?.found;
        let mut tables = Vec::new();
        for table in migrate::tables(schema) {
            if !LEFT_OUT.contains(&table.as_str()) {
                let rows = dump_table(tx, &table, sink)?;
                tables.push((table, rows));
            }
        }
        Ok(Dumped { schema, tables })
    })
}

fn dump_table(tx: &mut dyn Tx, table: &str, sink: &mut dyn FnMut(&Part<'_>) -> io::Result<()>) -> Result<u64> {
    let columns = columns(tx, table)?;
    let mut text = header(&columns);
    let (mut number, mut rows, mut all_rows) = (1, 0, 0);
    let mut outcome = Ok(());
    tx.visit(&format!("SELECT {} FROM {table}", columns.join(", ")), &[], &mut |values| {
        if outcome.is_err() {
            return;
        }
        let row: Vec<Json> = values.iter().map(to_json).collect();
        text.push_str(&Json::Array(row).to_string());
        text.push('\n');
        rows += 1;
        if text.len() >= PART_BYTES {
            outcome = sink(&Part { table, number, rows, text: text.as_bytes() });
            all_rows += rows;
            (number, rows) = (number + 1, 0);
            text = header(&columns);
        }
    })?;
    if rows > 0 || number == 1 {
        outcome = outcome.and_then(|()| sink(&Part { table, number, rows, text: text.as_bytes() }));
    }
    outcome.map_err(|source| Error::Copy { source }).map(|()| all_rows + rows)
}

fn header(columns: &[String]) -> String {
    format!("{}\n", json!(columns))
}

pub(crate) fn columns(tx: &mut dyn Tx, table: &str) -> Result<Vec<String>> {
    let sql = tx.dialect().columns();
    tx.query(sql, args![table])?.into_iter().map(|mut row| row.take()).collect()
}

/// Numbers with a point are texts, so that none of their bits is lost.
fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(number) => (*number).into(),
        Value::Float(number) => json!({ "float": number.to_string() }),
        Value::Text(text) => Json::String(text.clone()),
    }
}

pub(crate) fn from_json(json: Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => Value::Int(number.as_i64()?),
        Json::String(text) => Value::Text(text),
        Json::Object(float) => Value::Float(float.get("float")?.as_str()?.parse().ok()?),
        Json::Array(_) => return None,
    })
}

/// The database at an address or path; one that is a server is waited for.
pub(crate) fn find(url: &str, options: Options) -> Result<Database> {
    if !is_address(url) {
        return Ok(Database::File(url.into()));
    }
    let server = Server::new(Address::parse(url)?)?;
    server.wait(options.patience)?;
    Ok(Database::Server(server.into()))
}

/// Reads one state for as long as it takes.
pub(crate) fn reading<T>(database: &Database, closure: impl FnOnce(&mut dyn Tx, &Place) -> Result<T>) -> Result<T> {
    let mut connection: Connection = database.connect(Access::Read)?;
    connection.set_patience(Patience::Endless)?;
    connection.begin(Access::Read)?;
    let answer = closure(connection.tx(), &database.place());
    connection.roll_back();
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_as_they_were() {
        for value in [
            Value::Null,
            Value::Bool(true),
            Value::Int(i64::MIN),
            Value::Float(0.1 + 0.2),
            Value::Float(f64::NEG_INFINITY),
            Value::Float(5.0),
            Value::Text("{\"float\":\"1\"}\n".to_owned()),
        ] {
            assert_eq!(from_json(to_json(&value)), Some(value));
        }
        assert!(matches!(from_json(to_json(&Value::Float(f64::NAN))), Some(Value::Float(number)) if number.is_nan()));
        assert_eq!(from_json(json!([1])), None);
        assert_eq!(from_json(json!({ "float": "many" })), None);
    }
}
