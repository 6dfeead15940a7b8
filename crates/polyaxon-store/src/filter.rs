//! PQL to SQL: the only place where conditions are built.
//!
//! Invariant: the SQL consists of texts of this file; names of keys and all values are bound.
//!
//! Nulls (verified against the official server): on plain columns a negated test keeps rows without a value; on
//! keys of JSON columns it keeps rows whose whole object is null, and drops those whose object lacks the key.

use polyaxon_model::pql::operation::{Comparison, Pattern, Scalar, ScalarValue, Test};
use polyaxon_model::pql::{Expression, Query, Term};

use crate::db::Value;

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
pub(crate) fn condition(query: &Query, target: impl Fn(&Term) -> Target) -> Option<Condition> {
    query.expression.as_ref().map(|expression| {
        let mut condition = Condition::default();
        write(expression, &target, &mut condition);
        condition
    })
}

/// The condition of a single test.
pub(crate) fn term(term: &Term, target: impl Fn(&Term) -> Target) -> Condition {
    let mut condition = Condition::default();
    write_term(term, target(term), &mut condition);
    condition
}

/// All of these conditions; without any, every row meets it.
pub(crate) fn all(conditions: Vec<Condition>) -> Condition {
    let mut all = Condition { sql: "TRUE".to_owned(), values: Vec::new() };
    for condition in conditions {
        all.push(" AND ");
        all.push(&condition.sql);
        all.values.extend(condition.values);
    }
    all
}

fn write(expression: &Expression<Term>, target: &impl Fn(&Term) -> Target, out: &mut Condition) {
    let mut several = |parts: &[Expression<Term>], connective: &str| {
        out.sql.push('(');
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                out.sql.push_str(connective);
            }
            write(part, target, out);
        }
        out.sql.push(')');
    };
    match expression {
        Expression::All(parts) => several(parts, " AND "),
        Expression::Any(parts) => several(parts, " OR "),
        Expression::Test(term) => write_term(term, target(term), out),
    }
}

