//! Parameters of runs as columns of numbers: gaps are filled, words become one column for each word.

use serde_json::{Map, Value};

/// A parameter, or one word of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) values: Vec<f64>,
}

/// What a missing word is called.
const MISSING: &str = "NAN";

/// The columns, and the metrics of the same rows. Of runs with equal metrics the first one counts.
pub(super) fn columns(params: &[Map<String, Value>], metrics: &[f64]) -> Option<(Vec<Column>, Vec<f64>)> {
    let rows: Vec<usize> =
        (0..params.len()).filter(|row| !metrics[..*row].iter().any(|earlier| *earlier == metrics[*row])).collect();
    if rows.is_empty() {
        return None;
    }
    let mut names: Vec<&String> = Vec::new();
    for name in params.iter().flat_map(Map::keys) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut columns: Vec<Column> = Vec::new();
    for name in names {
        let cells: Vec<Option<&Value>> =
            params.iter().map(|row| row.get(name).filter(|cell| !is_blank(cell))).collect();
        let found = if cells.iter().flatten().any(|cell| number(cell).is_none()) || cells.iter().all(Option::is_none) {
            one_for_each_word(name, &cells, &rows)
        } else {
            vec![with_filled_gaps(name, &cells, &rows)]
        };
        for column in found {
            if !columns.iter().any(|known| known.name == column.name) {
                columns.push(column);
            }
        }
    }
    Some((columns, rows.into_iter().map(|row| metrics[row]).collect()))
}

fn is_blank(cell: &Value) -> bool {
    cell.is_null() || cell.as_str().is_some_and(|text| text.trim().is_empty())
}

fn number(cell: &Value) -> Option<f64> {
    cell.as_f64().or_else(|| cell.as_bool().map(|flag| f64::from(u8::from(flag))))
}

fn with_filled_gaps(name: &str, cells: &[Option<&Value>], rows: &[usize]) -> Column {
    let numbers: Vec<Option<f64>> = cells.iter().map(|cell| cell.and_then(number)).collect();
    let known: Vec<f64> = numbers.iter().flatten().copied().collect();
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    Column { name: name.to_owned(), values: rows.iter().map(|row| numbers[*row].unwrap_or(mean)).collect() }
}

fn one_for_each_word(name: &str, cells: &[Option<&Value>], rows: &[usize]) -> Vec<Column> {
    let words: Vec<String> = rows.iter().map(|row| cells[*row].map_or_else(|| MISSING.to_owned(), word)).collect();
    let mut distinct: Vec<&String> = words.iter().collect();
    distinct.sort();
    distinct.dedup();
    distinct
        .into_iter()
        .map(|word| Column {
            name: format!("{name}_{word}"),
            values: words.iter().map(|other| f64::from(u8::from(other == word))).collect(),
        })
        .collect()
}

/// As Python writes it, which the official columns are named by.
fn word(cell: &Value) -> String {
    match cell {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn gaps_words_and_repeated_metrics() {
        let params = json!([{ "a": 1, "w": "x" }, { "w": "y", "b": true }, { "a": 4, "w": 2, "b": false }, { "a": 9 }]);
        let params: Vec<Map<String, Value>> = serde_json::from_value(params).unwrap();
        let (columns, metrics) = columns(&params, &[0.1, 0.2, 0.3, 0.1]).unwrap();
        assert_eq!(metrics, [0.1, 0.2, 0.3]);
        let column = |name: &str| columns.iter().find(|column| column.name == name).map(|column| column.values.clone());
        assert_eq!(column("a").unwrap(), [1.0, 14.0 / 3.0, 4.0]);
        assert_eq!(column("w_x").unwrap(), [1.0, 0.0, 0.0]);
        assert_eq!(column("w_2").unwrap(), [0.0, 0.0, 1.0]);
        assert_eq!(column("b").unwrap(), [0.5, 1.0, 0.0]);
        assert_eq!(columns.len(), 5);
    }
}
