//! What every session sets: whatever the server, a database or a role say otherwise would change
//! what is read or written, or end it in the middle.

/// Name, value, why. All of them may be set by anybody, on every version.
const ALWAYS: [(&str, &str, &str); 18] = [
    ("search_path", "pg_catalog", "names are ours"),
    (
        "datestyle",
        "ISO, MDY",
        "dates are read as they were written",
    ),
    ("intervalstyle", "postgres", "intervals too"),
    ("timezone", "UTC", "instants too"),
    ("extra_float_digits", "3", "no digit of a float is lost"),
    ("bytea_output", "hex", "one form of bytes"),
    ("xmloption", "content", "parts of documents are xml"),
    ("client_encoding", "UTF8", "one encoding of text"),
    ("lc_monetary", "C", "money is read as it was written"),
    (
        "standard_conforming_strings",
        "on",
        "a backslash in a literal is one",
    ),
    ("array_nulls", "on", "NULL in an array is none"),
    (
        "row_security",
        "off",
        "a policy that would hide rows is an error",
    ),
    ("statement_timeout", "0", "long work is not cut"),
    ("lock_timeout", "0", "nor is waiting"),
    (
        "idle_in_transaction_session_timeout",
        "0",
        "a snapshot is held while others read",
    ),
    ("default_transaction_read_only", "off", "a load writes"),
    (
        "default_transaction_isolation",
        "read committed",
        "what another session did is seen",
    ),
    ("jit", "off", "it costs more than it gives"),
];

/// Those that some versions do not have, or that not everybody may set: only where they are
/// otherwise.
const OTHERWISE: [(&str, &str, &str); 10] = [
    (
        "idle_session_timeout",
        "0",
        "a session waits for a slow target",
    ),
    ("transaction_timeout", "0", "long work is not cut"),
    (
        "session_replication_role",
        "origin",
        "keys and triggers are obeyed",
    ),
    (
        "default_transaction_deferrable",
        "off",
        "no transaction waits to begin",
    ),
    (
        "default_tablespace",
        "",
        "tables lie where the database does",
    ),
    (
        "default_table_access_method",
        "heap",
        "what the schema does not say is the server's own",
    ),
    ("check_function_bodies", "on", "a wrong function is refused"),
    ("gin_fuzzy_search_limit", "0", "an index gives all rows"),
    (
        "quote_all_identifiers",
        "off",
        "texts of the schema compare",
    ),
    ("lc_messages", "C", "messages are read"),
];

/// Of sessions that load: a commit waits for no disk, and an index that fits is sorted in memory.
pub(super) const HURRY: &str = "SET synchronous_commit = off; SELECT \
     set_config('maintenance_work_mem', '256MB', false) FROM pg_settings WHERE name = \
     'maintenance_work_mem' AND setting::bigint < 262144";

/// In this order: only after the first one are names what they seem.
pub(super) fn session() -> String {
    let always: String = ALWAYS
        .iter()
        .map(|(name, value, _)| format!("SET {name} = {}; ", quoted(name, value)))
        .collect();
    let wanted: Vec<String> = OTHERWISE
        .iter()
        .map(|(name, value, _)| format!("('{name}', '{value}')"))
        .collect();
    // A role that a role's setting assumes is left: rights are those of who entered.
    format!(
        "SET SESSION AUTHORIZATION DEFAULT; SET ROLE NONE; {always}SELECT set_config(w.name, \
         w.value, false) FROM (VALUES {}) w (name, value) JOIN pg_settings s USING (name) WHERE \
         s.setting <> w.value AND (s.context = 'user' OR (SELECT rolsuper FROM pg_roles WHERE \
         rolname = current_user))",
        wanted.join(", ")
    )
}

/// A list is a list only without quotes around all of it.
fn quoted(name: &str, value: &str) -> String {
    match name {
        "datestyle" | "search_path" => value.to_owned(),
        _ => format!("'{value}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_setting_is_there_once_with_its_reason() {
        let all: Vec<_> = ALWAYS.iter().chain(&OTHERWISE).collect();
        let names: BTreeSet<_> = all.iter().map(|(name, _, _)| name).collect();
        assert_eq!(names.len(), all.len());
        assert!(all.iter().all(|(_, _, why)| !why.is_empty()));
        let sql = session();
        assert!(sql.starts_with(
            "SET SESSION AUTHORIZATION DEFAULT; SET ROLE NONE; SET search_path = pg_catalog; SET \
             datestyle = ISO, MDY; SET intervalstyle = 'postgres'; "
        ));
    }
}
