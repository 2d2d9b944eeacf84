//! One thing of a restored database is damaged, looked at, and undone: whether a check would
//! notice. Rows and sequences in a transaction that is rolled back; what `pg_dump` alone can see
//! is done and done again, and only in a database whose schema was kept before.

use super::connect::Postgres;
use super::ranged::catalogue;
use super::rights::Of;
use crate::database::error::DatabaseError;
use crate::database::found::{Control, Damage, Seen, Table};
use crate::database::quote::qualified;
use crate::manifest::Catalogue;
use serde::Deserialize;
use std::collections::BTreeSet;

/// Things that are tried, one after the other: a server may refuse to have one damaged.
const TRIED: usize = 40;

/// Sequences that number a column, where the column went on from where they began.
const NUMBERING: &str = "SELECT json_build_object('sequence', format('%I.%I', sn.nspname, \
     s.relname), 'name', sn.nspname || '.' || s.relname, 'table', format('%I.%I', tn.nspname, \
     t.relname), 'column', quote_ident(a.attname), 'start', q.seqstart) FROM pg_depend d JOIN \
     pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_namespace sn ON sn.oid = \
     s.relnamespace JOIN pg_sequence q ON q.seqrelid = s.oid JOIN pg_class t ON t.oid = d.refobjid \
     JOIN pg_namespace tn ON tn.oid = t.relnamespace JOIN pg_attribute a ON a.attrelid = t.oid AND \
     a.attnum = d.refobjsubid WHERE d.classid = 'pg_class'::regclass AND d.refclassid = \
     'pg_class'::regclass AND d.deptype IN ('a', 'i') AND q.seqincrement > 0 AND NOT q.seqcycle \
     ORDER BY s.oid";

/// A statement that damages, one that undoes it, and what is damaged.
const SECURED: &str = "SELECT json_build_object('damage', format('ALTER TABLE %I.%I DISABLE ROW \
     LEVEL SECURITY', n.nspname, c.relname), 'undo', format('ALTER TABLE %I.%I ENABLE ROW LEVEL \
     SECURITY', n.nspname, c.relname), 'what', format('row-level security of %I.%I', n.nspname, \
     c.relname)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE \
     c.relrowsecurity AND n.nspname !~ '^pg_' AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE \
     d.objid = c.oid AND d.deptype = 'e') ORDER BY c.oid";
const GIVEN: &str = "SELECT json_build_object('damage', format('REVOKE %s ON TABLE %I.%I FROM %I', \
     a.privilege_type, n.nspname, c.relname, r.rolname), 'undo', format('GRANT %s ON TABLE %I.%I \
     TO %I%s', a.privilege_type, n.nspname, c.relname, r.rolname, CASE WHEN a.is_grantable THEN ' \
     WITH GRANT OPTION' ELSE '' END), 'what', format('%s on %I.%I for %I', a.privilege_type, \
     n.nspname, c.relname, r.rolname)) FROM pg_class c JOIN pg_namespace n ON n.oid = \
     c.relnamespace, aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee WHERE c.relkind \
     IN ('r', 'p') AND a.grantor = c.relowner AND a.grantee <> c.relowner AND n.nspname !~ '^pg_' \
     AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') ORDER BY \
     c.oid, r.oid, a.privilege_type";
const TRIGGERS: &str = "SELECT json_build_object('damage', format('ALTER TABLE %I.%I DISABLE \
     TRIGGER %I', n.nspname, c.relname, t.tgname), 'undo', format('ALTER TABLE %I.%I ENABLE \
     TRIGGER %I', n.nspname, c.relname, t.tgname), 'what', format('trigger %I of %I.%I', t.tgname, \
     n.nspname, c.relname)) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN \
     pg_namespace n ON n.oid = c.relnamespace WHERE NOT t.tgisinternal AND t.tgenabled = 'O' AND \
     t.tgparentid = 0 AND c.relkind = 'r' AND n.nspname !~ '^pg_' AND NOT EXISTS (SELECT 1 FROM \
     pg_depend d WHERE d.objid IN (c.oid, t.oid) AND d.deptype = 'e') ORDER BY t.oid";

/// Tables from which a row can go without any trigger: none of a user's, and nothing that refers to
/// them.
const ALONE: &str = "SELECT json_build_array(n.nspname, c.relname) FROM pg_class c JOIN \
     pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND NOT EXISTS (SELECT 1 FROM \
     pg_trigger t WHERE t.tgrelid = c.oid AND t.tgtype & 8 > 0) AND NOT EXISTS (SELECT 1 FROM \
     pg_rewrite r WHERE r.ev_class = c.oid)";

/// No statement of a control takes longer.
const PATIENCE: &str = "SET LOCAL statement_timeout = '10min'";

#[derive(Deserialize)]
struct Numbering {
    sequence: String,
    name: String,
    table: String,
    column: String,
    start: i64,
}

#[derive(Deserialize)]
struct Statement {
    damage: String,
    undo: String,
    what: String,
}

fn rotated<T>(mut all: Vec<T>, pick: u64) -> impl Iterator<Item = T> {
    let count = all.len();
    if count > 0 {
        let first = pick % count as u64;
        all.rotate_left(usize::try_from(first).unwrap_or(0));
    }
    all.into_iter().take(TRIED)
}

