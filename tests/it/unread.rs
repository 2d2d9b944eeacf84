//! Tables whose rows a server does not give: each is named, with what to type, and all else is
//! dumped, restored and proven.

use crate::cloud::Ran;
use crate::crash::stage::{Stage, Template};
use crate::negative::sql;
use crate::servers::Rig;
use dr::database::Postgres;
use dr::dump::digest_database;
use dr::manifest::Dump;
use dr::model::Seconds;

/// One that hides rows from its reader, one that shows all of them, and one beside them.
const SECURED: &str = "CREATE ROLE owner; CREATE ROLE reader LOGIN PASSWORD 'pw';
GRANT pg_read_all_data TO reader; GRANT ALL ON SCHEMA public TO owner;
SET ROLE owner;
CREATE TABLE plain AS SELECT n FROM generate_series(1, 7) n;
CREATE TABLE shown AS SELECT n FROM generate_series(1, 5) n;
ALTER TABLE shown ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON shown USING (n = 1);
CREATE POLICY dr_reads ON shown FOR SELECT TO reader USING (true);
CREATE TABLE taken AS SELECT n FROM generate_series(1, 5) n;
ALTER TABLE taken ENABLE ROW LEVEL SECURITY;
CREATE POLICY dr_reads ON taken FOR SELECT TO reader USING (true);
CREATE POLICY a_few ON taken AS RESTRICTIVE FOR SELECT USING (n > 1);
CREATE TABLE hidden AS SELECT n FROM generate_series(1, 5) n;
ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON hidden USING (n = 1);
CREATE TABLE \"after\" AS SELECT n FROM generate_series(1, 3) n;";

/// A source that holds them, dumped by `reader`.
fn secured(name: &str) -> Rig {
    let mut rig = Rig::new(name);
    rig.user = "reader";
    rig.run(rig.from.sql("shop", SECURED));
    rig
}

fn rows(dump: &Dump) -> Vec<(&str, u64)> {
    let of = dump.tables.iter();
    of.map(|t| (t.name.as_str(), t.digest.rows)).collect()
}

#[test]
fn a_table_whose_policies_hide_rows_is_named_and_one_that_shows_all_is_read() {
    let rig = secured("secured");
    rig.run(async {
        let dump = rig.dump().await.expect("dumped");
        let wanted = [
            ("public.after", 3),
            ("public.plain", 7),
            ("public.shown", 5),
        ];
        assert_eq!(rows(&dump), wanted);
        let unread: Vec<_> = dump.unread.iter().collect();
        let [(hidden, why), (taken, taken_why)] = &unread[..] else {
            panic!("{unread:?}");
        };
        assert_eq!(
            (hidden.as_str(), taken.as_str()),
            ("public.hidden", "public.taken")
        );
        assert_eq!((&*why.code, &*taken_why.code), ("rls", "rls"));
        let typed = "CREATE POLICY dr_reads ON \"public\".\"hidden\" FOR SELECT TO reader USING \
                     (true)";
        assert!(why.why.contains(typed), "{why:?}");
        let bypass = "ALTER ROLE reader BYPASSRLS";
        assert!(taken_why.why.contains(bypass), "{taken_why:?}");
        // What was said to type is enough.
        rig.from.sql("shop", &format!("{typed}; {bypass}")).await;
        let dump = rig.dump().await.expect("dumped");
        assert_eq!(dump.unread.len(), 0, "{:?}", dump.unread);
        let to = rig.to.address("shop", "postgres");
        rig.load(&dump, &to).await.expect("loaded");
        let found = digest_database::<Postgres>(&to, 2, Seconds(30)).await;
        assert_eq!(found.expect("read").tables, dump.digests());
    });
}

#[test]
fn policies_that_change_while_a_dump_begins_hide_nothing_silently() {
    let rig = secured("turning");
    rig.run(async {
        // Another one's migration, not committed yet.
        let migration = rig.from.connect("shop").await;
        let change = "BEGIN; ALTER TABLE public.plain ENABLE ROW LEVEL SECURITY; CREATE POLICY \
                      own ON public.plain USING (n = 1); CREATE POLICY a_few ON public.shown AS \
                      RESTRICTIVE USING (n = 1)";
        migration.execute(change).await.expect("begun");
        let commit = async {
            let waits = "SELECT count(*) > 0 FROM pg_locks l JOIN pg_stat_activity a USING (pid) \
                         WHERE NOT l.granted AND a.usename = 'reader'";
            while rig.from.text("shop", waits).await != "t" {
                tokio::task::yield_now().await;
            }
            migration.execute("COMMIT").await.expect("committed");
        };
        let (dump, ()) = tokio::join!(rig.dump(), commit);
        let dump = dump.expect("dumped");
        assert_eq!(rows(&dump), [("public.after", 3)]);
        let unread: Vec<_> = dump.unread.keys().map(String::as_str).collect();
        let wanted = [
            "public.hidden",
            "public.plain",
            "public.shown",
            "public.taken",
        ];
        assert_eq!(unread, wanted);
        assert!(dump.unread.values().all(|u| u.code == "rls"));
    });
}

/// Twelve values of 1 MiB that do not become smaller, each beside its row.
const TORN: &str = "CREATE TABLE torn (n int, body bytea); ALTER TABLE torn ALTER body SET STORAGE \
     EXTERNAL; INSERT INTO torn SELECT n, (SELECT string_agg(sha256((n || '.' || m)::bytea), '') \
     FROM generate_series(1, 32768) m) FROM generate_series(1, 12) n; CHECKPOINT";

