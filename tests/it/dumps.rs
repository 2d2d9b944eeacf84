//! A dump and its load between two servers: nothing that is stored is obeyed, no role that exists
//! is changed, no byte of the schema is edited.

use crate::cloud::{Cloud, place};
use crate::servers::{Bare, Rig};
use dr::database::{Database, Keep, Postgres, Watch};
use dr::dump::{Compared, DumpError};
use dr::model::Seconds;
use futures_util::future::BoxFuture;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::Mutex;

/// Everything about the roles of a server that a dump carries.
const ROLES: &str = "SELECT coalesce(jsonb_agg(to_jsonb(r) - 'oid' || jsonb_build_object('note', \
 shobj_description(r.oid, 'pg_authid')) ORDER BY r.rolname), '[]')::text || (SELECT \
 coalesce(jsonb_agg(jsonb_build_array(m.roleid::regrole, m.member::regrole, m.admin_option) \
 ORDER BY m.roleid::regrole::text, m.member::regrole::text), '[]')::text FROM pg_auth_members m \
 WHERE m.member::regrole::text !~ '^pg_') FROM pg_roles r WHERE r.rolname !~ '^(pg_|rds)'";

const OBEYED: &str = r#"
CREATE ROLE reader LOGIN;
SET ROLE reader;
ALTER ROLE reader SET search_path = E'x\nALTER ROLE reader SUPERUSER;\n--', "Old ""n""", b;
ALTER ROLE reader SET datestyle = 'ISO', 'DMY';
RESET ROLE;
ALTER ROLE reader SET app.note TO E'\n\\! touch FILE\n''; ALTER ROLE reader SUPERUSER; --\\''\r\n';
CREATE ROLE raw;
SET search_path = 'Mixed';
SELECT set_config('search_path', 'Mixed,  b ,"c,d"', false);
ALTER ROLE raw SET search_path FROM CURRENT;
RESET search_path;
ALTER ROLE raw SET work_mem = '7MB';
ALTER ROLE raw SET temp_tablespaces = 'nowhere', 'no "where';
CREATE ROLE "evil
ALTER ROLE reader SUPERUSER; --" CREATEROLE;
CREATE ROLE "back\slash '; ALTER ROLE reader SUPERUSER; --" NOINHERIT;
COMMENT ON ROLE reader IS E'x\n\\! touch FILE\nALTER ROLE reader SUPERUSER;\n$dr0$;\\';
GRANT SET, ALTER SYSTEM ON PARAMETER log_statement TO reader WITH GRANT OPTION;
GRANT reader TO raw WITH ADMIN OPTION;
GRANT reader TO "back\slash '; ALTER ROLE reader SUPERUSER; --" GRANTED BY postgres;
"#;

async fn roles(server: &Bare) -> String {
    server.text("postgres", ROLES).await
}

#[test]
fn what_is_stored_about_roles_comes_back_byte_for_byte_and_nothing_of_it_runs() {
    let rig = Rig::new("obeyed");
    let file = place("touched").join("file");
    let set = OBEYED.replace("FILE", &file.display().to_string());
    rig.run(async {
        rig.from.sql("shop", &set).await;
        let wanted = roles(&rig.from).await;
        let dump = rig.dump().await.expect("dumped");
        let to = rig.to.address("shop", "postgres");
        let loaded = rig.load(&dump, &to).await.expect("loaded");
        assert_eq!(loaded.exceptions, Vec::<String>::new());
        assert_eq!(roles(&rig.to).await, wanted);
        // The same by hand, with psql and the text alone.
        let there = "SELECT string_agg(format('DROP OWNED BY %1$I; DROP ROLE %1$I;', rolname), '') \
         FROM pg_roles WHERE rolname !~ '^(pg_|rds)' AND rolname <> 'postgres'";
        let away = rig.to.text("postgres", there).await;
        rig.to.sql("postgres", &away).await;
        let sql = rig.section(&dump, "globals").await;
        let text = place("globals").join("globals.sql");
        std::fs::write(&text, sql).expect("written");
        for _ in 0..2 {
            let output = Command::new("psql")
                .env("PGPASSWORD", "pw")
                .args(["-h", "127.0.0.1", "-U", "postgres", "-d", "postgres", "-p"])
                .arg(to.port.to_string())
                .args(["-v", "ON_ERROR_STOP=1", "-X", "-f"])
                .arg(&text)
                .output()
                .expect("psql");
            assert!(output.status.success(), "{output:?}");
            assert_eq!(roles(&rig.to).await, wanted, "{output:?}");
        }
        drop(std::fs::remove_dir_all(text.parent().expect("a folder")));
    });
    assert!(!file.exists(), "a command of psql was run");
    drop(std::fs::remove_dir_all(file.parent().expect("a folder")));
}

