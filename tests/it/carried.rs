//! What belongs to a database and is no row of a table: it comes back with a dump, or is named.

use crate::servers::Rig;
use dr::database::Postgres;
use dr::dump::{Compared, digest_database};
use dr::model::Seconds;
use dr::proof::differences;

/// As an extension would make them: a table whose rows are users' own, and one that refers to it.
const CONFIGURED: &str = "CREATE EXTENSION hstore; CREATE TABLE public.conf (id int PRIMARY KEY, \
 mine bool NOT NULL); CREATE TABLE public.aconf (of int REFERENCES public.conf, note text); CREATE \
 SEQUENCE public.confs; ALTER EXTENSION hstore ADD TABLE public.conf; ALTER EXTENSION hstore ADD \
 TABLE public.aconf; ALTER EXTENSION hstore ADD SEQUENCE public.confs; UPDATE pg_extension SET \
 extconfig = ARRAY['public.conf'::regclass::oid, 'public.aconf'::regclass, \
 'public.confs'::regclass], extcondition = ARRAY['WHERE mine OR id = 7', '', ''] WHERE extname = \
 'hstore'; INSERT INTO public.conf VALUES (1, false)";

const CONFIGURATION: &str = "SELECT string_agg(id::text || mine, ',' ORDER BY id) || (SELECT \
 string_agg(of || note, ',') FROM public.aconf) || (SELECT last_value FROM public.confs) FROM \
 public.conf";

const OBJECTS: &str = "SELECT string_agg(format('%s %s %s %s %s', m.oid, \
     pg_get_userbyid(lomowner), lomacl, obj_description(m.oid, 'pg_largeobject'), \
     md5(lo_get(m.oid))), E'\n' ORDER BY m.oid) FROM pg_largeobject_metadata m";

const MADE: &str = "CREATE ROLE lob LOGIN; CREATE ROLE reader; SELECT lo_from_bytea(4711, \
     'hello'), lo_from_bytea(4712, convert_to(repeat('0123456789', 60000), 'UTF8')), \
     lo_create(4713), \
     lo_create(4714); SELECT lo_put(4714, 700000, 'behind a hole'); ALTER LARGE OBJECT 4711 OWNER \
     TO lob; GRANT SELECT ON LARGE OBJECT 4711 TO reader, PUBLIC; GRANT UPDATE ON LARGE OBJECT \
     4712 TO lob WITH GRANT OPTION; COMMENT ON LARGE OBJECT 4712 IS E'it''s\nbig'";

#[test]
fn large_objects_and_rows_of_extensions_come_back() {
    let rig = Rig::new("carried");
    rig.run(async {
        rig.from.sql("shop", MADE).await;
        rig.from.sql("shop", CONFIGURED).await;
        let own = "INSERT INTO public.conf VALUES (2, true), (7, false), (9, false); INSERT INTO \
             public.aconf VALUES (2, 'of two'); SELECT setval('public.confs', 42)";
        rig.from.sql("shop", own).await;
        let dump = rig.dump().await.expect("dumped");
        assert_eq!(dump.excluded.len(), 0, "{:?}", dump.excluded);
        // The extension is there, as on a server that has it.
        rig.to.sql("shop", CONFIGURED).await;
        let to = rig.to.address("shop", "postgres");
        let loaded = rig.load(&dump, &to).await.expect("loaded");
        assert_eq!(loaded.undone, Vec::<String>::new());
        let found = rig.to.text("shop", CONFIGURATION).await;
        assert_eq!(found, "1false,2true,7false2of two42");
        let wanted = rig.from.text("shop", OBJECTS).await;
        assert_eq!(rig.to.text("shop", OBJECTS).await, wanted);
        let read = |of: &dr::manifest::Dump| {
            let tables = of.tables.iter();
            tables.map(|t| t.digest.rows).collect::<Vec<_>>()
        };
        // Pieces of large objects are counted as rows.
        assert_eq!(read(&dump).iter().sum::<u64>(), 1 + 3 + 1 + 3 + 2 + 1);
    });
}

/// What belongs to a database.
const FACTS: &str = "SELECT format('%s|%s|%s|%s', d.datconnlimit, shobj_description(d.oid, \
 'pg_database'), (SELECT string_agg(coalesce(r.rolname, '') || ':' || l, ';' ORDER BY r.rolname \
 NULLS FIRST, l) FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole, \
 unnest(s.setconfig) l WHERE s.setdatabase = d.oid), (SELECT \
 string_agg(a.privilege_type || ' ' || a.grantee::regrole, ',' ORDER BY a.grantee::regrole::text, \
 a.privilege_type) FROM aclexplode(d.datacl) a)) FROM pg_database d WHERE d.datname = 'shop'";

