//! What a restored database of the torture schema has otherwise, each with the words by which the
//! dump or the load names it.

/// A difference begins with the first, and dr named it by words that begin with the second. An
/// empty one is nothing that `pg_dump` or a row would show.
pub type Exception = (&'static str, &'static str);

pub const BY_SUPERUSER: &[Exception] = &[
    ("entry shop; Type: DATABASE; ", "database: owner is \"app\""),
    (
        "entry DATABASE shop; Type: ACL; ",
        "database: owner is \"app\"",
    ),
    ("entry follows; Type: SUBSCRIPTION; ", "subscriptions: 1: "),
    (
        "entry USER MAPPING app SERVER far; away; ",
        "options of user mappings: 1: ",
    ),
    ("entry joined_later; ", REORDERED),
    ("rows tab.joined_later", REORDERED),
    ("entry hashed_", PARTS),
    ("rows tab.hashed_", PARTS),
    ("entry twice_high_", PARTS),
    ("rows tab.twice_high_", PARTS),
    ("", "invalid indexes: 1: "),
    ("", "owners of extensions: 5: "),
];

const REORDERED: &str = "order of columns of tables that inherit: 1: ";
const PARTS: &str = "parts of tables divided by hashes of enumerations: 2: ";

/// What a server lets a superuser alone make, and what needs it; the second attempt at owners and
/// comments of what is not there says so once more. From 16 on a server
/// gives a role to whoever has its admin option alone, and this list would be another one there.
pub const BY_MASTER: &[Exception] = &[
    ("entry follows; Type: SUBSCRIPTION; ", "subscriptions: 1: "),
    // Options are not shown to him.
    ("entry USER MAPPING ", "options of user mappings: 2: "),
    ("entry joined_later; ", REORDERED),
    ("rows tab.joined_later", REORDERED),
    ("entry hashed_", PARTS),
    ("rows tab.hashed_", PARTS),
    ("entry twice_high_", PARTS),
    ("rows tab.twice_high_", PARTS),
    ("", "invalid indexes: 1: "),
    ("", "owners of extensions: 5: "),
    // Attributes and settings of roles, and who gave memberships.
    (
        "role {\"rolname\": \"chief\", ",
        "role \"chief\": SUPERUSER is ",
    ),
    (
        "role {\"rolname\": \"passes\", ",
        "role \"passes\": BYPASSRLS is ",
    ),
    (
        "role {\"rolname\": \"repl\", ",
        "role \"repl\": REPLICATION is ",
    ),
    (
        "role {\"rolname\": \"reader\", ",
        "role \"reader\": setting app.note is not set here (42501 ",
    ),
    (
        "setting of reader in ",
        "role \"reader\": setting app.note is not set here (42501 ",
    ),
    (
        "\"\"\"Other ",
        "role \"Other \\\"Owner\\\" é\": membership in \"app\" was granted by ",
    ),
    (
        "reader in pg_monitor ",
        "role \"reader\": membership in \"pg_monitor\" was granted by ",
    ),
    (
        "app in reader ",
        "role \"app\": membership in \"reader\" was granted by ",
    ),
    (
        "app in writer ",
        "role \"app\": membership in \"writer\" was granted by ",
    ),
    (
        "limited in writer ",
        "role \"limited\": membership in \"writer\" was granted by ",
    ),
    // Settings that no module knows.
    (
        "entry shop; Type: DATABASE PROPERTIES; ",
        "ALTER DATABASE \"shop\" SET \"app.note\" TO: 42501 ",
    ),
    (
        "setting of - in shop: ",
        "ALTER DATABASE \"shop\" SET \"app.note\" TO: 42501 ",
    ),
    (
        "entry noted(); Type: FUNCTION; Schema: fn; ",
        "CREATE FUNCTION fn.noted: 42501 ",
    ),
    ("", "ALTER FUNCTION fn.noted: 42883 "),
    // Functions of C and of the server, and what is made of them.
    ("entry handles(); ", "CREATE FUNCTION base.handles: 42501 "),
    (
        "entry handles_inline(",
        "CREATE FUNCTION base.handles_inline: 42501 ",
    ),
    ("entry validates(", "CREATE FUNCTION base.validates: 42501 "),
    (
        "entry numbered(); ",
        "CREATE FUNCTION base.numbered: 42501 ",
    ),
    ("entry tight(", "CREATE FUNCTION base.tight: 42501 "),
    ("entry label_in(", "CREATE FUNCTION base.label_in: 42501 "),
    ("entry label_out(", "CREATE FUNCTION base.label_out: 42501 "),
    ("entry from_sql(", "CREATE FUNCTION tr.from_sql: 42501 "),
    ("", "ALTER FUNCTION base."),
    ("", "ALTER FUNCTION tr."),
    (
        "entry plagain; ",
        "CREATE TRUSTED PROCEDURAL LANGUAGE plagain HANDLER ",
    ),
    ("entry again(); ", "CREATE FUNCTION base.again: 42704 "),
    (
        "entry LANGUAGE plagain; Type: COMMENT; ",
        "COMMENT ON LANGUAGE plagain IS: 42704 ",
    ),
    (
        "entry LANGUAGE plagain; Type: ACL; ",
        "GRANT ALL ON LANGUAGE plagain TO app: 42704 ",
    ),
    (
        "",
        "ALTER PROCEDURAL LANGUAGE plagain OWNER TO chief: 42704 ",
    ),
    ("", "REVOKE ALL ON LANGUAGE plagain FROM PUBLIC: 42704 "),
    (
        "entry TRANSFORM FOR integer LANGUAGE sql; ",
        "CREATE TRANSFORM FOR integer LANGUAGE sql: 42501 ",
    ),
    (
        "entry heap2; Type: ACCESS METHOD; ",
        "CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER ",
    ),
    (
        "entry elsewhere; Type: TABLE; ",
        "SET default_table_access_method: 22023 ",
    ),
    (
        "entry parses; ",
        "CREATE TEXT SEARCH PARSER base.parses: 42501 ",
    ),
    (
        "entry shape; ",
        "CREATE TEXT SEARCH TEMPLATE base.shape: 42501 ",
    ),
    (
        "entry pageinspect; ",
        "CREATE EXTENSION IF NOT EXISTS pageinspect ",
    ),
    (
        "entry EXTENSION pageinspect; ",
        "COMMENT ON EXTENSION pageinspect IS: 42704 ",
    ),
    // Base types and operator classes.
    (
        "entry shell; Type: TYPE; ",
        "CREATE TYPE base.shell: 42501 ",
    ),
    ("", "ALTER TYPE base.shell OWNER TO chief: 42704 "),
    ("entry label; ", "CREATE TYPE base.label: 42501 "),
    ("", "ALTER TYPE base.label OWNER TO chief: 42704 "),
    ("entry CAST (base.label AS text); ", "CREATE CAST: 42704 "),
    ("entry labels; ", "CREATE TABLE val.labels: 42704 "),
    ("", "ALTER TABLE val.labels OWNER TO app: 42P01 "),
    ("rows val.labels", "rows of val.labels: 42P01 "),
    (
        "entry labels labels_pkey; ",
        "ALTER TABLE ONLY val.labels ADD CONSTRAINT labels_pkey ",
    ),
    (
        "entry ints; ",
        "CREATE OPERATOR FAMILY base.ints USING btree: 42501 ",
    ),
    ("", "ALTER OPERATOR FAMILY base.ints USING btree "),
    (
        "entry down; Type: OPERATOR CLASS; ",
        "CREATE OPERATOR CLASS base.down FOR TYPE integer ",
    ),
    (
        "",
        "ALTER OPERATOR CLASS base.down USING btree OWNER TO chief: 42704 ",
    ),
    (
        "entry ix_down; ",
        "CREATE INDEX ix_down ON ix.t USING btree: 42704 ",
    ),
    // Foreign data.
    (
        "entry nothing; Type: FOREIGN DATA WRAPPER; ",
        "CREATE FOREIGN DATA WRAPPER nothing OPTIONS: 42501 ",
    ),
    (
        "",
        "ALTER FOREIGN DATA WRAPPER nothing OWNER TO chief: 42704 ",
    ),
    (
        "entry FOREIGN DATA WRAPPER nothing; Type: COMMENT; ",
        "COMMENT ON FOREIGN DATA WRAPPER nothing IS: ",
    ),
    (
        "entry FOREIGN DATA WRAPPER nothing; Type: ACL; ",
        "GRANT ALL ON FOREIGN DATA WRAPPER nothing TO app: ",
    ),
    (
        "entry far; away; Type: SERVER; ",
        "CREATE SERVER \"far; away\" TYPE: 42704 ",
    ),
    ("", "ALTER SERVER \"far; away\" OWNER TO app: 42704 "),
    (
        "entry SERVER \"far; away\"; Type: COMMENT; ",
        "COMMENT ON SERVER \"far; away\" IS: 42704 ",
    ),
    (
        "entry FOREIGN SERVER \"far; away\"; Type: ACL; ",
        "GRANT ALL ON FOREIGN SERVER \"far; away\" TO ",
    ),
    (
        "entry USER MAPPING app ",
        "CREATE USER MAPPING FOR app SERVER \"far; away\": 42704 ",
    ),
    (
        "entry USER MAPPING public ",
        "CREATE USER MAPPING FOR public SERVER \"far; away\": 42704 ",
    ),
    (
        "entry far; Type: FOREIGN TABLE; ",
        "CREATE FOREIGN TABLE tab.far: 42704 ",
    ),
    (
        "",
        "ALTER FOREIGN TABLE tab.far ALTER COLUMN a OPTIONS: 42P01 ",
    ),
    (
        "entry far_child; ",
        "CREATE FOREIGN TABLE tab.far_child: 42704 ",
    ),
    (
        "entry mixed_2; Type: FOREIGN TABLE; ",
        "CREATE FOREIGN TABLE tab.mixed_2: 42704 ",
    ),
    ("", "ALTER FOREIGN TABLE tab.far OWNER TO app: 42P01 "),
    ("", "ALTER FOREIGN TABLE tab.far_child OWNER TO app: 42P01 "),
    ("", "ALTER FOREIGN TABLE tab.mixed_2 OWNER TO app: 42P01 "),
    (
        "entry mixed_2; Type: TABLE ATTACH; ",
        "ALTER TABLE ONLY tab.mixed ATTACH PARTITION tab.mixed_2 ",
    ),
    (
        "entry far_child b; Type: DEFAULT; ",
        "ALTER FOREIGN TABLE ONLY tab.far_child ALTER COLUMN b ",
    ),
    (
        "entry TABLE far; Type: ACL; ",
        "GRANT SELECT ON TABLE tab.far TO reader: 42P01 ",
    ),
    (
        "entry TABLE far_child; Type: ACL; ",
        "GRANT SELECT ON TABLE tab.far_child TO reader: 42P01 ",
    ),
    (
        "entry TABLE mixed_2; Type: ACL; ",
        "GRANT SELECT ON TABLE tab.mixed_2 TO reader: 42P01 ",
    ),
    // What acts on, or shows, all of a database.
    (
        "entry everything; Type: PUBLICATION; ",
        "CREATE PUBLICATION everything FOR ALL TABLES WITH: 42501 ",
    ),
    ("", "ALTER PUBLICATION everything OWNER TO chief: 42704 "),
    (
        "entry of_schema val; ",
        "ALTER PUBLICATION of_schema ADD TABLES IN SCHEMA val: 42501 ",
    ),
    (
        "entry of_schema Odd.",
        "ALTER PUBLICATION of_schema ADD TABLES IN SCHEMA: 42501 ",
    ),
    ("entry never; ", "CREATE EVENT TRIGGER never ON "),
    (
        "entry noticed; all; ",
        "CREATE EVENT TRIGGER \"noticed; all\" ON ",
    ),
    (
        "entry some; Type: EVENT TRIGGER; ",
        "CREATE EVENT TRIGGER \"some\" ON ",
    ),
    (
        "entry EVENT TRIGGER \"some\"; Type: COMMENT; ",
        "COMMENT ON EVENT TRIGGER \"some\" IS: 42704 ",
    ),
    ("", "ALTER EVENT TRIGGER "),
    // Of the server, or of an extension that its superuser owns.
    (
        "entry TABLE pg_authid; Type: ACL; ",
        "GRANT SELECT ON TABLE pg_catalog.pg_authid TO reader: 42501 ",
    ),
    (
        "entry COLUMN pg_authid.rolname; Type: ACL; ",
        "GRANT SELECT: 42501 permission denied for column ",
    ),
    (
        "entry FUNCTION soundex(text); Type: ACL; ",
        "missing: GRANT ALL ON FUNCTION ext.soundex",
    ),
    ("", "missing: REVOKE ALL ON FUNCTION ext.soundex"),
    (
        "entry FUNCTION pg_ls_waldir(",
        "missing: GRANT ALL ON FUNCTION pg_catalog.pg_ls_waldir",
    ),
];

/// What is not logged is empty when a server starts from a snapshot.
pub const BY_SNAPSHOT: &[Exception] = &[
    ("entry unlogged", UNLOGGED),
    ("rows tab.unlogged", UNLOGGED),
];

const UNLOGGED: &str = "rows of unlogged tables that are empty: 1: ";
