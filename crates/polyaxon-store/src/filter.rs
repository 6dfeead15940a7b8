//! PQL to SQL: the only place where conditions are built.
//!
//! Invariant: the SQL consists of texts of this file and of the dialect; names of keys and all values are bound.
//!
//! Nulls (verified against the official server): on plain columns a negated test keeps rows without a value; on
//! keys of JSON columns it keeps rows whose whole object is null, and drops those whose object lacks the key.

use polyaxon_model::pql::operation::{Comparison, Pattern, Scalar, ScalarValue, Test};
use polyaxon_model::pql::{Expression, Query, Term};

use crate::db::{Dialect, Value};

/// A condition with `{}` for each of its values.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Condition {
    pub(crate) sql: String,
    pub(crate) values: Vec<Value>,
}

/// What stands behind a field.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// A column of text; numbers in a query are texts here.
    Text(&'static str),
    /// A column of unique lower-case text, which is never null; a beginning of it is found with its index.
    Key { table: &'static str, id: &'static str, column: &'static str },
    /// A column of numbers, times or booleans.
    Number(&'static str),
    /// A column with a JSON object; keys are fields.
    Json(&'static str),
    /// The same, but only numbers count; they have rows of their own.
    Metric(&'static str),
    /// A column with the row id of a run; its uuid is asked for.
    Run(&'static str),
    /// A column with a JSON array of texts.
    Array(&'static str),
    /// A condition over other tables: a select of row ids of runs, in two parts around a test of `column`.
    Related { before: &'static str, column: &'static str, after: &'static str },
}

/// The condition of a query, when it has one.
pub(crate) fn condition(dialect: Dialect, query: &Query, target: impl Fn(&Term) -> Target) -> Option<Condition> {
    query.expression.as_ref().map(|expression| {
        let mut draft = Draft::new(dialect);
        write(expression, &target, &mut draft);
        draft.condition
    })
}

/// The condition of a single test.
pub(crate) fn term(dialect: Dialect, term: &Term, target: impl Fn(&Term) -> Target) -> Condition {
    let mut draft = Draft::new(dialect);
    write_term(term, target(term), &mut draft);
    draft.condition
}

/// All of these conditions; without any, every row meets it.
pub(crate) fn all(conditions: Vec<Condition>) -> Condition {
    let mut all = Condition { sql: "TRUE".to_owned(), values: Vec::new() };
    for condition in conditions {
        all.sql.push_str(" AND ");
        all.sql.push_str(&condition.sql);
        all.values.extend(condition.values);
    }
    all
}

fn write(expression: &Expression<Term>, target: &impl Fn(&Term) -> Target, out: &mut Draft) {
    let mut several = |parts: &[Expression<Term>], connective: &str| {
        out.push("(");
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                out.push(connective);
            }
            write(part, target, out);
        }
        out.push(")");
    };
    match expression {
        Expression::All(parts) => several(parts, " AND "),
        Expression::Any(parts) => several(parts, " OR "),
        Expression::Test(term) => write_term(term, target(term), out),
    }
}

fn write_term(term: &Term, target: Target, out: &mut Draft) {
    match target {
        Target::Text(column) => plain(term, column, Kind::Text, out),
        Target::Key { table, id, column } => {
            out.push(&format!("{id} {}IN (SELECT id FROM {table} WHERE ", if term.negated { "NOT " } else { "" }));
            match &term.test {
                Test::Like(Pattern::StartsWith(text)) => {
                    out.bind(&format!("{column} >= {{}}"), Value::Text(text.clone()));
                    out.bind(&format!(" AND {column} < {{}}"), Value::Text(format!("{text}~")));
                }
                other => test(other, &|out, _| out.push(column), Kind::Text, out),
            }
            out.push(")");
        }
        Target::Number(column) => plain(term, column, Kind::Number, out),
        Target::Json(column) => keyed(term, column, Kind::Json, out),
        Target::Metric(column) => metric(term, column, out),
        Target::Run(column) => run(term, column, out),
        Target::Array(column) => array(term, column, out),
        Target::Related { before, column, after } => {
            // Null means that there is no such row, anything else that there is one.
            let wants_row = (term.test == Test::Null) == term.negated;
            out.push(if wants_row { "r.id IN (" } else { "r.id NOT IN (" });
            out.push(before);
            if term.test == Test::Null {
                out.push("TRUE");
            } else {
                test(&term.test, &|out, _| out.push(column), Kind::Text, out);
            }
            out.push(after);
            out.push(")");
        }
    }
}

/// How the values behind a field are to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Json,
    JsonNumber,
}

impl Kind {
    fn is_json(self) -> bool {
        matches!(self, Kind::Json | Kind::JsonNumber)
    }
}

/// Which side of a value a test looks at. Values in JSON have types of their own, and only equal types are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// Whether it is there, and how it is written.
    Any,
    EqualText,
    EqualNumber,
    Text,
    Number,
}

impl Side {
    fn equal(value: &Value) -> Side {
        if matches!(value, Value::Text(_)) { Side::EqualText } else { Side::EqualNumber }
    }

    fn ordered(value: &Value) -> Side {
        if matches!(value, Value::Text(_)) { Side::Text } else { Side::Number }
    }
}

/// Writes the side of the value that is tested.
type Subject<'a> = &'a dyn Fn(&mut Draft, Side);

fn plain(term: &Term, column: &'static str, kind: Kind, out: &mut Draft) {
    let subject = |out: &mut Draft, _: Side| out.push(column);
    match (&term.test, term.negated) {
        (Test::Null, false) => out.push(&format!("{column} IS NULL")),
        (Test::Null, true) => out.push(&format!("{column} IS NOT NULL")),
        (Test::Compare(comparison, scalar), true) => {
            test(&Test::Compare(comparison.opposite(), scalar.clone()), &subject, kind, out);
        }
        (positive, false) => test(positive, &subject, kind, out),
        (positive, true) => {
            out.push("NOT coalesce(");
            test(positive, &subject, kind, out);
            out.push(", FALSE)");
        }
    }
}

fn keyed(term: &Term, column: &'static str, kind: Kind, out: &mut Draft) {
    let Some(key) = term.key.clone() else {
        // Without a key only null can be asked for.
        out.push(&format!("{column} IS {}NULL", if term.negated { "NOT " } else { "" }));
        return;
    };
    let subject = |out: &mut Draft, side: Side| {
        let sql = match side {
            Side::Any => out.dialect.json_value(column),
            Side::EqualText => out.dialect.json_equal_text(column),
            Side::EqualNumber => out.dialect.json_equal_number(column),
            Side::Text => out.dialect.json_text(column),
            Side::Number => out.dialect.json_number(column),
        };
        out.condition.values.extend(sql.matches("{}").map(|_| Value::Text(key.clone())));
        out.push(&sql);
    };
    match (&term.test, term.negated) {
        (Test::Null, negated) => {
            subject(out, Side::Any);
            out.push(if negated { " IS NOT NULL" } else { " IS NULL" });
        }
        (Test::Compare(comparison, scalar), true) => {
            test(&Test::Compare(comparison.opposite(), scalar.clone()), &subject, kind, out);
        }
        (positive, false) => test(positive, &subject, kind, out),
        (positive, true) => {
            out.push(&format!("({column} IS NULL OR ("));
            subject(out, Side::Any);
            out.push(" IS NOT NULL AND NOT coalesce(");
            test(positive, &subject, kind, out);
            out.push(", FALSE)))");
        }
    }
}

/// Numbers are compared in their rows; what depends on the lack of a number is asked of the object.
fn metric(term: &Term, column: &'static str, out: &mut Draft) {
    let test = match (&term.test, term.negated) {
        (Test::Compare(comparison, scalar), true) => Test::Compare(comparison.opposite(), scalar.clone()),
        (test @ (Test::Compare(..) | Test::Equals(_)), false) => test.clone(),
        _ => return keyed(term, column, Kind::JsonNumber, out),
    };
    let name = term.key.clone().unwrap_or_default();
    out.bind("EXISTS (SELECT 1 FROM run_metrics m WHERE m.name = {} AND m.run_id = r.id AND ", Value::Text(name));
    self::test(&test, &|out, _| out.push("m.value"), Kind::Number, out);
    out.push(")");
}

fn run(term: &Term, column: &'static str, out: &mut Draft) {
    if term.test == Test::Null {
        out.push(&format!("{column} IS {}NULL", if term.negated { "NOT " } else { "" }));
        return;
    }
    let (before, after) = if term.negated { ("NOT coalesce(", ", FALSE)") } else { ("", "") };
    out.push(&format!("{before}{column} IN (SELECT o.id FROM runs o WHERE "));
    test(&term.test, &|out, _| out.push("o.uuid"), Kind::Text, out);
    out.push(&format!("){after}"));
}

fn array(term: &Term, column: &'static str, out: &mut Draft) {
    let values = match &term.test {
        Test::Equals(scalar) => std::slice::from_ref(scalar),
        Test::OneOf(scalars) => scalars,
        _ => {
            let empty = if term.negated { "NOT IN" } else { "IN" };
            out.push(&format!("coalesce({column}, '[]') {empty} ('[]', 'null')"));
            return;
        }
    };
    let holds = out.dialect.json_array_holds(column);
    out.push(if term.negated { "NOT coalesce(" } else { "(" });
    for (index, scalar) in values.iter().enumerate() {
        out.push(if index > 0 { " OR " } else { "" });
        out.bind(&holds, Value::Text(scalar.text.clone()));
    }
    out.push(if term.negated { ", FALSE)" } else { ")" });
}

fn test(test: &Test, subject: Subject<'_>, kind: Kind, out: &mut Draft) {
    match test {
        Test::Null => {
            subject(out, Side::Any);
            out.push(" IS NULL");
        }
        Test::Equals(scalar) => equals(value(scalar, kind), subject, out),
        Test::OneOf(scalars) if kind.is_json() => {
            out.push("(");
            for (index, scalar) in scalars.iter().enumerate() {
                out.push(if index > 0 { " OR " } else { "" });
                equals(value(scalar, kind), subject, out);
            }
            out.push(")");
        }
        Test::OneOf(scalars) => {
            subject(out, Side::Any);
            out.push(" IN (");
            for (index, scalar) in scalars.iter().enumerate() {
                out.push(if index > 0 { ", " } else { "" });
                out.bind_value(value(scalar, kind));
            }
            out.push(")");
        }
        Test::Like(pattern) => {
            out.push("lower(");
            subject(out, Side::Any);
            out.bind(") LIKE lower({}) ESCAPE '\\'", Value::Text(like(pattern)));
        }
        Test::Compare(comparison, scalar) => {
            let value = value(scalar, kind);
            subject(out, Side::ordered(&value));
            out.push(match comparison {
                Comparison::Less => " < ",
                Comparison::LessOrEqual => " <= ",
                Comparison::Greater => " > ",
                Comparison::GreaterOrEqual => " >= ",
            });
            out.bind_value(value);
        }
        Test::Within(from, to) => {
            out.push("(");
            subject(out, Side::Any);
            out.bind(" >= {} AND ", (*from).into());
            subject(out, Side::Any);
            out.bind(" < {})", (*to).into());
        }
        Test::IsTrue => equals(Value::Bool(true), subject, out),
        Test::IsFalse => equals(Value::Bool(false), subject, out),
    }
}

fn equals(value: Value, subject: Subject<'_>, out: &mut Draft) {
    subject(out, Side::equal(&value));
    out.push(" = ");
    out.bind_value(value);
}

fn value(scalar: &Scalar, kind: Kind) -> Value {
    match (kind, &scalar.value) {
        // No number equals a text.
        (Kind::Number, ScalarValue::Text) => Value::Null,
        (Kind::Text, _) | (_, ScalarValue::Text) => Value::Text(scalar.text.clone()),
        (_, ScalarValue::Bool(value)) => Value::Bool(*value),
        (_, ScalarValue::Int(value)) => Value::Int(*value),
        (_, ScalarValue::Float(value)) => Value::Float(*value),
    }
}

fn like(pattern: &Pattern) -> String {
    let escaped = |text: &str| text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    match pattern {
        Pattern::StartsWith(text) => format!("{}%", escaped(text)),
        Pattern::EndsWith(text) => format!("%{}", escaped(text)),
        Pattern::Contains(text) => format!("%{}%", escaped(text)),
    }
}

impl Condition {
    pub(crate) fn new(sql: &str, value: Value) -> Condition {
        Condition { sql: sql.to_owned(), values: vec![value] }
    }
}

/// A condition in the making.
struct Draft {
    dialect: Dialect,
    condition: Condition,
}

impl Draft {
    fn new(dialect: Dialect) -> Draft {
        Draft { dialect, condition: Condition::default() }
    }

    fn push(&mut self, sql: &str) {
        self.condition.sql.push_str(sql);
    }

    fn bind(&mut self, sql: &str, value: Value) {
        self.condition.sql.push_str(sql);
        self.condition.values.push(value);
    }

    /// A fraction is one also where it meets a column of integers.
    fn bind_value(&mut self, value: Value) {
        let sql = if matches!(value, Value::Float(_)) { "CAST({} AS DOUBLE PRECISION)" } else { "{}" };
        self.bind(sql, value);
    }
}