#[test]
fn settings_rights_and_comment_of_a_database_come_back_and_it_is_closed_until_then() {
    let rig = Rig::new("dressed");
    rig.run(async {
        let set = "CREATE ROLE app LOGIN; CREATE SCHEMA app; ALTER DATABASE shop SET search_path = \
             app, \"Odd, name\"; ALTER DATABASE shop SET timezone = 'Asia/Tokyo'; ALTER DATABASE \
             shop SET app.note = E'a\nALTER ROLE app SUPERUSER;\n--'; ALTER ROLE app IN DATABASE \
             shop SET work_mem = '7MB'; REVOKE CONNECT, TEMPORARY ON DATABASE shop FROM PUBLIC; \
             GRANT CONNECT ON DATABASE shop TO app; COMMENT ON DATABASE shop IS E'it''s\nours'; \
             ALTER DATABASE shop CONNECTION LIMIT 40; CREATE TABLE app.t AS SELECT 1 AS a";
        rig.from.sql("shop", set).await;
        let wanted = rig.from.text("shop", FACTS).await;
        assert!(wanted.starts_with("40|it's\nours|"), "{wanted}");
        let dump = rig.dump().await.expect("dumped");
        let to = rig.to.address("shop", "postgres");
        let loaded = rig.load(&dump, &to).await.expect("loaded");
        assert_eq!(loaded.undone, Vec::<String>::new());
        assert_eq!(loaded.exceptions, Vec::<String>::new());
        assert_eq!(rig.to.text("shop", FACTS).await, wanted);
        // Asked again it is done, and says so from what stands in the database.
        let again = rig.load(&dump, &to).await.expect("loaded");
        assert_eq!((again.bytes, again.undone.len()), (0, 0));
        let ours = "SELECT count(*) FROM pg_namespace WHERE nspname = 'dr_restore'";
        assert_eq!(rig.to.text("shop", ours).await, "1");
        rig.forget(&to).await;
        rig.forget(&to).await;
        assert_eq!(rig.to.text("shop", ours).await, "0");
        // A load that did not end leaves it closed.
        rig.to.sql("postgres", "CREATE DATABASE other").await;
        let other = rig.to.address("other", "postgres");
        let mut lost = dump.clone();
        lost.tables[0].chunks[0].sha256.0 = "00".repeat(32);
        assert!(rig.load(&lost, &other).await.is_err());
        let open = "SELECT has_database_privilege('app', 'other', 'CONNECT')::text";
        assert_eq!(rig.to.text("postgres", open).await, "false");
        rig.load(&dump, &other).await.expect("loaded");
        assert_eq!(
            rig.to.text("postgres", open).await,
            "true",
            "app may, by its grant"
        );
        let public = "SELECT has_database_privilege('pg_monitor', 'other', 'CONNECT')::text";
        assert_eq!(rig.to.text("postgres", public).await, "false");
    });
}

#[test]
fn what_a_given_database_has_otherwise_is_told() {
    let rig = Rig::new("otherwise");
    rig.run(async {
        rig.from
            .sql("shop", "CREATE TABLE t AS SELECT 1 AS a")
            .await;
        let dump = rig.dump().await.expect("dumped");
        let make = "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'; ";
        rig.to.sql("postgres", make).await;
        let to = rig.to.address("latin", "postgres");
        let told = rig.load(&dump, &to).await.expect("loaded").exceptions;
        let encoding = "database: encoding is \"UTF8\" in the dump and \"LATIN1\" here";
        assert!(told.iter().any(|t| t == encoding), "{told:#?}");
    });
}

/// The worst value of what a database or a role may set under a session.
const WORST: [(&str, &str); 17] = [
    ("search_path", "evil, public"),
    ("datestyle", "'SQL, DMY'"),
    ("intervalstyle", "sql_standard"),
    ("timezone", "'Asia/Tokyo'"),
    ("extra_float_digits", "-15"),
    ("bytea_output", "escape"),
    ("xmloption", "document"),
    ("client_encoding", "LATIN1"),
    ("standard_conforming_strings", "off"),
    ("array_nulls", "off"),
    ("lock_timeout", "'1ms'"),
    ("idle_in_transaction_session_timeout", "'20ms'"),
    ("default_transaction_read_only", "on"),
    ("default_transaction_isolation", "serializable"),
    ("session_replication_role", "replica"),
    ("quote_all_identifiers", "on"),
    ("gin_fuzzy_search_limit", "1"),
];

const VALUES: &str = "SELECT md5(string_agg(format('%s|%s|%s|%s|%s|%s|%s', a, b, c, d, e, f, g), \
 E'\n')) FROM public.t";