#[test]
fn a_load_makes_the_roles_that_are_missing_and_changes_none_that_exists() {
    let rig = Rig::new("changed");
    rig.run(async {
        let source = "CREATE ROLE pgboss LOGIN CONNECTION LIMIT 3; ALTER ROLE pgboss SET work_mem \
         = '1MB'; COMMENT ON ROLE pgboss IS 'theirs'; CREATE ROLE ops VALID UNTIL '2001-01-01'; \
         CREATE ROLE fresh LOGIN CONNECTION LIMIT 9; GRANT ops TO fresh; GRANT fresh TO pgboss; \
         GRANT pg_monitor TO fresh, ops; ALTER ROLE postgres SET lock_timeout = 5";
        rig.from.sql("shop", source).await;
        rig.from
            .sql(
                "shop",
                "CREATE TABLE t (a int); ALTER TABLE t OWNER TO fresh",
            )
            .await;
        let target = "CREATE ROLE pgboss SUPERUSER LOGIN PASSWORD 'pw'; CREATE ROLE ops SUPERUSER; \
         COMMENT ON ROLE ops IS 'ours'; ALTER ROLE ops SET search_path = ours";
        rig.to.sql("shop", target).await;
        let ours = "SELECT array_agg(a ORDER BY a.rolname)::text FROM pg_authid a WHERE rolname \
         IN ('pgboss', 'ops', 'postgres')";
        let before = rig.to.text("shop", ours).await;
        let dump = rig.dump().await.expect("dumped");
        let to = rig.to.address("shop", "pgboss");
        let told = rig.load(&dump, &to).await.expect("loaded").exceptions;
        assert_eq!(rig.to.text("shop", ours).await, before);
        let settings = "SELECT count(*) FROM pg_db_role_setting WHERE setdatabase = 0";
        assert_eq!(rig.to.text("shop", settings).await, "1", "only that of ops");
        let members = "SELECT string_agg(roleid::regrole || ' to ' || member::regrole, ', ' ORDER \
         BY member) FROM pg_auth_members WHERE member::regrole::text !~ '^pg_'";
        assert_eq!(rig.to.text("shop", members).await, "pg_monitor to fresh");
        let limit =
            "SELECT rolconnlimit || rolcanlogin::text FROM pg_roles WHERE rolname = 'fresh'";
        assert_eq!(rig.to.text("shop", limit).await, "9true");
        for wanted in [
            "role \"pgboss\": SUPERUSER is NOSUPERUSER in the dump and SUPERUSER here",
            "role \"pgboss\": CONNECTION LIMIT is 3 in the dump and -1 here",
            "role \"pgboss\": setting work_mem is not set here",
            "role \"pgboss\": comment is another one here",
            "role \"pgboss\": membership in \"fresh\" is not there",
            "role \"ops\": VALID UNTIL is 2001-01-01 00:00:00+00 in the dump and no date here",
            "role \"ops\": setting search_path is set here only",
            "role \"ops\": membership in \"pg_monitor\" is not there",
            "role \"fresh\": membership in \"ops\" is not there",
            "role \"postgres\": setting lock_timeout is not set here",
        ] {
            assert!(
                told.iter().any(|t| t.starts_with(wanted)),
                "{wanted}: {told:#?}"
            );
        }
        assert!(
            !told.iter().any(|t| t.starts_with("role \"fresh\": LOGIN")),
            "{told:#?}"
        );
        // Asked again it is done, and tells the same differences.
        let again = rig.load(&dump, &to).await.expect("loaded").exceptions;
        assert_eq!(again.len(), told.len(), "{again:#?}");
    });
}