impl Postgres {
    /// # Errors
    /// The server's, but for its refusal to have something damaged.
    pub(super) async fn control(
        &self,
        damage: Damage,
        pick: u64,
        tables: Vec<Table>,
    ) -> Result<Option<Control>, DatabaseError> {
        match damage {
            Damage::Row => {
                self.for_a_moment(async || self.lose_row(pick, tables).await)
                    .await
            }
            Damage::Sequence => self.for_a_moment(async || self.turn_back(pick).await).await,
            Damage::RowSecurity => self.redefine(SECURED, pick).await,
            Damage::Right => self.redefine(GIVEN, pick).await,
            Damage::Trigger => self.redefine(TRIGGERS, pick).await,
        }
    }

    /// With the rights of the owners, and undone.
    async fn for_a_moment(
        &self,
        work: impl AsyncFnOnce() -> Result<Option<Control>, DatabaseError>,
    ) -> Result<Option<Control>, DatabaseError> {
        let lacking = self.lacking(Of::All).await?;
        let bounded = async || {
            self.execute(PATIENCE).await?;
            work().await
        };
        self.undone(&lacking, bounded).await
    }

    /// Whether the server took it, and it touched something.
    async fn taken(&self, sql: &str) -> Result<bool, DatabaseError> {
        let asked = async || {
            let messages = self.client.simple_query(sql).await;
            messages.map_err(|e| self.failed("damage for a control", &e))
        };
        let touched = |m: &tokio_postgres::SimpleQueryMessage| match m {
            tokio_postgres::SimpleQueryMessage::CommandComplete(rows) => *rows > 0,
            _ => false,
        };
        let messages = self.attempt(asked).await?;
        Ok(messages.is_ok_and(|all| all.iter().any(touched)))
    }

    async fn lose_row(
        &self,
        pick: u64,
        tables: Vec<Table>,
    ) -> Result<Option<Control>, DatabaseError> {
        let alone: BTreeSet<(String, String)> = self.json(ALONE).await?.into_iter().collect();
        let alone = |t: &Table| alone.contains(&(t.schema.clone(), t.name.clone()));
        for table in rotated(tables.into_iter().filter(alone).collect(), pick) {
            let name = qualified(&table.schema, &table.name);
            let lose = format!(
                "DELETE FROM ONLY {name} WHERE ctid = (SELECT ctid FROM ONLY {name} LIMIT 1)"
            );
            if self.taken(&lose).await? {
                return Ok(Some(Control {
                    what: format!("a row of {name}"),
                    seen: Seen::Table {
                        name: table.full_name(),
                        digest: self.digest_of(&table).await?,
                    },
                }));
            }
        }
        Ok(None)
    }

    async fn turn_back(&self, pick: u64) -> Result<Option<Control>, DatabaseError> {
        let all = self.json::<Numbering>(NUMBERING).await?;
        for one in rotated(all, pick) {
            let (table, column, start) = (&one.table, &one.column, one.start);
            let numbered = format!("SELECT coalesce(max({column}) > {start}, false) FROM {table}");
            // Begins anew in this transaction alone, as `setval` would not.
            let back = format!("ALTER SEQUENCE {} RESTART", one.sequence);
            self.execute("SAVEPOINT dr_control").await?;
            let went = self.value(&numbered).await;
            let went = went.is_ok_and(|w| w.as_deref() == Some("t"));
            let turned = went && self.execute(&back).await.is_ok();
            if turned {
                return Ok(Some(Control {
                    what: format!("sequence {}", one.name),
                    seen: Seen::Sequences(self.sequences_behind().await?),
                }));
            }
            let back = "ROLLBACK TO SAVEPOINT dr_control; RELEASE SAVEPOINT dr_control";
            self.execute(back).await?;
        }
        Ok(None)
    }

    /// A crash between damage and undoing leaves a scratch database whose schema was kept before:
    /// what is compared and dumped is what was kept.
    async fn redefine(&self, sql: &str, pick: u64) -> Result<Option<Control>, DatabaseError> {
        let Some(before) = self.catalogue_now().await? else {
            return Ok(None);
        };
        self.execute("SET lock_timeout = '60s'").await?;
        for one in rotated(self.json::<Statement>(sql).await?, pick) {
            match self.execute(&one.damage).await {
                Ok(()) => {}
                Err(e) if e.transient() => return Err(e),
                Err(_) => continue,
            }
            let after = self.catalogue_now().await;
            self.execute(&one.undo).await?;
            return Ok(after?.map(|after| Control {
                what: one.what,
                seen: Seen::Schema { before, after },
            }));
        }
        Ok(None)
    }

    async fn catalogue_now(&self) -> Result<Option<Catalogue>, DatabaseError> {
        let snapshot = self.begin_snapshot().await?;
        let schema = self.schema_as_it_is(&snapshot).await;
        self.execute("ROLLBACK").await?;
        match schema {
            Ok(schema) => Ok(catalogue(schema)),
            Err(crate::database::SchemaError::Database(e)) if e.transient() => Err(e),
            // Compared is what can be read.
            Err(_) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_picked_everything_is_tried_once() {
        let picked = |pick| rotated(vec!['a', 'b', 'c'], pick).collect::<String>();
        assert_eq!([0, 1, 5].map(picked), ["abc", "bca", "cab"]);
        assert_eq!(rotated(Vec::<u8>::new(), 7).count(), 0);
    }
}