fn write_term(term: &Term, target: Target, out: &mut Condition) {
    match target {
        Target::Text(column) => plain(term, column, Kind::Text, out),
        Target::Key { table, id, column } => {
            out.push(&format!("{id} {}IN (SELECT id FROM {table} WHERE ", if term.negated { "NOT " } else { "" }));
            match &term.test {
                Test::Like(Pattern::StartsWith(text)) => {
                    out.bind(&format!("{column} >= {{}}"), Value::Text(text.clone()));
                    out.bind(&format!(" AND {column} < {{}}"), Value::Text(format!("{text}~")));
                }
                other => test(other, &|out| out.push(column), Kind::Text, out),
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
                test(&term.test, &|out| out.push(column), Kind::Text, out);
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

fn plain(term: &Term, column: &'static str, kind: Kind, out: &mut Condition) {
    let subject = |out: &mut Condition| out.push(column);
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

fn keyed(term: &Term, column: &'static str, kind: Kind, out: &mut Condition) {
    let Some(key) = term.key.clone() else {
        // Without a key only null can be asked for.
        out.push(&format!("{column} IS {}NULL", if term.negated { "NOT " } else { "" }));
        return;
    };
    let subject = |out: &mut Condition| out.bind(&format!("({column} ->> {{}})"), Value::Text(key.clone()));
    match (&term.test, term.negated) {
        (Test::Null, negated) => {
            subject(out);
            out.push(if negated { " IS NOT NULL" } else { " IS NULL" });
        }
        (Test::Compare(comparison, scalar), true) => {
            test(&Test::Compare(comparison.opposite(), scalar.clone()), &subject, kind, out);
        }
        (positive, false) => test(positive, &subject, kind, out),
        (positive, true) => {
            out.push(&format!("({column} IS NULL OR ("));
            subject(out);
            out.push(" IS NOT NULL AND NOT coalesce(");
            test(positive, &subject, kind, out);
            out.push(", FALSE)))");
        }
    }
}

/// Numbers are compared in their rows; what depends on the lack of a number is asked of the object.
fn metric(term: &Term, column: &'static str, out: &mut Condition) {
    let test = match (&term.test, term.negated) {
        (Test::Compare(comparison, scalar), true) => Test::Compare(comparison.opposite(), scalar.clone()),
        (test @ (Test::Compare(..) | Test::Equals(_)), false) => test.clone(),
        _ => return keyed(term, column, Kind::JsonNumber, out),
    };
    let name = term.key.clone().unwrap_or_default();
    out.bind("EXISTS (SELECT 1 FROM run_metrics m WHERE m.name = {} AND m.run_id = r.id AND ", Value::Text(name));
    self::test(&test, &|out| out.push("m.value"), Kind::Number, out);
    out.push(")");
}

fn run(term: &Term, column: &'static str, out: &mut Condition) {
    if term.test == Test::Null {
        out.push(&format!("{column} IS {}NULL", if term.negated { "NOT " } else { "" }));
        return;
    }
    let (before, after) = if term.negated { ("NOT coalesce(", ", FALSE)") } else { ("", "") };
    out.push(&format!("{before}{column} IN (SELECT o.id FROM runs o WHERE "));
    test(&term.test, &|out| out.push("o.uuid"), Kind::Text, out);
    out.push(&format!("){after}"));
}

fn array(term: &Term, column: &'static str, out: &mut Condition) {
    let values = match &term.test {
        Test::Equals(scalar) => std::slice::from_ref(scalar),
        Test::OneOf(scalars) => scalars,
        _ => {
            let empty = if term.negated { "NOT IN" } else { "IN" };
            out.push(&format!("coalesce({column}, '[]') {empty} ('[]', 'null')"));
            return;
        }
    };
    if term.negated {
        out.push("NOT ");
    }
    out.push(&format!("EXISTS (SELECT 1 FROM json_each({column}) element WHERE element.value IN ("));
    for (index, scalar) in values.iter().enumerate() {
        out.push(if index > 0 { ", " } else { "" });
        out.bind("{}", Value::Text(scalar.text.clone()));
    }
    out.push("))");
}

fn test(test: &Test, subject: &dyn Fn(&mut Condition), kind: Kind, out: &mut Condition) {
    match test {
        Test::Null => {
            subject(out);
            out.push(" IS NULL");
        }
        Test::Equals(scalar) => {
            subject(out);
            out.bind(" = {}", value(scalar, kind));
        }
        Test::OneOf(scalars) => {
            subject(out);
            out.push(" IN (");
            for (index, scalar) in scalars.iter().enumerate() {
                out.push(if index > 0 { ", " } else { "" });
                out.bind("{}", value(scalar, kind));
            }
            out.push(")");
        }
        Test::Like(pattern) => {
            out.push("lower(");
            subject(out);
            out.bind(") LIKE lower({}) ESCAPE '\\'", Value::Text(like(pattern)));
        }
        Test::Compare(comparison, scalar) => compare(*comparison, &value(scalar, kind), subject, kind, out),
        Test::Within(from, to) => {
            out.push("(");
            subject(out);
            out.bind(" >= {} AND ", (*from).into());
            subject(out);
            out.bind(" < {})", (*to).into());
        }
        Test::IsTrue => {
            subject(out);
            out.bind(" = {}", Value::Bool(true));
        }
        Test::IsFalse => {
            subject(out);
            out.bind(" = {}", Value::Bool(false));
        }
    }
}

/// Values in JSON have types of their own, and only equal types can be compared.
fn compare(comparison: Comparison, value: &Value, subject: &dyn Fn(&mut Condition), kind: Kind, out: &mut Condition) {
    let sign = match comparison {
        Comparison::Less => " < {}",
        Comparison::LessOrEqual => " <= {}",
        Comparison::Greater => " > {}",
        Comparison::GreaterOrEqual => " >= {}",
    };
    if matches!(kind, Kind::Json | Kind::JsonNumber) {
        let types = if matches!(value, Value::Text(_)) { "('text')" } else { "('integer', 'real')" };
        out.push("(typeof(");
        subject(out);
        out.push(&format!(") IN {types} AND "));
        subject(out);
        out.bind(sign, value.clone());
        out.push(")");
    } else {
        subject(out);
        out.bind(sign, value.clone());
    }
}

fn value(scalar: &Scalar, kind: Kind) -> Value {
    match (kind, &scalar.value) {
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

    fn push(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    fn bind(&mut self, sql: &str, value: Value) {
        self.sql.push_str(sql);
        self.values.push(value);
    }
}