#[test]
fn what_a_user_of_a_managed_service_cannot_give_is_told_attribute_by_attribute() {
    let rig = Rig::new("managed");
    rig.run(async {
        let source = "CREATE ROLE boss SUPERUSER LOGIN CONNECTION LIMIT 7 VALID UNTIL \
         '2031-02-03 04:05:06+00'; CREATE ROLE repl REPLICATION BYPASSRLS CREATEDB CREATEROLE \
         LOGIN; ALTER ROLE repl SET log_min_messages = 'debug1'; ALTER ROLE repl SET search_path \
         = 'a b', c; GRANT repl TO boss";
        rig.from.sql("shop", source).await;
        let manager = "CREATE ROLE manager LOGIN CREATEDB CREATEROLE PASSWORD 'pw'; CREATE \
         DATABASE hers OWNER manager TEMPLATE template0";
        for statement in manager.split("; ") {
            rig.to.sql("postgres", statement).await;
        }
        let dump = rig.dump().await.expect("dumped");
        let to = rig.to.address("hers", "manager");
        let told = rig.load(&dump, &to).await.expect("loaded").exceptions;
        let made = "SELECT string_agg(concat_ws(' ', rolname, rolcanlogin, rolconnlimit, \
         rolvaliduntil AT TIME ZONE 'UTC', rolcreatedb, rolcreaterole, rolconfig), '; ' ORDER BY \
         rolname) FROM pg_roles WHERE rolname IN ('boss', 'repl')";
        assert_eq!(
            rig.to.text("postgres", made).await,
            "boss t 7 2031-02-03 04:05:06 f f; repl t -1 t t {\"search_path=\\\"a b\\\", c\"}"
        );
        for wanted in [
            "role \"boss\": SUPERUSER is SUPERUSER in the dump and NOSUPERUSER here (42501 ",
            "role \"repl\": REPLICATION is REPLICATION in the dump and NOREPLICATION here (42501 ",
            "role \"repl\": BYPASSRLS is BYPASSRLS in the dump and NOBYPASSRLS here (42501 ",
            "role \"repl\": setting log_min_messages is not set here (42501 ",
        ] {
            assert!(
                told.iter().any(|t| t.starts_with(wanted)),
                "{wanted}: {told:#?}"
            );
        }
        assert_eq!(told.len(), 4, "{told:#?}");
    });
}

/// Two owners, a table that forces its policies, one that does not, and one of a plain owner.
const OWNED: &str = "CREATE ROLE one; CREATE ROLE two; CREATE SCHEMA app AUTHORIZATION one; \
 CREATE SCHEMA other AUTHORIZATION two; SET ROLE one; \
 CREATE TABLE app.forced (id serial PRIMARY KEY, tenant int NOT NULL); \
 INSERT INTO app.forced (tenant) SELECT n % 3 FROM generate_series(1, 30) n; \
 ALTER TABLE app.forced ENABLE ROW LEVEL SECURITY; ALTER TABLE app.forced FORCE ROW LEVEL \
 SECURITY; CREATE POLICY p ON app.forced USING (tenant = 1); \
 CREATE TABLE app.plain (id int PRIMARY KEY); INSERT INTO app.plain VALUES (1), (2); \
 CREATE MATERIALIZED VIEW app.counted AS SELECT count(*) FROM app.plain; RESET ROLE; \
 SET ROLE two; CREATE TABLE other.enabled (id int); INSERT INTO other.enabled VALUES (7); \
 ALTER TABLE other.enabled ENABLE ROW LEVEL SECURITY; RESET ROLE; \
 GRANT SELECT ON app.forced TO two";

const SECURITY: &str = "SELECT string_agg(concat_ws(' ', relname, relrowsecurity, \
 relforcerowsecurity, relowner::regrole, relacl), '; ' ORDER BY relname) FROM pg_class WHERE \
 relnamespace IN ('app'::regnamespace, 'other'::regnamespace) AND relkind IN ('r', 'm')";

const MEMBERS: &str = "SELECT coalesce(string_agg(concat_ws(' in ', member::regrole, \
 roleid::regrole), ', ' ORDER BY 1), '') FROM pg_auth_members WHERE member::regrole::text = \
 'master'";

const MASTER: [&str; 2] = [
    "CREATE ROLE master LOGIN CREATEDB CREATEROLE PASSWORD 'pw'",
    "ALTER DATABASE shop OWNER TO master",
];

