//! Roles at a load: those that are missing are made.

use super::action::{Action, actions};
use crate::database::error::DatabaseError;
use crate::database::found::Refused;
use crate::database::postgres::connect::Postgres;
use crate::manifest::Roles;
use std::collections::BTreeSet;

impl Postgres {
    /// # Errors
    /// The server's, apart from what it refuses.
    pub(in crate::database::postgres) async fn make_roles(
        &self,
        wanted: &Roles,
        there: &BTreeSet<String>,
        item: &str,
    ) -> Result<Vec<Refused>, DatabaseError> {
        let mut refused = Vec::new();
        self.execute("BEGIN").await?;
        for action in actions(wanted, there, self.version_num().await?) {
            if let Some(why) = self.act(&action).await? {
                let Action { role, what, .. } = action;
                refused.push(Refused { role, what, why });
            }
        }
        self.commit_item(item).await?;
        Ok(refused)
    }

    /// Tries one way after the other, each in a savepoint; what the server said to the first, where
    /// none is taken.
    async fn act(&self, action: &Action) -> Result<Option<String>, DatabaseError> {
        let operation = format!("{} of role {}", action.what, action.role);
        let mut why = None;
        for way in &action.ways {
            let whole = async || {
                for sql in way {
                    self.execute_as(operation.trim(), sql).await?;
                }
                Ok(())
            };
            let Err(e) = self.attempt(whole).await? else {
                return Ok(None);
            };
            let code = e.code.as_deref().unwrap_or_default();
            why.get_or_insert(format!("{code} {}", e.source));
        }
        Ok(why)
    }
}
