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

fn rows(dump: &Dump) -> Vec<(&str, u64)> {
    let of = dump.tables.iter();
    of.map(|t| (t.name.as_str(), t.digest.rows)).collect()
}

#[test]
fn a_table_whose_policies_hide_rows_is_named_and_one_that_shows_all_is_read() {
    let mut rig = Rig::new("secured");
    rig.user = "reader";
    rig.run(async {
        rig.from.sql("shop", SECURED).await;
        let dump = rig.dump().await.expect("dumped");
        let wanted = [
            ("public.after", 3),
            ("public.plain", 7),
            ("public.shown", 5),
        ];
        assert_eq!(rows(&dump), wanted);
        let unread: Vec<_> = dump.unread.iter().collect();
        let [(hidden, why), (taken, _)] = &unread[..] else {
            panic!("{unread:?}");
        };
        assert_eq!(
            (hidden.as_str(), taken.as_str()),
            ("public.hidden", "public.taken")
        );
        assert_eq!(why.code, "rls");
        let typed = "CREATE POLICY dr_reads ON \"public\".\"hidden\" FOR SELECT TO reader USING \
                     (true)";
        assert!(why.why.contains(typed), "{why:?}");
        // What was said to type is enough.
        rig.from
            .sql("shop", &format!("{typed}; DROP POLICY a_few ON taken"))
            .await;
        let dump = rig.dump().await.expect("dumped");
        assert_eq!(dump.unread.len(), 0, "{:?}", dump.unread);
        let to = rig.to.address("shop", "postgres");
        rig.load(&dump, &to).await.expect("loaded");
        let found = digest_database::<Postgres>(&to, 2, Seconds(30)).await;
        assert_eq!(found.expect("read").tables, dump.digests());
    });
}

#[test]
fn a_value_that_the_protocol_does_not_carry_and_a_page_that_is_damaged_cost_their_tables_alone() {
    let rig = Rig::new("unread");
    rig.run(async {
        let made = "CREATE TABLE big (n int, body bytea); INSERT INTO big SELECT 1, \
                    convert_to(repeat('x', 540000000), 'UTF8'); CREATE TABLE small AS SELECT n \
                    FROM generate_series(1, 9) n; CREATE TABLE torn AS SELECT n, repeat('y', 500) \
                    AS t FROM generate_series(1, 400) n; CHECKPOINT";
        rig.from.sql("shop", made).await;
        let path = rig
            .from
            .text("shop", "SELECT pg_relation_filepath('torn')")
            .await;
        let dump = {
            // Of a copy that has read no page of it yet.
            let damaged = rig.from.copied("torn").await;
            let file = damaged.file(&path);
            let mut bytes = std::fs::read(&file).expect("the table");
            bytes[8192..8192 + 20].fill(0xA5);
            std::fs::write(&file, bytes).expect("written");
            rig.dump_of(&damaged.address("shop", "postgres")).await
        };
        let dump = dump.expect("dumped");
        assert_eq!(rows(&dump), [("public.small", 9)]);
        let unread: Vec<_> = dump.unread.keys().map(String::as_str).collect();
        assert_eq!(unread, ["public.big", "public.torn"]);
        assert!(dump.unread.values().all(|u| u.code == "rows-unread"));
        let told: Vec<String> = dump.exceptions().map(|e| e.thing).collect();
        assert_eq!(told[0], "rows of public.big of database shop");
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
fn a_backup_names_the_table_a_drill_of_it_fails_and_a_restore_says_that_it_has_no_rows() {
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