#[test]
fn a_user_who_is_no_superuser_reads_dumps_and_loads_what_belongs_to_others_whole() {
    let mut rig = Rig::new("master");
    rig.user = "master";
    rig.run(async {
        for server in [&rig.from, &rig.to] {
            for statement in MASTER {
                server.sql("postgres", statement).await;
            }
        }
        rig.from.sql("shop", OWNED).await;
        let (address, comment) = (rig.from.address("shop", "master"), "dr:run=a-test");
        let source = Postgres::connect(&address, Seconds(30)).await.expect("in");
        let before = rig.from.text("shop", SECURITY).await;

        // What is restored to be used is read with rights that are given back.
        let read = dr::dump::digest_database::<Postgres>(&address, 2, Seconds(30)).await;
        let digests = read.expect("readable");
        assert!(digests.unreadable.is_empty(), "{:?}", digests.unreadable);
        assert_eq!(digests.rows(), 33);
        assert_eq!(rig.from.text("shop", SECURITY).await, before);
        assert_eq!(rig.from.text("shop", MEMBERS).await, "");

        // What is a run's own is opened, and says what it was like.
        let keep = Keep {
            database: "dr_kept",
            comment,
            timeout: Seconds(30),
        };
        let opened = source.open_up(&keep).await.expect("opened");
        assert_eq!(
            opened,
            [
                "master became a member of one",
                "master became a member of two",
                "row-level security of \"app\".\"forced\" is not forced any more",
            ]
        );
        assert_eq!(source.open_up(&keep).await.expect("again"), opened);
        rig.found(source.as_found(&keep).await.expect("kept"));
        let dump = rig.dump().await.expect("dumped");
        let dumped: u64 = dump.tables.iter().map(|t| t.digest.rows).sum();
        assert_eq!(dumped, 33);

        let to = rig.to.address("shop", "master");
        let loaded = rig.load(&dump, &to).await.expect("loaded");
        assert_eq!(loaded.exceptions, Vec::<String>::new());
        assert_eq!(rig.to.text("shop", SECURITY).await, before);
        assert_eq!(rig.to.text("shop", MEMBERS).await, "");
        assert_eq!(
            rig.to.text("shop", "SELECT count FROM app.counted").await,
            "2"
        );
        let read = dr::dump::digest_database::<Postgres>(&to, 2, Seconds(30)).await;
        assert_eq!(read.expect("readable").tables, digests.tables);
    });
}

#[test]
fn a_database_that_somebody_put_under_the_name_of_what_is_kept_is_not_believed() {
    let rig = Rig::new("kept");
    rig.run(async {
        for statement in MASTER {
            rig.from.sql("postgres", statement).await;
        }
        rig.from.sql("shop", OWNED).await;
        rig.from.sql("postgres", "CREATE ROLE thief CREATEDB").await;
        let planted = "CREATE DATABASE dr_kept OWNER thief";
        rig.from.sql("postgres", planted).await;
        let kept = "CREATE TABLE kept (name text, body text); INSERT INTO kept VALUES ('roles', \
                    '{}'), ('pre-data of shop', 'x'), ('post-data of shop', 'x'); GRANT SELECT ON \
                    kept TO PUBLIC; COMMENT ON DATABASE dr_kept IS 'dr:run=a-test'";
        rig.from.sql("dr_kept", kept).await;
        let address = rig.from.address("shop", "master");
        let source = Postgres::connect(&address, Seconds(30)).await.expect("in");
        let keep = Keep {
            database: "dr_kept",
            comment: "dr:run=a-test",
            timeout: Seconds(30),
        };
        assert!(source.as_found(&keep).await.expect("asked").is_none());
        let refused = source.open_up(&keep).await.expect_err("refused");
        let why = format!("{refused:?}");
        assert!(why.contains("somebody else's"), "{why}");
    });
}

#[test]
fn nothing_that_is_restored_connects_anywhere_and_no_secret_of_a_mapping_is_stored() {
    let rig = Rig::new("foreign");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("set");
    let port = listener.local_addr().expect("an address").port();
    rig.run(async {
        let source = format!(
            "CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw \
             OPTIONS (host '127.0.0.1', port '{port}', dbname 'x', connect_timeout '2'); CREATE \
             USER MAPPING FOR PUBLIC SERVER far OPTIONS (\"user\" 'visitor', password \
             'do not keep me'); CREATE TABLE parts (id int, at int) PARTITION BY RANGE (at); \
             CREATE TABLE near PARTITION OF parts FOR VALUES FROM (0) TO (10); CREATE FOREIGN \
             TABLE away PARTITION OF parts FOR VALUES FROM (10) TO (20) SERVER far; INSERT INTO \
             near SELECT n, n % 10 FROM generate_series(1, 100) n; CREATE TABLE base (id int); \
             CREATE FOREIGN TABLE child () INHERITS (base) SERVER far; INSERT INTO base VALUES (1)"
        );
        rig.from.sql("shop", &source).await;
        let dump = rig.dump().await.expect("dumped");
        let schema = rig.section(&dump, "pre-data").await;
        assert!(!schema.contains("do not keep me"), "{schema}");
        assert!(schema.contains("OPTIONS (\"user\" 'visitor');"), "{schema}");
        let left_out = dump.excluded.get("options of user mappings");
        assert!(
            left_out.is_some_and(|why| why.starts_with("1: ")),
            "{:?}",
            dump.excluded
        );
        let to = rig.to.address("shop", "postgres");
        rig.load(&dump, &to).await.expect("loaded");
        let digests = dr::dump::digest_database::<Postgres>(&to, 2, Seconds(30)).await;
        assert_eq!(digests.expect("readable").rows(), 101);
        let counted = "SELECT reltuples FROM pg_class WHERE relname = 'near'";
        assert_eq!(
            rig.to.text("shop", counted).await,
            "100",
            "it has statistics"
        );
    });
    let nobody = listener.accept().expect_err("somebody connected").kind();
    assert_eq!(nobody, std::io::ErrorKind::WouldBlock);
}