#[test]
fn nothing_that_a_database_or_a_role_sets_changes_what_is_read_or_written() {
    let rig = Rig::new("worst");
    rig.run(async {
        let rows = "CREATE TABLE t AS SELECT date '2001-02-03' AS a, interval '-1 day 2 hours' AS \
             b, timestamptz '2001-02-03 04:05Z' AS c, 0.1::float8 + 0.2 AS d, '\\xff00'::bytea AS \
             e, ARRAY['NULL', NULL, 'x'] AS f, E'\\u20ac\\\\' AS g; CREATE SCHEMA evil; CREATE \
             TABLE evil.pg_class (a int); CREATE FUNCTION evil.trapped() RETURNS trigger LANGUAGE \
             plpgsql AS 'BEGIN RETURN NULL; END'";
        rig.from.sql("shop", rows).await;
        let set = |of: &str| {
            let each = WORST
                .iter()
                .map(|(name, value)| format!("{of} SET {name} = {value};"));
            each.collect::<String>()
        };
        let wanted = rig.from.text("shop", VALUES).await;
        rig.from.sql("shop", "CREATE ROLE nobody").await;
        rig.from.sql("shop", &set("ALTER DATABASE shop")).await;
        rig.from.sql("postgres", &set("ALTER ROLE postgres")).await;
        rig.from
            .sql("postgres", "ALTER ROLE postgres SET role = nobody")
            .await;
        let dump = rig.dump().await.expect("dumped");
        rig.to.sql("postgres", &set("ALTER DATABASE shop")).await;
        rig.to
            .sql(
                "postgres",
                "CREATE ROLE nobody; ALTER ROLE postgres SET role = nobody",
            )
            .await;
        let to = rig.to.address("shop", "postgres");
        let loaded = rig.load(&dump, &to).await.expect("loaded");
        assert_eq!(loaded.undone, Vec::<String>::new());
        for name in ["shop", "postgres"] {
            for server in [&rig.from, &rig.to] {
                let reset = format!(
                    "BEGIN READ WRITE; SET LOCAL ROLE NONE; ALTER DATABASE {name} RESET ALL; ALTER \
                     ROLE postgres RESET ALL; COMMIT"
                );
                server.sql(name, &reset).await;
            }
        }
        assert_eq!(rig.to.text("shop", VALUES).await, wanted);
    });
}

#[test]
fn what_others_own_is_loaded_and_looked_at_by_a_user_who_is_no_superuser() {
    let rig = Rig::new("theirs");
    rig.run(async {
        rig.from.sql("shop", MADE).await;
        let own = "ALTER LARGE OBJECT 4712 OWNER TO lob; ALTER LARGE OBJECT 4713 OWNER TO lob; \
                   ALTER LARGE OBJECT 4714 OWNER TO lob; CREATE TABLE t AS SELECT 1 AS a; ALTER \
                   TABLE t OWNER TO reader";
        rig.from.sql("shop", own).await;
        let dump = rig.dump().await.expect("dumped");
        let loader = "CREATE ROLE loader LOGIN CREATEDB CREATEROLE PASSWORD 'pw'";
        rig.to.sql("postgres", loader).await;
        let make = "CREATE DATABASE theirs TEMPLATE template0 OWNER loader";
        rig.to.sql("postgres", make).await;
        let to = rig.to.address("theirs", "loader");
        let loaded = rig.load(&dump, &to).await.expect("loaded");
        assert_eq!(loaded.undone, Vec::<String>::new());
        assert_eq!(loaded.compared, Compared::Schema(Vec::new()));
        let digests = digest_database::<Postgres>(&to, 2, Seconds(30)).await;
        let wanted = dump.digests();
        let found = digests.expect("read").listed(&wanted);
        assert_eq!(differences(&wanted, &found), Vec::<String>::new());
        let members = "SELECT count(*) FROM pg_auth_members WHERE member = 'loader'::regrole AND \
                       roleid::regrole::text IN ('lob', 'reader')";
        assert_eq!(rig.to.text("postgres", members).await, "0");
    });
}

#[test]
fn grants_of_others_come_back_as_theirs_and_event_triggers_see_nothing_of_a_load() {
    let rig = Rig::new("grantors");
    rig.run(async {
        let made = "CREATE ROLE a; CREATE ROLE b; CREATE ROLE boss; CREATE TABLE t (x int); GRANT \
             SELECT ON t TO a WITH GRANT OPTION; SET ROLE a; GRANT SELECT ON t TO b; RESET ROLE; \
             CREATE TABLE audit (what text); CREATE FUNCTION noted() RETURNS event_trigger \
             LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.audit VALUES (tg_tag); END'; CREATE \
             EVENT TRIGGER noted ON ddl_command_end EXECUTE FUNCTION noted(); ALTER DATABASE \
             shop OWNER TO boss; REVOKE CONNECT ON DATABASE shop FROM PUBLIC";
        rig.from.sql("shop", made).await;
        let rights = "SELECT relacl::text FROM pg_class WHERE relname = 't'";
        let wanted = rig.from.text("shop", rights).await;
        let dump = rig.dump().await.expect("dumped");
        let to = rig.to.address("shop", "postgres");
        let loaded = rig.load(&dump, &to).await.expect("loaded");
        assert_eq!(loaded.undone, Vec::<String>::new());
        assert_eq!(loaded.compared, Compared::Schema(Vec::new()));
        assert_eq!(rig.to.text("shop", rights).await, wanted);
        assert_eq!(rig.to.text("shop", "SELECT count(*) FROM audit").await, "0");
        let enters = "SELECT has_database_privilege('boss', 'shop', 'CONNECT')::text";
        assert_eq!(rig.to.text("shop", enters).await, "true");
        let owner = "database: owner is \"boss\" in the dump and \"rdsadmin\" here";
        assert!(
            loaded.exceptions.iter().any(|e| e == owner),
            "{:#?}",
            loaded.exceptions
        );
    });
}
