-- Who may do what; what is foreign; what others read.
SET ROLE app;
-- kind: rights on a table
GRANT SELECT, INSERT ON tab.keys TO reader; GRANT ALL ON tab.defaults TO writer;
-- kind: rights on columns
GRANT SELECT (a), UPDATE (b) ON tab.refers TO reader; GRANT REFERENCES (c) ON tab.refers TO PUBLIC;
-- kind: right that may be passed on, and was
GRANT SELECT ON tab.always TO reader WITH GRANT OPTION; RESET ROLE; SET ROLE reader; GRANT SELECT ON tab.always TO writer;
RESET ROLE; SET ROLE app;
-- kind: rights that the owner does not have
REVOKE ALL ON tab.none FROM app; REVOKE INSERT ON tab.shares FROM app;
-- kind: rights on a sequence
GRANT USAGE, SELECT ON SEQUENCE tab.free TO reader;
-- kind: rights on a schema
GRANT CREATE ON SCHEMA ty TO writer; GRANT USAGE ON SCHEMA ty TO PUBLIC;
-- kind: rights to the role of reserved words and of two lines
GRANT SELECT ON tab."table" TO "select", "two
lines; DROP ROLE app";
-- kind: rights by default in a schema
ALTER DEFAULT PRIVILEGES IN SCHEMA tab GRANT SELECT ON TABLES TO reader; ALTER DEFAULT PRIVILEGES IN SCHEMA tab GRANT USAGE ON
    SEQUENCES TO reader WITH GRANT OPTION;
-- kind: rights by default everywhere
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC; ALTER DEFAULT PRIVILEGES GRANT USAGE ON TYPES TO writer;
ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO reader;
-- kind: row-level security with policies for each command
CREATE TABLE sec.rows (id int PRIMARY KEY, tenant text, n int); INSERT INTO sec.rows VALUES (1, 'a', 1), (2, 'b', 2);
ALTER TABLE sec.rows ENABLE ROW LEVEL SECURITY;
CREATE POLICY "see; all" ON sec.rows FOR SELECT USING (tenant = current_setting('app.tenant', true));
CREATE POLICY puts ON sec.rows FOR INSERT TO reader, writer WITH CHECK (n > 0);
CREATE POLICY changes ON sec.rows FOR UPDATE TO app USING (n > 1) WITH CHECK (n > 2);
CREATE POLICY takes ON sec.rows FOR DELETE TO CURRENT_USER USING (false);
-- kind: policy that restricts
CREATE POLICY also ON sec.rows AS RESTRICTIVE USING (tenant <> 'it''s;');
-- kind: policy that asks another table
CREATE POLICY asks ON sec.rows USING (EXISTS (SELECT 1 FROM tab.keys k WHERE k.a = n));
-- kind: row-level security that holds its owner
CREATE TABLE sec.forced (id int PRIMARY KEY, a text); INSERT INTO sec.forced VALUES (1, 'x');
ALTER TABLE sec.forced ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
-- kind: row-level security that is forced and not enabled, beside a policy that waits
CREATE TABLE sec.waits (id int); ALTER TABLE sec.waits FORCE ROW LEVEL SECURITY; CREATE POLICY p ON sec.waits USING (false);
INSERT INTO sec.waits VALUES (1);
-- kind: comment on a policy
COMMENT ON POLICY also ON sec.rows IS 'why';
GRANT SELECT ON sec.rows, sec.forced TO reader;
RESET ROLE; SET ROLE chief;
-- kind: wrapper of foreign data
CREATE FOREIGN DATA WRAPPER nothing OPTIONS (debug 'it''s'); COMMENT ON FOREIGN DATA WRAPPER nothing IS 'n';
-- kind: rights on a wrapper of foreign data
GRANT USAGE ON FOREIGN DATA WRAPPER nothing TO app;
RESET ROLE; SET ROLE app;
-- kind: foreign server
CREATE SERVER "far; away" TYPE 't' VERSION '1.2' FOREIGN DATA WRAPPER nothing OPTIONS (host 'h''x', "Port p" '1');
COMMENT ON SERVER "far; away" IS 'far';
-- kind: rights on a foreign server
GRANT USAGE ON FOREIGN SERVER "far; away" TO reader;
-- kind: user mapping with a secret
CREATE USER MAPPING FOR app SERVER "far; away" OPTIONS (user 'u', password 'hidden from dumps');
-- kind: user mapping for everybody without options
CREATE USER MAPPING FOR PUBLIC SERVER "far; away";
-- kind: foreign table
CREATE FOREIGN TABLE tab.far (a int OPTIONS (column_name 'A''a') NOT NULL, b text DEFAULT 'x', CHECK (a > 0)) SERVER "far; away"
    OPTIONS (table_name 't;');