/// A constraint that a row breaks, an index that needs a function of another path, and a table
/// whose policy needs one as well.
const ODD: &str = "CREATE SCHEMA app; CREATE SCHEMA lib; CREATE ROLE reads; \
 CREATE FUNCTION lib.one(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1'; \
 CREATE FUNCTION lib.two(int) RETURNS int LANGUAGE sql IMMUTABLE SET search_path = lib AS \
 'SELECT one($1)'; \
 CREATE FUNCTION lib.bare(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS \
 'BEGIN RETURN one($1); END'; \
 CREATE TABLE app.parent (id int PRIMARY KEY); CREATE TABLE app.child (id int PRIMARY KEY, parent \
 int REFERENCES app.parent); \
 SET session_replication_role = replica; INSERT INTO app.child VALUES (1, 42); \
 RESET session_replication_role; \
 SET search_path = lib; CREATE INDEX odd ON app.child (lib.bare(id)); RESET search_path; \
 CREATE INDEX even ON app.child (lib.two(id)); \
 CREATE TABLE app.guarded (id int); INSERT INTO app.guarded VALUES (1); \
 CREATE FUNCTION lib.gone() RETURNS boolean LANGUAGE sql AS 'SELECT true'; \
 ALTER TABLE app.guarded ENABLE ROW LEVEL SECURITY; \
 CREATE POLICY guards ON app.guarded USING (lib.gone()); \
 GRANT SELECT ON app.guarded TO reads; GRANT SELECT ON app.child TO reads";

#[test]
fn a_statement_that_is_refused_is_named_and_all_else_is_there_and_nobody_reads_more() {
    let rig = Rig::new("odd");
    rig.run(async {
        rig.from.sql("shop", ODD).await;
        let dump = rig.dump().await.expect("dumped");
        // As if an extension that the target lacks had the function of the policy.
        let schema = rig.section(&dump, "pre-data").await;
        let without = schema.replace("CREATE FUNCTION lib.gone()", "CREATE FUNCTION nope.gone()");
        let dump = rig.with_section(&dump, "pre-data", &without).await;
        let to = rig.to.address("shop", "postgres");
        let loaded = rig.load(&dump, &to).await.expect("loaded");
        let begins = |wanted: &str| loaded.undone.iter().any(|u| u.starts_with(wanted));
        for wanted in [
            "CREATE FUNCTION nope.gone: 3F000 ",
            "CREATE INDEX odd ON app.child USING btree: 42883 ",
            "ALTER TABLE ONLY app.child ADD CONSTRAINT child_parent_fkey FOREIGN KEY: 23503 ",
            "CREATE POLICY guards ON app.guarded USING: 42883 ",
            "GRANT SELECT ON TABLE app.guarded TO reads: withheld",
        ] {
            assert!(begins(wanted), "{wanted}: {:#?}", loaded.undone);
        }
        assert!(
            loaded.undone.iter().all(|u| !u.contains("42)")),
            "no values: {:#?}",
            loaded.undone
        );
        let there = "SELECT count(*) FROM pg_class WHERE relname IN ('even', 'child_pkey', \
                     'parent_pkey')";
        assert_eq!(rig.to.text("shop", there).await, "3");
        let may = "SELECT concat_ws(' ', has_table_privilege('reads', 'app.guarded', 'SELECT'), \
                   has_table_privilege('reads', 'app.child', 'SELECT'))";
        assert_eq!(rig.to.text("shop", may).await, "f t");
        let digests = dr::dump::digest_database::<Postgres>(&to, 2, Seconds(30)).await;
        assert_eq!(digests.expect("readable").rows(), 2);
        // What it is without is told again by whoever asks again.
        let again = rig.load(&dump, &to).await.expect("done already");
        assert_eq!((again.bytes, again.undone), (0, loaded.undone));
        rig.forget(&to).await;
        let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'dr_restore'";
        assert_eq!(rig.to.text("shop", schemas).await, "0");
    });
}

