//! Stored SQL text at a load: checked to be statements, and run without those that this server does
//! not know.

use super::connect::Postgres;
use super::lex::{Kind, pieces};
use crate::database::error::DatabaseError;
use crate::database::quote::literal;
use std::collections::BTreeSet;

/// Text that holds nothing but statements, and the settings that it sets.
pub struct Script {
    text: String,
    settings: BTreeSet<String>,
}

impl Script {
    /// # Errors
    /// A command of psql is in it.
    pub(super) fn of(text: String) -> Result<Self, &'static str> {
        let mut settings = BTreeSet::new();
        for piece in pieces(&text) {
            if piece.kind == Kind::Meta {
                return Err("a command of psql stands where a statement should begin");
            }
            settings.extend(piece.setting());
        }
        Ok(Self { text, settings })
    }

    /// The text without the statements that set what the server does not know. A newer `pg_dump`
    /// sets it whatever the server's version (`transaction_timeout`); everything else stays, byte
    /// for byte.
    fn without(&self, unknown: &BTreeSet<String>) -> String {
        pieces(&self.text)
            .iter()
            .filter(|p| p.setting().is_none_or(|name| !unknown.contains(&name)))
            .map(|p| p.text)
            .collect()
    }
}

impl Postgres {
    /// # Errors
    /// The server's; nothing of the script is there then.
    pub(super) async fn load_script(
        &self,
        script: &Script,
        item: &str,
    ) -> Result<(), DatabaseError> {
        let mut unknown = BTreeSet::new();
        for name in &script.settings {
            if !self.knows(name).await? {
                unknown.insert(name.clone());
            }
        }
        let sql = script.without(&unknown);
        let statements = format!(
            "BEGIN;\n{sql}\n;INSERT INTO dr_restore.progress (item) VALUES ({});\nCOMMIT;",
            literal(item)
        );
        let result = self
            .execute_as(&format!("load of section {item}"), &statements)
            .await;
        if result.is_err() {
            drop(self.execute("ROLLBACK").await);
        }
        // pg_dump's text changes settings of the session; ours are needed for rows.
        self.execute(
            "SET search_path = pg_catalog; SET check_function_bodies = on; SET row_security = off",
        )
        .await?;
        result
    }

    async fn knows(&self, setting: &str) -> Result<bool, DatabaseError> {
        let asked = format!(
            "SELECT pg_catalog.current_setting({}, true)",
            literal(setting)
        );
        match self.value(&asked).await {
            Ok(value) => Ok(value.is_some()),
            Err(e) if e.forbidden() => Ok(true),
            Err(e) => Err(e),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each `pg_dump` writes first, after its own `\\restrict` was taken out.
    const HEADS: [(&str, &str); 4] = [
        ("15", include_str!("heads/15.sql")),
        ("16", include_str!("heads/16.sql")),
        ("17", include_str!("heads/17.sql")),
        ("18", include_str!("heads/18.sql")),
    ];

    fn script(text: &str) -> Script {
        Script::of(text.to_owned()).unwrap()
    }

    #[test]
    fn only_what_a_server_does_not_know_is_left_out_of_the_heads_of_all_versions() {
        for (version, head) in HEADS {
            let script = script(head);
            let new = script.settings.contains("transaction_timeout");
            assert_eq!(new, version >= "17", "{version}");
            assert!(script.settings.contains("row_security"), "{head}");
            assert_eq!(script.without(&BTreeSet::new()), head);
            let unknown = BTreeSet::from(["transaction_timeout".to_owned()]);
            let wanted = head.replace("\nSET transaction_timeout = 0;", "");
            assert_eq!(script.without(&unknown), wanted, "{version}");
        }
    }

    #[test]
    fn a_line_that_looks_like_a_setting_stays_where_it_is_none() {
        let sql = "CREATE FUNCTION f() AS $$\r\nSET transaction_timeout = 0;\r\n\\restrict x\n$$;\
             COMMENT ON TABLE t IS '\nSET transaction_timeout = 0;\n';";
        let unknown = BTreeSet::from(["transaction_timeout".to_owned()]);
        assert_eq!(script(sql).without(&unknown), sql);
        assert!(Script::of("SELECT 1;\n\\! ls\n".into()).is_err());
    }
}
