-- What servers from 16 on know.
SET ROLE postgres;
-- kind: membership that is not inherited
GRANT passes TO app WITH INHERIT FALSE, SET TRUE;
-- kind: membership whose role cannot be assumed
GRANT repl TO app WITH INHERIT TRUE, SET FALSE;
-- kind: membership that two gave
GRANT makes TO app WITH ADMIN TRUE; GRANT makes TO limited WITH INHERIT FALSE; SET ROLE app; GRANT makes TO limited; RESET ROLE;
SET ROLE app;
-- kind: aggregate of any value
CREATE VIEW vw.any_value AS SELECT any_value(b) AS b FROM ix.t GROUP BY a;
-- kind: constructors and tests of json
CREATE VIEW vw.json AS SELECT json_object('a': 1 ABSENT ON NULL) AS o, json_array(1, 2 RETURNING jsonb) AS a, b IS JSON OBJECT AS i
    FROM ix.t;
-- kind: storage of a column given with the column
CREATE TABLE tab.stored_so (a text STORAGE EXTERNAL COMPRESSION pglz); INSERT INTO tab.stored_so VALUES ('x');
RESET ROLE;