#[test]
fn a_strict_load_lets_nobody_in_before_all_is_there_and_goes_on_once_it_can() {
    let rig = Rig::new("strict");
    rig.run(async {
        let schema = "CREATE SCHEMA lib; CREATE FUNCTION lib.gone() RETURNS int LANGUAGE sql AS \
                      'SELECT 1'; CREATE TABLE t (x int); INSERT INTO t VALUES (1)";
        rig.from.sql("shop", schema).await;
        let dump = rig.dump().await.expect("dumped");
        let text = rig.section(&dump, "pre-data").await;
        let without = text.replace("lib.gone", "nope.gone");
        let dump = rig.with_section(&dump, "pre-data", &without).await;
        rig.to.sql("postgres", "CREATE ROLE reads").await;
        let to = rig.to.address("shop", "postgres");
        let may = "SELECT has_database_privilege('reads', 'shop', 'CONNECT')";
        match rig.load_strictly(&dump, &to).await.err() {
            Some(e @ DumpError::NotAll { .. }) => {
                let told = e.to_string();
                assert!(
                    told.contains("first CREATE FUNCTION nope.gone: 3F000"),
                    "{told}"
                );
            }
            other => panic!("a function was refused: {other:?}"),
        }
        assert_eq!(rig.to.text("shop", may).await, "f");
        rig.to.sql("shop", "CREATE SCHEMA nope").await;
        let loaded = rig.load_strictly(&dump, &to).await.expect("goes on");
        assert_eq!(loaded.undone, Vec::<String>::new());
        assert_eq!(rig.to.text("shop", may).await, "t");
        let all = "SELECT nope.gone() || ' ' || (SELECT count(*) FROM t)";
        assert_eq!(rig.to.text("shop", all).await, "1 1");
    });
}

#[test]
fn more_objects_than_one_transaction_may_lock_are_loaded() {
    let rig = Rig::new("locks");
    rig.run(async {
        let many = "DO $$ BEGIN FOR s IN 1..400 LOOP EXECUTE format('CREATE SCHEMA s%s', s); FOR n \
                    IN 1..6 LOOP EXECUTE format('CREATE TABLE s%s.t%s (id int PRIMARY KEY)', \
                    s, n); END LOOP; COMMIT; END LOOP; END $$";
        rig.from.sql("shop", many).await;
        let dump = rig.dump().await.expect("dumped");
        assert_eq!(dump.tables.len(), 2_400);
        let to = rig.to.address("shop", "postgres");
        let loaded = rig.load(&dump, &to).await.expect("loaded");
        assert_eq!(loaded.undone, Vec::<String>::new());
        let count = "SELECT count(*) FROM pg_constraint WHERE contype = 'p' AND \
                     connamespace::regnamespace::text LIKE 's%'";
        assert_eq!(rig.to.text("shop", count).await, "2400");
    });
}

/// An index that ends its session where the server has no database `go`; keys to and of partitions,
/// of a table to itself, and what belongs to indexes.
const BUILT: &str = "CREATE SCHEMA app; \
 CREATE FUNCTION app.trips(x int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN IF NOT EXISTS \
 (SELECT FROM pg_catalog.pg_database WHERE datname = 'go') THEN PERFORM \
 pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid()); END IF; RETURN x; END $$; \
 CREATE TABLE app.large (id int PRIMARY KEY, x int UNIQUE, up int REFERENCES app.large, t text); \
 INSERT INTO app.large SELECT n, n, n, repeat('x', 50) FROM generate_series(1, 20000) n; \
 CREATE INDEX by_t ON app.large (t); CREATE INDEX by_two ON app.large (x, t); \
 COMMENT ON INDEX app.by_two IS 'two'; ALTER TABLE app.large CLUSTER ON by_t; \
 ALTER TABLE app.large REPLICA IDENTITY USING INDEX large_pkey; \
 CREATE TABLE app.parts (id int PRIMARY KEY, l int REFERENCES app.large) PARTITION BY RANGE (id); \
 CREATE TABLE app.p1 PARTITION OF app.parts FOR VALUES FROM (1) TO (10); \
 CREATE TABLE app.p2 PARTITION OF app.parts FOR VALUES FROM (10) TO (20); \
 CREATE INDEX ON app.parts (l); INSERT INTO app.parts SELECT n, n FROM generate_series(1, 19) n; \
 CREATE TABLE app.refers (p int REFERENCES app.parts, l int REFERENCES app.large); \
 INSERT INTO app.refers SELECT n, n FROM generate_series(1, 19) n; \
 CREATE TABLE app.small (x int); INSERT INTO app.small VALUES (1); \
 CREATE INDEX odd ON app.small (app.trips(x))";

