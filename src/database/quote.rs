//! Quoting: names and texts inside of something else. Names may hold anything, quotes and newlines
//! included.

/// A quoted identifier.
pub fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", ident(schema), ident(name))
}

/// A string literal that means the same whatever `standard_conforming_strings` is; on one line, so
/// that a reader of lines sees one statement.
pub fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if text.contains(['\\', '\n', '\r']) {
        let escaped = quoted.replace('\\', "\\\\");
        format!("E'{}'", escaped.replace('\n', "\\n").replace('\r', "\\r"))
    } else {
        format!("'{quoted}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_backslashes_stay_inside() {
        assert_eq!(qualified("a\"b", "c\nd"), "\"a\"\"b\".\"c\nd\"");
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal(r"a\'b"), r"E'a\\''b'");
        assert_eq!(literal("a\r\n\\nb"), r"E'a\r\n\\nb'");
    }
}
