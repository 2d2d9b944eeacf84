//! What failed, without the data that it failed on: a server's messages repeat rows (`Failing row
//! contains (…)`), and what a step says is stored under a lock, for readers who may read no rows.

use super::condition::condition;
use crate::database::error::DatabaseError;
use tokio_postgres::error::{DbError, ErrorPosition};

impl DatabaseError {
    pub(super) fn new(operation: &str, database: &str, error: &tokio_postgres::Error) -> Self {
        Self {
            operation: operation.into(),
            database: database.into(),
            code: error.code().map(|c| c.code().to_owned()),
            source: Box::new(Told::from(error)),
        }
    }
}

/// What a server or the driver said, as far as it may leave the process.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Told(String);

impl From<&tokio_postgres::Error> for Told {
    fn from(error: &tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(said) => Self(tell(&Said::from(said))),
            None => Self(driver(error)),
        }
    }
}

/// The driver's own errors speak of sockets, certificates and the protocol.
fn driver(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(e) = cause {
        let next = e.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = e.source();
    }
    text
}

/// The fields of a server's error, apart from DETAIL and the internal query, which nobody is told.
#[derive(Clone, Copy, Debug, Default)]
struct Said<'a> {
    code: &'a str,
    severity: &'a str,
    message: &'a str,
    hint: Option<&'a str>,
    context: Option<&'a str>,
    routine: Option<&'a str>,
    schema: Option<&'a str>,
    table: Option<&'a str>,
    column: Option<&'a str>,
    data_type: Option<&'a str>,
    constraint: Option<&'a str>,
    inside: bool,
}

impl<'a> From<&'a DbError> for Said<'a> {
    fn from(e: &'a DbError) -> Self {
        Self {
            code: e.code().code(),
            severity: e.severity(),
            message: e.message(),
            hint: e.hint(),
            context: e.where_(),
            routine: e.routine(),
            schema: e.schema(),
            table: e.table(),
            column: e.column(),
            data_type: e.datatype(),
            constraint: e.constraint(),
            inside: matches!(e.position(), Some(ErrorPosition::Internal { .. })),
        }
    }
}

/// Classes whose messages are about objects, rights and the server, never about a value; of the
/// others only the name of the condition is told.
const PLAIN: [&str; 18] = [
    "08", "0A", "0L", "0P", "25", "26", "28", "2B", "2D", "34", "3B", "3D", "3F", "40", "42", "53",
    "54", "55",
];

fn plain(code: &str) -> bool {
    PLAIN.iter().any(|class| code.starts_with(class))
        || ["57", "58", "F0", "XX001", "XX002"]
            .iter()
            .any(|class| code.starts_with(class))
}

/// How a context begins that is the server's own work and no function.
const OWN_WORK: [&str; 7] = [
    "COPY ",
    "JSON data",
    "parallel worker",
    "while scanning ",
    "while inserting ",
    "while updating ",
    "while locking ",
];

/// The database's own functions say what they like, under any code and in every field.
fn by_a_function(said: &Said<'_>) -> bool {
    let context = said.context.unwrap_or_default();
    said.inside
        || said.code.starts_with("P0")
        || said.routine == Some("exec_stmt_raise")
        || !(context.is_empty() || OWN_WORK.iter().any(|own| context.starts_with(own)))
}

fn tell(said: &Said<'_>) -> String {
    let mut parts = Vec::new();
    let (own, context) = (by_a_function(said), said.context.unwrap_or_default());
    let text = if plain(said.code) && !own {
        said.message.to_owned()
    } else {
        condition(said.code).to_owned()
    };
    let severity = Some(said.severity).filter(|s| !matches!(*s, "" | "ERROR"));
    parts.push(severity.map_or(text.clone(), |s| format!("{s}: {text}")));
    if own {
        parts.push(function(context));
        parts.push("its text may hold values and stands in the server's log alone".into());
        return parts.join("; ");
    }
    let named = [
        ("schema", said.schema),
        ("table", said.table),
        ("column", said.column),
        ("type", said.data_type),
        ("constraint", said.constraint),
    ];
    parts.extend(
        named
            .iter()
            .filter_map(|(what, name)| Some(format!("{what} {}", (*name)?))),
    );
    if let Some(place) = place(context) {
        parts.push(place.to_owned());
    }
    parts.extend(said.hint.map(|h| format!("hint: {h}")));
    parts.join("; ")
}

/// `COPY orders, line 3, column paid`: what stands before the value.
fn place(context: &str) -> Option<&str> {
    let line = context.lines().next()?;
    line.starts_with("COPY ")
        .then(|| line.split_once(": ").map_or(line, |(place, _)| place))
}

/// `PL/pgSQL function app.check_row(integer) line 3 at RAISE` names the function; other contexts
/// repeat statements.
fn function(context: &str) -> String {
    let line = context.lines().next().unwrap_or_default();
    let named = match line.split_once(" line ") {
        Some((name, _)) if line.starts_with("PL/pgSQL function ") => Some(name),
        _ => line
            .strip_prefix("SQL function \"")
            .and_then(|rest| rest.split_once('"'))
            .map(|(name, _)| name),
    };
    named.map_or("in a function of the database".into(), |n| {
        format!("in {n}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_inside_and_names_are_told() {
        let said = Said {
            code: "22P02",
            severity: "ERROR",
            message: "invalid input syntax for type integer: \"SECRET\"",
            context: Some("COPY orders, line 3, column paid: \"SECRET\""),
            ..Said::default()
        };
        assert_eq!(
            tell(&said),
            "invalid text representation; COPY orders, line 3, column paid"
        );
        let said = Said {
            code: "23505",
            message: "SECRET",
            schema: Some("app"),
            table: Some("orders"),
            constraint: Some("orders_pkey"),
            ..Said::default()
        };
        assert_eq!(
            tell(&said),
            "unique violation; schema app; table orders; constraint orders_pkey"
        );
        let said = Said {
            code: "42501",
            severity: "FATAL",
            message: "permission denied for table t",
            hint: Some("Ask."),
            ..Said::default()
        };
        assert_eq!(
            tell(&said),
            "FATAL: permission denied for table t; hint: Ask."
        );
    }

    #[test]
    fn what_a_function_says_is_not_repeated_whatever_its_code() {
        for code in ["P0001", "42501", "23505", "ZZ999"] {
            let said = Said {
                code,
                message: "SECRET",
                hint: Some("SECRET"),
                table: Some("SECRET"),
                context: Some(
                    "PL/pgSQL function app.f(integer) line 3 at RAISE\nSQL statement \"SECRET\"",
                ),
                ..Said::default()
            };
            let told = tell(&said);
            assert!(
                !told.contains("SECRET") && told.contains("app.f(integer)"),
                "{told}"
            );
        }
        for context in [
            "SQL statement \"SECRET\"",
            "unnamed portal with parameters: $1 = 'SECRET'",
        ] {
            let said = Said {
                code: "42703",
                message: "SECRET",
                context: Some(context),
                ..Said::default()
            };
            assert!(!tell(&said).contains("SECRET"), "{}", tell(&said));
        }
    }
}
