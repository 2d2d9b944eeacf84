//! A part of a load while its statements are run: how far it is, and under which settings.

use super::connect::Postgres;
use super::script::{Script, Statement};
use super::session::firsts;
use crate::database::error::DatabaseError;
use crate::database::found::Which;
use crate::database::quote::literal;
use std::collections::{BTreeMap, BTreeSet};

const OPEN: &str = "SELECT secures FROM dr_restore.undone WHERE secures IS NOT NULL";

/// A part that is being run.
pub(super) struct Running<'a> {
    pub part: &'a str,
    pub statements: &'a [&'a Statement],
    /// Before it an earlier attempt did all.
    pub begun: usize,
    /// Settings in force, by name.
    pub settings: BTreeMap<&'a str, &'a str>,
    /// Tables whose row-level security was refused.
    pub open: BTreeSet<String>,
}

impl Postgres {
    /// Those that this server knows.
    pub(super) async fn statements_of<'a>(
        &self,
        script: &'a Script,
        which: Which,
    ) -> Result<Vec<&'a Statement>, DatabaseError> {
        let unknown = self.unknown_settings(script).await?;
        Ok(script.without(&unknown, which))
    }

    pub(super) async fn running<'a>(
        &self,
        statements: &'a [&'a Statement],
        part: &'a str,
    ) -> Result<Running<'a>, DatabaseError> {
        let sql = format!(
            "SELECT next FROM dr_restore.position WHERE part = {}",
            literal(part)
        );
        let next = self.value(&sql).await?;
        Ok(Running {
            part,
            statements,
            begun: next.and_then(|n| n.parse().ok()).unwrap_or(0),
            settings: BTreeMap::new(),
            open: firsts(self.rows(OPEN).await?).collect(),
        })
    }
}

impl<'a> Running<'a> {
    pub(super) fn note(&mut self, n: usize) {
        let statement: &'a Statement = self.statements[n];
        if let Some(name) = &statement.setting {
            self.settings.insert(name, &statement.text);
        }
    }

    /// Settings in force at a place, as statements.
    pub(super) fn before(&self, at: usize) -> String {
        let set = self.statements[..at].iter();
        let texts = set.filter(|s| s.setting.is_some());
        texts.map(|s| s.text.as_str()).collect()
    }

    pub(super) fn withheld(&self, statement: &Statement) -> bool {
        let table = statement.grants_on.as_ref();
        table.is_some_and(|t| self.open.contains(t))
    }
}
