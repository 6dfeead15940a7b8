//! Pages of a select: conditions with numbered placeholders, order, limit, count.
//!
//! Must not know users: the pieces of SQL come from tables of this crate, everything else is bound.

use polyaxon_model::listing::{Counting, Direction, ListPage, Paging};

use crate::Result;
use crate::db::{Row, Tx, Value, scalar};

/// A select in the making.
#[derive(Debug)]
pub(crate) struct Select {
    columns: String,
    from: String,
    conditions: Vec<String>,
    orders: Vec<String>,
    args: Vec<Value>,
    is_distinct: bool,
}

impl Select {
    pub(crate) fn new(columns: impl Into<String>, from: impl Into<String>) -> Select {
        Select {
            columns: columns.into(),
            from: from.into(),
            conditions: Vec::new(),
            orders: Vec::new(),
            args: Vec::new(),
            is_distinct: false,
        }
    }

    /// Rows that are equal in all columns are one. They can be sorted by their columns only.
    pub(crate) fn distinct(mut self) -> Select {
        self.is_distinct = true;
        self
    }

    /// Adds a condition; each `{}` of it is bound to the next value.
    pub(crate) fn filter(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        let bound = self.bind(condition, values);
        self.conditions.push(bound);
    }

    /// Adds a sort key; each `{}` of it is bound to the value. Rows without a value are the smallest.
    pub(crate) fn order_by(&mut self, key: &str, value: Option<Value>, direction: Direction) {
        let values = std::iter::repeat_n(value, key.matches("{}").count()).flatten();
        let bound = self.bind(key, values);
        let is_never_null = key.split_once('.').is_some_and(|(_, column)| NEVER_NULL.contains(&column));
        self.orders.push(match direction {
            // PostgreSQL would use no index if it were told where nulls belong.
            Direction::Ascending if is_never_null => bound,
            Direction::Descending if is_never_null => format!("{bound} DESC"),
            Direction::Ascending => format!("{bound} ASC NULLS FIRST"),
            Direction::Descending => format!("{bound} DESC NULLS LAST"),
        });
    }

    fn bind(&mut self, sql: &str, values: impl IntoIterator<Item = Value>) -> String {
        let bound = numbered(sql, self.args.len() + 1);
        self.args.extend(values);
        bound
    }

    fn condition(&self) -> String {
        if self.conditions.is_empty() { String::new() } else { format!(" WHERE {}", self.conditions.join(" AND ")) }
    }
}

/// Numbers the `{}` of a condition from `first` on.
pub(crate) fn numbered(sql: &str, first: usize) -> String {
    let mut pieces = sql.split("{}");
    let mut numbered = pieces.next().unwrap_or_default().to_owned();
    for (position, piece) in pieces.enumerate() {
        numbered.push_str(&format!("?{}{piece}", first + position));
    }
    numbered
}

/// Columns without nulls, in every table that has them.
const NEVER_NULL: &[&str] = &["id", "uuid", "status", "kind", "created_at", "updated_at"];

/// Reads one page of a select.
pub(crate) fn page<T>(
    tx: &mut dyn Tx,
    select: &Select,
    paging: Paging,
    read: impl Fn(Row) -> Result<T>,
) -> Result<ListPage<T>> {
    let (from, condition) = (&select.from, select.condition());
    let columns = if select.is_distinct { format!("DISTINCT {}", select.columns) } else { select.columns.clone() };
    let count = match paging.counting {
        Counting::Skip => None,
        Counting::Count => {
            let sql = if select.is_distinct {
                format!("SELECT count(*) FROM (SELECT {columns} FROM {from}{condition}) counted")
            } else {
                format!("SELECT count(*) FROM {from}{condition}")
            };
            // The values of sort keys come last and are unknown to the count.
            scalar::<i64>(tx, &sql, &select.args[..condition.matches('?').count()])?.map(|count| count as u64)
        }
    };
    let order =
        if select.orders.is_empty() { String::new() } else { format!(" ORDER BY {}", select.orders.join(", ")) };
    let mut args = select.args.clone();
    let (limit, offset) = (args.len() + 1, args.len() + 2);
    args.push(Value::Int(paging.limit.into()));
    args.push(Value::Int(i64::try_from(paging.offset).unwrap_or(i64::MAX)));
    let sql = format!("SELECT {columns} FROM {from}{condition}{order} LIMIT ?{limit} OFFSET ?{offset}");
    let results = tx.query(&sql, &args)?.into_iter().map(read).collect::<Result<_>>()?;
    Ok(ListPage { count, next: None, previous: None, results })
}

/// Reads the columns of a select over all of its rows, or over those of one page, with a `GROUP BY`. `id` is the key of
/// the table whose rows are on the page.
pub(crate) fn summarize(
    tx: &mut dyn Tx,
    select: &Select,
    id: &str,
    page: Option<Paging>,
    group_by: &str,
) -> Result<Vec<Row>> {
    let (columns, from, condition) = (&select.columns, &select.from, select.condition());
    let Some(paging) = page else {
        return tx.query(&format!("SELECT {columns} FROM {from}{condition}{group_by}"), &select.args);
    };
    let mut args = select.args.clone();
    let (limit, offset) = (args.len() + 1, args.len() + 2);
    args.push(Value::Int(paging.limit.into()));
    args.push(Value::Int(i64::try_from(paging.offset).unwrap_or(i64::MAX)));
    let order = select.orders.join(", ");
    let rows = format!("SELECT {id} FROM {from}{condition} ORDER BY {order} LIMIT ?{limit} OFFSET ?{offset}");
    tx.query(&format!("SELECT {columns} FROM {from} WHERE {id} IN ({rows}){group_by}"), &args)
}

/// `?1, ?2`: so many placeholders from number `first` on.
pub(crate) fn placeholders(first: usize, count: usize) -> String {
    let numbers: Vec<_> = (first..first + count).map(|number| format!("?{number}")).collect();
    numbers.join(", ")
}
