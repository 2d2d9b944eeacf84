//! Names of SQLSTATEs, for where a server's own words are not repeated.

/// What the standard or PostgreSQL calls a code; for one that is not listed, its class.
pub(super) fn condition(code: &str) -> &'static str {
    let find = |list: &[(&str, &'static str)]| {
        let found = list.iter().find(|(prefix, _)| code.starts_with(prefix));
        found.map(|(_, name)| *name)
    };
    find(&CODES)
        .or_else(|| find(&CLASSES))
        .unwrap_or("an error of a kind that is not known here")
}

/// Those that a dump, a load or a check meets.
const CODES: [(&str, &str); 27] = [
    ("21000", "cardinality violation"),
    ("22000", "data exception"),
    ("22001", "string too long for its type"),
    ("22003", "numeric value out of range"),
    ("22007", "invalid datetime format"),
    ("22008", "datetime field overflow"),
    ("22012", "division by zero"),
    ("22021", "character not in the encoding's repertoire"),
    ("22023", "invalid parameter value"),
    ("22025", "invalid escape sequence"),
    ("22P02", "invalid text representation"),
    ("22P03", "invalid binary representation"),
    ("22P04", "bad COPY format"),
    ("22P05", "untranslatable character"),
    ("23000", "integrity constraint violation"),
    ("23001", "restrict violation"),
    ("23502", "not-null violation"),
    ("23503", "foreign key violation"),
    ("23505", "unique violation"),
    ("23514", "check violation"),
    ("23P01", "exclusion violation"),
    ("P0001", "raised by a function"),
    ("P0002", "no data found"),
    ("P0003", "too many rows"),
    ("P0004", "assertion failure in a function"),
    ("XX001", "data corrupted"),
    ("XX002", "index corrupted"),
];

const CLASSES: [(&str, &str); 36] = [
    ("01", "warning"),
    ("02", "no data"),
    ("03", "SQL statement not yet complete"),
    ("08", "connection exception"),
    ("09", "triggered action exception"),
    ("0A", "feature not supported"),
    ("0B", "invalid transaction initiation"),
    ("0F", "locator exception"),
    ("0L", "invalid grantor"),
    ("0P", "invalid role specification"),
    ("0Z", "diagnostics exception"),
    ("20", "case not found"),
    ("21", "cardinality violation"),
    ("22", "data exception"),
    ("23", "integrity constraint violation"),
    ("24", "invalid cursor state"),
    ("25", "invalid transaction state"),
    ("26", "invalid statement name"),
    ("27", "triggered data change violation"),
    ("28", "invalid authorization"),
    ("2B", "dependent privileges still exist"),
    ("2D", "invalid transaction termination"),
    ("2F", "SQL routine exception"),
    ("38", "external routine exception"),
    ("39", "external routine invocation exception"),
    ("40", "transaction rolled back"),
    ("42", "syntax error or access rule violation"),
    ("44", "check option violation"),
    ("53", "insufficient resources"),
    ("54", "program limit exceeded"),
    ("55", "object not in the needed state"),
    ("57", "operator intervention"),
    ("58", "system error outside of PostgreSQL"),
    ("HV", "foreign data wrapper error"),
    ("P0", "error in a function"),
    ("XX", "internal error"),
];
