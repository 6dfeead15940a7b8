//! What the databases say differently about their own tables: for copies, restores and checks.

use super::Dialect;

impl Dialect {
    /// The columns of the table `?1`, in their order.
    pub(crate) fn columns(self) -> &'static str {
        match self {
            Dialect::Sqlite => "SELECT name FROM pragma_table_info(?1)",
            Dialect::Postgres => {
                "SELECT CAST(column_name AS TEXT) FROM information_schema.columns \
                 WHERE table_schema = current_schema() AND table_name = CAST(?1 AS TEXT) ORDER BY ordinal_position"
            }
        }
    }

    /// Whether the table `?1` numbers its rows by a counter; a row when it does.
    pub(crate) fn has_counter(self) -> &'static str {
        match self {
            // A new row gets the greatest number plus one.
            Dialect::Sqlite => "SELECT 1 WHERE ?1 IS NULL",
            Dialect::Postgres => {
                "SELECT 1 FROM information_schema.columns WHERE column_name = 'id' AND is_identity = 'YES' \
                 AND table_schema = current_schema() AND table_name = CAST(?1 AS TEXT)"
            }
        }
    }

    /// Sets the counter of a table behind the greatest number in it.
    pub(crate) fn set_counter(self, table: &str) -> String {
        match self {
            Dialect::Sqlite => "SELECT 1".to_owned(),
            Dialect::Postgres => format!(
                "SELECT setval(pg_get_serial_sequence('{table}', 'id'), \
                 (SELECT coalesce(max(id), 0) + 1 FROM {table}), FALSE)"
            ),
        }
    }

    /// Lets rows come before those that they refer to, until [`Dialect::check_references`].
    pub(crate) fn defer_references(self) -> &'static str {
        match self {
            Dialect::Sqlite => "PRAGMA defer_foreign_keys = ON",
            Dialect::Postgres => {
                "DO $$ DECLARE found RECORD; BEGIN \
                 FOR found IN SELECT CAST(conrelid AS REGCLASS) AS place, conname FROM pg_constraint \
                 WHERE contype = 'f' AND connamespace = to_regnamespace(current_schema()) LOOP \
                 EXECUTE format('ALTER TABLE %s ALTER CONSTRAINT %I DEFERRABLE INITIALLY DEFERRED', \
                 found.place, found.conname); END LOOP; END $$"
            }
        }
    }

    /// Fails when a row refers to one that is not there.
    pub(crate) fn check_references(self) -> &'static str {
        match self {
            // The end of the transaction looks.
            Dialect::Sqlite => "",
            Dialect::Postgres => {
                "SET CONSTRAINTS ALL IMMEDIATE; DO $$ DECLARE found RECORD; BEGIN \
                 FOR found IN SELECT CAST(conrelid AS REGCLASS) AS place, conname FROM pg_constraint \
                 WHERE contype = 'f' AND connamespace = to_regnamespace(current_schema()) LOOP \
                 EXECUTE format('ALTER TABLE %s ALTER CONSTRAINT %I NOT DEFERRABLE', found.place, found.conname); \
                 END LOOP; END $$"
            }
        }
    }

    /// Complaints of the database about itself, one text a row.
    pub(crate) fn self_check(self) -> &'static str {
        match self {
            Dialect::Sqlite => "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
            Dialect::Postgres => {
                "SELECT 'the index ' || CAST(indexrelid AS REGCLASS) || ' is not valid' FROM pg_index \
                 JOIN pg_class ON pg_class.oid = indexrelid WHERE NOT indisvalid \
                 AND relnamespace = to_regnamespace(current_schema()) UNION ALL \
                 SELECT 'the constraint ' || conname || ' was never checked' FROM pg_constraint \
                 WHERE NOT convalidated AND connamespace = to_regnamespace(current_schema())"
            }
        }
    }

    /// Rows that refer to one that is not there: table, the table it refers to, the column, and what the schema does
    /// when such a row goes away. Only a file can have them: the other database guards them itself.
    pub(crate) fn dangling(self) -> Option<&'static str> {
        match self {
            Dialect::Sqlite => Some(
                "SELECT c.\"table\", c.parent, f.\"from\", f.\"to\", f.on_delete, count(*) \
                 FROM pragma_foreign_key_check c JOIN pragma_foreign_key_list(c.\"table\") f ON f.id = c.fkid \
                 GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 3",
            ),
            Dialect::Postgres => None,
        }
    }

    /// How many triggers tell readers of changed runs, and how many should.
    pub(crate) fn change_triggers(self) -> (&'static str, i64) {
        match self {
            Dialect::Sqlite => ("SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'runs'", 3),
            Dialect::Postgres => (
                "SELECT count(*) FROM pg_trigger WHERE tgrelid = to_regclass('runs') AND NOT tgisinternal \
                 AND tgenabled <> 'D'",
                1,
            ),
        }
    }

    /// Whether a column holds no JSON; the other database keeps nothing else in it.
    pub(crate) fn is_no_json(self, column: &str) -> String {
        match self {
            Dialect::Sqlite => format!("({column} IS NOT NULL AND NOT json_valid({column}))"),
            Dialect::Postgres => "FALSE".to_owned(),
        }
    }
}