#[test]
fn a_value_that_the_protocol_does_not_carry_and_a_page_that_is_damaged_cost_their_tables_alone() {
    let rig = Rig::new("unread");
    rig.run(async {
        let made = "CREATE TABLE big (n int, body bytea); INSERT INTO big SELECT 1, \
                    convert_to(repeat('x', 540000000), 'UTF8'); CREATE TABLE small AS SELECT n \
                    FROM generate_series(1, 9) n; CREATE TABLE parts (n int, p int) PARTITION BY \
                    HASH (n); CREATE TABLE part_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, \
                    REMAINDER 0); CREATE TABLE part_1 PARTITION OF parts FOR VALUES WITH (MODULUS \
                    2, REMAINDER 1); INSERT INTO parts SELECT n, n FROM generate_series(1, 90) n";
        rig.from.sql("shop", made).await;
        rig.from.sql("shop", TORN).await;
        let path = async |of: &str| {
            let sql = format!("SELECT pg_relation_filepath({of})");
            rig.from.text("shop", &sql).await
        };
        let toast = "(SELECT reltoastrelid::regclass FROM pg_class WHERE relname = 'torn')";
        let (toast, part) = (path(toast).await, path("'part_1'").await);
        let dump = {
            // Of a copy that has read no page of them yet.
            let damaged = rig.from.copied("torn").await;
            for (path, late) in [(toast, 2), (part, 1)] {
                let file = damaged.file(&path);
                let mut bytes = std::fs::read(&file).expect("the table");
                let at = bytes.len() - late * 8192;
                bytes[at..at + 20].fill(0xA5);
                std::fs::write(&file, bytes).expect("written");
            }
            rig.dump_of(&damaged.address("shop", "postgres")).await
        };
        let dump = dump.expect("dumped");
        let names: Vec<&str> = dump.tables.iter().map(|t| t.name.as_str()).collect();
        assert_eq!(names, ["public.part_0", "public.small"]);
        let unread: Vec<_> = dump.unread.keys().map(String::as_str).collect();
        assert_eq!(unread, ["public.big", "public.part_1", "public.torn"]);
        assert!(
            dump.unread.values().all(|u| u.code == "rows-unread"),
            "{:?}",
            dump.unread
        );
        let told: Vec<String> = dump.exceptions().map(|e| e.thing).collect();
        assert_eq!(told[0], "rows of public.big of database shop");
        let incomplete: Vec<String> = dump.incomplete().into_iter().collect();
        let wanted = ["parts of public.parts", "public.big", "public.torn"];
        assert_eq!(incomplete, wanted, "of some parts the whole is none");
        assert_eq!(rig.uploads().await, 0, "nothing half sent stays");
        // The tables are made, with no rows.
        let to = rig.to.address("shop", "postgres");
        let loaded = rig.load(&dump, &to).await.expect("loaded");
        assert_eq!(loaded.undone, Vec::<String>::new());
        let count = "SELECT (SELECT count(*) FROM big) || ' ' || (SELECT count(*) FROM small)";
        assert_eq!(rig.to.text("shop", count).await, "0 9");
    });
}

#[test]
fn a_database_of_which_no_table_can_be_read_is_not_dumped() {
    let rig = secured("none");
    rig.run(async {
        let away = "DROP TABLE plain, shown, \"after\"";
        rig.from.sql("shop", away).await;
        let refused = rig.dump().await.expect_err("refused").to_string();
        let said = "of 2 tables none could be read, first public.hidden: ";
        assert!(refused.starts_with(said), "{refused}");
    });
}

#[test]
fn a_backup_names_the_table_and_a_restore_says_that_it_has_no_rows() {
    let template = Template::make(Stage::Servers);
    let cloud = template.copy();
    let hide = "ALTER ROLE dr_reader NOBYPASSRLS; SET ROLE shop_owner; CREATE POLICY own ON \
                app.orders USING (tenant = 1)";
    sql(&cloud, "eu-west-3", "shop", hide);
    let policy = ["--policy", "../lab/servers.yaml", "--json"];
    let tick = cloud.dr(&[&["tick"][..], &policy].concat()).exits(0);
    let told = warning(&tick, "not-protected");
    let said = "nothing protects rows of app.orders of database shop of source server at central";
    assert!(
        told.starts_with(said) && told.contains("CREATE POLICY"),
        "{told}"
    );
    let status = cloud.dr(&[&["status"][..], &policy].concat());
    assert!(status.stdout.contains("rows of app.orders"), "{status:?}");
    let url = std::fs::read_to_string(cloud.root.join("empty.url")).expect("a URL");
    let restore = [
        "restore", "--method", "dump", "--target", "central", "--into", &url,
    ];
    let plan = cloud.dr(&[&restore[..], &policy].concat());
    assert!(plan.stdout.contains("rows of app.orders"), "{plan:?}");
    let hash = plan.plan_hash();
    let yes = ["--yes", "--plan", &hash];
    let done = cloud.dr(&[&restore[..], &policy, &yes].concat()).exits(3);
    let differs = done.json()["differs"].to_string();
    assert!(differs.contains("app.orders has no rows"), "{done:?}");
}

fn warning(ran: &Ran, code: &str) -> String {
    let told = crate::negative::finding(ran, code);
    told["message"].as_str().expect("a message").to_owned()
}