#[test]
fn indexes_are_built_beside_each_other_and_those_that_are_there_are_not_built_again() {
    let rig = Rig::new("built");
    rig.run(async {
        rig.from.sql("postgres", "CREATE DATABASE go").await;
        rig.from.sql("shop", BUILT).await;
        let dump = rig.dump().await.expect("dumped");
        let to = rig.to.address("shop", "postgres");
        match rig.load(&dump, &to).await.err() {
            Some(DumpError::Database(e)) if e.transient() => {}
            other => panic!("the session of an index ended: {other:?}"),
        }
        let there = "SELECT string_agg(oid || relname, ' ' ORDER BY oid) FROM pg_class WHERE \
                     relkind IN ('i', 'I') AND relnamespace = 'app'::regnamespace";
        let before = rig.to.text("shop", there).await;
        assert!(before.contains("large_pkey"), "{before}");
        rig.to.sql("postgres", "CREATE DATABASE go").await;
        let loaded = rig.load(&dump, &to).await.expect("loaded");
        assert_eq!(loaded.undone, Vec::<String>::new());
        assert_eq!(loaded.compared, Compared::Schema(Vec::new()));
        let after = rig.to.text("shop", there).await;
        assert!(after.starts_with(&before), "{before}: {after}");
        assert!(after.contains("odd"), "{after}");
    });
}

/// Looks all the time.
struct Watching(Mutex<Vec<String>>);

impl Watch for Watching {
    fn told(&self, done: u64, total: u64, unit: &str) {
        let line = format!("{done}/{total} {unit}");
        self.0.lock().expect("nobody panicked").push(line);
    }

    fn pause(&self) -> BoxFuture<'_, bool> {
        Box::pin(std::future::ready(true))
    }
}

#[test]
fn how_far_long_builds_are_is_told() {
    let rig = Rig::new("long");
    rig.run(async {
        // An index of which a load is sure to see the middle, wherever it is built.
        let long = "CREATE FUNCTION slow(t text) RETURNS text IMMUTABLE LANGUAGE sql RETURN t; \
                    CREATE TABLE big AS SELECT n, md5(n::text) FROM generate_series(1, 300000) n; \
                    CREATE TABLE long (id int PRIMARY KEY, t text); INSERT INTO long SELECT n, \
                    md5(n::text) FROM generate_series(1, 600) n; CREATE INDEX ON long (slow(t)); \
                    CREATE OR REPLACE FUNCTION slow(t text) RETURNS text IMMUTABLE LANGUAGE \
                    plpgsql AS 'BEGIN PERFORM pg_sleep(0.0005); RETURN t; END'";
        rig.from.sql("shop", long).await;
        let dump = rig.dump().await.expect("dumped");
        let to = rig.to.address("shop", "postgres");
        let watching = Watching(Mutex::default());
        let loaded = rig.load_watched(&dump, &to, &watching).await;
        loaded.expect("loaded");
        let all = watching.0.into_inner().expect("nobody panicked");
        for wanted in ["4/4 chunks", "2/2 indexes and keys"] {
            assert!(all.iter().any(|line| line == wanted), "{wanted}: {all:?}");
        }
        let far = |line: &String| {
            line.contains("indexes and keys; building index") && line.ends_with('%')
        };
        assert!(all.iter().any(far), "{all:?}");
    });
}

/// Text with everything in it that a reader of lines would trip over.
const TRAP: &str = "\r\n\\connect x\r\n\\restrict y\r\nSET transaction_timeout = 0;\r\n-- z\r\n\
 \\unrestrict y\r\n\\.\r\nCOPY t FROM stdin;\r\n\n\r\t\u{a0}";

fn trapped() -> String {
    let (quoted, name) = (TRAP.replace('\'', "''"), "tricky");
    format!(
        "CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('a\r\n\\connect b', 'c');\n\
         CREATE TABLE app.{name} (a text DEFAULT '{quoted}' CHECK (a <> '{quoted}'), b text);\n\
         CREATE FUNCTION app.f() RETURNS text LANGUAGE sql AS $f$/*{TRAP}*/SELECT '{quoted}'$f$;\n\
         CREATE FUNCTION app.atomic() RETURNS text BEGIN ATOMIC SELECT 'x;y' AS a; SELECT \
         CASE WHEN true THEN '{quoted}' END; END;\n\
         CREATE VIEW app.v AS SELECT '{quoted}'::text AS x FROM app.{name};\n\
         CREATE POLICY p ON app.{name} USING (a <> '{quoted}');\n\
         CREATE RULE r AS ON DELETE TO app.{name} DO ALSO (NOTIFY a; NOTIFY b);\n\
         CREATE INDEX i ON app.{name} ((a || '{quoted}'));\n\
         CREATE TABLE app.\"new\n\\! touch x\nline\" (\"c\r\nd\" int);\n\
         COMMENT ON TABLE app.{name} IS '{quoted}'; COMMENT ON INDEX app.i IS '{quoted}';"
    )
}

