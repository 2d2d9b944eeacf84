-- What servers from 18 on know.
SET ROLE app;
-- kind: column that is generated when it is read
CREATE TABLE tab.virtual (a int, twice int GENERATED ALWAYS AS (a * 2) VIRTUAL); INSERT INTO tab.virtual VALUES (4);
-- kind: constraint that is not enforced
CREATE TABLE tab.loose (a int CHECK (a > 9) NOT ENFORCED, b int REFERENCES tab.waits NOT ENFORCED); INSERT INTO tab.loose VALUES (1, 99);
-- kind: NOT NULL with a name, not inherited, and not valid
CREATE TABLE tab.filled (a int CONSTRAINT "a is; there" NOT NULL NO INHERIT, b int); INSERT INTO tab.filled VALUES (1, NULL);
ALTER TABLE tab.filled ADD CONSTRAINT b_later NOT NULL b NOT VALID; COMMENT ON CONSTRAINT "a is; there" ON tab.filled IS 'why';
-- kind: key over periods
CREATE TABLE tab.periods (room ext.citext, during tsrange, room_id int4range, PRIMARY KEY (room_id, during WITHOUT OVERLAPS));
CREATE TABLE tab.of_periods (room_id int4range, during tsrange, FOREIGN KEY (room_id, PERIOD during) REFERENCES tab.periods
    (room_id, PERIOD during));
INSERT INTO tab.periods VALUES ('x', '[2026-01-01, 2026-02-01)', '[1,2)');
INSERT INTO tab.of_periods VALUES ('[1,2)', '[2026-01-05, 2026-01-06)');
-- kind: rule and function that return what was and what is
CREATE FUNCTION fn.was() RETURNS SETOF int LANGUAGE sql BEGIN ATOMIC UPDATE tab.waits SET b = b RETURNING old.b; END;
-- kind: rights on large objects by default
ALTER DEFAULT PRIVILEGES GRANT SELECT ON LARGE OBJECTS TO reader;
-- kind: collation that folds case by the server itself
CREATE COLLATION ty.folds (provider = builtin, locale = 'PG_UNICODE_FAST');
RESET ROLE; SET ROLE postgres;
-- kind: publication of generated columns
CREATE PUBLICATION generated FOR TABLE tab.generated WITH (publish_generated_columns = stored);
RESET ROLE;
