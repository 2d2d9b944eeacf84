-- What servers from 17 on know.
SET ROLE app;
-- kind: right to maintain a table
GRANT MAINTAIN ON tab.keys TO writer;
-- kind: identity of a divided table
CREATE TABLE tab.numbered (id bigint GENERATED ALWAYS AS IDENTITY, a int) PARTITION BY LIST (a);
CREATE TABLE tab.numbered_1 PARTITION OF tab.numbered FOR VALUES IN (1); INSERT INTO tab.numbered (a) VALUES (1), (1);
-- kind: exclusion over a divided table
CREATE TABLE tab.booked_parts (room int, during tsrange, EXCLUDE USING gist (room ext.gist_int4_ops WITH =, during WITH &&))
    PARTITION BY LIST (room); CREATE TABLE tab.booked_1 PARTITION OF tab.booked_parts FOR VALUES IN (1);
-- kind: table from a document
CREATE VIEW vw.json_table AS SELECT j.* FROM ix.t, JSON_TABLE(c, '$' COLUMNS (k int PATH '$.k' DEFAULT 7 ON EMPTY, o FOR ORDINALITY))
    AS j;
-- kind: collation of the server itself
CREATE COLLATION ty.builtin (provider = builtin, locale = 'C.UTF-8');
-- kind: intervals without end
CREATE TABLE val.endless (id int PRIMARY KEY, a interval); INSERT INTO val.endless VALUES (1, 'infinity'), (2, '-infinity');
-- kind: event trigger at an entry
RESET ROLE; SET ROLE chief;
CREATE EVENT TRIGGER entered ON login EXECUTE FUNCTION base.noticed(); ALTER EVENT TRIGGER entered DISABLE;
RESET ROLE;
