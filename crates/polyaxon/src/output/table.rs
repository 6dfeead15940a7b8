//! Tables without borders for the terminal, and the same rows as CSV.

use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table as Grid, presets};

use crate::output::style::Style;

#[derive(Debug, Default)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
    has_header: bool,
}

#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// What `-o csv` and `--columns` call it.
    pub(crate) key: String,
    /// Shown by `-o wide` only.
    pub(crate) wide: bool,
}

impl Table {
    pub(crate) fn new(columns: Vec<Column>) -> Table {
        Table { columns, rows: Vec::new(), has_header: true }
    }

    /// Two columns, names and values, without a header.
    pub(crate) fn pairs() -> Table {
        let column = |name: &str| Column { name: name.to_owned(), key: name.to_owned(), wide: false };
        Table { columns: vec![column("name"), column("value")], rows: Vec::new(), has_header: false }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    pub(crate) fn pair(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.rows.push(vec![name.to_owned(), value]);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(crate) fn text(&self, style: &Style, wide: bool) -> String {
        let shown: Vec<usize> = (0..self.columns.len()).filter(|at| wide || !self.columns[*at].wide).collect();
        let mut grid = Grid::new();
        grid.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        if style.is_coloured() {
            grid.enforce_styling();
        } else {
            grid.force_no_tty();
        }
        if self.has_header {
            grid.set_header(
                shown.iter().map(|at| Cell::new(self.columns[*at].name.to_uppercase()).add_attribute(Attribute::Bold)),
            );
        }
        for row in &self.rows {
            grid.add_row(shown.iter().map(|at| self.cell(*at, row.get(*at).map_or("", String::as_str))));
        }
        for column in grid.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let lines: Vec<String> = grid.lines().map(|line| line.trim_end().to_owned()).collect();
        lines.join("\n")
    }

    fn cell(&self, column: usize, text: &str) -> Cell {
        let cell = Cell::new(text);
        if !self.has_header && column == 0 {
            return cell.add_attribute(Attribute::Bold);
        }
        match text.chars().next() {
            Some('✔') => cell.fg(Color::DarkGreen),
            Some('✖') => cell.fg(Color::DarkRed),
            Some('■') => cell.fg(Color::DarkGrey),
            Some('●') => cell.fg(Color::DarkCyan),
            Some('▲') => cell.fg(Color::Yellow),
            Some('○') => cell.fg(Color::DarkYellow),
            _ => cell,
        }
    }

    /// RFC 4180 with a header line.
    pub(crate) fn csv(&self) -> String {
        let header = self.columns.iter().map(|column| column.key.clone()).collect();
        std::iter::once(&header).chain(&self.rows).map(|row| csv_line(row)).collect::<Vec<_>>().join("\n")
    }
}

fn csv_line(cells: &[String]) -> String {
    let quoted = cells.iter().map(|cell| {
        let cell = cell.trim_start_matches(['✔', '✖', '■', '●', '▲', '○']).trim_start();
        if cell.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.to_owned()
        }
    });
    quoted.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::args::global::Color;

    fn table() -> Table {
        let column = |name: &str, wide| Column { name: name.into(), key: name.into(), wide };
        let mut table = Table::new(vec![column("uuid", false), column("name", false), column("kind", true)]);
        table.row(vec!["3fa9".into(), "a, \"b\"".into(), "job".into()]);
        table.row(vec!["12ab".into(), "long name".into(), "service".into()]);
        table
    }

    #[test]
    fn columns_are_aligned_without_borders() {
        let style = Style::detect(Color::Never, false);
        assert_data_eq!(
            table().text(&style, false),
            str![[r#"
UUID  NAME
3fa9  a, "b"
12ab  long name
"#]]
        );
    }

    #[test]
    fn csv_has_every_column_and_quotes_what_needs_it() {
        assert_eq!(table().csv(), "uuid,name,kind\n3fa9,\"a, \"\"b\"\"\",job\n12ab,long name,service");
    }
}
