//! Rows as PostgreSQL's own text: for COPY lines and, quoted, for statements.

/// A table that the workload writes: columns without generated ones, sorted by name.
#[derive(Debug, PartialEq, Eq)]
pub struct Shape {
    pub name: &'static str,
    pub columns: &'static [&'static str],
    /// What a row is found by.
    pub key: &'static [&'static str],
}

/// A row of a table in the text form of its types; `None` is NULL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub shape: &'static Shape,
    /// The table that really holds it: a partition, or the table itself.
    pub leaf: &'static str,
    pub values: Vec<Option<String>>,
}

/// One change of a transaction. `before` is the whole row: the model takes it away, the statement
/// finds it by its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Insert(Row),
    Update { before: Row, after: Row },
    Delete(Row),
}

impl Row {
    /// As COPY writes it, without the newline.
    pub fn line(&self) -> String {
        let mut line =
            String::with_capacity(self.values.iter().flatten().map(|v| v.len() + 2).sum());
        for (i, value) in self.values.iter().enumerate() {
            if i > 0 {
                line.push('\t');
            }
            match value {
                None => line.push_str("\\N"),
                Some(text) => escape(text, &mut line),
            }
        }
        line
    }

    fn literals(&self) -> Vec<String> {
        self.values
            .iter()
            .map(|v| {
                v.as_ref()
                    .map_or_else(|| "NULL".to_owned(), |t| crate::pg::session::literal(t))
            })
            .collect()
    }

    fn found_by(&self) -> String {
        let literals = self.literals();
        let pairs = self
            .shape
            .columns
            .iter()
            .zip(literals)
            .filter(|(c, _)| self.shape.key.contains(c));
        pairs
            .map(|(c, v)| format!("{c} = {v}"))
            .collect::<Vec<_>>()
            .join(" AND ")
    }
}

impl Change {
    pub fn sql(&self) -> String {
        match self {
            Self::Insert(row) => {
                format!(
                    "INSERT INTO {} ({}) VALUES ({});",
                    row.shape.name,
                    row.shape.columns.join(", "),
                    row.literals().join(", ")
                )
            }
            Self::Update { before, after } => {
                let set: Vec<String> = after
                    .shape
                    .columns
                    .iter()
                    .zip(after.literals())
                    .map(|(c, v)| format!("{c} = {v}"))
                    .collect();
                format!(
                    "UPDATE {} SET {} WHERE {};",
                    after.shape.name,
                    set.join(", "),
                    before.found_by()
                )
            }
            Self::Delete(row) => {
                format!("DELETE FROM {} WHERE {};", row.shape.name, row.found_by())
            }
        }
    }
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            c => out.push(c),
        }
    }
}

/// A `text[]` as the server prints it.
pub fn array(items: &[&str]) -> String {
    let odd = |c: char| c.is_ascii_whitespace() || matches!(c, '{' | '}' | ',' | '"' | '\\');
    let shown: Vec<String> = items
        .iter()
        .map(|item| {
            if item.is_empty() || item.contains(odd) || item.eq_ignore_ascii_case("null") {
                format!("\"{}\"", item.replace('\\', "\\\\").replace('"', "\\\""))
            } else {
                (*item).to_owned()
            }
        })
        .collect();
    format!("{{{}}}", shown.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    static SHAPE: Shape = Shape {
        name: "app.t",
        columns: &["a", "b"],
        key: &["b"],
    };

    #[test]
    fn lines_and_statements_carry_odd_values() {
        let row = Row {
            shape: &SHAPE,
            leaf: "app.t",
            values: vec![None, Some("it's\ta \\ b\n".into())],
        };
        assert_eq!(row.line(), "\\N\tit's\\ta \\\\ b\\n");
        assert_eq!(
            Change::Insert(row.clone()).sql(),
            "INSERT INTO app.t (a, b) VALUES (NULL, 'it''s\ta \\ b\n');"
        );
        assert_eq!(
            Change::Delete(row).sql(),
            "DELETE FROM app.t WHERE b = 'it''s\ta \\ b\n';"
        );
    }

    #[test]
    fn arrays_quote_what_the_server_quotes() {
        assert_eq!(
            array(&["plain", "two words", "", "NULL", "a\"b\\c"]),
            r#"{plain,"two words","","NULL","a\"b\\c"}"#
        );
    }
}
