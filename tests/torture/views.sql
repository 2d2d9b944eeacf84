-- Views, rules and triggers.
SET ROLE app;
-- kind: view
CREATE VIEW vw.plain AS SELECT *, 'it''s;' AS "Q q" FROM tab.keys;
-- kind: view with names of its own and a default
CREATE VIEW vw.named (x, "y y") AS SELECT a, b FROM tab.keys; ALTER VIEW vw.named ALTER x SET DEFAULT 7;
-- kind: view that is a barrier
CREATE VIEW vw.barrier WITH (security_barrier) AS SELECT a FROM tab.keys WHERE a > 0;
-- kind: view with the rights of who asks
CREATE VIEW vw.invoker WITH (security_invoker = true, security_barrier = false) AS SELECT a FROM tab.keys;
-- kind: view with a check option
CREATE VIEW vw.local AS SELECT a, b FROM tab.keys WHERE a > 0 WITH LOCAL CHECK OPTION;
CREATE VIEW vw.cascaded AS SELECT a FROM vw.local WHERE a < 9 WITH CASCADED CHECK OPTION;
-- kind: view that goes around
CREATE RECURSIVE VIEW vw.counts (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM counts WHERE n < 5;
-- kind: view that needs a primary key
CREATE VIEW vw.grouped AS SELECT t.id, t.a, t.b, count(*) AS n FROM ix.t GROUP BY t.id;
-- kind: view over a view that needs a primary key
CREATE VIEW vw.over_grouped AS SELECT sum(n) AS n, g FROM (SELECT n, a AS g FROM vw.grouped) x GROUP BY g;
-- kind: views that refer to each other
CREATE VIEW vw.one AS SELECT 1 AS a; CREATE VIEW vw.two AS SELECT a FROM vw.one; CREATE OR REPLACE VIEW vw.one AS SELECT a FROM
    (SELECT 1 AS a WHERE false) x UNION ALL SELECT id FROM ix.t WHERE id < 3;
-- kind: view of every clause
CREATE VIEW vw.clauses AS WITH x AS MATERIALIZED (SELECT * FROM ix.t TABLESAMPLE system (100) REPEATABLE (7)) SELECT DISTINCT ON (a)
    a, rank() OVER w AS r, array_agg(b) FILTER (WHERE a > 1) OVER w AS l, c ->> 'k' AS k FROM x WINDOW w AS (PARTITION BY
    a ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE TIES) ORDER BY a, id DESC NULLS LAST LIMIT 5 OFFSET 1;
-- kind: view over functions, a lateral join and grouping sets
CREATE VIEW vw.joins AS SELECT k.a, p.*, count(*) FROM tab.keys k LEFT JOIN LATERAL fn.pairs(k.a) WITH ORDINALITY AS p (l, m, o) ON
    true GROUP BY GROUPING SETS ((k.a, p.l, p.m, p.o), ()) HAVING count(*) > 0;
-- kind: materialised view
CREATE MATERIALIZED VIEW vw.filled WITH (fillfactor = 80) AS SELECT a, count(*) AS n FROM ix.t GROUP BY a;
-- kind: index of a materialised view
CREATE UNIQUE INDEX filled_a ON vw.filled (a);
-- kind: materialised view over a materialised view
CREATE MATERIALIZED VIEW vw.a_over AS SELECT sum(n) AS n FROM vw.filled;
-- kind: materialised view that was never filled
CREATE MATERIALIZED VIEW vw.unfilled AS SELECT 1 / 0 AS a WITH NO DATA;
-- kind: materialised view that needs a primary key
CREATE MATERIALIZED VIEW vw.by_key AS SELECT id, b, count(*) FROM ix.t GROUP BY id;
-- kind: function of the standard's syntax that needs a primary key
CREATE FUNCTION fn.by_key() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM (SELECT id, b FROM ix.t GROUP BY id) x; END;
-- kind: rule
CREATE TABLE vw.ruled (a int); CREATE RULE also AS ON INSERT TO vw.ruled WHERE new.a > 100 DO ALSO (DELETE FROM vw.ruled WHERE a =
    new.a - 1; DELETE FROM vw.ruled WHERE a = 0);
CREATE RULE told AS ON UPDATE TO vw.ruled DO NOTIFY "it's"; CREATE RULE none AS ON DELETE TO vw.ruled DO INSTEAD NOTHING;
-- kind: rule of a view
CREATE RULE written AS ON UPDATE TO vw.plain DO INSTEAD UPDATE tab.keys SET c = new.c WHERE a = old.a RETURNING *, 'x'::text;
-- kind: rule that is disabled
ALTER TABLE vw.ruled DISABLE RULE also; INSERT INTO vw.ruled VALUES (1);
CREATE TABLE vw.fired (a int, b text); CREATE TABLE vw.log (what text, at int);
CREATE FUNCTION vw.noted() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO vw.log VALUES (tg_name, 1); RETURN NEW; END$$;
-- kind: trigger of a row with a condition and arguments
CREATE TRIGGER "before; row" BEFORE INSERT OR UPDATE OF a, b ON vw.fired FOR EACH ROW WHEN (new.a > 0) EXECUTE FUNCTION
    vw.noted('a''b', E'c\nd', '1');
INSERT INTO vw.fired VALUES (1, 'x'), (2, 'y');
-- kind: trigger of a statement
CREATE TRIGGER statement AFTER DELETE OR TRUNCATE ON vw.fired FOR EACH STATEMENT EXECUTE FUNCTION vw.noted();
-- kind: trigger with tables of what changed
CREATE TRIGGER changed AFTER UPDATE ON vw.fired REFERENCING OLD TABLE AS "old ones" NEW TABLE AS new_ones FOR EACH STATEMENT EXECUTE
    FUNCTION vw.noted();
-- kind: trigger that is a constraint and waits
CREATE CONSTRAINT TRIGGER waits AFTER INSERT ON vw.fired FROM tab.keys DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION
    vw.noted();
-- kind: trigger that is disabled
CREATE TRIGGER off BEFORE INSERT ON vw.fired FOR EACH ROW EXECUTE FUNCTION vw.noted(); ALTER TABLE vw.fired DISABLE TRIGGER off;
-- kind: trigger that fires on a replica alone
CREATE TRIGGER replica BEFORE INSERT ON vw.fired FOR EACH ROW EXECUTE FUNCTION vw.noted();
ALTER TABLE vw.fired ENABLE REPLICA TRIGGER replica;
-- kind: trigger that fires always
CREATE TRIGGER always BEFORE INSERT ON vw.fired FOR EACH ROW EXECUTE FUNCTION vw.noted();
ALTER TABLE vw.fired ENABLE ALWAYS TRIGGER always;
-- kind: trigger of a view
CREATE TRIGGER instead INSTEAD OF INSERT ON vw.barrier FOR EACH ROW EXECUTE FUNCTION vw.noted();
-- kind: trigger of a divided table
CREATE TRIGGER parts AFTER INSERT ON tab.ranged FOR EACH ROW EXECUTE FUNCTION vw.noted();
-- kind: trigger of a divided table that one part has disabled
ALTER TABLE tab.ranged_1 DISABLE TRIGGER parts;
-- kind: comments on views, rules and triggers
COMMENT ON VIEW vw.plain IS 'v'; COMMENT ON MATERIALIZED VIEW vw.filled IS 'm'; COMMENT ON RULE also ON vw.ruled IS E'r\n;';
COMMENT ON TRIGGER off ON vw.fired IS 't'; COMMENT ON COLUMN vw.plain."Q q" IS 'c';
RESET ROLE; SET ROLE chief;
-- kind: event trigger
CREATE FUNCTION base.noticed() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN IF false THEN RAISE 'x'; END IF; END$$;
CREATE EVENT TRIGGER "noticed; all" ON ddl_command_end EXECUTE FUNCTION base.noticed();
-- kind: event trigger of some commands, for replicas alone
CREATE EVENT TRIGGER "some" ON sql_drop WHEN TAG IN ('DROP TABLE', 'DROP VIEW') EXECUTE FUNCTION base.noticed();
ALTER EVENT TRIGGER "some" ENABLE REPLICA;
-- kind: event trigger that is disabled
CREATE EVENT TRIGGER never ON ddl_command_start EXECUTE FUNCTION base.noticed(); ALTER EVENT TRIGGER never DISABLE;
COMMENT ON EVENT TRIGGER "some" IS 'some';
RESET ROLE;
