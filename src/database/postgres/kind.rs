//! PostgreSQL as a kind of database: each question, and where its SQL is.

use super::client::DumpProgram;
use super::connect::Postgres;
use super::copy::{CopyInto, Lines};
use super::facts;
use super::rights::Of;
use super::roles::{by_hand, differences};
use super::script::Script;
use super::{ranged, same, schema, settings};
use crate::database::address::Address;
use crate::database::answers::{Answers, Each};
use crate::database::comparable::Comparable;
use crate::database::error::DatabaseError;
use crate::database::found::{
    AsFound, Begun, Control, Damage, Destination, Difference, Dropped, Keep, LeftOut, Pages,
    RangedRows, Refused, Rows, SchemaAsFound, SchemaError, SchemaPart, SequencesBehind, Table,
    Takes, Undone, Watch, Which,
};
use crate::database::kind::{Database, Read};
use crate::database::structure::{Sample, Structure};
use crate::manifest::{Catalogue, DatabaseFacts, HeartbeatColumn, Roles, SequenceAt};
use crate::model::Seconds;
use crate::plan::Beat;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

type Answer<T> = Result<T, DatabaseError>;

/// Methods of the same names, each beside the SQL that it speaks.
impl Comparable for Postgres {
    async fn horizon(&self) -> Answer<u64> {
        self.horizon().await
    }
    async fn limit(&self, to: Seconds) -> Answer<()> {
        self.limit(to).await
    }
    async fn ranged(&self, of: &Table, horizon: u64) -> Answer<RangedRows> {
        self.ranged(of, horizon).await
    }
    async fn rows_by_age(&self, of: &Table, horizon: u64) -> Answer<Rows> {
        self.rows_by_age(of, horizon).await
    }
    async fn sequence_values(&self) -> Answer<BTreeMap<String, Option<SequenceAt>>> {
        self.sequence_values().await
    }
    async fn defined_since(&self, horizon: u64) -> Answer<bool> {
        self.defined_since(horizon).await
    }
    async fn end_reading(&self) -> Answer<()> {
        self.execute("ROLLBACK").await
    }
    async fn newest_beat(&self, column: &HeartbeatColumn) -> Answer<Option<i64>> {
        self.newest_beat(column).await
    }
    fn catalogue(schema: SchemaAsFound) -> Option<Catalogue> {
        ranged::catalogue(schema)
    }
    async fn control(
        &self,
        damage: Damage,
        pick: u64,
        tables: Vec<Table>,
    ) -> Answer<Option<Control>> {
        self.control(damage, pick, tables).await
    }
    async fn structure(&self, sample: Sample<'_>) -> Answer<Structure> {
        self.structure(sample).await
    }
}

impl Answers for Postgres {
    async fn ask(&self, statement: &str) -> Answer<Answer<Option<String>>> {
        self.ask(statement).await
    }
    async fn ask_each(&self, statement: &str, each: &mut dyn Each) -> Answer<Answer<()>> {
        self.answers_of(statement, each).await
    }
}

impl Database for Postgres {
    type SchemaReader = DumpProgram;
    type Script = Script;
    type RowsOut<'a> = Lines<'a>;
    type RowsIn<'a> = CopyInto<'a>;