const SCHEMA: &str = "SELECT string_agg(x, '|' ORDER BY x COLLATE \"C\") FROM (SELECT prosrc || \
 pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'app'::regnamespace \
 UNION ALL SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef \
 UNION ALL SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = \
 'app'::regnamespace \
 UNION ALL SELECT pg_get_viewdef(oid) FROM pg_class WHERE relkind = 'v' AND relnamespace = \
 'app'::regnamespace UNION ALL SELECT pg_get_expr(polqual, polrelid) FROM pg_policy \
 UNION ALL SELECT relname || attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
 WHERE relnamespace = 'app'::regnamespace AND attnum > 0 \
 UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = \
 'app.tricky'::regclass UNION ALL SELECT pg_get_ruledef(oid) FROM pg_rewrite WHERE ev_class = \
 'app.tricky'::regclass UNION ALL SELECT description FROM pg_description WHERE objoid > 16000 \
 UNION ALL SELECT enumlabel FROM pg_enum) AS all_of_it (x)";

#[test]
fn the_text_of_a_schema_comes_back_byte_for_byte() {
    let rig = Rig::new("bytes");
    rig.run(async {
        rig.from.sql("shop", &trapped()).await;
        let wanted = rig.from.text("shop", SCHEMA).await;
        assert!(wanted.matches(TRAP).count() >= 8, "{wanted:?}");
        let dump = rig.dump().await.expect("dumped");
        let to = rig.to.address("shop", "postgres");
        rig.load(&dump, &to).await.expect("loaded");
        rig.forget(&to).await;
        assert_eq!(rig.to.text("shop", SCHEMA).await, wanted);
    });
}

#[test]
fn settings_that_a_server_does_not_know_are_left_out_and_other_commands_are_refused() {
    let rig = Rig::new("newer");
    rig.run(async {
        rig.from.sql("shop", &trapped()).await;
        let wanted = rig.from.text("shop", SCHEMA).await;
        let dump = rig.dump().await.expect("dumped");
        let sql = rig.section(&dump, "pre-data").await;
        assert!(!sql.starts_with("\\restrict") && sql.contains("\nSET lock_timeout = 0;\n"));
        let to = rig.to.address("shop", "postgres");
        let meta = format!("\\! touch x\n{sql}");
        let foreign = rig.with_section(&dump, "pre-data", &meta).await;
        let refused = rig
            .load(&foreign, &to)
            .await
            .err()
            .expect("refused")
            .to_string();
        assert!(refused.contains("a command of psql"), "{refused}");
        let newer = sql.replacen(
            "\nSET lock_timeout = 0;\n",
            "\nSET lock_timeout = 0;\nSET transaction_timeout = 0;\n\
             set session What_Comes TO 'x';\n",
            1,
        );
        let newer = rig.with_section(&dump, "pre-data", &newer).await;
        rig.load(&newer, &to).await.expect("loaded");
        rig.forget(&to).await;
        assert_eq!(rig.to.text("shop", SCHEMA).await, wanted);
    });
}

/// A `pg_dump` of a later version as far as older servers notice.
const NEWER: &str = r#"#!/bin/sh
[ "$1" = --version ] && echo "pg_dump (PostgreSQL) 99.1" && exit
PATH="${PATH#*:}"
pg_dump "$@" | sed 's/^SET lock_timeout = 0;$/&\nSET transaction_timeout = 0;/'
"#;

#[test]
fn a_drill_with_a_newer_pg_dump_proves_the_dump() {
    let cloud = Cloud::start("later", &["--no-writers"]);
    cloud.init();
    let programs = place("programs");
    let program = programs.join("pg_dump");
    std::fs::write(&program, NEWER).expect("written");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("its mode");
    let path = dr::world::World::default().env("PATH").unwrap_or_default();
    let mut command = cloud.command(&["tick", "--json"]);
    command.env("PATH", format!("{}:{path}", programs.display()));
    let ran = crate::cloud::Ran::from(command.output().expect("dr runs"));
    assert_eq!(ran.code, 0, "{ran:?}");
    let status = cloud.dr(&["status", "--json"]).json();
    let proven = status["policies"][0]["newest_proven"].as_array();
    let dumps = |p: &&serde_json::Value| p["method"] == "dump";
    let count = proven.into_iter().flatten().filter(dumps).count();
    assert_eq!(count, 2, "{status}");
    drop(std::fs::remove_dir_all(programs));
}

#[test]
fn a_server_that_no_program_can_read_is_refused_with_what_to_install() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let refused = runtime.block_on(dr::dump::readable::<dr::database::Postgres>(98));
    let error = dr::report::Fail::from(refused.expect_err("no such program"));
    assert_eq!(error.code, dr::report::Code::ClientTooOld);
    let text = dr::report::full(&error);
    assert!(text.contains("postgresql-client-98"), "{text}");
}