-- kind: foreign part of a divided table
CREATE TABLE tab.mixed (a int) PARTITION BY LIST (a); CREATE TABLE tab.mixed_1 PARTITION OF tab.mixed FOR VALUES IN (1);
CREATE FOREIGN TABLE tab.mixed_2 PARTITION OF tab.mixed FOR VALUES IN (2) SERVER "far; away"; INSERT INTO tab.mixed VALUES (1);
-- kind: foreign table that inherits
CREATE FOREIGN TABLE tab.far_child (z int) INHERITS (tab.second) SERVER "far; away";
RESET ROLE; SET ROLE chief;
-- kind: publication of all tables
CREATE PUBLICATION everything FOR ALL TABLES WITH (publish = 'insert, truncate', publish_via_partition_root = true);
-- kind: publication of a schema's tables
CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA val, "Odd.""näme"" 名 '$x$"; COMMENT ON PUBLICATION of_schema IS 'p';
RESET ROLE;
-- kind: publication of some columns and some rows
CREATE PUBLICATION "some; of it" FOR TABLE tab.keys (a, b) WHERE (a > 0 AND b <> 7), tab.always, ONLY tab.parent;
ALTER PUBLICATION "some; of it" OWNER TO app;
-- kind: publication of nothing
CREATE PUBLICATION nothing; ALTER PUBLICATION nothing OWNER TO app;
-- kind: subscription
CREATE SUBSCRIPTION follows CONNECTION 'host=nowhere.invalid password=hidden' PUBLICATION everything WITH (connect = false,
    slot_name = NONE, enabled = false);
-- kind: extension in a schema with a comment of its own
COMMENT ON EXTENSION hstore IS 'our words';
-- kind: extension that may be made by no superuser
SET ROLE postgres; CREATE EXTENSION fuzzystrmatch SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; CREATE EXTENSION btree_gist SCHEMA ext;
-- kind: extension that a superuser alone makes
CREATE EXTENSION pageinspect SCHEMA ext; RESET ROLE;
-- kind: rights on a function of an extension
GRANT USAGE ON SCHEMA ext TO PUBLIC; REVOKE EXECUTE ON FUNCTION ext.soundex(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ext.soundex(text) TO app;
-- kind: rights on a function of the server
GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_waldir() TO reader;
-- kind: rights on a table and a column of the server
GRANT SELECT ON pg_catalog.pg_authid TO reader; GRANT SELECT (rolname) ON pg_catalog.pg_authid TO writer;
-- kind: large object
SET ROLE app;
SELECT lo_from_bytea(70001, '\x00ff0a5c2e0a'); COMMENT ON LARGE OBJECT 70001 IS E'it''s\nlarge';
-- kind: large object that is empty
SELECT lo_create(70002);
-- kind: large object with a hole
SELECT lo_create(70003), lo_put(70003, 600000, 'behind');
-- kind: rights on a large object
GRANT SELECT ON LARGE OBJECT 70001 TO PUBLIC; GRANT SELECT ON LARGE OBJECT 70001 TO reader WITH GRANT OPTION;
REVOKE UPDATE ON LARGE OBJECT 70001 FROM app;
RESET ROLE;
-- kind: large object of another owner
SELECT lo_from_bytea(70004, 'theirs'); ALTER LARGE OBJECT 70004 OWNER TO "Other ""Owner"" é";