    async fn connect(address: &Address, timeout: Seconds) -> Answer<Self> {
        Self::open(address, timeout).await
    }
    async fn answers(&self) -> Answer<()> {
        self.value("SELECT 1").await.map(drop)
    }
    async fn now(&self) -> Answer<Option<Timestamp>> {
        self.now().await
    }
    async fn server_version(&self) -> Answer<String> {
        self.server_version().await
    }
    async fn databases(&self) -> Answer<Vec<String>> {
        self.databases().await
    }
    async fn databases_commented(&self) -> Answer<Vec<(String, String)>> {
        self.databases_commented().await
    }
    async fn make_database(
        &self,
        name: &str,
        comment: &str,
        like: Option<&DatabaseFacts>,
    ) -> Answer<bool> {
        self.make_database(name, comment, like).await
    }
    async fn drop_database(&self, name: &str, comment: &str) -> Answer<Dropped> {
        self.drop_database(name, comment).await
    }
    async fn tables(&self) -> Answer<Vec<Table>> {
        self.tables().await
    }
    async fn roles(&self) -> Answer<Roles> {
        self.roles().await
    }
    fn role_differences(wanted: &Roles, here: &Roles) -> Vec<Difference> {
        differences(wanted, here)
    }
    async fn collations(&self) -> Answer<BTreeMap<String, String>> {
        self.collations().await
    }
    async fn count(&self, what: LeftOut) -> Answer<u64> {
        self.count(what).await
    }
    async fn sequences_behind(&self) -> Answer<SequencesBehind> {
        self.sequences_behind().await
    }
    async fn sequences(&self) -> Answer<String> {
        self.sequences().await
    }
    async fn large_objects(&self) -> Answer<String> {
        self.large_objects().await
    }
    async fn begin_snapshot(&self) -> Answer<String> {
        self.begin_snapshot().await
    }
    async fn join_snapshot(&self, snapshot: &str) -> Answer<()> {
        self.join_snapshot(snapshot).await
    }
    async fn hold(&self, tables: &[Table]) -> Answer<()> {
        self.hold(tables).await
    }
    async fn rows_out(&self, of: &Table, pages: Pages) -> Answer<Lines<'_>> {
        self.rows_out(of, pages).await
    }
    async fn reads_all(&self) -> Answer<bool> {
        Ok(self.lacking(Of::All).await?.is_empty())
    }
    async fn digests_borrowing(&self, horizon: Option<u64>) -> Answer<Vec<Read>> {
        self.digests_borrowing(horizon).await
    }
    async fn open_up(&self, keep: &Keep<'_>) -> Answer<Vec<String>> {
        self.open_up(keep).await
    }
    async fn as_found(&self, keep: &Keep<'_>) -> Result<Option<AsFound>, SchemaError> {
        self.as_found(keep).await
    }
    async fn hurry(&self) -> Answer<()> {
        self.execute(settings::HURRY).await
    }
    async fn join_roles(&self, roles: &BTreeSet<String>, item: &str) -> Answer<()> {
        self.join_roles(roles, item).await
    }
    async fn join_readers(&self) -> Answer<()> {
        self.join_readers().await
    }
    async fn owns_database(&self) -> Answer<bool> {
        self.owns_database().await
    }
    fn owners(script: &Script) -> BTreeSet<String> {
        script.owners()
    }
    async fn heartbeat(&self, column: &HeartbeatColumn) -> Answer<Beat> {
        self.heartbeat(column).await
    }
    async fn readable(major: u32) -> Result<(), SchemaError> {
        schema::readable(major).await
    }
    async fn schema_reader(&self) -> Result<DumpProgram, SchemaError> {
        self.schema_reader().await
    }
    async fn schema_as_it_is(&self, snapshot: &str) -> Result<SchemaAsFound, SchemaError> {
        self.schema_as_it_is(snapshot).await
    }
    async fn schema(
        &self,
        reader: &DumpProgram,
        part: SchemaPart,
        snapshot: &str,
    ) -> Answer<String> {
        self.schema(reader, part, snapshot).await
    }
    async fn roles_by_hand(&self, roles: &Roles) -> Answer<String> {
        Ok(by_hand(roles, self.version_num().await?))
    }
    async fn ended(&self) -> Answer<Option<String>> {
        self.ended().await
    }
    async fn facts(&self) -> Answer<DatabaseFacts> {
        self.facts().await
    }
    fn dress(&self, facts: &DatabaseFacts, takes: Takes) -> String {
        self.dress(facts, takes)
    }
    fn database_differences(wanted: &DatabaseFacts, here: &DatabaseFacts) -> Vec<String> {
        facts::differences(wanted, here)
    }
    async fn open_again(&self) -> Answer<()> {
        self.open_again().await
    }
    async fn things(&self) -> Answer<u64> {
        self.things().await
    }
    async fn begun(&self, prefix: &str) -> Answer<Begun> {
        self.begun(prefix).await
    }
    async fn begin_load(&self, mark: &str) -> Answer<()> {
        self.begin_load(mark).await
    }
    async fn loaded(&self, item: &str) -> Answer<bool> {
        self.loaded(item).await
    }
    async fn make_roles(
        &self,
        wanted: &Roles,
        there: &BTreeSet<String>,
        item: &str,
    ) -> Answer<Vec<Refused>> {
        self.make_roles(wanted, there, item).await
    }
    fn script(text: String) -> Result<Script, &'static str> {
        Script::of(text)
    }
    async fn run(&self, script: &Script, which: Which, part: &str) -> Answer<()> {
        self.run(script, which, part).await
    }
    async fn run_beside(
        &self,
        others: &[Self],
        what: (&Script, Which, &str),
        watch: &dyn Watch,
    ) -> Answer<()> {
        self.run_beside(others, what, watch).await
    }
    async fn try_again(&self) -> Answer<Vec<Undone>> {
        self.try_again().await
    }
    fn schema_differences(
        stored: &Script,
        here: &Script,
        refused: &BTreeSet<String>,
    ) -> Option<Vec<String>> {
        same::differences(stored, here, refused)
    }
    async fn rows_in(&self, into: &Destination<'_>) -> Answer<CopyInto<'_>> {
        self.rows_in(into).await
    }
    async fn end_load(&self, mark: &str) -> Answer<()> {
        self.end_load(mark).await
    }
    async fn forget_load(&self) -> Answer<()> {
        self.forget_load().await
    }
    async fn side_effects_off(&self) -> Answer<Vec<String>> {
        self.side_effects_off().await
    }
}
