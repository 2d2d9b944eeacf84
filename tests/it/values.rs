//! What a server says about a row stays in the process: errors name codes and objects.

use crate::servers::{Bare, Rig};
use dr::database::{DatabaseError, DumpProgram};
use dr::report::{Fail, full};
use tokio::runtime::Runtime;

const TABLES: &str = "CREATE SCHEMA app; CREATE DOMAIN app.even AS int CHECK (VALUE % 2 = 0); \
 CREATE TABLE app.t (id int PRIMARY KEY, email text NOT NULL UNIQUE CHECK (email <> 'SECRET-c'), \
 n app.even); CREATE TABLE app.child (id int REFERENCES app.t); \
 INSERT INTO app.t VALUES (1, 'SECRET-1', 2); \
 CREATE TABLE app.raised (email text); \
 CREATE FUNCTION app.raises() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'bad row %', \
 NEW.email USING ERRCODE = '42501', HINT = NEW.email, TABLE = NEW.email, CONSTRAINT = NEW.email; \
 END $$; CREATE TRIGGER raises BEFORE INSERT ON app.raised FOR EACH ROW EXECUTE FUNCTION \
 app.raises(); \
 CREATE FUNCTION app.dynamic() RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'SELECT ' || \
 (SELECT email FROM app.t); RETURN 1; END $$; \
 CREATE FUNCTION app.casts() RETURNS int LANGUAGE sql AS 'SELECT email::int FROM app.t'";

/// An error as steps, journals and answers have it.
fn told(error: DatabaseError) -> String {
    let debug = format!("{error:?}");
    assert!(!debug.contains("SECRET"), "{debug}");
    let text = full(&Fail::from(error));
    assert!(!text.contains("SECRET"), "{text}");
    text
}

#[test]
fn an_error_of_a_server_names_objects_and_never_a_value() {
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let server = Bare::start("values").await;
        server.sql("postgres", TABLES).await;
        let connection = server.connect("postgres").await;
        for (sql, wanted) in [
            (
                "INSERT INTO app.t\n VALUES (2, 'SECRET-1')",
                "(23505): unique violation; schema app; table t; constraint t_email_key",
            ),
            (
                "INSERT INTO app.t\n VALUES (2, 'SECRET-c')",
                "check violation; schema app; table t; constraint t_email_check",
            ),
            (
                "INSERT INTO app.t (id, n)\n VALUES (77, 4)",
                "not-null violation; schema app; table t; column email",
            ),
            (
                "INSERT INTO app.t\n SELECT 3, 'x', 3",
                "check violation; schema app; type even",
            ),
            (
                "INSERT INTO app.child\n VALUES (9)",
                "foreign key violation; schema app; table child",
            ),
            (
                "SELECT\n email::int FROM app.t",
                "(22P02): invalid text representation",
            ),
            (
                "SELECT\n email::date FROM app.t",
                "(22007): invalid datetime format",
            ),
            (
                "INSERT INTO app.raised\n VALUES ('SECRET')",
                "in PL/pgSQL function app.raises()",
            ),
            ("SELECT app.dynamic()", "in PL/pgSQL function app.dynamic()"),
            ("SELECT app.casts()", "(22P02): invalid text representation"),
            (
                "SELECT * FROM app.nothing",
                "relation \"app.nothing\" does not exist",
            ),
        ] {
            let text = told(connection.execute(sql).await.expect_err(sql));
            assert!(text.contains(wanted), "{sql}: {text}");
        }
    });
}

#[test]
fn a_copy_names_line_and_column_and_never_the_value() {
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let server = Bare::start("copied").await;
        server.sql("postgres", TABLES).await;
        for (table, rows, wanted) in [
            (
                "app.t (id, email)",
                "5\ta\nSECRET\tb\n",
                "invalid text representation; COPY t, line 2, column id",
            ),
            (
                "app.t (id, email)",
                "5\tSECRET-1\n",
                "unique violation; schema app; table t",
            ),
            (
                "app.t (id, email)",
                "5\tSECRET\tSECRET\n",
                "bad COPY format; COPY t, line 1",
            ),
            ("app.t (id, email)", "5\tSECRET-c\n", "check violation"),
            (
                "app.raised (email)",
                "SECRET\n",
                "in PL/pgSQL function app.raises()",
            ),
        ] {
            let connection = server.connect("postgres").await;
            let sql = format!("COPY {table} FROM STDIN");
            let mut copy = connection.copy_in(&sql).await.expect("begun");
            let sent = copy.send(rows.to_owned().into()).await;
            let ended = match sent {
                Ok(()) => copy.finish().await.map(drop),
                Err(e) => Err(e),
            };
            let text = told(ended.expect_err(rows));
            assert!(text.contains(wanted), "{rows:?}: {text}");
        }
        let connection = server.connect("postgres").await;
        let sql = "COPY (SELECT email::int FROM app.t) TO STDOUT";
        let mut lines = connection.copy_out(sql).await.expect("begun");
        let text = told(lines.next().await.expect_err("no number"));
        assert!(text.contains("22P02"), "{text}");
    });
}

#[test]
fn what_pg_dump_repeats_of_a_server_is_not_told_but_rights_are() {
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let server = Bare::start("told").await;
        server.sql("postgres", TABLES).await;
        server
            .sql("postgres", "CREATE ROLE nobody LOGIN PASSWORD 'pw'")
            .await;
        let number = server
            .connect("postgres")
            .await
            .version_num()
            .await
            .expect("a version");
        let program = DumpProgram::for_server(number).await.expect("pg_dump");
        let address = server.address("postgres", "nobody");
        let section = |snapshot: &'static str| program.section(&address, "pre-data", snapshot);
        let text = told(section("SECRET").await.expect_err("no snapshot"));
        assert!(text.contains("pg_dump of pre-data"), "{text}");
        let connection = server.connect("postgres").await;
        connection
            .execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            .await
            .expect("begun");
        let snapshot = connection
            .value("SELECT pg_export_snapshot()")
            .await
            .expect("exported");
        let snapshot: &'static str = snapshot.expect("a snapshot").leak();
        let text = told(section(snapshot).await.expect_err("no right"));
        assert!(text.contains("permission denied for "), "{text}");
    });
}

#[test]
fn a_load_that_meets_a_row_that_it_cannot_take_tells_no_row() {
    let rig = Rig::new("rows");
    rig.run(async {
        rig.from
            .sql(
                "shop",
                "CREATE TABLE t (a text); INSERT INTO t VALUES ('SECRET')",
            )
            .await;
        let dump = rig.dump().await.expect("dumped");
        let sql = rig.section(&dump, "pre-data").await;
        let narrow = sql.replace("a text", "a integer");
        assert_ne!(narrow, sql);
        let dump = rig.with_section(&dump, "pre-data", &narrow).await;
        let to = rig.to.address("shop", "postgres");
        let undone = rig.load(&dump, &to).await.expect("loaded").undone;
        let text = undone.join("; ");
        assert!(!text.contains("SECRET"), "{text}");
        assert!(text.starts_with("rows of public.t: 22P02 "), "{text}");
        assert!(text.contains("COPY t, line 1, column a"), "{text}");
    });
}
