-- Functions, operators and what finds rows by them.
SET ROLE app;
-- kind: function in plpgsql with every trap in its body
CREATE FUNCTION fn.traps(a text DEFAULT E'x;''\n$$\\', OUT b text, INOUT c int DEFAULT 3) LANGUAGE plpgsql AS $f$
-- a comment; with 'quotes
BEGIN b := $$ ; \connect x
$$ || a; /* ; */ c := c + 1; END; $f$;
-- kind: function of the standard's syntax
CREATE FUNCTION fn.atomic(n int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT CASE WHEN n > 0 THEN n ELSE 0 END; END;
-- kind: function that returns an expression
CREATE FUNCTION fn.doubled(n int) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 7 RETURN n * 2;
-- kind: function with the rights of its owner and settings of its own
CREATE FUNCTION fn.trusted() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = fn, "Odd, ""name""" SET work_mem = '3MB' AS 'SELECT current_user::text';
-- kind: function with a setting that no module knows
CREATE FUNCTION fn.noted() RETURNS int LANGUAGE sql AS 'SELECT 1';
RESET ROLE; ALTER FUNCTION fn.noted() SET app.note = E'a\n;''b'; SET ROLE app;
-- kind: window function
RESET ROLE; SET ROLE chief;
CREATE FUNCTION base.numbered() RETURNS bigint LANGUAGE internal WINDOW IMMUTABLE STRICT AS 'window_row_number';
-- kind: function that leaks nothing
CREATE FUNCTION base.tight(int, int) RETURNS bool LANGUAGE internal IMMUTABLE STRICT LEAKPROOF AS 'int4eq';
RESET ROLE; SET ROLE app;
-- kind: function of any number of arguments
CREATE FUNCTION fn.joined(sep text, VARIADIC parts anyarray) RETURNS text LANGUAGE sql IMMUTABLE AS
    'SELECT array_to_string(parts, sep)';
-- kind: function of any type
CREATE FUNCTION fn.first_of(anycompatible, anycompatible) RETURNS anycompatible LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT AS
    'SELECT coalesce($1, $2)';
-- kind: function that returns a table
CREATE FUNCTION fn.pairs(n int) RETURNS TABLE ("A a" int, b text) LANGUAGE sql ROWS 10 AS
    $$SELECT g, 'r' || g FROM generate_series(1, n) g$$;
-- kind: function that returns a set of a composite type
CREATE FUNCTION fn.points() RETURNS SETOF ty.point3 LANGUAGE sql AS $$SELECT 1.5, 'sad'::ty.mood, 'z'$$;
-- kind: functions of one name
CREATE FUNCTION fn.same(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE FUNCTION fn.same(text) RETURNS int LANGUAGE sql AS
    'SELECT 2'; CREATE FUNCTION fn.same() RETURNS int LANGUAGE sql AS 'SELECT 3';
-- kind: procedure
CREATE PROCEDURE fn.moved(INOUT a int, b int DEFAULT 2) LANGUAGE plpgsql AS $$BEGIN a := a + b; END$$;
-- kind: function whose body does not run here
SET check_function_bodies = off;
CREATE FUNCTION fn.later() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM nowhere.at_all';
RESET check_function_bodies;
-- kind: aggregate
CREATE AGGREGATE fn.product(numeric) (SFUNC = numeric_mul, STYPE = numeric, INITCOND = '1', PARALLEL = safe);
-- kind: aggregate over a moving window
CREATE AGGREGATE fn.moving(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0', MSFUNC = int4pl, MINVFUNC = int4mi, MSTYPE = int,
    MINITCOND = '0');
-- kind: aggregate of an ordered set
CREATE FUNCTION fn.keeps(bigint, anyelement) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT coalesce($1, 0) + 1';
CREATE AGGREGATE fn.ordered(ORDER BY anyelement) (SFUNC = fn.keeps, STYPE = bigint, INITCOND = '0');
-- kind: operator with its negator and commutator
CREATE FUNCTION fn.near(ty.mood, ty.mood) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1::text = $2::text';
CREATE FUNCTION fn.far(ty.mood, ty.mood) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1::text <> $2::text';
CREATE OPERATOR fn.=== (LEFTARG = ty.mood, RIGHTARG = ty.mood, FUNCTION = fn.near, COMMUTATOR = OPERATOR(fn.===),
    NEGATOR = OPERATOR(fn.!==), RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR fn.!== (LEFTARG = ty.mood, RIGHTARG = ty.mood, FUNCTION = fn.far, NEGATOR = OPERATOR(fn.===));
-- kind: operator before its only argument
CREATE FUNCTION fn.halved(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 / 2';
CREATE OPERATOR fn.@#@ (RIGHTARG = int, FUNCTION = fn.halved);
RESET ROLE; SET ROLE chief;
-- kind: operator family
CREATE OPERATOR FAMILY base.ints USING btree;
-- kind: operator class
CREATE FUNCTION base.backwards(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT btint4cmp($2, $1)';
CREATE OPERATOR CLASS base.down FOR TYPE int USING btree FAMILY base.ints AS OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =,
    OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 base.backwards(int, int);
-- kind: operators that were added to a family
ALTER OPERATOR FAMILY base.ints USING btree ADD OPERATOR 3 pg_catalog.= (int, bigint);
-- kind: language of procedures
CREATE FUNCTION base.handles() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION base.handles_inline(internal) RETURNS void LANGUAGE c STRICT AS '$libdir/plpgsql', 'plpgsql_inline_handler';
CREATE FUNCTION base.validates(oid) RETURNS void LANGUAGE c STRICT AS '$libdir/plpgsql', 'plpgsql_validator';
CREATE TRUSTED LANGUAGE plagain HANDLER base.handles INLINE base.handles_inline VALIDATOR base.validates;
COMMENT ON LANGUAGE plagain IS 'again';
-- kind: function in a language of our own
CREATE FUNCTION base.again() RETURNS int LANGUAGE plagain AS 'BEGIN RETURN 7; END';
-- kind: access method
CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;
RESET ROLE; GRANT USAGE ON SCHEMA base TO app, PUBLIC;
SET ROLE app;
-- kind: configuration and dictionary of text search
CREATE TEXT SEARCH DICTIONARY fn.plain (TEMPLATE = simple, STOPWORDS = english, ACCEPT = false);
CREATE TEXT SEARCH CONFIGURATION fn.words (COPY = english);
ALTER TEXT SEARCH CONFIGURATION fn.words ALTER MAPPING FOR asciiword, word WITH fn.plain, english_stem;
RESET ROLE; SET ROLE chief;
-- kind: parser and template of text search
CREATE TEXT SEARCH PARSER base.parses (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH TEMPLATE base.shape (INIT = dsimple_init, LEXIZE = dsimple_lexize);
RESET ROLE; SET ROLE app;
-- kind: comments on functions, operators and aggregates
COMMENT ON FUNCTION fn.same(int) IS 'one'; COMMENT ON OPERATOR fn.=== (ty.mood, ty.mood) IS E'it''s\n--;';
COMMENT ON AGGREGATE fn.product(numeric) IS 'all of them'; COMMENT ON PROCEDURE fn.moved(int, int) IS 'moves';
COMMENT ON TEXT SEARCH CONFIGURATION fn.words IS 'of ours'; COMMENT ON CAST (int AS ty.mood) IS 'by sign';
-- kind: rights on a function that everybody had
REVOKE EXECUTE ON FUNCTION fn.same(text) FROM PUBLIC; GRANT EXECUTE ON FUNCTION fn.same(text) TO reader;
-- kind: rights on a procedure
GRANT EXECUTE ON PROCEDURE fn.moved(int, int) TO writer WITH GRANT OPTION;
RESET ROLE;
-- kind: rights on a language
SET ROLE chief; REVOKE USAGE ON LANGUAGE plagain FROM PUBLIC; GRANT USAGE ON LANGUAGE plagain TO app; RESET ROLE;
-- kind: function that depends on an extension
SET ROLE postgres; CREATE EXTENSION hstore SCHEMA ext; SET ROLE app;
CREATE FUNCTION ext.keyed(ext.hstore) RETURNS text[] LANGUAGE sql IMMUTABLE AS 'SELECT ext.akeys($1)';
RESET ROLE; ALTER FUNCTION ext.keyed(ext.hstore) DEPENDS ON EXTENSION hstore;
