/// Columns of text, each as wide as its widest cell.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(head: &[&str]) -> Table {
        Table { rows: vec![head.iter().map(|cell| cell.to_uppercase()).collect()] }
    }

    /// A table whose head is written as it is.
    pub(crate) fn plain(head: &[&str]) -> Table {
        Table { rows: vec![head.iter().map(|cell| (*cell).to_owned()).collect()] }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub(crate) fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
            text.push('\n');
        }
        text
    }

    /// The same as comma-separated values (RFC 4180), with names of columns as they are in JSON.
    pub(crate) fn csv(&self) -> String {
        let cell = |cell: &String| match cell.contains([',', '"', '\n', '\r']) {
            true => format!("\"{}\"", cell.replace('"', "\"\"")),
            false => cell.clone(),
        };
        self.lines(|row| row.iter().map(cell).collect::<Vec<_>>().join(","))
    }

    /// The same as a table of Markdown.
    pub(crate) fn markdown(&self) -> String {
        let line = |row: &[String]| {
            let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
            format!("| {} |", cells.join(" | "))
        };
        let mut text = self.lines(line);
        let columns = self.rows.first().map_or(0, Vec::len);
        let rule = format!("|{}\n", " --- |".repeat(columns));
        let head_end = text.find('\n').map_or(text.len(), |end| end + 1);
        text.insert_str(head_end, &rule);
        text
    }

    fn lines(&self, line: impl Fn(&[String]) -> String) -> String {
        let head: Vec<String> = self.rows.first().into_iter().flatten().map(|cell| cell.to_lowercase()).collect();
        let rows = self.rows.iter().skip(1).map(|row| line(row) + "\n");
        std::iter::once(line(&head) + "\n").chain(rows).collect()
    }
}

/// How rows are printed.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub(crate) struct Shape {
    /// Print columns for people; so it is if nothing else is said.
    #[arg(long, conflicts_with_all = ["csv", "markdown"])]
    table: bool,
    /// Print comma-separated values.
    #[arg(long, conflicts_with_all = ["markdown"])]
    csv: bool,
    /// Print a table of Markdown.
    #[arg(long)]
    markdown: bool,
}

impl Shape {
    /// The table in this shape.
    pub(crate) fn text(self, table: &Table) -> String {
        match self {
            Shape { csv: true, .. } => table.csv(),
            Shape { markdown: true, .. } => table.markdown(),
            Shape { .. } => table.text(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_other_shapes() {
        let mut table = Table::new(&["Name", "why"]);
        table.row(["a,b".to_owned(), "says \"no\"".to_owned()]);
        table.row(["c".to_owned(), "x|y".to_owned()]);
        assert_eq!(table.csv(), "name,why\n\"a,b\",\"says \"\"no\"\"\"\nc,x|y\n");
        assert_eq!(table.markdown(), "| name | why |\n| --- | --- |\n| a,b | says \"no\" |\n| c | x\\|y |\n");
    }

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(&["name", "origin"]);
        table.row(["zlib".to_owned(), "source".to_owned()]);
        table.row(["ca-certificates".to_owned(), "source".to_owned()]);
        assert_eq!(table.text(), "NAME             ORIGIN\nzlib             source\nca-certificates  source\n");
    }
}
